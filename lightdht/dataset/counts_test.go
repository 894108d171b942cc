package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/record"
)

// What a run that crashed had is counted in full: contacts that are met again and
// again are in its log as often.
func TestCrashedRunIsCounted(t *testing.T) {
	for _, keep := range []bool{false, true} {
		w, s := newWorld(15, 30), newStore(t)
		r := begin(t, s, Settings{FlushEvery: time.Hour, KeepSightings: keep, segment: 4000})
		for i := range 900 {
			r.Record(w.sighting())
			if i%40 == 0 {
				r.Flush()
			}
		}
		r.Flush()
		if err := r.sorter.wait(); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(memoryDir(t), "copy")
		copyOver(t, dir, s.Dir(), func(string) bool { return false })
		copied, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := copied.Mend(); err != nil {
			t.Fatal(err)
		}
		m := onlyRun(t, copied).Manifest
		seen := 0
		for _, n := range seenIn(t, copied, Filter{}) {
			seen += n
		}
		if m.State != Crashed || m.Rows["sightings"] != 900 || seen != 900 {
			t.Errorf("keep %v: %s, %d sightings, %d in contacts, want 900", keep, m.State, m.Rows["sightings"], seen)
		}
	}
}

// That a file is missing stays known when the run is compacted, until a whole copy is
// merged.
func TestMissingStaysKnown(t *testing.T) {
	for _, sort := range []fileSort{sortRows, sortSorted} {
		w, s := newWorld(16, 40), newStore(t)
		r := begin(t, s, Settings{segment: 2000})
		for range 300 {
			r.Record(w.sighting())
			r.Record(&record.Query{Time: w.tick(), Node: w.node(), Method: "ping"})
			r.Flush()
		}
		finish(t, r)
		dir := filepath.Join(memoryDir(t), "copy")
		copyOver(t, dir, s.Dir(), func(string) bool { return false })
		whole, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		files, err := dataFiles(s.runDir(r.ID()))
		if err != nil {
			t.Fatal(err)
		}
		gone := files[slices.IndexFunc(files, func(d dataFile) bool { return d.sort == sort })].name
		if err := os.Remove(filepath.Join(s.runDir(r.ID()), gone)); err != nil {
			t.Fatal(err)
		}
		s.Problem = nil
		for range 2 {
			if _, _, err := s.Compact(); err == nil || !strings.Contains(err.Error(), gone+" is missing") {
				t.Errorf("compacted: %v, want that %s is missing", err, gone)
			}
			if v, err := s.Verify(); err != nil || len(v.Problems) == 0 {
				t.Errorf("verified %+v, %v", v, err)
			}
		}
		if m, err := Merge(s, whole); err != nil || m.Runs != 1 {
			t.Errorf("merged %+v, %v", m, err)
		}
		if v, err := s.Verify(); err != nil || len(v.Problems) > 0 {
			t.Errorf("verified after merging %+v, %v", v, err)
		}
	}
}
