package lightdht

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))

// peakOf is the most of times within a second, as the obvious way finds it.
func peakOf(times []time.Time) (peak int) {
	for _, end := range times {
		n := 0
		for _, at := range times {
			if d := end.Sub(at); d >= 0 && d < time.Second {
				n++
			}
		}
		peak = max(peak, n)
	}
	return min(peak, MaxPeak)
}

// Against a twin that keeps every packet, over pauses longer than the moments'
// modulus.
func TestLedgerAgainstTwin(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		l, now := newLedger(100), noon
		var want []LedgerEntry
		sent := map[netip.Addr][]time.Time{}
		for range 600 {
			switch r.IntN(20) {
			case 0:
				now = now.Add(time.Duration(r.IntN(6)) * time.Second)
			case 1:
				now = now.Add(1<<32 - time.Duration(r.IntN(3)))
			default:
				now = now.Add(time.Duration(r.IntN(5)) * 50 * time.Millisecond)
			}
			addr, size := some(r), r.IntN(1500)
			i := slices.IndexFunc(want, func(e LedgerEntry) bool { return e.Addr == addr })
			if i < 0 {
				i = len(want)
				want = append(want, LedgerEntry{Addr: addr, FirstSeen: now})
			}
			e, ok := &want[i], false
			e.LastSeen = now
			if r.IntN(4) > 0 {
				ok = l.Out(now, addr, size)
				e.PacketsOut, e.BytesOut = e.PacketsOut+1, e.BytesOut+uint64(size)
				sent[addr] = append(sent[addr], now)
			} else {
				ok = l.In(now, addr, size)
				e.PacketsIn, e.BytesIn = e.PacketsIn+1, e.BytesIn+uint64(size)
			}
			if !ok {
				t.Fatalf("seed %d: no room for %s", seed, addr)
			}
		}
		most := 0
		for i, e := range slices.Collect(l.All()) {
			want[i].PeakOut = peakOf(sent[want[i].Addr])
			most = max(most, want[i].PeakOut)
			if !sameEntry(e, want[i]) {
				t.Errorf("seed %d: %+v, want %+v", seed, e, want[i])
			}
		}
		if l.Len() != len(want) || l.Most().PeakOut != most {
			t.Errorf("seed %d: %d addresses, want %d; most %+v, want %d", seed, l.Len(), len(want), l.Most(), most)
		}
	}
}

func sameEntry(a, b LedgerEntry) bool {
	times := a.FirstSeen.Equal(b.FirstSeen) && a.LastSeen.Equal(b.LastSeen)
	a.FirstSeen, a.LastSeen, b.FirstSeen, b.LastSeen = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return times && a == b
}

// A second has no end: what is sent just one later is in the next.
func TestLedgerPeak(t *testing.T) {
	for _, c := range []struct {
		gaps []time.Duration // between packets
		want int
	}{
		{nil, 1},
		{[]time.Duration{0, 0, 0}, 4},
		{[]time.Duration{time.Second - 1}, 2},
		{[]time.Duration{time.Second}, 1},
		{[]time.Duration{1 << 32}, 1},
		{[]time.Duration{1<<32 + 5}, 1},
		{[]time.Duration{500e6, 499e6, 1e6, 499e6, 500e6}, 4},
		{slices.Repeat([]time.Duration{125e6}, 20), 8},
		{slices.Repeat([]time.Duration{143e6}, 20), 7},
		{slices.Repeat([]time.Duration{1}, 20), MaxPeak},
		{[]time.Duration{100e6, -50e6, 0}, 4},             // told in another order
		{[]time.Duration{3e9, -3e9, 1e9, 2e9 + 500e6}, 4}, // and much so: as late as the latest
		{[]time.Duration{-time.Hour}, 2},
	} {
		l, now, addr := newLedger(1), noon, numbered(1)
		l.Out(now, addr, 1)
		for _, gap := range c.gaps {
			now = now.Add(gap)
			l.Out(now, addr, 1)
		}
		if got := l.Most().PeakOut; got != c.want {
			t.Errorf("%v: %d, want %d", c.gaps, got, c.want)
		}
	}
}

