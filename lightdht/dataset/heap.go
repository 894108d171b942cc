package dataset

import (
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

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
