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
