package dataset

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Filter selects what is read. The zero Filter selects all; fields combine with
// and.
type Filter struct {
	Runs   []RunID     // of these runs; nil: of all
	But    []RunID     // not of these
	Since  time.Time   // contacts last seen then or later, rows of then or later
	Prefix kad.Prefix  // contacts and rows of nodes in this zone, lookups of targets in it; no others
	Family kad.Family  // of nodes of this family, estimates of it, and all lookups; 0: of both
	States table.State // contacts in one of these; 0: in any
}

// Picks reports whether f selects a run.
func (f *Filter) Picks(id RunID) bool {
	return (f.Runs == nil || slices.Contains(f.Runs, id)) && !slices.Contains(f.But, id)
}

// passes reports whether f selects a node seen at a time.
func (f *Filter) passes(n kad.NodeInfo, at Stamp) bool {
	switch {
	case !f.Since.IsZero() && at < StampOf(f.Since):
		return false
	case f.Family != 0 && kad.FamilyOf(n.Addr.Addr()) != f.Family:
		return false
	}
	return f.Prefix.Bits() == 0 || f.Prefix.Contains(n.ID)
}

// Contact is what all runs of a store saw of a contact.
type Contact struct {
	Tally
	Run    RunID // which saw it last
	Runs   int   // how many runs saw it
	Judged Stamp // when State is judged: at the end of Run, or now while it goes on
}

// State is BEP 5's judgement of the contact, at Judged.
func (c *Contact) State() table.State {
	switch {
	case c.InRow >= table.BadAfter:
		return table.StateBad
	case c.Reply != 0 && c.Judged-max(c.Reply, c.Query) <= Stamp(table.FreshFor.Microseconds()):
		return table.StateGood
	}
	return table.StateQuestionable
}

// Contacts yields every contact that f selects, in the order of their IDs, those
// with one ID in that of their addresses. It reads the files as it goes and keeps
// little in memory, but for runs that go on or crashed: of these up to 16 MiB of a
// file. What is yielded is valid until the loop's next turn. An error ends it.
func (s *Store) Contacts(f Filter) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		runs, err := s.Runs()
		if err != nil {
			yield(nil, err)
			return
		}
		s.contacts(runs, f)(yield)
	}
}

// ContactsByRun yields what Contacts does of each run by itself, one run after the
// other.
func (s *Store) ContactsByRun(f Filter) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		runs, err := s.Runs()
		if err != nil {
			yield(nil, err)
			return
		}
		for i := range runs {
			for c, err := range s.contacts(runs[i:i+1], f) {
				if !yield(c, err) || err != nil {
					return
				}
			}
		}
	}
}

// contacts is Contacts of some runs.
func (s *Store) contacts(runs []RunInfo, f Filter) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		all, ranks, err := s.cursors(runs, &f)
		m := newMerged(all)
		defer m.close()
		if err != nil {
			yield(nil, err)
			return
		}
		var c Contact
		for {
			more, err := m.contact(&c, ranks)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more {
				break
			}
			if f.passes(c.Node, c.Seen()) && (f.States == 0 || c.State()&f.States != 0) && !yield(&c, nil) {
				return
			}
		}
		s.reportGaps(all)
	}
}

// rank says which run the cursor of that rank belongs to.
type rank struct {
	run   RunID
	ended Stamp
}

// contact merges the next contact into c; false at the end.
func (m *merged) contact(c *Contact, ranks []rank) (bool, error) {
	t, at, err := m.first()
	if t == nil {
		return false, err
	}
	*c = Contact{Tally: *t, Run: ranks[at].run, Runs: 1, Judged: ranks[at].ended}
	last, counted := t.Seen(), ranks[at].run
	for {
		if err := m.pass(); err != nil {
			return false, err
		}
		t, at, err := m.first()
		if err != nil {
			return false, err
		}
		if t == nil || t.Node != c.Node {
			return true, nil
		}
		if ranks[at].run != counted {
			counted = ranks[at].run
			c.Runs++
		}
		if t.Seen() >= last {
			last, c.Run, c.Judged = t.Seen(), ranks[at].run, ranks[at].ended
		}
		c.Merge(t)
	}
}

// cursors opens the tallies of those of some runs that f selects.
func (s *Store) cursors(runs []RunInfo, f *Filter) (all []cursor, ranks []rank, err error) {
	now, names := time.Now(), &names{}
	for i := range runs {
		if !f.Picks(runs[i].ID) || !s.readable(&runs[i]) {
			continue
		}
		of, err := s.runCursors(&runs[i], f, names)
		all = append(all, of...)
		if err != nil {
			return all, nil, err
		}
		for range of {
			ranks = append(ranks, rank{runs[i].ID, runs[i].ended(now)})
		}
	}
	return all, ranks, nil
}

