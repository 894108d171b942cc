package dataset

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// smallFile is a size up to which a file is read at once, and then closed: a
// store may have more runs than a process may have files open.
const smallFile = 128 << 10

// openReading opens a file of rows and looks at its head. Where that is torn or
// spoilt, it is part of what is no whole frame.
func openReading(dir string, d dataFile) (*reading, error) {
	name := filepath.Join(dir, d.name)
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	r := &reading{file: file, in: file, name: name, sort: d.sort, from: d.from, size: info.Size()}
	r.run, _ = ParseRunID(filepath.Base(dir)) // else its head tells, which may be spoilt
	if r.size <= smallFile {
		err = r.swallow()
	}
	if err == nil {
		err = r.readHead()
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// readHead looks where the frames begin.
func (r *reading) readHead() error {
	head := make([]byte, min(headSize, r.size))
	if _, err := r.in.ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	err := checkHead(head, r.sort)
	if err == nil {
		r.begin = headSize
		if r.run == (RunID{}) {
			r.run = RunID(head[len(headMagic)+2:])
		}
	}
	if err == errHead {
		return nil
	}
	return err
}

// swallow reads the whole file into memory.
func (r *reading) swallow() error {
	content, err := io.ReadAll(io.LimitReader(r.file, smallFile))
	r.file.Close()
	r.file, r.in, r.size = nil, bytes.NewReader(content), int64(len(content))
	return err
}

// frames returns the frames of the file.
func (r *reading) frames() frames {
	return frames{r: r.in, at: r.begin, size: r.size, seed: seedOf(r.run)}
}

// tallies returns a cursor over a sorted file.
func (r *reading) tallies(names *names) *tallyFile {
	return &tallyFile{frames: r.frames(), names: names, file: r}
}

// load adds the tallies of a file to a heap, and tells gap of what is no whole
// frame.
func (h *heap) load(r *reading, gap func(*reading, gap)) error {
	frames := r.frames()
	names := &names{}
	for {
		base, rows, err := frames.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		var t Tally
		for f := (fields{b: rows}); len(f.b) > 0; h.merge(&t) {
			if t.read(&f, base, names); f.bad {
				return fmt.Errorf("%s: %w", r.name, errRow)
			}
		}
	}
	if gap != nil {
		for _, g := range frames.gaps {
			gap(r, g)
		}
	}
	return nil
}

// outrun reports whether a sorted file was made in a copy of a run that went on,
// and the run's own files were copied there again: one of them begins within it and
// goes beyond, and others have all that is before that.
func outrun(d dataFile, all []dataFile) bool {
	if d.sort != sortSorted {
		return false
	}
	return slices.ContainsFunc(all, func(o dataFile) bool {
		if o.sort != sortSorted || o.from <= d.from || o.from > d.to || o.to <= d.to {
			return false
		}
		for n := d.from; n < o.from; n++ {
			has := func(f dataFile) bool { return f.sort != sortRows && f.from <= n && n <= f.to && f.to < o.from }
			if !slices.ContainsFunc(all, has) {
				return false
			}
		}
		return true
	})
}

// hasGrown reports whether a log has more than the sorted file that stands for it:
// a run that went on when it was copied was sorted in the copy, and copied again.
func hasGrown(dir string, log, sorted dataFile) bool {
	info, err := os.Stat(filepath.Join(dir, log.name))
	if err != nil {
		return false
	}
	file, err := os.Open(filepath.Join(dir, sorted.name))
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, headSize)
	if _, err := io.ReadFull(file, head); err != nil || checkHead(head, sortSorted) != nil {
		return false
	}
	return info.Size() > getStandsFor(head)
}

// dataFiles lists the files of rows in the folder of a run that count: of those
// that stand for others, these are left out. They are in order of their numbers,
// tallies first.
func dataFiles(dir string) ([]dataFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []dataFile
	for _, e := range entries {
		if d, ok := parseDataFile(e.Name()); ok && e.Type().IsRegular() {
			all = append(all, d)
		}
	}
	listed := all
	all = slices.DeleteFunc(slices.Clone(all), func(d dataFile) bool { return outrun(d, listed) })
	var sorted []dataFile
	for _, d := range all {
		if d.sort == sortSorted {
			sorted = append(sorted, d)
		}
	}
	var grown []dataFile
	all = slices.DeleteFunc(all, func(d dataFile) bool {
		return d.sort != sortRows && slices.ContainsFunc(sorted, func(o dataFile) bool {
			if d.sort == sortTallies && o.from == d.from && o.to == d.to && hasGrown(dir, d, o) {
				grown = append(grown, o)
				return false
			}
			return o.from <= d.from && d.to <= o.to && o != d
		})
	})
	all = slices.DeleteFunc(all, func(d dataFile) bool { return slices.Contains(grown, d) })
	slices.SortFunc(all, func(a, b dataFile) int {
		if rows := func(d dataFile) int { return int(bit(d.sort == sortRows)) }; rows(a) != rows(b) {
			return rows(a) - rows(b)
		}
		return a.from - b.from
	})
	return all, nil
}
