package dataset

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func init() { childTasks["compact"] = compactAsChild }

func compactAsChild(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("compacting")
	_, _, err = s.Compact()
	return err
}

// manyFiles makes a store with runs of many sorted files, one of which has stopped
// and could not sort its last one.
func manyFiles(t *testing.T, seed uint64) *Store {
	t.Helper()
	w, s := newWorld(seed, 400), newStore(t)
	for range 3 {
		recorded(t, s, w, 700)
	}
	r := begin(t, s, Settings{FlushEvery: time.Hour, segment: 4000})
	for range 500 {
		r.Record(w.sighting())
		r.Flush()
	}
	r.sorter.wait()
	r.sorter.err = os.ErrInvalid
	if err := r.Close(); err == nil {
		t.Fatal("it sorted all")
	}
	return s
}

// A process that is killed while it compacts leaves a store that reads as before,
// and that the next one compacts.
func TestCompactingIsKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process does not tell there that it was killed")
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	n, before := 4, 0
	if raceDetector {
		n = 2
	}
	for i := range n {
		s := manyFiles(t, uint64(i))
		want := contactsOf(t, s, Filter{})
		for range 4 {
			if killedAt(t, "compact", s.dir, rng) {
				before++
			}
			if got := contactsOf(t, s, Filter{}); !maps.Equal(got, want) {
				t.Fatalf("%d contacts, want %d", len(got), len(want))
			}
		}
		isCompacted(t, s)
		if got := contactsOf(t, s, Filter{}); !maps.Equal(got, want) {
			t.Fatalf("compacted, there are %d contacts, want %d", len(got), len(want))
		}
	}
	t.Logf("%d of %d were killed in time", before, 4*n)
}

// isCompacted compacts a store and looks at what that made.
func isCompacted(t *testing.T, s *Store) {
	t.Helper()
	if _, _, err := s.Compact(); err != nil {
		t.Fatal(err)
	}
	v, err := s.Verify()
	if err != nil || len(v.Problems) > 0 || v.Files != v.Runs {
		t.Errorf("verified %+v: %v", v, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.runs(), "*", "[.l]*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// Those who compact, mend and read a store at once do not harm each other.
func TestCompactedAtOnce(t *testing.T) {
	s := manyFiles(t, 9)
	want := contactsOf(t, s, Filter{})
	var busy sync.WaitGroup
	for range 3 {
		busy.Go(func() {
			if _, _, err := s.Compact(); err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		busy.Go(func() {
			for range 10 {
				n := 0
				for c, err := range s.Contacts(Filter{}) {
					if err != nil {
						t.Error(err)
						return
					}
					if n++; c.Tally != want[c.Node].Tally {
						t.Errorf("%v is %+v", c.Node, c.Tally)
						return
					}
				}
				if n != len(want) {
					t.Errorf("%d contacts, want %d", n, len(want))
				}
			}
		})
	}
	busy.Wait()
	isCompacted(t, s)
}

// Compacting keeps what is no whole frame, too.
func TestCompactingKeepsTorn(t *testing.T) {
	s := manyFiles(t, 10)
	runs, _ := s.Runs()
	names, err := filepath.Glob(filepath.Join(runs[0].dir, "*.sorted"))
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	file, _ := os.ReadFile(names[0])
	file[len(file)/2] ^= 1
	if err := os.WriteFile(names[0], file, 0o600); err != nil {
		t.Fatal(err)
	}
	told := tell(s)
	isCompacted(t, s)
	kept, _ := filepath.Glob(filepath.Join(runs[0].dir, tornFolder, "*"))
	if len(kept) != 1 || len(*told) != 1 {
		t.Errorf("kept %v, told %v", kept, *told)
	}
}

// What a copying that died left behind is removed, and what is still being copied is
// not.
func TestCompactSweeps(t *testing.T) {
	s := newStore(t)
	dead, live := filepath.Join(s.runs(), unfinishedCopy+"1"), filepath.Join(s.runs(), unfinishedCopy+"2")
	for _, dir := range []string{dead, live} {
		if err := os.MkdirAll(filepath.Join(dir, tornFolder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	held, err := lock(filepath.Join(live, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, _, err := s.Compact(); err != nil {
		t.Fatal(err)
	}
	_, gone := os.Stat(dead)
	_, there := os.Stat(live)
	if !errors.Is(gone, os.ErrNotExist) || there != nil {
		t.Errorf("dead: %v, live: %v", gone, there)
	}
}

// A flush that would go beyond the limit is not written.
func TestLimitIsKept(t *testing.T) {
	w, s := newWorld(12, 1000), newStore(t)
	r := begin(t, s, Settings{FlushEvery: time.Hour, MaxBytes: 20000})
	for range 3000 {
		r.Record(w.sighting())
	}
	if err := r.Flush(); err == nil || !strings.Contains(err.Error(), "its limit is 20000") {
		t.Errorf("the journal stopped with %v", err)
	}
	if err := r.Close(); err == nil || r.Lost() != 3000 || folderSize(s.dir) > 20000 {
		t.Errorf("closed with %v, %d lost, the store has %d bytes", err, r.Lost(), folderSize(s.dir))
	}
}

// What was begun when a process was killed is removed, and nothing else with a dot.
func TestCompactingRemovesBegun(t *testing.T) {
	s, id, _ := twoRuns(t)
	for name, stays := range map[string]bool{
		"." + sortedName(1, 2): false, "." + logName(sortRows, 1): false, "." + goodFile: false, "." + manifestFile + "-123": false,
		".mine": true, "." + sortedName(1, 2) + "-mine": true,
	} {
		file := filepath.Join(s.runDir(id), name)
		if err := os.WriteFile(file, []byte("begun"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Compact(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(file); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
}
