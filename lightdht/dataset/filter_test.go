package dataset

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// manyFrames makes a store with one sorted file of some frames.
func manyFrames(t *testing.T, seed uint64) (*Store, string) {
	t.Helper()
	w, s := newWorld(seed, 0), newStore(t)
	r := begin(t, s, Settings{FlushEvery: time.Hour})
	for range 6000 {
		r.Record(&record.Sighting{Time: w.tick(), Node: kad.NodeInfo{ID: w.id(), Addr: w.addr()}, Event: record.Event(1 + w.IntN(4))})
	}
	finish(t, r)
	return s, filepath.Join(r.dir, sortedName(1, 1))
}

// prefixes are zones of all lengths: those of contacts that there are, and others.
func (w *world) prefixes(all map[kad.NodeInfo]Contact) (zones []kad.Prefix) {
	n := 0
	for node := range all {
		if n++; n > 8 {
			break
		}
		zones = append(zones, node.ID.Prefix(w.IntN(161)), w.id().Prefix(w.IntN(12)))
	}
	return zones
}

// picked is what f selects of all, by looking at each.
func picked(all map[kad.NodeInfo]Contact, f Filter) map[kad.NodeInfo]Contact {
	some := map[kad.NodeInfo]Contact{}
	for node, c := range all {
		if f.passes(node, c.Seen()) && (f.States == 0 || c.State()&f.States != 0) {
			some[node] = c
		}
	}
	return some
}

// A zone is read from the frame in which it begins: what is found there is what is
// found by reading all, be the file whole or not.
func TestZoneIsSought(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWorld(seed, 0)
	s, name := manyFrames(t, seed)
	pristine, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	frames := framesOf(pristine)
	if len(frames) < 4 {
		t.Fatalf("%d frames", len(frames))
	}
	whole := contactsOf(t, s, Filter{})
	if len(whole) != 6000 {
		t.Fatalf("%d contacts", len(whole))
	}
	for i := range 20 {
		file := append([]byte(nil), pristine...)
		if i > 0 { // where the first ID of a frame is, or its length
			at := frames[w.IntN(len(frames))].from
			file[at+[]int{frameHead + frameTime + 3, frameHead + frameTime + 4, 0, 4, 5}[w.IntN(5)]] ^= byte(1 + w.IntN(255))
			if err := os.WriteFile(name, file, 0o600); err != nil {
				t.Fatal(err)
			}
			s.Problem = nil
		}
		all := contactsOf(t, s, Filter{})
		if (len(all) == len(whole)) != (i == 0) {
			t.Fatalf("%d of %d contacts", len(all), len(whole))
		}
		for _, zone := range w.prefixes(whole) {
			f := Filter{Prefix: zone}
			if got, want := contactsOf(t, s, f), picked(all, f); !maps.Equal(got, want) {
				t.Fatalf("damage %d: %v has %d contacts, want %d", i, zone, len(got), len(want))
			}
		}
	}
}

// What a Filter selects is what it says, of whatever runs.
func TestFilter(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w, s := newWorld(seed, 200), newStore(t)
	var runs []RunID
	for range 3 {
		r := begin(t, s, Settings{FlushEvery: time.Hour, segment: 5000})
		for range 500 {
			r.Record(w.sighting())
		}
		finish(t, r)
		runs = append(runs, r.ID())
	}
	all := contactsOf(t, s, Filter{})
	for i := range 100 {
		f := Filter{Family: []kad.Family{0, kad.IPv4, kad.IPv6}[w.IntN(3)], States: table.State(w.IntN(8))}
		if w.IntN(2) == 0 {
			f.Prefix = w.node().ID.Prefix(w.IntN(9))
		}
		if w.IntN(2) == 0 {
			f.Since = w.now.Add(-time.Duration(w.IntN(2000)) * time.Second)
		}
		if got, want := contactsOf(t, s, f), picked(all, f); !maps.Equal(got, want) {
			t.Fatalf("filter %d %+v: %d contacts, want %d", i, f, len(got), len(want))
		}
	}
	sum := map[kad.NodeInfo]int{}
	for i, id := range runs {
		alone, others := Filter{Runs: []RunID{id}}, Filter{But: []RunID{runs[(i+1)%3], runs[(i+2)%3]}}
		got := contactsOf(t, s, alone)
		if !maps.Equal(got, contactsOf(t, s, others)) {
			t.Errorf("run %v alone is not all but the others", id)
		}
		for node, c := range got {
			sum[node] += seenTimes(&c.Tally)
			if c.Run != id || c.Runs != 1 {
				t.Errorf("%v is of run %v, and of %d", node, c.Run, c.Runs)
			}
		}
	}
	for node, c := range all {
		if sum[node] != seenTimes(&c.Tally) {
			t.Errorf("%v was seen %d times, by run %d", node, seenTimes(&c.Tally), sum[node])
		}
	}
	if got := contactsOf(t, s, Filter{Runs: []RunID{}}); len(got) != 0 {
		t.Errorf("of no run there are %d contacts", len(got))
	}
	rowsPass(t, s, w)
}

// rowsPass holds rows that a filter selects to what each is.
func rowsPass(t *testing.T, s *Store, w *world) {
	r := begin(t, s, Settings{FlushEvery: time.Hour})
	total := 0
	for range 200 {
		r.Record(&record.Query{Time: w.tick(), Node: w.node(), Method: "ping"})
		total++
	}
	finish(t, r)
	f := Filter{Since: w.now.Add(-200 * time.Second), Family: kad.IPv4, Prefix: w.node().ID.Prefix(1)}
	var got, want []string
	for row, err := range s.Rows(record.KindQuery, Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		q := row.Row.(*record.Query)
		if !q.Time.Before(f.Since) && q.Node.Addr.Addr().Is4() && f.Prefix.Contains(q.Node.ID) {
			want = append(want, fmt.Sprint(q))
		}
		total--
	}
	for row, err := range s.Rows(record.KindQuery, f) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(row.Row.(*record.Query)))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(want) == 0 || total != 0 {
		t.Errorf("%d queries, want %d; %d are missing", len(got), len(want), total)
	}
}
