package lightdht

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The histogram against the sorted list of what was put in.
func TestDelays(t *testing.T) {
	const seed = 11
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var h delays
	var all []time.Duration
	for range 2000 {
		d := time.Duration(r.Uint64() >> (1 + r.IntN(63)))
		h.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	var got Delays
	h.addTo(&got)
	if got.Count != 2000 || got.Max != all[1999] {
		t.Errorf("%d delays up to %v, want 2000 up to %v", got.Count, got.Max, all[1999])
	}
	for q := range 2001 {
		want := all[max(0, q-1)]
		if v := got.Quantile(float64(q) / 2000); v < want || v/2 > want || v > got.Max {
			t.Errorf("quantile %d/2000 is %v, want %v to twice that", q, v, want)
		}
	}
	var sum uint64
	for i, n := range got.Buckets {
		sum += n
		for range n {
			if d := all[0]; i > 0 && (d < 1<<(i-1) || d>>i != 0) || i == 0 && d != 0 {
				t.Fatalf("%v is in bucket %d", d, i)
			}
			all = all[1:]
		}
	}
	if sum != got.Count {
		t.Errorf("%d in the buckets of %d", sum, got.Count)
	}
}

func TestDelaysEdges(t *testing.T) {
	var none Delays
	for _, q := range []float64{-1, 0, 0.5, 1, 2, math.Inf(1), math.NaN()} {
		if v := none.Quantile(q); v != 0 {
			t.Errorf("quantile %v of nothing is %v", q, v)
		}
	}
	var h delays
	for _, d := range []time.Duration{-5, 0, math.MaxInt64} {
		h.add(d)
	}
	var got Delays
	h.addTo(&got)
	if got.Count != 3 || got.Buckets[0] != 2 || got.Buckets[63] != 1 || got.Quantile(0.6) != 0 || got.Quantile(7) != math.MaxInt64 {
		t.Errorf("%+v", got)
	}
}

// A histogram of two sockets is that of the sum.
func TestDelaysAdd(t *testing.T) {
	var a, b delays
	a.add(3)
	b.add(900)
	b.add(4)
	var got Delays
	a.addTo(&got)
	b.addTo(&got)
	if got.Count != 3 || got.Max != 900 || got.Quantile(0.5) != 7 {
		t.Errorf("%+v, median %v", got, got.Quantile(0.5))
	}
}

// Delays are differences of the wall clock, unless it was stepped meanwhile.
func TestArrivals(t *testing.T) {
	const ms, hour = time.Millisecond, time.Hour
	began := time.Now().UnixNano()
	a := newArrivals(began)
	for i, c := range []struct {
		mono  time.Duration // now
		wall  time.Duration // now, by the wall clock
		stamp time.Duration
		ok    bool
	}{
		{5 * ms, 5 * ms, 2 * ms, true},
		{5 * ms, 5 * ms, 5 * ms, true},
		{5 * ms, 5 * ms, -1, false},             // before we began
		{5 * ms, 5 * ms, 6 * ms, false},         // out of the future
		{10 * ms, 10*ms + ms/2, 8 * ms, true},   // one clock is read after the other
		{11 * ms, hour + 11*ms, 9 * ms, false},  // an hour forward
		{12 * ms, hour + 12*ms, 10 * ms, false}, // this one was in the buffer then
		{13 * ms, hour + 13*ms, hour + 12*ms, true},
		{14 * ms, 14 * ms, hour + 13*ms, false},          // and back: from the future
		{hour + 20*ms, hour + 20*ms, hour + 13*ms, true}, // but not for ever
		{hour + 21*ms, hour + 21*ms - 2*ms, hour + 18*ms, false},
		{hour + 22*ms, hour + 22*ms - 2*ms, hour + 19*ms, true},
	} {
		d, ok := a.delay(began+int64(c.stamp), began+int64(c.wall), c.mono)
		if ok != c.ok || ok && d != c.wall-c.stamp {
			t.Errorf("%d: %v, %v, want %v, %v", i, d, ok, c.wall-c.stamp, c.ok)
		}
	}
}
