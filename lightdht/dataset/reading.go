package dataset

import (
	"bytes"
	"cmp"
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

// mayGrow is added to the bytes that a sorted file stands for, when these are of a
// log that may have been copied before it was full.
const mayGrow = 1 << 47

// standsForIn returns the bytes of a log that a sorted file stands for, with mayGrow;
// false when it does not tell.
func standsForIn(dir, sorted string) (bytes int64, ok bool) {
	file, err := os.Open(filepath.Join(dir, sorted))
	if err != nil {
		return 0, false
	}
	defer file.Close()
	head := make([]byte, headSize)
	if _, err := io.ReadFull(file, head); err != nil || checkHead(head, sortSorted) != nil {
		return 0, false
	}
	return getStandsFor(head), true
}

// hasGrown reports whether a log has more than the sorted file that stands for it:
// a run that went on when it was copied was sorted in the copy, and copied again.
func hasGrown(dir string, log, sorted dataFile) bool {
	info, err := os.Stat(filepath.Join(dir, log.name))
	if err != nil {
		return false
	}
	bytes, ok := standsForIn(dir, sorted.name)
	return ok && info.Size() > bytes&^mayGrow
}

// latest leaves out, of a log and the sorted file of it alone, the one that has less.
func latest(dir string, all []dataFile) []dataFile {
	logs, less := map[int]dataFile{}, map[dataFile]bool{}
	for _, d := range all {
		if d.sort == sortTallies {
			logs[d.from] = d
		}
	}
	for _, d := range all {
		log, ok := logs[d.from]
		switch {
		case !ok || d.sort != sortSorted || d.to != d.from:
		case hasGrown(dir, log, d):
			less[d] = true
		default:
			less[log] = true
		}
	}
	return slices.DeleteFunc(all, func(d dataFile) bool { return less[d] })
}

// chosen is a choice among so many files.
type chosen struct {
	segments, singles, files int
	rest                     int  // the choice among so many
	last                     bool // and the file that follows these, or ends there
}

// better reports whether c has more segments or, of as many, fewer in a file of their
// own, then fewer files: in a copy of a run that goes on, such a file may have less
// of its segment than one that was merged.
func (c *chosen) better(o *chosen) bool {
	return cmp.Or(c.segments-o.segments, o.singles-c.singles, o.files-c.files) > 0
}

// fitting chooses files of which no two have a segment in common. A merged file
// stands for those that it was made of, which a crash may leave; and in a copy of a
// run that goes on other ones were merged than by its writer, whose files were copied
// there again. What the choice does not have stays besides.
func fitting(all []dataFile) (choice []dataFile) {
	slices.SortFunc(all, func(a, b dataFile) int { return cmp.Or(a.to-b.to, b.from-a.from) })
	best := make([]chosen, len(all)+1) // among the first so many
	for i, d := range all {
		before, _ := slices.BinarySearchFunc(all[:i], d.from, func(o dataFile, from int) int { return o.to - from })
		with := best[before]
		with.segments += d.to - d.from + 1
		with.singles += int(bit(d.from == d.to))
		with.files++
		with.rest, with.last = before, true
		if best[i+1] = best[i]; with.better(&best[i]) {
			best[i+1] = with
		} else {
			best[i+1].rest, best[i+1].last = i, false
		}
	}
	var others []dataFile
	for i := len(all); i > 0; i = best[i].rest {
		if end := i; best[i].last {
			end--
			choice = append(choice, all[end])
			others = append(others, all[best[i].rest:end]...)
		} else {
			others = append(others, all[end-1])
		}
	}
	return append(choice, slices.DeleteFunc(others, func(d dataFile) bool { return d.within(choice) == d.to-d.from+1 })...)
}

// within returns how many segments of a file others have, no two of them the same.
func (d *dataFile) within(others []dataFile) (n int) {
	for _, o := range others {
		n += max(min(d.to, o.to)-max(d.from, o.from)+1, 0)
	}
	return n
}

// dataFiles lists the files of rows in the folder of a run that count: of those
// that have the same, the ones that are chosen. They are in order of their numbers,
// tallies first.
func dataFiles(dir string) ([]dataFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var tallies, rows []dataFile
	for _, e := range entries {
		d, ok := parseDataFile(e.Name())
		switch {
		case !ok || !e.Type().IsRegular():
		case d.sort == sortRows:
			rows = append(rows, d)
		default:
			tallies = append(tallies, d)
		}
	}
	tallies = fitting(latest(dir, tallies))
	byNumber := func(a, b dataFile) int { return a.from - b.from }
	slices.SortFunc(tallies, byNumber)
	slices.SortFunc(rows, byNumber)
	return append(tallies, rows...), nil
}
