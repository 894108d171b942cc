package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// removeCovered removes files that others stand for, and what was begun and not
// ended. Who calls it holds the lock of the run.
func removeCovered(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	count, err := dataFiles(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		d, ok := parseDataFile(e.Name())
		if ok && !slices.Contains(count, d) || begun(e.Name()) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// begun reports whether a name is that of a file of a run that was being written.
func begun(name string) bool {
	of, ok := strings.CutPrefix(name, ".")
	_, data := parseDataFile(of)
	return ok && (data || of == goodFile || strings.HasPrefix(of, manifestFile+"-"))
}

// Compact removes what a copying that died left behind, and makes one sorted file of
// all tallies of each run that has ended, after Mend; two of one that crashed, as its
// last log may be copied here again when it was a copy of a run that went on. It
// returns the bytes of the store before and after. A run that it cannot compact keeps
// no other from it, and files that are missing stay known; the error tells of all.
func (s *Store) Compact() (before, after int64, err error) {
	before = folderSize(s.dir)
	_, mended := s.Mend()
	errs := []error{mended, s.sweep()}
	runs, err := s.Runs()
	if err != nil {
		return before, before, err
	}
	for i := range runs {
		r := &runs[i]
		if r.Live || r.Manifest == nil || r.Err != nil {
			continue
		}
		if err := s.compact(r); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.dir, err))
		}
	}
	return before, folderSize(s.dir), errors.Join(errs...)
}

// sweep removes folders into which runs were being copied when that died.
func (s *Store) sweep() error {
	left, err := filepath.Glob(filepath.Join(s.runs(), unfinishedCopy+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range left {
		held, err := lock(filepath.Join(dir, lockFile))
		if err != nil {
			continue // it is still being copied
		}
		held.Close()
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// compact makes one file of the tallies of a run, unless somebody else is at it. A
// crash leaves what can be read, and be compacted again.
func (s *Store) compact(r *RunInfo) error {
	held, err := lock(filepath.Join(r.dir, lockFile))
	if errors.Is(err, errLocked) {
		return nil
	} else if err != nil {
		return err
	}
	defer held.Close()
	defer os.Remove(held.Name())
	files, err := dataFiles(r.dir)
	if err != nil {
		return err
	}
	missing := r.missing()
	if !isCompact(files, r.Manifest) {
		if err := s.compactFiles(r); err != nil {
			return err
		}
	}
	if err := removeCovered(r.dir); err != nil || len(missing) == 0 {
		return err
	}
	return fmt.Errorf("%s is missing, or cut short: merge a whole copy into the store", missing[0].Name)
}

// isCompact reports whether there are no more files of tallies than there must be,
// all sorted, and the manifest knows the files.
func isCompact(files []dataFile, m *Manifest) bool {
	tallies := 0
	if m.State == Crashed && len(files) > 0 {
		tallies = -1
	}
	for _, d := range files {
		if d.sort != sortRows {
			tallies++
		}
		if d.sort == sortTallies || !slices.ContainsFunc(m.Files, func(f File) bool { return f.Name == d.name }) {
			return false
		}
	}
	return tallies <= 1 && len(m.Files) == len(files)
}

// compactFiles makes the files of tallies one, and tells the manifest.
func (s *Store) compactFiles(r *RunInfo) error {
	m, counted, missing := *r.Manifest, Manifest{Rows: map[string]uint64{}, State: r.Manifest.State}, r.missing()
	rows, srt, err := s.order(r, &counted)
	if err != nil {
		return err
	}
	if err := srt.joinAll(); err != nil {
		return err
	}
	m.Files = append(rows, srt.sorted...)
	for _, f := range missing { // they stay known
		m.Files = slices.DeleteFunc(m.Files, func(is File) bool { return is.Name == f.Name })
		m.Files = append(m.Files, f)
	}
	return errors.Join(m.write(r.dir), syncFolder(r.dir))
}
