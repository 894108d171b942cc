package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// A lock that was taken away while it was waited for is none: the next one is
// looked for under its name.
func TestLockOfGoneFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for range 200 {
				held, err := lock(name)
				if errors.Is(err, errLocked) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				if !locked(name) || !isStill(held, name) {
					t.Error("what is held is not what others find")
				}
				os.Remove(name)
				held.Close()
			}
		})
	}
	busy.Wait()
}

// Who looks whether a run goes on keeps nobody from mending it.
func TestLookingDoesNotHinder(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	var busy sync.WaitGroup
	for range 2 {
		busy.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					locked(name)
				}
			}
		})
	}
	for range 100 {
		held, err := lock(name)
		if err != nil {
			t.Error(err)
			break
		}
		held.Close()
	}
	close(end)
	busy.Wait()
}

// A run that begins while others mend the store goes on, and is known to.
func TestBeginWhileMended(t *testing.T) {
	s := newStore(t)
	s.Problem = nil
	end := make(chan struct{})
	var busy sync.WaitGroup
	for range 3 {
		busy.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if _, err := s.Mend(); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	for range 60 {
		r, err := s.Begin(Manifest{}, Settings{SyncEvery: -1, MinFree: -1})
		if err != nil {
			t.Error(err)
			continue
		}
		r.Record(newWorld(1, 1).sighting())
		if err := r.Flush(); err != nil {
			t.Error(err)
		}
		if is := s.run(r.ID()); !is.Live || is.Err != nil {
			t.Errorf("it is %+v", is)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	close(end)
	busy.Wait()
	runs, err := s.Runs()
	if err != nil || len(runs) != 60 {
		t.Errorf("%d runs: %v", len(runs), err)
	}
	for _, r := range runs {
		if r.Err != nil || r.Manifest.State != Ended {
			t.Errorf("%+v", r)
		}
	}
	if v, err := s.Verify(); err != nil || len(v.Problems) > 0 {
		t.Errorf("verified %+v: %v", v, err)
	}
}
