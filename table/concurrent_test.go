package table_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// iterations are the ways a caller's code gets called.
func iterations(tb table.Table, r *rand.Rand, body func(table.Contact)) map[string]func() {
	match := table.Filter{Match: func(c table.Contact) bool { body(c); return true }}
	return map[string]func(){
		"All": func() {
			for c := range tb.All() {
				body(c)
			}
		},
		"Under": func() {
			for c := range tb.Under(kad.ID{}.Prefix(1)) {
				body(c)
			}
		},
		"Nearest": func() {
			for c := range tb.Nearest(randomID(r), table.Filter{}) {
				body(c)
			}
		},
		"Nearest.Match": func() {
			for range tb.Nearest(randomID(r), match) {
			}
		},
		"AppendNearest.Match": func() { tb.AppendNearest(nil, randomID(r), 1000, match) },
		"Sample.Match":        func() { tb.Sample(r, 10, kad.Prefix{}, match) },
		"Sample.Match.zone":   func() { tb.Sample(r, 10, kad.ID{}.Prefix(1), match) },
	}
}

// A caller's code that calls the table would hang if a lock were held.
func TestNoLockWhileCallerRuns(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, r, called := newTable(t, kind), seeded(t), 0
		fill(tb, r, 150)
		body := func(c table.Contact) {
			called++
			tb.Observe(replied(c.ID, c.Addr, epoch))
			tb.AppendNearest(nil, c.ID, 1, table.Filter{})
			if called%8 == 0 {
				tb.Observe(replied(randomID(r), addr6(tb.Len()), epoch))
			}
		}
		for name, iterate := range iterations(tb, r, body) {
			called = 0
			if iterate(); called == 0 {
				t.Errorf("%s called nobody", name)
			}
		}
	})
}

// Contacts present throughout are yielded once, whatever happens to them and
// whoever else comes.
func TestYieldedOnce(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, r := newTable(t, kind), seeded(t)
		center := randomID(r)
		for i := range 2000 {
			tb.Observe(table.Sighting{Node: kad.NodeInfo{ID: sharing(r, center, i%3*50), Addr: addr4(i)}, Time: epoch, Event: table.Event(i%4 + 1)})
		}
		present := slices.Collect(tb.All())
		upset := func() {
			c := present[r.IntN(len(present))]
			event := []table.Event{table.Replied, table.Failed, table.Failed, table.Failed}[r.IntN(4)]
			tb.Observe(table.Sighting{Node: c.Info(), Time: epoch, Event: event})
			tb.Observe(replied(sharing(r, center, r.IntN(3)*50), addr6(tb.Len()), epoch))
		}
		for name, seq := range map[string]func(func(table.Contact) bool){
			"All": tb.All(), "Under": tb.Under(kad.Prefix{}), "Nearest": tb.Nearest(center, table.Filter{}),
			"Nearest elsewhere": tb.Nearest(randomID(r), table.Filter{}),
		} {
			times := map[kad.NodeInfo]int{}
			for c := range seq {
				times[c.Info()]++
				upset()
			}
			for _, c := range present {
				if times[c.Info()] != 1 {
					t.Fatalf("%s yielded %v %d times", name, c.Info(), times[c.Info()])
				}
			}
		}
	})
}

// An iteration ends even if its body adds a farther contact each time.
func TestIterationEnds(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		for name, iterate := range map[string]func(table.Table) func(func(table.Contact) bool){
			"All":     func(tb table.Table) func(func(table.Contact) bool) { return tb.All() },
			"Nearest": func(tb table.Table) func(func(table.Contact) bool) { return tb.Nearest(kad.ID{}, table.Filter{}) },
		} {
			tb, yielded := newTable(t, kind), 0
			tb.Observe(replied(kad.ID{}, addr4(0), epoch))
			for range iterate(tb) {
				if yielded++; yielded > 1000 {
					t.Fatalf("%s goes on and on", name)
				}
				tb.Observe(replied(kad.ID{0: byte(yielded >> 8), 1: byte(yielded)}, addr4(yielded), epoch))
			}
		}
	})
}

