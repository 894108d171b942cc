package table_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/table"
)

// merge is the twin's Merge: field by field, each with its own rule.
func (w *twin) merge(c table.Contact) (added bool) {
	i := slices.IndexFunc(w.all, func(known table.Contact) bool { return known.Info() == c.Info() })
	if i < 0 {
		w.all = append(w.all, c)
		return true
	}
	is := w.all[i]
	got := table.Contact{ID: c.ID, Addr: c.Addr, FirstSeen: is.FirstSeen, Origin: is.Origin, LastRTT: is.LastRTT, Version: is.Version, ReadOnly: is.ReadOnly}
	if c.FirstSeen.Before(is.FirstSeen) {
		got.FirstSeen, got.Origin = c.FirstSeen, c.Origin
	}
	if c.LastReply.After(is.LastReply) {
		got.LastRTT = c.LastRTT
	}
	if c.LastQuery.After(is.LastQuery) {
		got.ReadOnly = c.ReadOnly
	}
	if is.Version == "" || c.Version != "" && latest(c.LastQuery, c.LastReply).After(latest(is.LastQuery, is.LastReply)) {
		got.Version = c.Version
	}
	got.LastSeen, got.LastQuery, got.LastReply = latest(is.LastSeen, c.LastSeen), latest(is.LastQuery, c.LastQuery), latest(is.LastReply, c.LastReply)
	got.Queries = uint32(min(uint64(is.Queries)+uint64(c.Queries), math.MaxUint32))
	got.Replies = uint32(min(uint64(is.Replies)+uint64(c.Replies), math.MaxUint32))
	got.Router = is.Router || c.Router
	got.Failures = twinFailures(is, c)
	w.all[i] = got
	return false
}

// twinFailures are the failures since the last answer.
func twinFailures(is, c table.Contact) int {
	began := func(a, b table.Contact) bool { // a, with the answer of b past
		return a.FirstSeen.After(b.FirstSeen) && !a.FirstSeen.Before(b.LastReply)
	}
	switch answered := [2]bool{!is.LastReply.IsZero(), !c.LastReply.IsZero()}; {
	case answered == [2]bool{true, true} && c.LastReply.After(is.LastReply):
		return c.Failures
	case answered == [2]bool{true, true}:
		return is.Failures
	case answered[0] && !began(c, is):
		return is.Failures
	case answered[1] && !began(is, c):
		return c.Failures
	}
	return min(is.Failures+c.Failures, 255)
}

// sightings draws a history of one contact in order of time, no two in a second.
func sightings(r *rand.Rand, n int) (all []table.Sighting) {
	w := world{r: r, center: somebody.ID, shared: []int{160}, addrs: 1}
	kinds := [][]table.Event{{1, 2, 3, 4}, {table.Failed}, {table.Failed, table.Failed, table.Failed, table.Replied}, {table.Mentioned, table.Failed}}[r.IntN(4)]
	at := epoch
	for range n {
		s := w.sighting()
		s.Node, s.Event = somebody, kinds[r.IntN(len(kinds))]
		at = at.Add(time.Duration(1+r.IntN(2000)) * time.Second)
		s.Time = at
		all = append(all, s)
	}
	return all
}

// history is what a table has of them.
func history(t *testing.T, kind string, all []table.Sighting) table.Contact {
	tb := newTable(t, kind)
	for _, s := range all {
		tb.Observe(s)
	}
	c, _ := tb.Get(somebody)
	return c
}

// Sightings in order of time, cut anywhere, make the same of a contact as two
// histories, merged in either order, as they do one after the other.
func TestMergeOfTwoHalves(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		r := seeded(t)
		for range 2000 {
			all := sightings(r, 2+r.IntN(12))
			cut := 1 + r.IntN(len(all)-1)
			want := history(t, kind, all)
			if all[cut].Event == table.Failed { // it begins a history of its own, which has seen somebody then
				want.LastSeen = latest(want.LastSeen, all[cut].Time)
			}
			older, newer := history(t, kind, all[:cut]), history(t, kind, all[cut:])
			for name, pair := range map[string][2]table.Contact{"older first": {older, newer}, "newer first": {newer, older}} {
				tb := newTable(t, kind)
				if !tb.Merge(pair[0]) || tb.Merge(pair[1]) {
					t.Fatal("added is wrong")
				}
				if got, _ := tb.Get(somebody); got != want {
					t.Fatalf("%s, %d of %d sightings:\ngot  %+v\nwant %+v\nof   %+v\nand  %+v", name, cut, len(all), got, want, older, newer)
				}
			}
		}
	})
}