// readable reports whether a run can be read; what is wrong with it is told.
func (s *Store) readable(r *RunInfo) bool {
	s.problem(r.Err)
	var other *OtherNetworkError
	return !errors.As(r.Err, &other) && !errors.Is(r.Err, errNewer) && !errors.Is(r.Err, errRenamed)
}

// runCursors opens the tallies of a run.
func (s *Store) runCursors(run *RunInfo, f *Filter, names *names) (all []cursor, err error) {
	files, err := openFiles(run.dir, func(d dataFile) bool { return d.sort != sortRows }, s.problem)
	if err != nil {
		return nil, err
	}
	s.tellMissing(run, false)
	unsorted := newHeap()
	for _, r := range files {
		if r.sort == sortSorted {
			c := r.tallies(names)
			all = append(all, c)
			if e := c.within(f.Prefix); e != nil && err == nil {
				err = fmt.Errorf("%s: %w", r.name, e)
			}
			continue
		}
		if err == nil {
			err = unsorted.load(r, s.gapOf(run))
		}
		r.close()
	}
	if len(unsorted.tallies) > 0 {
		all = append(all, unsorted.sorted())
	}
	return all, err
}

// tellMissing tells of missing files of a run, of other rows or of tallies.
func (s *Store) tellMissing(run *RunInfo, rows bool) {
	for _, f := range run.missing() {
		if d, _ := parseDataFile(f.Name); (d.sort == sortRows) == rows {
			s.problem(fmt.Errorf("%s: is missing, or cut short: of %d rows", filepath.Join(run.dir, f.Name), f.Rows))
		}
	}
}

// missing returns the files of a run that has ended that its manifest lists and that
// are not there, nor in another one, and those that are shorter than it says, unless
// the logs that they were sorted from are there, too.
func (r *RunInfo) missing() (all []File) {
	if r.Live || r.Manifest == nil || r.Manifest.State == Running {
		return nil
	}
	files, err := dataFiles(r.dir)
	if err != nil {
		return nil // which is told when they are read
	}
	tallies := slices.DeleteFunc(slices.Clone(files), func(f dataFile) bool { return f.sort == sortRows })
	for _, listed := range r.Manifest.Files {
		d, ok := parseDataFile(listed.Name)
		there := slices.ContainsFunc(files, func(f dataFile) bool { return f.name == d.name })
		switch {
		case !ok:
		case there && r.cutShort(listed) && !hasLog(files, d), !there && (d.sort == sortRows || d.within(tallies) < d.to-d.from+1):
			all = append(all, listed)
		}
	}
	return all
}

// hasLog reports whether a log that a sorted file was made from is among files.
func hasLog(files []dataFile, sorted dataFile) bool {
	return sorted.sort == sortSorted && slices.ContainsFunc(files, func(f dataFile) bool {
		return f.sort == sortTallies && sorted.from <= f.from && f.to <= sorted.to
	})
}

// cutShort reports whether a file has fewer bytes than its manifest says.
func (r *RunInfo) cutShort(listed File) bool {
	info, err := os.Stat(filepath.Join(r.dir, listed.Name))
	return err == nil && info.Size() < listed.Bytes
}

// ErrTorn is about what a program left unfinished when it died: nothing that it had
// handed over is missing.
var ErrTorn = errors.New("torn")

// wrongIn is about what is no whole frame in a file of a run.
func wrongIn(run *RunInfo, name string, g gap) error {
	if run.Manifest == nil || run.Manifest.State == Running {
		return fmt.Errorf("%s: %w: %v: left out", name, ErrTorn, g)
	}
	return fmt.Errorf("%s: %v: left out", name, g)
}

// gapOf tells of what is no whole frame, but for the frame that the writer of a
// run is just about to write.
func (s *Store) gapOf(run *RunInfo) func(*reading, gap) {
	return func(r *reading, g gap) {
		if !run.Live || g.at+g.size < r.size {
			s.problem(wrongIn(run, r.name, g))
		}
	}
}

// reportGaps tells of what was left out of sorted files.
func (s *Store) reportGaps(all []cursor) {
	for _, c := range all {
		if c, ok := c.(*tallyFile); ok {
			for _, g := range c.frames.gaps {
				s.problem(fmt.Errorf("%s: %v: left out", c.file.name, g))
			}
		}
	}
}
