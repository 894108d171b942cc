package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/table"
)

// copyOver copies files of a folder over those of another, as anybody would: what is
// there under another name stays.
func copyOver(t testing.TB, to, from string, but func(name string) bool) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		content, err := os.ReadFile(name)
		if err != nil || but(rel) {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), content, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copying is a run that goes on and is copied, again and again, to where others put
// the copy in order.
type copying struct {
	*world
	t    *testing.T
	run  *Run
	from *Store
	want table.Table
	dir  string // of the copy
}

// grow records some more, which may fill files or not.
func (c *copying) grow() {
	for range 1 + c.IntN(1<<c.IntN(8)) {
		sighting := c.sighting()
		observe(c.want, sighting)
		c.run.Record(sighting)
		if c.IntN(4) == 0 {
			c.run.Flush()
		}
	}
	c.run.Flush()
	if c.IntN(4) == 0 {
		c.sort()
	}
}

// hold makes the sorter of the run as slow as can be: it does nothing until sort.
func (c *copying) hold() {
	s := c.run.sorter
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working = true
}

// sort has the sorter catch up.
func (c *copying) sort() {
	c.run.sorter.work()
	if err := c.run.sorter.wait(); err != nil {
		c.t.Fatal(err)
	}
	c.hold()
}

// look holds the copy to what was recorded until it was made.
func (c *copying) look(when string) *Store {
	c.t.Helper()
	s, err := Open(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	s.Problem = func(err error) { c.t.Errorf("a problem: %v", err) }
	if sameAsTable(c.t, contactsOf(c.t, s, Filter{}), c.want); c.t.Failed() {
		c.t.Fatal(when)
	}
	return s
}

// A run that goes on is copied, put in order in the copy, and copied there again,
// several times over: the copy has all that was copied, each thing once.
func TestCopiedAgain(t *testing.T) {
	for seed := range uint64(fewer(80)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(seed, 40)
			c := &copying{world: w, t: t, from: newStore(t), want: table.NewFlat(), dir: filepath.Join(memoryDir(t), "copy")}
			c.run = begin(t, c.from, Settings{FlushEvery: time.Hour, SyncEvery: -1, segment: int64(300 + w.IntN(2000))})
			c.hold()
			t.Cleanup(c.run.sorter.work)
			rounds := 4 + w.IntN(8)
			for round := range rounds {
				c.grow()
				if round == rounds-1 && w.IntN(2) == 0 {
					c.run.sorter.work()
					finish(t, c.run)
				}
				if c.IntN(3) == 0 {
					c.copyHalf()
				}
				copyOver(t, c.dir, c.from.Dir(), func(string) bool { return false })
				c.order(round)
			}
		})
	}
}

// copyHalf makes a copy, if the one before is in order, while files are sorted and
// merged, so that some are gone when it is their turn; and puts it in order.
func (c *copying) copyHalf() {
	c.t.Helper()
	if logs, _ := filepath.Glob(filepath.Join(c.dir, runsFolder, "*", "contacts-*.log")); len(logs) > 0 {
		return
	}
	copyOver(c.t, c.dir, c.from.Dir(), func(name string) bool { return filepath.Ext(name) == ".sorted" && c.IntN(2) == 0 })
	s, err := Open(c.dir)
	if err == nil {
		_, _, err = s.Compact()
	}
	if err != nil && !strings.Contains(err.Error(), "is missing") { // of a run that ended it is known
		c.t.Fatal(err)
	}
}

// order puts the copy in order, in one of several ways, or leaves it as it is.
func (c *copying) order(round int) {
	c.t.Helper()
	s := c.look(fmt.Sprint("copied, round ", round))
	var err error
	how := c.IntN(5)
	switch how {
	case 0:
		return
	case 1:
		_, err = s.Mend()
	default:
		_, _, err = s.Compact()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.look(fmt.Sprint("in order, round ", round, ", ", how))
	if how == 1 && c.run.manifest.State == Ended {
		return // the copy has files of which the manifest of a run that ended does not know
	}
	if v, err := s.Verify(); err != nil || len(v.Problems) > 0 {
		c.t.Fatalf("round %d: verified %+v, %v", round, v, err)
	}
}
