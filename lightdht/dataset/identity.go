package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Identity is who a node of this network was when it ran last.
type Identity struct {
	Format int        `json:"format"`
	ID     kad.ID     `json:"id"`
	Port   uint16     `json:"port"` // at which it listened
	Addr4  netip.Addr `json:"addr4,omitzero"`
	Addr6  netip.Addr `json:"addr6,omitzero"` // where others saw it
}

const identityLock = "identity.lock"

// Claim is the right of one process to be the node that a store remembers. Another
// process that runs beside it is a node of its own: two with one ID would harm
// each other.
type Claim struct {
	Identity // as it was saved; zero when it never was
	store    *Store
	lock     *os.File
}

// Claim returns the identity that the store remembers, nil when another process
// has it.
func (s *Store) Claim() (*Claim, error) {
	held, err := lock(filepath.Join(s.dir, identityLock))
	if errors.Is(err, errLocked) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	c := &Claim{store: s, lock: held}
	name := filepath.Join(s.dir, identityFile)
	b, err := os.ReadFile(name)
	if err == nil {
		err = readJSON(name, b, &c.Identity)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		held.Close()
		return nil, err
	}
	return c, nil
}

// Save keeps an identity for the next run.
func (c *Claim) Save(id Identity) error {
	id.Format = format
	c.Identity = id
	return errors.Join(writeJSON(filepath.Join(c.store.dir, identityFile), id), syncFolder(c.store.dir))
}

// Close gives the claim back. A nil claim may be closed.
func (c *Claim) Close() error {
	if c == nil {
		return nil
	}
	return c.lock.Close()
}

// goodRuns is in how many runs contacts to begin with are looked for.
const goodRuns = 50

// Good returns about n contacts that were good when they were last looked at, those
// of the latest runs first. Their counts are zero, so that adding the whole
// history of each counts nothing twice. What cannot be read is told to Problem.
func (s *Store) Good(n int) (good []table.Contact) {
	runs, err := s.Runs()
	s.problem(err)
	seen := map[kad.NodeInfo]bool{}
	for i := len(runs) - 1; i >= max(0, len(runs)-goodRuns) && len(good) < n; i-- {
		if !s.readable(&runs[i]) {
			continue
		}
		r, err := openReading(runs[i].dir, dataFile{name: goodFile, sort: sortSorted, from: 1, to: 1})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			s.problem(err)
			continue
		}
		s.problem(eachTally(r, func(t *Tally) {
			if !seen[t.Node] && len(good) < n {
				seen[t.Node] = true
				c := t.Contact()
				c.Queries, c.Replies = 0, 0
				good = append(good, c)
			}
		}))
		s.problem(gapError(r))
		r.close()
	}
	return good
}

// gapError says what of a file is no whole frame; nil when all is.
func gapError(r *reading) error {
	gaps, err := gapsOf(r)
	if err != nil || len(gaps) == 0 {
		return nil // what is wrong else is told by who reads it
	}
	return fmt.Errorf("%s: %v: left out", r.name, gaps[0])
}
