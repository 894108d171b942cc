package table_test

import (
	"net/netip"
	"os"
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
			"merge known":   func() { tb.Merge(cs[8]) },
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

// What a contact costs, all told, is what MEMORY.md says, and no more when it
// goes stale. In small tables what else is on the heap shows.
func TestBytesPerContact(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("fills big tables")
	}
	for name, test := range map[string]struct {
		kind string
		addr func(int) netip.AddrPort
		max  [3]float64 // from 4,000, from 20,000, from 100,000 contacts
	}{
		"flat/4":   {"flat", addr4, [3]float64{115, 103, 97}},
		"prefix/4": {"prefix", addr4, [3]float64{127, 112, 104}},
		"flat/6":   {"flat", addr6, [3]float64{134, 121, 114}},
		"prefix/6": {"prefix", addr6, [3]float64{146, 131, 120}},
	} {
		t.Run(name, func(t *testing.T) {
			tb, before, n := newTable(t, test.kind), heap(), 0
			for _, size := range memorySizes() {
				for ; n < size; n++ {
					tb.Observe(replied(numbered(n).ID, test.addr(n), epoch))
				}
				checkBytes(t, before, n, test.max)
			}
			mention := table.Sighting{Node: somebody, Time: epoch.Add(time.Hour), Event: table.Mentioned}
			for range 2*n + 1<<12 {
				tb.Observe(mention)
			}
			checkBytes(t, before, n, test.max)
			for i := 0; i < n; i += 2 { // half turn bad: what they leave behind stays half empty
				for range table.BadAfter {
					tb.Observe(table.Sighting{Node: kad.NodeInfo{ID: numbered(i).ID, Addr: test.addr(i)}, Time: epoch, Event: table.Failed})
				}
			}
			checkBytes(t, before, n, [3]float64{2: test.max[2] + 12})
			runtime.KeepAlive(tb)
		})
	}
}

// memorySizes are the sizes to measure at: some, or with SIZES=all a hundred up
// to 3 million.
func memorySizes() (sizes []int) {
	if os.Getenv("SIZES") != "all" {
		return []int{4_600, 9_300, 21_300, 160_000, 360_000}
	}
	for n := 4000; n < 3_000_000; n += n / 8 {
		sizes = append(sizes, n)
	}
	return sizes
}

func checkBytes(t *testing.T, before int64, n int, most [3]float64) {
	t.Helper()
	each := float64(heap()-before) / float64(n)
	t.Logf("%d contacts: %.1f bytes each", n, each)
	limit := most[0] // 0: none is promised
	switch {
	case n >= 100_000:
		limit = most[2]
	case n >= 20_000:
		limit = most[1]
	}
	if limit > 0 && each > limit {
		t.Errorf("%d contacts take %.1f bytes each, more than %.0f", n, each, limit)
	}
}
