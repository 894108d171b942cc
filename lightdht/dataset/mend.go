package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lightdht/lightdht/lightdht/record"
)

// Mend ends the runs of processes that died: what is no whole frame is cut out of
// their files and kept aside, in the folder torn; tallies are sorted; the manifest
// says Crashed, and that the run ended with its last row. What was cut is told to
// Problem. Runs that go on, or that another process is mending, are left alone.
// It returns how many it ended.
func (s *Store) Mend() (ended int, err error) {
	runs, err := s.Runs()
	if err != nil {
		return 0, err
	}
	var errs []error
	for i := range runs {
		r := &runs[i]
		if r.Live || !s.mendable(r) {
			continue
		}
		did, err := s.mend(r)
		if did {
			ended++
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.dir, err))
		}
	}
	return ended, errors.Join(errs...)
}

// mendable reports whether a run that does not go on has not ended either.
func (s *Store) mendable(r *RunInfo) bool {
	if r.Manifest == nil {
		return errors.Is(r.Err, errNoManifest) || errors.Is(r.Err, errSpoilt)
	}
	return r.Err == nil && r.Manifest.State == Running
}

// mend ends one run, unless somebody else is at it.
func (s *Store) mend(r *RunInfo) (bool, error) {
	held, err := lock(filepath.Join(r.dir, lockFile))
	if errors.Is(err, errLocked) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer held.Close()
	if again := s.run(r.ID); again.Manifest != nil && again.Manifest.State != Running {
		return false, nil // it was mended meanwhile
	}
	m := Manifest{
		Format: format, Run: r.ID, Network: s.head.Network, Start: r.ID.Time(), Drops: map[string]uint64{}, Counters: map[string]uint64{},
	}
	if r.Manifest != nil {
		m = *r.Manifest
	}
	m.State = Crashed
	if err := s.rebuild(r, &m); err != nil {
		return false, err
	}
	if errors.Is(r.Err, errSpoilt) {
		if err := s.putManifestAside(r.dir); err != nil {
			return false, err
		}
	}
	if err := errors.Join(m.write(r.dir), syncFolder(r.dir)); err != nil {
		return false, err
	}
	os.Remove(filepath.Join(r.dir, lockFile))
	return true, nil
}

// putManifestAside keeps a manifest that cannot be read in the folder torn.
func (s *Store) putManifestAside(dir string) error {
	file, err := os.Open(filepath.Join(dir, manifestFile))
	if err != nil {
		return err
	}
	defer file.Close()
	aside := filepath.Join(dir, tornFolder, manifestFile)
	if err := os.MkdirAll(filepath.Dir(aside), 0o700); err != nil {
		return err
	}
	s.problem(fmt.Errorf("%s: %w: kept as %s", file.Name(), errSpoilt, aside))
	return errors.Join(copyPart(aside, file), syncFolder(filepath.Dir(aside)))
}

// rebuild puts the files of a run in order, and what they have into its manifest.
func (s *Store) rebuild(r *RunInfo, m *Manifest) error {
	m.Rows = map[string]uint64{}
	rows, srt, err := s.order(r, m)
	if err != nil {
		return err
	}
	sorted, _ := srt.now()
	m.Files = append(append([]File{}, rows...), sorted...)
	if m.End.IsZero() {
		m.End = m.Start // it has no rows
	}
	return removeCovered(r.dir)
}

// order cuts out of the files of a run what is no whole frame, sorts what is not,
// and counts into a manifest what there is. It returns the files of other rows,
// and a sorter that has those of tallies.
func (s *Store) order(r *RunInfo, m *Manifest) (rows []File, srt *sorter, err error) {
	files, err := dataFiles(r.dir)
	if err != nil {
		return nil, nil, err
	}
	srt = newSorter(r.dir, r.ID)
	if m.State == Crashed {
		srt.apart = lastTallies(files)
	}
	for _, d := range files {
		if gone, err := s.cutTorn(r, d); err != nil {
			return nil, nil, err
		} else if gone {
			continue
		}
		entry, err := s.inspect(r, d, m)
		if err != nil {
			return nil, nil, err
		}
		switch d.sort {
		case sortRows:
			rows = append(rows, entry)
		case sortSorted:
			srt.spans, srt.sorted = append(srt.spans, span{d.from, d.to}), append(srt.sorted, entry)
		default:
			srt.add(d.from)
			if err := srt.wait(); err != nil { // one after the other: the order counts
				return nil, nil, err
			}
		}
	}
	return rows, srt, nil
}

