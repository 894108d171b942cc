package memory

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// sleeper is work that takes a millisecond each time, by a clock of its own.
func sleeper(counts *[]int) work {
	return func(_ context.Context, n int) error {
		*counts = append(*counts, n)
		time.Sleep(time.Duration(n) * time.Millisecond)
		return nil
	}
}

func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counts []int
		m := &meter{span: 300 * time.Millisecond}
		for range 2 {
			if c, err := m.measure(t.Context(), sleeper(&counts)); err != nil || c.ns != 1e6 {
				t.Errorf("%v ns, %v, want a millisecond", c.ns, err)
			}
		}
		want := []int{1, 100, 300, 300} // the second measurement knows
		if len(counts) != len(want) || counts[1] != want[1] || counts[2] != want[2] || counts[3] != want[3] {
			t.Errorf("done %v times, want %v", counts, want)
		}
	})
}

func TestPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counts []int
		figure, note, err := perSecond("x", 300*time.Millisecond, ready(sleeper(&counts))).Run(t.Context())
		if figure != 1000 || note == "" || err != nil {
			t.Errorf("%v, %q, %v, want 1,000 per second", figure, note, err)
		}
	})
}

var sink [][]byte

func TestAllocationsAreCounted(t *testing.T) {
	c, _, err := timed(t.Context(), 1000, func(_ context.Context, n int) error {
		sink = make([][]byte, n)
		for i := range n {
			sink[i] = make([]byte, 1000)
		}
		return nil
	})
	if err != nil || c.allocs < 1 || c.allocs > 1.5 || c.bytes < 1000 || c.bytes > 1200 {
		t.Errorf("%v allocations of %v B, %v, want one of 1,024 and a slice", c.allocs, c.bytes, err)
	}
}

func TestErrorsAreNoFigures(t *testing.T) {
	oops := errors.New("oops")
	fails := func(context.Context) (work, error) { return nil, oops }
	for _, e := range []func() (float64, string, error){
		func() (float64, string, error) { return timing("x", span, fails).Run(t.Context()) },
		func() (float64, string, error) { return perSecond("x", span, fails).Run(t.Context()) },
		func() (float64, string, error) {
			return timing("x", span, ready(func(context.Context, int) error { return oops })).Run(t.Context())
		},
	} {
		if figure, _, err := e(); figure != 0 || err != oops {
			t.Errorf("%v, %v, want %v", figure, err, oops)
		}
	}
}
