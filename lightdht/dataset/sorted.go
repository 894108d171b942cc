package dataset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// cursor goes through tallies in the order of their contacts, each once.
type cursor interface {
	// next returns the next tally, nil at the end. It is valid until next is
	// called again.
	next() (*Tally, error)
	close()
}

// reading is a file of rows that is being read.
type reading struct {
	file  *os.File // nil when its content is in memory
	name  string
	sort  fileSort
	from  int   // the number of its first segment
	begin int64 // where its frames begin: after its head, unless that is spoilt
	size  int64
	in    io.ReaderAt
	run   RunID
}

// tallyFile is a cursor over a sorted file.
type tallyFile struct {
	frames frames
	rows   fields
	base   Stamp
	tally  Tally
	begun  bool // there is a tally
	names  *names
	last   *kad.ID // nothing beyond is sought; nil: no end
	file   *reading
}

func (c *tallyFile) next() (*Tally, error) {
	for len(c.rows.b) == 0 {
		if more, err := c.nextFrame(); !more {
			return nil, err
		}
	}
	c.tally.read(&c.rows, c.base, c.names)
	if c.rows.bad {
		return nil, fmt.Errorf("%s: %w", c.file.name, errRow)
	}
	if c.last != nil && c.tally.Node.ID.Compare(*c.last) > 0 {
		return nil, nil
	}
	return &c.tally, nil
}

// nextFrame goes on to the next frame; false at the end. One that does not begin
// after the last tally, as when a part of the file is there twice, is passed over.
func (c *tallyFile) nextFrame() (bool, error) {
	from := c.frames.at
	base, rows, err := c.frames.next()
	if err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("%s: %w", c.file.name, err)
	}
	var first Tally
	peek := fields{b: rows}
	first.read(&peek, base, c.names)
	is, was := keyOf(first.Node), keyOf(c.tally.Node)
	if c.begun && !peek.bad && is.compare(&was) <= 0 {
		c.frames.pass(from)
		return true, nil
	}
	c.base, c.rows.b, c.begun = base, rows, true
	return true, nil
}

func (c *tallyFile) close() { c.file.close() }

func (r *reading) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// within makes the cursor begin and end with a zone.
func (c *tallyFile) within(p kad.Prefix) error {
	if p.Bits() == 0 {
		return nil
	}
	first, last := p.First(), p.Last()
	c.last = &last
	return c.frames.seek(3+kad.Size, func(row []byte) bool {
		return len(row) >= 3+kad.Size && kad.ID(row[3:]).Compare(first) >= 0
	})
}

// writeSorted writes what a cursor yields into a sorted file of a run, which then
// stands under its name whole and on disk, for so many bytes of a log.
func writeSorted(dir, name string, run RunID, instead int64, from cursor) (entry File, err error) {
	out, err := createOut(dir, "."+name, sortSorted, run, instead)
	if errors.Is(err, os.ErrExist) { // left from a crash
		os.Remove(filepath.Join(dir, "."+name))
		out, err = createOut(dir, "."+name, sortSorted, run, instead)
	}
	if err != nil {
		return File{}, err
	}
	rows, err := copySorted(out, run, from)
	err = errors.Join(err, out.finish())
	if err == nil {
		err = os.Rename(filepath.Join(dir, out.name), filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(filepath.Join(dir, out.name))
		return File{}, err
	}
	out.name = name
	return out.entry(rows), syncFolder(dir)
}

// sortedChunk is how many bytes are written at once.
const sortedChunk = 1 << 20

func copySorted(out *outFile, run RunID, from cursor) (rows uint64, err error) {
	w := newFramer(run)
	for {
		t, err := from.next()
		if err != nil {
			return rows, err
		}
		if t != nil {
			base := w.open(t.First)
			w.buf = t.append(w.buf, base)
			w.settle(false)
			rows++
		}
		if t == nil || w.from < 0 && len(w.buf) >= sortedChunk {
			full := w.take(nil)
			if err := out.write(full); err != nil {
				return rows, err
			}
			w.buf = full[:0]
		}
		if t == nil {
			return rows, nil
		}
	}
}
