package table_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("pools leak under the race detector")
	}
	both(t, func(t *testing.T, kind string) {
		tb, r := newTable(t, kind), seeded(t)
		center := randomID(r)
		cs := fill(tb, r, 2000)
		for i := range 2000 {
			tb.Observe(table.Sighting{Node: kad.NodeInfo{ID: sharing(r, center, 100), Addr: addr6(i)}, Time: epoch, Event: table.Mentioned})
		}
		dst := make([]table.Contact, 0, 200)
		version := []byte("LT\x01\x02")
		tb.Observe(table.Sighting{Node: cs[0].Info(), Time: epoch, Event: table.Queried, Version: version})
		cs[8].Version = strings.Repeat("v", 64)
		tb.Restore(cs[8])
		for name, f := range map[string]func(){
			"nearest":           func() { tb.AppendNearest(dst, randomID(r), 8, table.Filter{}) },
			"nearest, many":     func() { tb.AppendNearest(dst, randomID(r), 200, table.Filter{}) },
			"nearest good":      func() { tb.AppendNearest(dst, randomID(r), 8, table.Good(epoch)) },
			"nearest, public":   func() { tb.AppendNearest(dst, center, 8, table.Filter{Public: true, Distinct: true}) },
			"nearest, distinct": func() { tb.AppendNearest(dst, center, 200, table.Filter{Distinct: true}) },
			"nearest, shared":   func() { tb.AppendNearest(dst, sharing(r, center, 90), 200, table.Filter{}) },
			"get":               func() { tb.Get(cs[r.IntN(len(cs))].Info()) },
			"observe known": func() {
				s := replied(cs[7].ID, cs[7].Addr, epoch)
				s.Version = version
				tb.Observe(s)
			},
			"restore known": func() { tb.Restore(cs[8]) },
			"count":         func() { tb.Count(randomID(r).Prefix(r.IntN(20))) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A contact costs at most 112 bytes, all told, and no more when it goes stale.
func TestBytesPerContact(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("fills big tables")
	}
	both(t, func(t *testing.T, kind string) {
		r := seeded(t)
		tb, before, n := newTable(t, kind), heap(), 0
		for _, size := range []int{200_000, 300_000, 400_000, 600_000} {
			for ; n < size; n++ {
				s := replied(randomID(r), addr4(n), epoch)
				if n%3 == 0 {
					s.Event = table.Mentioned
				}
				tb.Observe(s)
			}
			checkBytes(t, "answered", before, n)
		}
		mention := table.Sighting{Node: somebody, Time: epoch.Add(time.Hour), Event: table.Mentioned}
		for range n {
			tb.Observe(mention)
		}
		checkBytes(t, "stale", before, n)
		runtime.KeepAlive(tb)
	})
}

func checkBytes(t *testing.T, what string, before int64, n int) {
	t.Helper()
	each := float64(heap()-before) / float64(n)
	t.Logf("%d contacts, %s: %.1f bytes each", n, what, each)
	if each > 112 {
		t.Errorf("%d contacts, %s, take %.1f bytes each", n, what, each)
	}
}