// lastTallies returns the number of the last log that files are of; 0 when there is
// none.
func lastTallies(files []dataFile) (last int) {
	for _, d := range files {
		if d.sort != sortRows {
			last = max(last, d.to)
		}
	}
	return last
}

// inspect counts the rows of a file, and moves the end of the run to the last.
func (s *Store) inspect(run *RunInfo, d dataFile, m *Manifest) (File, error) {
	r, err := openReading(run.dir, d)
	if err != nil {
		return File{}, err
	}
	defer r.close()
	entry, err := describe(r)
	if err != nil {
		return File{}, err
	}
	end := StampOf(m.End)
	note := func(at Stamp) { end = max(end, at) }
	if d.sort == sortRows {
		_, err = s.rowsIn(r, run, func(k record.Kind, body []byte) (bool, error) {
			entry.Rows++
			if k == record.KindSighting { // it is in a tally, too
				m.KeepSightings = true
			} else {
				m.Rows[k.String()]++
			}
			f := fields{b: body}
			note(f.stamp())
			return true, nil
		})
	} else {
		err = eachTally(r, func(t *Tally) {
			entry.Rows++
			m.Rows["tallies"]++
			m.Rows[record.KindSighting.String()] += sightings([]Tally{*t})
			note(max(t.Seen(), t.Failure))
		})
	}
	m.End = end.Time()
	return entry, err
}

// eachTally calls f with the tallies of a file.
func eachTally(r *reading, f func(*Tally)) error {
	if r.sort == sortTallies { // in any order
		h := newHeap()
		if err := h.load(r, nil); err != nil {
			return err
		}
		for i := range h.tallies {
			f(&h.tallies[i])
		}
		return nil
	}
	c := r.tallies(&names{})
	for {
		t, err := c.next()
		if t == nil || err != nil {
			return err
		}
		f(t)
	}
}

// cutTorn takes what is no whole frame out of a file and puts it aside. A file of
// nothing else is gone then.
func (s *Store) cutTorn(run *RunInfo, d dataFile) (gone bool, err error) {
	r, err := openReading(run.dir, d)
	if err != nil {
		return false, err
	}
	defer r.close()
	gaps, err := gapsOf(r)
	if err != nil || len(gaps) == 0 && r.size > 0 {
		return false, err
	}
	if err := s.putAside(run.dir, r, gaps); err != nil {
		return false, err
	}
	if r.size == 0 || gaps[0].size == r.size {
		r.close() // some systems remove no open file
		return true, os.Remove(r.name)
	}
	rest := without(r, gaps)
	if gaps[0].at == 0 {
		rest = io.MultiReader(bytes.NewReader(appendHead(nil, d.sort, run.ID)), rest)
	}
	whole := filepath.Join(run.dir, "."+d.name)
	if err := copyPart(whole, rest); err != nil {
		return false, err
	}
	r.close()
	return false, os.Rename(whole, r.name)
}

// putAside keeps what is no whole frame of a file in the folder torn.
func (s *Store) putAside(dir string, r *reading, gaps []gap) error {
	torn := filepath.Join(dir, tornFolder)
	if len(gaps) == 0 {
		return nil
	}
	if err := os.MkdirAll(torn, 0o700); err != nil {
		return err
	}
	for _, g := range gaps {
		aside := filepath.Join(torn, fmt.Sprintf("%s-%d", filepath.Base(r.name), g.at))
		if err := copyPart(aside, io.NewSectionReader(r.in, g.at, g.size)); err != nil {
			return err
		}
		s.problem(fmt.Errorf("%s: %v: cut out and kept as %s", r.name, g, aside))
	}
	return errors.Join(syncFolder(torn), syncFolder(dir))
}

// gapsOf reads a file through for what is no whole frame.
func gapsOf(r *reading) ([]gap, error) {
	if r.sort == sortSorted {
		c := r.tallies(&names{})
		for {
			if t, err := c.next(); t == nil {
				return c.frames.gaps, err
			}
		}
	}
	frames := r.frames()
	for {
		if _, _, err := frames.next(); err == io.EOF {
			return frames.gaps, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// without reads a file but for gaps.
func without(r *reading, gaps []gap) io.Reader {
	var parts []io.Reader
	at := int64(0)
	for _, g := range gaps {
		parts = append(parts, io.NewSectionReader(r.in, at, g.at-at))
		at = g.at + g.size
	}
	return io.MultiReader(append(parts, io.NewSectionReader(r.in, at, r.size-at))...)
}

// copyPart writes a new file, in place of one of this name.
func copyPart(name string, from io.Reader) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Sync(), file.Close())
}
