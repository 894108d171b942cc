package table

import (
	"iter"
	"math"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// AppendNearest implements [Table].
func (t *contacts) AppendNearest(dst []Contact, target kad.ID, n int, f Filter) []Contact {
	if n <= 0 {
		return dst
	}
	if f.Match != nil {
		return t.appendMatching(dst, target, n, f)
	}
	q := t.queries.Get().(*query)
	defer t.queries.Put(q)
	q.aim(target, anywhere, &f)
	home, all := zoneOf(q.first), len(dst)+min(n, math.MaxInt-len(dst))
	for i := 0; i < zones && len(dst) < all; i++ {
		z := t.zones[home^i].Load()
		if z == nil {
			continue
		}
		q.enter(z, z.count.Load())
		for more := true; more && len(dst) < all; {
			dst, more = z.appendNearest(dst, q, all, f.Distinct)
		}
	}
	return dst
}

// appendNearest appends the nearest of the zone until there are as many as wanted
// in all, and reports whether there may be more: it lets go of the lock now and
// then. It reads ahead by as many as Distinct has kept back, since it may be most
// of them: all that a host made up around a target.
func (z *zone) appendNearest(dst []Contact, q *query, all int, distinct bool) (_ []Contact, more bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	q.resume()
	for taken, keptBack := 0, 0; len(dst) < all; taken++ {
		if taken == maxRead {
			return dst, true
		}
		near, ok := q.take(min(all-len(dst), maxRead) + keptBack)
		if !ok {
			return dst, false
		}
		dst = append(dst, z.slab.at(near.pos).contact(&z.slab, &z.table.versions))
		if distinct && !q.seen.first(&dst[len(dst)-1]) {
			dst = dst[:len(dst)-1]
			keptBack++
		}
	}
	return dst, false
}

// appendMatching is AppendNearest with a condition of the caller's.
func (t *contacts) appendMatching(dst []Contact, target kad.ID, n int, f Filter) []Contact {
	for c := range t.Nearest(target, f) {
		dst = append(dst, c)
		if n--; n == 0 {
			break
		}
	}
	return dst
}

// Nearest implements [Table].
func (t *contacts) Nearest(target kad.ID, f Filter) iter.Seq[Contact] {
	if !f.Distinct {
		return values(t.byDistance(target, anywhere, f))
	}
	return func(yield func(Contact) bool) {
		var seen distinct
		for _, c := range t.byDistance(target, anywhere, f) {
			if seen.first(&c) && !yield(c) {
				return
			}
		}
	}
}

// byDistance yields places and contacts within reach (of which only the first 64
// bits count), nearest first, with all of f but Distinct.
func (t *contacts) byDistance(target kad.ID, reach uint64, f Filter) iter.Seq2[place, Contact] {
	return func(yield func(place, Contact) bool) {
		s := stroll{batch: make([]uint32, 0, 16)} // its query to itself: it may last, and nest
		s.aim(target, reach, &f)
		home, then := zoneOf(s.first), t.census()
		for i := 0; i < zones && i <= zoneOf(reach); i++ {
			if n := then[home^i]; n > 0 && !s.zone(t.zones[home^i].Load(), n, f.Match, yield) {
				return
			}
		}
	}
}

// stroll is an iteration in order of distance. It gathers positions in growing
// batches, so that those who want a few pay for a few.
type stroll struct {
	query
	batch  []uint32
	copies [page]Contact
}

// zone yields those of a zone, among the first n of it, and reports whether to go on.
func (s *stroll) zone(z *zone, n uint32, match func(Contact) bool, yield func(place, Contact) bool) bool {
	s.enter(z, n)
	for {
		want := cap(s.batch)
		s.batch = z.gather(s.batch[:0], &s.query, want)
		for rest := s.batch; len(rest) > 0; {
			some := rest[:min(page, len(rest))]
			rest = rest[len(some):]
			if !z.yieldPage(some, z.read(s.copies[:0], some, &s.sieve), match, yield) {
				return false
			}
		}
		if len(s.batch) < want {
			return true
		}
		s.batch = make([]uint32, 0, min(2*want, maxRead))
	}
}

// gather appends the next n positions.
func (z *zone) gather(dst []uint32, q *query, n int) []uint32 {
	z.mu.Lock()
	defer z.mu.Unlock()
	q.resume()
	for range n {
		near, ok := q.take(n - len(dst))
		if !ok {
			break
		}
		dst = append(dst, near.pos)
	}
	return dst
}

// distinct is what Filter.Distinct has let through, in order of distance. IDs
// come in order, so that the last one is all there is to compare with.
type distinct struct {
	last  kad.ID
	few   [16]netip.AddrPort
	count int
	many  map[netip.AddrPort]struct{} // all of them when they are more than few holds; kept for the next search
}

func (d *distinct) reset() {
	switch {
	case len(d.many) > maxKept:
		d.many = nil
	case d.count > len(d.few):
		clear(d.many)
	}
	d.count = 0
}

// maxKept is how large a map is kept: to clear it costs what it once held.
const maxKept = 256

// first reports whether c shares neither ID nor address with one let through
// before, and if so lets it through.
func (d *distinct) first(c *Contact) bool {
	if d.count > 0 && d.last == c.ID || d.knows(c.Addr) {
		return false
	}
	d.last = c.ID
	if d.count < len(d.few) {
		d.few[d.count] = c.Addr
	} else {
		d.spill(c.Addr)
	}
	d.count++
	return true
}

func (d *distinct) knows(addr netip.AddrPort) bool {
	if d.count > len(d.few) {
		_, ok := d.many[addr]
		return ok
	}
	for _, a := range d.few[:d.count] {
		if a == addr {
			return true
		}
	}
	return false
}

func (d *distinct) spill(addr netip.AddrPort) {
	if d.many == nil {
		d.many = make(map[netip.AddrPort]struct{})
	}
	if d.count == len(d.few) {
		for _, a := range d.few {
			d.many[a] = struct{}{}
		}
	}
	d.many[addr] = struct{}{}
}
