package dataset

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fileRows adds up what a manifest says of its files.
func fileRows(m *Manifest) (contacts, rows uint64) {
	for _, f := range m.Files {
		if strings.HasPrefix(f.Name, "rows-") {
			rows += f.Rows
		} else {
			contacts += f.Rows
		}
	}
	return contacts, rows
}

// A manifest says how many rows there are, be it of a run that ended or of one that
// was mended, whether it kept each sighting or not.
func TestManifestCounts(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s, w := newStore(t), newWorld(8, 50)
		r := begin(t, s, Settings{FlushEvery: time.Hour, KeepSightings: keep, segment: 3000})
		for i := range 400 {
			r.Record(w.sighting())
			for _, row := range w.rowsFor() {
				r.Record(row)
			}
			if i%40 == 0 {
				r.Flush()
			}
		}
		r.Flush()
		r.Checkpoint()
		if err := r.sorter.wait(); err != nil {
			t.Fatal(err)
		}
		dead := copied(t, s) // as if its process had died now
		finish(t, r)
		if n, err := dead.Mend(); n != 1 || err != nil {
			t.Fatalf("mended %d: %v", n, err)
		}
		for name, s := range map[string]*Store{"ended": s, "mended": dead} {
			m := onlyRun(t, s).Manifest
			want := uint64(400 * 6)
			if keep {
				want += 400
			}
			contacts, rows := fileRows(m)
			if rows != want || contacts < 50 || m.Rows["endpoints"] != 800 || m.Rows["sightings"] != 400 || m.Rows["queries"] != 400 {
				t.Errorf("%s, sightings kept %v: %d tallies and %d rows, want %d; %v", name, keep, contacts, rows, want, m.Rows)
			}
			if m.End.IsZero() || m.End.Before(m.Start) && name == "ended" {
				t.Errorf("%s: it ended %v", name, m.End)
			}
		}
	}
}

// onlyRun returns the one run of a store.
func onlyRun(t testing.TB, s *Store) RunInfo {
	t.Helper()
	runs, err := s.Runs()
	if err != nil || len(runs) != 1 || runs[0].Err != nil {
		t.Fatalf("runs %+v: %v", runs, err)
	}
	return runs[0]
}

// A manifest has lists where there is nothing to list, from the beginning on.
func TestManifestHasNoNull(t *testing.T) {
	s := newStore(t)
	live := begin(t, s, Settings{})
	check := func() {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(live.dir, manifestFile))
		if err != nil || bytes.Contains(text, []byte("null")) {
			t.Errorf("%v\n%s", err, text)
		}
	}
	check()
	live.Checkpoint()
	check()
	finish(t, live)
	check()
}