// Of equals the first to get there is the most, and what is told late does not
// turn the times back.
func TestLedgerMost(t *testing.T) {
	l := newLedger(10)
	for i := range 3 {
		l.In(noon, numbered(i), 1)
	}
	l.Out(noon.Add(time.Hour), numbered(1), 1)
	l.Out(noon, numbered(1), 1) // late
	for _, i := range []int{0, 2} {
		l.Out(noon, numbered(i), 1)
		l.Out(noon, numbered(i), 1)
	}
	want := LedgerEntry{Addr: numbered(1), PacketsOut: 2, BytesOut: 2, PacketsIn: 1, BytesIn: 1, PeakOut: 2, FirstSeen: noon, LastSeen: noon.Add(time.Hour)}
	if got := l.Most(); !sameEntry(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestLedgerFull(t *testing.T) {
	l := newLedger(2)
	for i, want := range []bool{true, true, false, true} {
		addr := numbered([]int{1, 2, 3, 1}[i])
		if out, in := l.Out(noon, addr, 10), l.In(noon, addr, 20); out != want || in != want {
			t.Errorf("packet %d to %s: %v, and back %v", i, addr, out, in)
		}
	}
	if e := l.Most(); l.Len() != 2 || e.Addr != numbered(1) || e.PacketsOut != 2 || e.BytesIn != 40 {
		t.Errorf("%d addresses, most %+v", l.Len(), e)
	}
}

func TestLedgerNone(t *testing.T) {
	for _, l := range []*Ledger{nil, newLedger(0), newLedger(-1)} {
		if l != nil || !l.Out(noon, numbered(1), 1) || !l.In(noon, numbered(1), 1) {
			t.Error("it counts")
		}
		var out strings.Builder
		if err := l.WriteCSV(&out); err != nil || out.String() != ledgerHeader {
			t.Errorf("%q, %v", out.String(), err)
		}
		if l.Len() != 0 || l.Most() != (LedgerEntry{}) || len(slices.Collect(l.All())) != 0 {
			t.Error("it keeps")
		}
	}
	if newLedger(1).Most() != (LedgerEntry{}) {
		t.Error("an empty one has a most")
	}
}

func TestLedgerCSV(t *testing.T) {
	l := newLedger(10)
	for i, addr := range []string{"2001:db8::1", "192.0.2.10", "192.0.2.9"} {
		l.Out(noon.Add(time.Duration(i)*time.Second), netip.MustParseAddr(addr), 100)
	}
	l.Out(noon.Add(time.Hour), netip.MustParseAddr("192.0.2.10"), 50)
	l.Out(noon.Add(time.Hour), netip.MustParseAddr("192.0.2.10"), 51)
	l.In(noon.Add(time.Hour+time.Microsecond), netip.MustParseAddr("192.0.2.10"), 7)
	const want = `ip,packets_out,bytes_out,packets_in,bytes_in,peak_out_per_s,first_seen,last_seen
192.0.2.9,1,100,0,0,1,2026-03-01T11:00:02.123456Z,2026-03-01T11:00:02.123456Z
192.0.2.10,3,201,1,7,2,2026-03-01T11:00:01.123456Z,2026-03-01T12:00:00.123457Z
2001:db8::1,1,100,0,0,1,2026-03-01T11:00:00.123456Z,2026-03-01T11:00:00.123456Z
`
	var out bytes.Buffer
	if err := l.WriteCSV(&out); err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFullDisk }

var errFullDisk = errors.New("disk full")

func TestLedgerCSVError(t *testing.T) {
	for _, n := range []int{0, 1, 5000} {
		l := newLedger(n + 1)
		for i := range n {
			l.In(noon, numbered(i), 1)
		}
		if err := l.WriteCSV(fullDisk{}); !errors.Is(err, errFullDisk) {
			t.Errorf("%d addresses: %v", n, err)
		}
	}
}

// A loop may use the ledger, sees everything across chunks, and may end early.
func TestLedgerAll(t *testing.T) {
	l := newLedger(10_000)
	for i := range 5000 {
		l.In(noon, numbered(i), 1)
	}
	seen := 0
	for e := range l.All() {
		if e.Addr != numbered(seen) {
			t.Fatalf("%s is number %d", e.Addr, seen)
		}
		seen++
		l.Out(noon, e.Addr, 1)
	}
	for range l.All() {
		seen++
		break
	}
	if seen != 5001 {
		t.Errorf("%d seen", seen)
	}
}

// Records are small, and the garbage collector need not look into them.
func TestLedgerRecord(t *testing.T) {
	kind := reflect.TypeFor[account]()
	if kind.Size() > 104 {
		t.Errorf("a record takes %d bytes", kind.Size())
	}
	for i := range kind.NumField() {
		if f := kind.Field(i); strings.ContainsAny(f.Type.String(), "*[]") && !strings.HasPrefix(f.Type.String(), fmt.Sprintf("[%d]uint", f.Type.Len())) {
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
	}
}

func BenchmarkLedger(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		l, now := newLedger(1), time.Now()
		for b.Loop() {
			now = now.Add(time.Second / 4)
			l.Out(now, numbered(1), 100)
		}
	})
	b.Run("1M", func(b *testing.B) {
		l, now, i := newLedger(1_000_000), time.Now(), 0
		for b.Loop() {
			now, i = now.Add(time.Millisecond), (i+1)%1_000_000
			l.Out(now, numbered(i), 100)
		}
	})
}
