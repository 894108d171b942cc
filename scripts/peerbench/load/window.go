package load

import "time"

// window is the queries that are under way: at most a fixed number. It has no
// clock and no socket. The number of a query, its transaction id, says which
// slot is its: slots are a power of two.
type window struct {
	slots []slot
	free  []uint32 // slots
	mask  uint32
}

type slot struct {
	number uint32        // of the query that waits, or of the last one
	sent   time.Duration // since the generator began
	waits  bool
}

// newWindow makes room for size queries, rounded up to a power of two.
func newWindow(size int) *window {
	n := 1
	for n < size {
		n *= 2
	}
	w := &window{slots: make([]slot, n), free: make([]uint32, 0, n), mask: uint32(n - 1)}
	for i := range w.slots {
		w.slots[i].number = uint32(i)
		w.free = append(w.free, uint32(i))
	}
	return w
}

// open returns the number of a query to send now; false when all slots wait.
func (w *window) open(now time.Duration) (number uint32, ok bool) {
	if len(w.free) == 0 {
		return 0, false
	}
	s := &w.slots[w.free[len(w.free)-1]]
	w.free = w.free[:len(w.free)-1]
	s.number += uint32(len(w.slots))
	s.sent, s.waits = now, true
	return s.number, true
}

// close ends the query with a number, and returns how long it took; false when
// none with this number waits.
func (w *window) close(number uint32, now time.Duration) (took time.Duration, ok bool) {
	s := &w.slots[number&w.mask]
	if !s.waits || s.number != number {
		return 0, false
	}
	s.waits = false
	w.free = append(w.free, number&w.mask)
	return now - s.sent, true
}

// expire gives up every query sent before then, and returns how many.
func (w *window) expire(before time.Duration) (lost int) {
	for i := range w.slots {
		if s := &w.slots[i]; s.waits && s.sent < before {
			s.waits = false
			w.free = append(w.free, uint32(i))
			lost++
		}
	}
	return lost
}

// waiting returns how many queries are under way.
func (w *window) waiting() int { return len(w.slots) - len(w.free) }
