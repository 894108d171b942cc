package table

import (
	"math/bits"

	"github.com/google/btree"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// walk is a search of a prefixIndex in order of distance to a target t.
//
// The directory entries in that order are those of t with the numbers 0, 1, 2,
// … XORed to it. Within a leaf the walk guesses a zone around t that holds
// about as many as are wanted, collects and sorts it, and then takes the zones
// beside it, each twice as wide, from the inside out:
//
//	leaf     ├───────────────────────────┼─────────────┬──────┬──┬──┤
//	order               4th                    3rd        2nd   t│1st
//
// A zone that turns out to hold too many to sort at once is divided where its
// IDs first differ, and its half on the side of t comes first. Bits that all of
// them share cost nothing, so that crowded IDs are found as fast as others.
type walk struct {
	x    *prefixIndex
	q    *query
	t    point
	tree *btree.BTreeG[entry]
	dst  []near
	want int

	after     cursor
	afterDist point // its distance

	zone  point // what collect is collecting, its first zoneN bits
	zoneN int
	mask  uint64 // those of the first 64
	pivot uint32 // borrowed when borrowed
	owns  bool
	edge  entry
	found []near

	// The methods below as values, made once: making one allocates.
	visitZone, visitEdge, visitSame func(entry) bool
}

// walkMax is how many a walk sorts at once.
const walkMax = 64

func newWalk(q *query) *walk {
	w := &walk{q: q, found: make([]near, 0, walkMax+1)}
	w.visitZone, w.visitEdge, w.visitSame = w.inZone, w.onEdge, w.same
	return w
}

func (x *prefixIndex) next(dst []near, q *query, after cursor, want int) []near {
	w := q.walk
	if w == nil {
		w = newWalk(q)
		q.walk = w
	}
	w.x, w.t, w.dst, w.want, w.after = x, pointOf(q.target), dst, want, after
	if after.set {
		w.afterDist = pointOf(x.slab.at(after.pos).id).xor(w.t)
	}
	w.directory()
	if w.owns {
		x.pivots.giveBack(w.pivot)
		w.owns = false
	}
	dst, w.dst, w.tree = w.dst, nil, nil
	return dst
}

// directory visits the leaves, from that of the cursor to the bound.
func (w *walk) directory() {
	j := 0
	if w.after.set {
		j = w.x.slot(w.afterDist[0])
	}
	at, end := w.x.slot(w.t[0]), len(w.x.dir)-1
	if zoneOf(w.q.bound) == zoneOf(w.x.base^w.t[0]) {
		end = w.x.slot(w.q.bound)
	}
	for j <= end {
		l := w.x.dir[at^j]
		if l.tree != nil && !w.leaf(l, w.x.base|uint64(at^j)<<(64-w.x.bits)>>zoneBits) {
			return
		}
		j = j&^(w.x.span(l)-1) + w.x.span(l)
	}
}

// leaf visits the leaf whose IDs begin as base does, and reports whether the
// walk is to go on.
func (w *walk) leaf(l leaf, base uint64) bool {
	w.tree = l.tree
	n, goal := l.tree.Len(), min(max(2*(w.want-len(w.dst)), 16), walkMax/2)
	depth := zoneBits + l.depth
	t := point{base}.splice(depth, w.t)
	if n > leafMax {
		t, depth = w.narrow(t)
	}
	// Of the leaf that t lies in, the bound may need less than the guess.
	start := min(max(depth+bits.Len(uint(n/goal)), bits.LeadingZeros64(w.q.bound)), kad.Bits)
	if !w.visit(t, start) {
		return false
	}
	for i := start - 1; i >= depth; i-- {
		if !w.visit(t.flip(i), i+1) {
			return false
		}
	}
	return true
}

// narrow moves t into the zone that all entries of the leaf share and returns
// that zone's length. Their order does not change: what t differs in, it
// differs in from all of them. Leaves that could not split need it.
func (w *walk) narrow(t point) (point, int) {
	first, _ := w.tree.Min()
	last, _ := w.tree.Max()
	a, b := point{first.id64()}, point{last.id64()}
	if a == b {
		a, b = pointOf(w.x.slab.at(first.pos).id), pointOf(w.x.slab.at(last.pos).id)
	}
	depth := a.shared(b)
	return a.splice(depth, t), depth
}

// visit takes the entries whose IDs begin with the first n bits of z, whose
// other bits are those of the target; it reports whether the walk is to go on.
func (w *walk) visit(z point, n int) bool {
	if w.after.set && w.passed(z, n) {
		return true
	}
	w.zone, w.zoneN, w.mask = z, n, ones(n)
	if (z[0]^w.t[0])&w.mask > w.q.bound {
		return false
	}
	w.found = w.found[:0]
	w.tree.AscendGreaterOrEqual(w.lower(z, n), w.visitZone)
	if len(w.found) > walkMax {
		return w.divide(z, n)
	}
	return w.take()
}

// passed reports whether all of a zone lies before the cursor.
func (w *walk) passed(z point, n int) bool {
	return z.xor(w.t).splice(n, point{}).compare(w.afterDist.splice(n, point{})) < 0
}

// lower and upper return pivots before and after all of a zone.
func (w *walk) lower(z point, n int) entry {
	z = z.splice(n, point{})
	if n <= 64 {
		return entryOf(z[0], beforeAll)
	}
	return entryOf(z[0], w.x.pivots.before(w.borrowed(), z))
}

func (w *walk) upper(z point, n int) entry {
	z = z.splice(n, point{^uint64(0), ^uint64(0), ^uint64(0)})
	if n <= 64 {
		return entryOf(z[0], afterAll)
	}
	return entryOf(z[0], w.x.pivots.after(w.borrowed(), z))
}

func (w *walk) borrowed() uint32 {
	if !w.owns {
		w.pivot, w.owns = w.x.pivots.borrow(), true
	}
	return w.pivot
}

// inZone collects until the zone ends or there are too many.
func (w *walk) inZone(e entry) bool {
	id64 := e.id64()
	if (id64^w.zone[0])&w.mask != 0 {
		return false
	}
	if w.zoneN > 64 && pointOf(w.x.slab.at(e.pos).id).shared(w.zone) < w.zoneN {
		return false
	}
	w.found = append(w.found, near{id64 ^ w.t[0], e.pos})
	return len(w.found) <= walkMax
}

// take sorts what was collected and passes on what is wanted.
func (w *walk) take() bool {
	w.q.sort(w.found)
	for _, n := range w.found {
		if !w.pass(n) {
			return false
		}
	}
	return true
}

func (w *walk) pass(n near) bool {
	if w.q.wants(n, w.after) {
		w.dst = append(w.dst, n)
	}
	return len(w.dst) < w.want
}

// divide visits the halves of a zone that holds too many. They part where the
// first and the last of its IDs differ.
func (w *walk) divide(z point, n int) bool {
	w.edge.pos = w.found[0].pos
	first := pointOf(w.x.slab.at(w.edge.pos).id)
	w.tree.DescendLessOrEqual(w.upper(z, n), w.visitEdge)
	shared := first.shared(pointOf(w.x.slab.at(w.edge.pos).id))
	if shared == kad.Bits {
		return w.oneID(w.found[0])
	}
	z = first.splice(shared, z)
	return w.visit(z, shared+1) && w.visit(z.flip(shared), shared+1)
}

func (w *walk) onEdge(e entry) bool {
	w.edge = e
	return false
}

// oneID takes the contacts that share the ID of the first one. The tree has
// them in order of their addresses.
func (w *walk) oneID(first near) bool {
	id := w.x.slab.at(first.pos).id
	from := first
	if w.after.set && w.x.slab.at(w.after.pos).id == id {
		from = w.after.near
	}
	w.zone = pointOf(id)
	w.tree.AscendGreaterOrEqual(entryOf(w.zone[0], from.pos), w.visitSame)
	return len(w.dst) < w.want
}

func (w *walk) same(e entry) bool {
	if pointOf(w.x.slab.at(e.pos).id) != w.zone {
		return false
	}
	return w.pass(near{e.id64() ^ w.t[0], e.pos})
}
