package table

import (
	"iter"
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
	t.mu.RLock()
	defer t.mu.RUnlock()
	q.begin(target, anywhere, &f)
	for ; n > 0; n-- {
		near, ok := q.take(n)
		if !ok {
			break
		}
		dst = append(dst, t.slab.at(near.pos).contact(&t.versions))
		if f.Distinct && !q.seen.first(&dst[len(dst)-1]) {
			dst = dst[:len(dst)-1]
			n++
		}
	}
	return dst
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

// byDistance yields positions and contacts within reach (of which only the
// first 64 bits count), nearest first, with all of f but Distinct. It gathers positions in growing batches, so that those who want a
// few pay for a few.
func (t *contacts) byDistance(target kad.ID, reach uint64, f Filter) iter.Seq2[uint32, Contact] {
	return func(yield func(uint32, Contact) bool) {
		q := t.begin(target, reach, &f)
		var copies [page]Contact
		var batch []uint32
		for n := 16; ; n = min(2*n, maxRead) {
			batch = t.gather(batch[:0], q, n)
			for rest := batch; len(rest) > 0; {
				some := rest[:min(page, len(rest))]
				rest = rest[len(some):]
				if !yieldPage(some, t.read(copies[:0], some, &q.sieve), f.Match, yield) {
					return
				}
			}
			if len(batch) < n {
				return
			}
		}
	}
}

// begin returns a query for an iteration, which may last and nest and therefore
// has one to itself.
func (t *contacts) begin(target kad.ID, reach uint64, f *Filter) *query {
	q := newQuery(t)
	t.mu.RLock()
	defer t.mu.RUnlock()
	q.begin(target, reach, f)
	return q
}

// gather appends the next n positions.
func (t *contacts) gather(dst []uint32, q *query, n int) []uint32 {
	t.mu.RLock()
	defer t.mu.RUnlock()
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
	if d.count > len(d.few) {
		clear(d.many)
	}
	d.count = 0
}

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
