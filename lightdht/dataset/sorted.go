package dataset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// cursor goes through tallies in the order of their contacts, each once.
type cursor interface {
	// next returns the next tally, nil at the end. It is valid until next is
	// called again.
	next() (*Tally, error)
	close()
}

// memory is a cursor over tallies in memory.
type memory struct {
	tallies []Tally
	order   []uint32
}

func (m *memory) next() (*Tally, error) {
	if len(m.order) == 0 {
		return nil, nil
	}
	t := &m.tallies[m.order[0]]
	m.order = m.order[1:]
	return t, nil
}

func (m *memory) close() {}

// heap is tallies by their contacts, as they come.
type heap struct {
	index   map[key]uint32
	tallies []Tally
}

func newHeap() *heap { return &heap{index: map[key]uint32{}} }

// of returns the tally of a contact, a new one if there is none.
func (h *heap) of(n kad.NodeInfo) *Tally {
	k := keyOf(n)
	i, ok := h.index[k]
	if !ok {
		i = uint32(len(h.tallies))
		h.index[k] = i
		h.tallies = append(h.tallies, Tally{Node: n})
	}
	return &h.tallies[i]
}

// merge adds a tally.
func (h *heap) merge(t *Tally) {
	n := len(h.tallies)
	if at := h.of(t.Node); len(h.tallies) > n {
		*at = *t
	} else {
		at.Merge(t)
	}
}

// shrunk is how many contacts a heap that is emptied may keep the room of.
const shrunk = 1 << 17

// clear empties the heap.
func (h *heap) clear() {
	if len(h.tallies) > shrunk {
		*h = *newHeap()
		return
	}
	clear(h.index)
	clear(h.tallies) // of their versions
	h.tallies = h.tallies[:0]
}

// sorted returns a cursor over the tallies, in the order of their contacts.
func (h *heap) sorted() *memory {
	type place struct {
		key key
		at  uint32
	}
	places := make([]place, len(h.tallies))
	for i := range h.tallies {
		places[i] = place{keyOf(h.tallies[i].Node), uint32(i)}
	}
	slices.SortFunc(places, func(a, b place) int { return a.key.compare(&b.key) })
	m := &memory{h.tallies, make([]uint32, len(places))}
	for i := range places {
		m.order[i] = places[i].at
	}
	return m
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

// merged is a cursor over several, whose tallies of one contact it merges: those
// of an earlier cursor first.
type merged struct {
	heads []head // a heap, the least first
	tally Tally
	begun bool
	all   []cursor
}

type head struct {
	key   key
	tally *Tally
	rank  int // of its cursor among all
	from  cursor
}

func (h *head) before(o *head) bool {
	if c := h.key.compare(&o.key); c != 0 {
		return c < 0
	}
	return h.rank < o.rank
}

func newMerged(all []cursor) *merged { return &merged{all: all} }

// begin reads the first tally of each.
func (m *merged) begin() error {
	m.begun = true
	for rank, c := range m.all {
		t, err := c.next()
		if err != nil {
			return err
		}
		if t != nil {
			m.heads = append(m.heads, head{keyOf(t.Node), t, rank, c})
		}
	}
	for i := len(m.heads)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return nil
}

// sink moves a head that is too near to the top down to where it belongs.
func (m *merged) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heads); child++ {
			if m.heads[child].before(&m.heads[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heads[i], m.heads[least] = m.heads[least], m.heads[i]
		i = least
	}
}

// first returns the least tally there is, and the rank of its cursor; nil at the
// end. It is valid until pass, which goes on.
func (m *merged) first() (*Tally, int, error) {
	if !m.begun {
		if err := m.begin(); err != nil {
			return nil, 0, err
		}
	}
	if len(m.heads) == 0 {
		return nil, 0, nil
	}
	return m.heads[0].tally, m.heads[0].rank, nil
}

func (m *merged) pass() error {
	h := &m.heads[0]
	t, err := h.from.next()
	switch {
	case err != nil:
		return err
	case t == nil:
		n := len(m.heads) - 1
		m.heads[0] = m.heads[n]
		m.heads = m.heads[:n]
	default:
		h.key, h.tally = keyOf(t.Node), t
	}
	if len(m.heads) > 1 {
		m.sink(0)
	}
	return nil
}

func (m *merged) next() (*Tally, error) {
	t, _, err := m.first()
	if t == nil {
		return nil, err
	}
	m.tally = *t
	for {
		if err := m.pass(); err != nil {
			return nil, err
		}
		t, _, err := m.first()
		if err != nil {
			return nil, err
		}
		if t == nil || t.Node != m.tally.Node {
			return &m.tally, nil
		}
		m.tally.Merge(t)
	}
}

func (m *merged) close() {
	for _, c := range m.all {
		c.close()
	}
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
