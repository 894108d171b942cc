package dataset

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// recorded makes a run of so many sightings.
func recorded(t testing.TB, s *Store, w *world, n int) RunID {
	t.Helper()
	r := begin(t, s, Settings{FlushEvery: time.Hour, segment: 4000})
	for i := range n {
		r.Record(w.sighting())
		if i%40 == 0 {
			r.Flush()
		}
	}
	finish(t, r)
	return r.ID()
}

func seenIn(t testing.TB, s *Store, f Filter) map[kad.NodeInfo]int {
	seen := map[kad.NodeInfo]int{}
	for node, c := range contactsOf(t, s, f) {
		seen[node] = seenTimes(&c.Tally)
	}
	return seen
}

// Two stores that are merged make their union: what both have counts once, and
// merging again changes nothing.
func TestMergeIsUnion(t *testing.T) {
	w, to := newWorld(11, 200), newStore(t)
	recorded(t, to, w, 300)
	from := copied(t, to)
	recorded(t, to, w, 300)
	want := seenIn(t, to, Filter{})
	for range 2 {
		id := recorded(t, from, w, 300)
		for node, n := range seenIn(t, from, Filter{Runs: []RunID{id}}) {
			want[node] += n
		}
	}
	live := begin(t, from, Settings{})
	live.Record(w.sighting())
	live.Flush()
	m, err := Merge(to, from)
	if err != nil || m != (Merged{Runs: 2, Known: 1, Live: 1}) {
		t.Errorf("merged %+v: %v", m, err)
	}
	if got := seenIn(t, to, Filter{}); !maps.Equal(got, want) {
		t.Errorf("%d contacts, want %d", len(got), len(want))
	}
	before := filesBelow(t, to.dir)
	if m, err = Merge(to, from); err != nil || m != (Merged{Known: 3, Live: 1}) {
		t.Errorf("merged again %+v: %v", m, err)
	}
	if filesBelow(t, to.dir) != before {
		t.Error("merging again changed something")
	}
	if v, err := to.Verify(); err != nil || len(v.Problems) > 0 || v.Runs != 4 {
		t.Errorf("verified %+v: %v", v, err)
	}
	other := newStore(t)
	if m, err := Merge(other, to); err != nil || !m.OtherKey || m.Runs != 4 {
		t.Errorf("merged into a store with another key: %+v: %v", m, err)
	}
	if got := seenIn(t, other, Filter{}); !maps.Equal(got, want) {
		t.Errorf("%d contacts in another store, want %d", len(got), len(want))
	}
}

// A run that was copied while it went on is replaced by what it was when it ended,
// be it that the copy was mended or that it was not.
func TestMergeReplacesHalfRuns(t *testing.T) {
	for name, mendIt := range map[string]bool{"as it was": false, "mended": true} {
		for how, crash := range map[string]bool{"ended": false, "crashed": true} {
			w, from := newWorld(12, 50), newStore(t)
			r := begin(t, from, Settings{FlushEvery: time.Hour})
			for range 100 {
				r.Record(w.sighting())
			}
			r.Flush()
			to := copied(t, from)
			for range 300 {
				r.Record(w.sighting())
			}
			r.Flush()
			if mendIt {
				if n, err := to.Mend(); n != 1 || err != nil {
					t.Fatalf("mended %d: %v", n, err)
				}
			}
			if crash {
				from = copied(t, from)
				from.Mend()
			}
			r.Close()
			half, want := seenIn(t, to, Filter{}), seenIn(t, from, Filter{})
			m, err := Merge(to, from)
			if err != nil || m != (Merged{Runs: 1}) {
				t.Errorf("%s, %s: merged %+v: %v", name, how, m, err)
			}
			if got := seenIn(t, to, Filter{}); !maps.Equal(got, want) || maps.Equal(half, want) {
				t.Errorf("%s, %s: %d contacts, want %d", name, how, len(got), len(want))
			}
			if v, err := to.Verify(); err != nil || len(v.Problems) > 0 {
				t.Errorf("%s, %s: verified %+v: %v", name, how, v, err)
			}
			if m, err := Merge(to, from); err != nil || m != (Merged{Known: 1}) {
				t.Errorf("%s, %s: merged again %+v: %v", name, how, m, err)
			}
		}
	}
}

// What cannot be merged is refused, or left out and told.
func TestMergeRefuses(t *testing.T) {
	s, _, second := twoRuns(t)
	_, err := Merge(s, s)
	oneLine(t, err, s.dir, "are one store")
	other, err := Create(t.TempDir(), "public")
	if err != nil {
		t.Fatal(err)
	}
	var network *OtherNetworkError
	_, err = Merge(other, s)
	if oneLine(t, err, s.dir, "lab"); !errors.As(err, &network) {
		t.Errorf("%v", err)
	}
	rewritten(t, filepath.Join(s.runDir(second), manifestFile), `"lab"`, `"public"`)
	told, to := tell(s), newStore(t)
	if m, err := Merge(to, s); err != nil || m.Runs != 1 || m.Left != 1 || len(*told) != 1 {
		t.Errorf("merged %+v, told %v: %v", m, *told, err)
	}
	rewritten(t, filepath.Join(s.runDir(second), manifestFile), `"format": 1`, `"format": 7`)
	told = tell(s)
	if m, err := Merge(to, s); err != nil || m.Known != 1 || m.Left != 1 || len(*told) != 1 {
		t.Errorf("merged %+v, told %v: %v", m, *told, err)
	}
	oneLine(t, (*told)[0], "newer lightdht")
}

// A run's folder is all there is to it: whoever copies it into a store has it there.
func TestRunFolderIsCopied(t *testing.T) {
	w, from, to := newWorld(13, 100), newStore(t), newStore(t)
	recorded(t, to, w, 100)
	id := recorded(t, from, w, 300)
	if err := os.CopyFS(to.runDir(id), os.DirFS(from.runDir(id))); err != nil {
		t.Fatal(err)
	}
	if got, want := contactsOf(t, to, Filter{Runs: []RunID{id}}), contactsOf(t, from, Filter{}); !maps.Equal(got, want) {
		t.Errorf("%d contacts, want %d", len(got), len(want))
	}
	if v, err := to.Verify(); err != nil || len(v.Problems) > 0 || v.Runs != 2 {
		t.Errorf("verified %+v: %v", v, err)
	}
	again := copied(t, to)
	if got, want := contactsOf(t, again, Filter{}), contactsOf(t, to, Filter{}); !maps.Equal(got, want) {
		t.Errorf("of a whole store there are %d contacts, want %d", len(got), len(want))
	}
}

// A run that goes on is not replaced by what became of a copy of it.
func TestMergeLeavesLiveRuns(t *testing.T) {
	w, s := newWorld(14, 20), newStore(t)
	r := begin(t, s, Settings{FlushEvery: time.Hour})
	r.Record(w.sighting())
	r.Flush()
	from := copied(t, s)
	if n, err := from.Mend(); n != 1 || err != nil {
		t.Fatalf("mended %d: %v", n, err)
	}
	before := filesBelow(t, s.dir)
	if m, err := Merge(s, from); err != nil || m != (Merged{Known: 1}) {
		t.Errorf("merged %+v: %v", m, err)
	}
	if after := filesBelow(t, s.dir); after != before {
		t.Errorf("merging changed\n%s to\n%s", before, after)
	}
	r.Record(w.sighting())
	finish(t, r)
}
