package dataset

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// filesBelow lists the files below a folder, with their checksums.
func filesBelow(t testing.TB, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		fmt.Fprintf(&list, "%s %x\n", rel, sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}

// createAsChild waits for its input to end, and makes a store.
func createAsChild(dir string) error {
	io.Copy(io.Discard, os.Stdin)
	s, err := Create(dir, "lab")
	if err != nil {
		return err
	}
	fmt.Println(s.KeyFingerprint())
	return nil
}

// Processes that make one store at the same time make one.
func TestCreatedAtOnce(t *testing.T) {
	for range 5 {
		dir := filepath.Join(t.TempDir(), "store")
		start, begin, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var all []*exec.Cmd
		var out [4]strings.Builder
		for i := range out {
			cmd := child(t, "create", dir)
			cmd.Stdin, cmd.Stdout = start, &out[i]
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
		}
		begin.Close()
		for i, cmd := range all {
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
			if out[i].String() != out[0].String() {
				t.Errorf("process %d has the store %s, another one %s", i, &out[i], &out[0])
			}
		}
		start.Close()
		if s, err := Open(dir); err != nil || s.KeyFingerprint()+"\n" != out[0].String() {
			t.Errorf("there is another store: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	}
}

// And goroutines, which meet more often.
func TestCreatedTogether(t *testing.T) {
	for range 40 {
		dir := filepath.Join(t.TempDir(), "store")
		var busy sync.WaitGroup
		for range 6 {
			busy.Go(func() {
				if _, err := Create(dir, "lab"); err != nil {
					t.Error(err)
				}
			})
		}
		busy.Wait()
	}
}

// claimAsChild claims the identity of a store, says whether it got it, counts its
// port up and holds it until its input ends.
func claimAsChild(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	c, err := s.Claim()
	if err != nil {
		return err
	}
	if c != nil {
		if err := c.Save(Identity{ID: c.ID, Port: c.Port + 1}); err != nil {
			return err
		}
	}
	fmt.Println(c != nil)
	io.Copy(io.Discard, os.Stdin)
	return c.Close()
}

// claimed starts a process that claims, and reports whether it got it.
func claimed(t *testing.T, dir string) (got bool, end func(kill bool)) {
	t.Helper()
	cmd := child(t, "claim", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscan(out, &got); err != nil {
		t.Fatal(err)
	}
	return got, func(kill bool) {
		if kill {
			cmd.Process.Kill()
		}
		in.Close()
		if err := cmd.Wait(); err != nil && !kill {
			t.Error(err)
		}
	}
}

// One process is the node that a store remembers, until it ends, in whatever way.
func TestClaimAcrossProcesses(t *testing.T) {
	s := newStore(t)
	for i, kill := range []bool{false, true, false} {
		got, end := claimed(t, s.dir)
		if !got {
			t.Error("a process did not get what nobody held")
		}
		if other, endOther := claimed(t, s.dir); other {
			t.Error("two processes have one identity")
		} else {
			endOther(false)
		}
		if c, err := s.Claim(); c != nil || err != nil {
			t.Errorf("claimed what another process holds: %v", err)
		}
		end(kill)
		c, err := s.Claim()
		if err != nil || c == nil || int(c.Port) != i+1 {
			t.Fatalf("the identity is %+v: %v", c, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	var nobody *Claim
	if err := nobody.Close(); err != nil {
		t.Error(err)
	}
}
