package table

import (
	"cmp"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// near is a candidate: where it is, and the first 64 bits of its distance to
// the target, which nearly always tell candidates apart.
type near struct {
	d   uint64
	pos uint32
}

// cursor is the last candidate that was taken; all further ones lie beyond it.
// It stays good whatever happens to the table, because a record stays where it
// is.
type cursor struct {
	near
	set bool
}

// query is one search in order of distance: what is wanted, and how far each
// class of a zone has been read. It merges the classes, which are each in order.
// Where one class has as many as are wanted, the others are read no farther than
// those.
type query struct {
	zone *zone // the one that it is in

	target kad.ID
	first  uint64 // the first 64 bits of target
	reach  uint64 // the first 64 bits of the distance that is far enough
	bound  uint64 // the same for the class that is being read; at most reach
	sieve  sieve
	limit  uint32 // positions of the zone from here on arrived after the search began

	heads [classes]head
	last  cursor   // what was taken last
	seen  distinct // of AppendNearest
	walk  *walk    // scratch of a prefixIndex
}

// head is what was read of a class and not yet taken.
type head struct {
	buf  []near
	at   int
	done bool // nothing lies beyond buf

	// When clear, nothing lies beyond buf up to this distance.
	clear bool
	upTo  uint64
}

func (h *head) left() []near { return h.buf[h.at:] }

// anywhere is a reach without an end.
const anywhere = ^uint64(0)

// maxRead bounds what a search reads of a class at a time.
const maxRead = 1 << 14

// aim prepares a search.
func (q *query) aim(target kad.ID, reach uint64, f *Filter) {
	q.target, q.first, q.reach = target, first64(target), reach
	q.sieve = newSieve(f)
	q.seen.reset()
}

// enter begins with the next zone, of which the first limit positions count.
func (q *query) enter(z *zone, limit uint32) {
	q.zone, q.limit = z, limit
	q.last = cursor{}
}

// resume makes a search read on from what was taken last, and forget what it
// read ahead: the table may have changed, and a contact that was read ahead in
// one class, or passed over in another, may have moved. It needs the lock.
func (q *query) resume() {
	for c := range q.heads {
		h, x := &q.heads[c], q.zone.nearest[c]
		h.done = x == nil || !q.sieve.admits(class(c), q.zone.living.lastStale) || x.len() == 0
		h.buf, h.at, h.clear = h.buf[:0], 0, false
	}
}

// take returns the next candidate; want says how many more the caller expects
// to take. It needs the lock.
func (q *query) take(want int) (n near, ok bool) {
	best := q.nearestRead()
	for _, c := range q.sieve.order() {
		h := &q.heads[c]
		if len(h.left()) > 0 || h.done || h.clear && best != nil && best.buf[best.at].d <= h.upTo {
			continue
		}
		q.refill(h, q.zone.nearest[c], min(max(want, 1), maxRead))
		if len(h.buf) > 0 && (best == nil || q.closer(h.buf[0], best.buf[best.at])) {
			best = h
		}
	}
	if best == nil {
		return near{}, false
	}
	n = best.buf[best.at]
	best.at++
	q.last = cursor{n, true}
	return n, true
}

// nearestRead returns the class whose next candidate is the nearest of those
// that were read; nil when there are none.
func (q *query) nearestRead() (best *head) {
	for c := range q.heads {
		h := &q.heads[c]
		if len(h.left()) > 0 && (best == nil || q.closer(h.buf[h.at], best.buf[best.at])) {
			best = h
		}
	}
	return best
}

// refill reads more of a class of which all was taken, so that it is to be read
// from what was taken last, whichever class that was in.
func (q *query) refill(h *head, x index, want int) {
	q.bound = q.enough(want)
	h.buf, h.at = x.next(h.buf[:0], q, q.last, want), 0
	all := len(h.buf) < want
	h.done = all && q.bound == q.reach
	h.clear, h.upTo = all, q.bound
}

// enough returns a distance up to which some class has as many as are wanted,
// beyond which others need not be read.
func (q *query) enough(want int) uint64 {
	bound := q.reach
	for c := range q.heads {
		if left := q.heads[c].left(); len(left) >= want {
			bound = min(bound, left[want-1].d)
		}
	}
	return bound
}

// wants reports whether a candidate lies beyond the cursor and passes.
func (q *query) wants(n near, after cursor) bool {
	if after.set && !q.closer(after.near, n) {
		return false
	}
	return n.pos < q.limit && q.sieve.passes(q.zone.slab.at(n.pos))
}

// closer reports whether a comes before b.
func (q *query) closer(a, b near) bool { return q.compare(a, b) < 0 }

// compare orders candidates by distance, those with one ID by address.
func (q *query) compare(a, b near) int {
	if a.d != b.d {
		return cmp.Compare(a.d, b.d)
	}
	if a.pos == b.pos {
		return 0
	}
	s := &q.zone.slab
	ra, rb := s.at(a.pos), s.at(b.pos)
	if c := q.target.CompareDistance(ra.id, rb.id); c != 0 {
		return c
	}
	return s.addr(ra).Compare(s.addr(rb))
}

// sort orders a few candidates.
func (q *query) sort(few []near) {
	for i := 1; i < len(few); i++ {
		n, j := few[i], i
		for ; j > 0 && (n.d < few[j-1].d || n.d == few[j-1].d && q.closer(n, few[j-1])); j-- {
			few[j] = few[j-1]
		}
		few[j] = n
	}
}
