//go:build unix

package dataset

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// asNobody calls f as a user who is not root; files are that user's before.
func asNobody(t *testing.T, dir string, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		const nobody = 65534
		if err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			return os.Chown(name, nobody, nobody)
		}); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Seteuid(nobody); err != nil {
			t.Skipf("it cannot be another user: %v", err)
		}
		defer syscall.Seteuid(0)
	}
	f()
}

// Without permission there is an error that names what it was about, and nothing
// changes.
func TestNoPermission(t *testing.T) {
	for name, c := range map[string]struct {
		what string // is forbidden
		mode os.FileMode
		do   func(s *Store, run RunID) error
	}{
		"open":     {storeFile, 0, func(s *Store, _ RunID) error { _, err := Open(s.dir); return err }},
		"create":   {"", 0o500, func(s *Store, _ RunID) error { _, err := Create(filepath.Join(s.dir, "new"), "lab"); return err }},
		"begin":    {runsFolder, 0o500, func(s *Store, _ RunID) error { _, err := s.Begin(Manifest{}, Settings{}); return err }},
		"claim":    {"", 0o500, func(s *Store, _ RunID) error { _, err := s.Claim(); return err }},
		"runs":     {runsFolder, 0, func(s *Store, _ RunID) error { _, err := s.Runs(); return err }},
		"contacts": {"run", 0, func(s *Store, _ RunID) error { return readAll(s) }},
		"mend":     {"run", 0o500, func(s *Store, _ RunID) error { _, err := s.Mend(); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			s, id := died(t, newWorld(1, 50), 100)
			what := filepath.Join(s.dir, c.what)
			if c.what == "run" {
				what = s.runDir(id)
			}
			before := filesBelow(t, s.dir)
			info, err := os.Stat(what)
			if err != nil {
				t.Fatal(err)
			}
			s.Problem = nil
			asNobody(t, s.dir, func() {
				if err := os.Chmod(what, c.mode); err != nil {
					t.Fatal(err)
				}
				oneLine(t, c.do(s, id), s.dir, "permission denied")
				os.Chmod(what, info.Mode())
			})
			if after := filesBelow(t, s.dir); after != before {
				t.Errorf("it changed\n%s to\n%s", before, after)
			}
		})
	}
}

func readAll(s *Store) error {
	for _, err := range s.Contacts(Filter{}) {
		if err != nil {
			return err
		}
	}
	return nil
}

// A manifest that may not be read is not made anew.
func TestManifestWithoutPermission(t *testing.T) {
	s, id := died(t, newWorld(1, 50), 100)
	name := filepath.Join(s.runDir(id), manifestFile)
	before := filesBelow(t, s.dir)
	told := tell(s)
	asNobody(t, s.dir, func() {
		os.Chmod(name, 0)
		if n, err := s.Mend(); n != 0 || err != nil {
			t.Errorf("mended %d: %v", n, err)
		}
		if err := readAll(s); err != nil || len(*told) != 1 {
			t.Errorf("told %v, %v", *told, err)
		}
		os.Chmod(name, 0o600)
	})
	if after := filesBelow(t, s.dir); after != before {
		t.Errorf("it changed\n%s to\n%s", before, after)
	}
}

// Who may read a store and not write there can read it, also while a run goes on.
func TestReadOnlyStore(t *testing.T) {
	s, id := died(t, newWorld(1, 50), 100)
	live := begin(t, s, Settings{})
	live.Record(newWorld(2, 1).sighting())
	live.Flush()
	want := len(contactsOf(t, s, Filter{}))
	asNobody(t, s.dir, func() {
		filepath.WalkDir(s.dir, func(name string, e fs.DirEntry, _ error) error {
			if e.IsDir() {
				return os.Chmod(name, 0o500)
			}
			return os.Chmod(name, 0o400)
		})
		if got := len(contactsOf(t, s, Filter{})); got != want {
			t.Errorf("%d contacts, want %d", got, want)
		}
		v, err := s.Verify()
		if err != nil || v.Live != 1 || len(v.Problems) != 1 {
			t.Errorf("verified %+v: %v", v, err)
		}
		for _, dir := range []string{s.dir, s.runs(), s.runDir(id), live.dir} {
			os.Chmod(dir, 0o700)
		}
	})
	live.Close()
}