// Whoever comes while an iteration is under way is not in it, be it nearer or
// farther than where the iteration stands.
func TestNewcomersAreNotYielded(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		zone := kad.ID{0: 0x80}.Prefix(1)
		for name, iterate := range map[string]func(table.Table) func(func(table.Contact) bool){
			"All":   func(tb table.Table) func(func(table.Contact) bool) { return tb.All() },
			"Under": func(tb table.Table) func(func(table.Contact) bool) { return tb.Under(zone) },
			"Nearest": func(tb table.Table) func(func(table.Contact) bool) {
				return tb.Nearest(kad.ID{0: 0x80}, table.Filter{})
			},
			"Nearest.Distinct": func(tb table.Table) func(func(table.Contact) bool) {
				return tb.Nearest(kad.ID{0: 0x80}, table.Filter{Distinct: true})
			},
		} {
			for _, size := range []int{1, 15, 16, 17, 48, 64, 65, 300} {
				tb, r, present := newTable(t, kind), seeded(t), map[kad.NodeInfo]bool{}
				for i := range size {
					c, _ := tb.Observe(replied(zone.Fill(randomID(r)), addr4(i), epoch))
					present[c.Info()] = true
				}
				yielded := 0
				for c := range iterate(tb) {
					if yielded++; !present[c.Info()] {
						t.Fatalf("%s of %d yielded %v, which came later", name, size, c.Info())
					}
					for i := range 3 {
						tb.Observe(replied(zone.Fill(randomID(r)), addr4(size+3*yielded+i), epoch))
					}
				}
				if yielded != size {
					t.Errorf("%s yielded %d of %d", name, yielded, size)
				}
			}
		}
	})
}

// Match is asked about contacts of the zone alone.
func TestMatchSeesTheZone(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, r := newTable(t, kind), seeded(t)
		fill(tb, r, 500)
		zone := randomID(r).Prefix(3)
		tb.Sample(r, 3, zone, table.Filter{Match: func(c table.Contact) bool {
			if !zone.Contains(c.ID) {
				t.Errorf("asked about %v", c.ID)
			}
			return false
		}})
	})
}

func TestConcurrent(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, seed := newTable(t, kind), rand.Uint64()
		fill(tb, rand.New(rand.NewPCG(seed, 0)), 200)
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { write(tb, rand.New(rand.NewPCG(seed, uint64(i+1)))) })
			wg.Go(func() { read(t, tb, rand.New(rand.NewPCG(seed, uint64(i+3)))) })
		}
		wg.Wait()
		if n := len(slices.Collect(tb.All())); n != tb.Len() || n != tb.Count(kad.Prefix{}) {
			t.Errorf("%d contacts, Len says %d", n, tb.Len())
		}
	})
}

// write crowds half of the IDs, so that readers borrow deep pivots.
func write(tb table.Table, r *rand.Rand) {
	for i := range 3000 {
		n := kad.NodeInfo{ID: sharing(r, kad.ID{}, r.IntN(2)*100), Addr: addr4(i)}
		tb.Observe(table.Sighting{Node: n, Time: epoch, Event: table.Event(1 + r.IntN(4)), Version: []byte{byte(i)}})
	}
}

func read(t *testing.T, tb table.Table, r *rand.Rand) {
	for range 30 {
		target := sharing(r, kad.ID{}, r.IntN(2)*100)
		got := tb.AppendNearest(nil, target, 200, table.Filter{Distinct: true})
		if !slices.IsSortedFunc(got, func(a, b table.Contact) int { return target.CompareDistance(a.ID, b.ID) }) || len(got) < 200 {
			t.Error("AppendNearest beside writers is wrong")
		}
		left := 300
		for c := range tb.Nearest(target, table.Good(epoch)) {
			tb.Observe(table.Sighting{Node: c.Info(), Time: epoch, Event: table.Failed})
			if left--; left == 0 {
				break
			}
		}
		tb.Sample(r, 5, kad.Prefix{}, table.Good(epoch))
		tb.Count(target.Prefix(r.IntN(161)))
	}
}