// A history from before that comes while the table is used changes nothing of
// what is made of later sightings.
func TestMergeAmongSightings(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		r := seeded(t)
		for range 500 {
			all := sightings(r, 9)
			all[3].Event = table.Mentioned
			want := history(t, kind, all)
			tb := newTable(t, kind)
			see(tb, all[3:6]...)
			tb.Merge(history(t, kind, all[:3]))
			if got := see(tb, all[6:]...); got != want {
				t.Fatalf("got  %+v\nwant %+v", got, want)
			}
		}
	})
}

// What happened in one second is told apart by who was known first.
func TestMergeWithinASecond(t *testing.T) {
	known := table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: epoch, LastSeen: epoch, LastQuery: epoch, LastReply: epoch,
		LastRTT: 1, Failures: 2, Queries: math.MaxUint32 - 1, Replies: 1, Version: "old", Origin: table.FromQuery}
	told := known
	told.LastRTT, told.Failures, told.Version, told.ReadOnly, told.Router, told.Origin = 9, 7, "new", true, true, table.FromReply
	want := known
	want.Queries, want.Replies, want.Router = math.MaxUint32, 2, true
	both(t, func(t *testing.T, kind string) {
		tb := newTable(t, kind)
		tb.Merge(known)
		tb.Merge(told)
		if got, _ := tb.Get(somebody); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// A history that was saved when somebody was good, bad or silent moves a contact
// to where searches look for it.
func TestMergeMovesBetweenClasses(t *testing.T) {
	silent := table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: epoch, LastSeen: epoch, Origin: table.FromMention}
	good, bad := silent, silent
	good.LastReply, good.Replies = epoch.Add(time.Hour), 1
	bad.FirstSeen, bad.Failures = epoch.Add(2*time.Hour), 3
	both(t, func(t *testing.T, kind string) {
		tb := newTable(t, kind)
		for i, step := range []struct {
			c    table.Contact
			want table.State
		}{{silent, table.StateQuestionable}, {good, table.StateGood}, {bad, table.StateBad}} {
			tb.Merge(step.c)
			for _, state := range []table.State{table.StateGood, table.StateQuestionable, table.StateBad} {
				found := tb.AppendNearest(nil, somebody.ID, 8, table.Filter{Now: epoch.Add(time.Hour), States: state})
				if (len(found) == 1) != (state == step.want) {
					t.Errorf("step %d: %d are %v", i, len(found), state)
				}
			}
		}
	})
}

// Failures count since the last answer: those of a history without one, if it
// began after it. Of one that began before, nobody knows when they were.
func TestMergeFailures(t *testing.T) {
	history := func(first, reply, failures int) table.Contact {
		c := table.Contact{ID: somebody.ID, Addr: somebody.Addr, FirstSeen: epoch.Add(time.Duration(first) * time.Second), Failures: failures}
		if c.LastSeen = c.FirstSeen; reply > 0 {
			c.LastReply = epoch.Add(time.Duration(reply) * time.Second)
			c.LastSeen, c.Replies = c.LastReply, 1
		}
		return c
	}
	for _, c := range []struct {
		name       string
		known, and table.Contact
		want       int
	}{
		{"no answer at all", history(1, 0, 2), history(5, 0, 3), 5},
		{"more than can be counted", history(1, 0, 200), history(5, 0, 100), 255},
		{"the later answer", history(1, 9, 2), history(1, 8, 3), 2},
		{"began after it", history(1, 4, 2), history(5, 0, 3), 5},
		{"began with it", history(1, 5, 2), history(5, 0, 3), 5},
		{"began before it", history(1, 7, 2), history(5, 0, 3), 2},
		{"ended before it", history(6, 7, 2), history(5, 0, 3), 2},
		{"all in one second", history(5, 5, 2), history(5, 0, 3), 2},
	} {
		both(t, func(t *testing.T, kind string) {
			for _, pair := range [][2]table.Contact{{c.known, c.and}, {c.and, c.known}} {
				tb := newTable(t, kind)
				tb.Merge(pair[0])
				tb.Merge(pair[1])
				if got, _ := tb.Get(somebody); got.Failures != c.want {
					t.Errorf("%s: %d failures, want %d", c.name, got.Failures, c.want)
				}
			}
		})
	}
}
