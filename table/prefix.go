package table

import (
	"bytes"
	"slices"

	"github.com/google/btree"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Prefix is a table that goes straight to the neighbourhood of a target. The
// first 6 bits of an ID choose a zone. There, for each class of contacts, the
// next b bits choose one of the 2^b entries of a directory, whose leaf is a
// b-tree of IDs and positions:
//
//	directory, b = 3    000   001   010 011   100 101 110 111
//	                     │     │      └┬┘       └───┬───┘
//	leaves              000   001     01          1            each a b-tree
//
// A leaf that grows splits on its next bit, and when it has all bits of the
// directory that doubles first. So leaves are about as deep as their part of
// the space is full. IDs that crowd somewhere must not blow the directory up:
// its size is bounded by the number of leaves that hold something, and what
// cannot split grows as a b-tree.
type Prefix struct {
	contacts
	pivots pivots
}

// NewPrefix returns an empty [Prefix].
func NewPrefix() Table {
	t := &Prefix{pivots: newPivots()}
	t.ordered = true
	t.init(func(z *zone) index { return newPrefixIndex(z, &t.pivots) })
	return t
}

// entry is what a leaf holds of a contact: the first 64 bits of its ID, in
// halves to keep it at 12 bytes, and its position.
type entry struct{ hi, lo, pos uint32 }

func entryOf(id64 uint64, pos uint32) entry {
	return entry{uint32(id64 >> 32), uint32(id64), pos}
}

func (e entry) id64() uint64 { return uint64(e.hi)<<32 | uint64(e.lo) }

const (
	// leafDegree makes one b-tree node hold 127 entries, as many as a leaf has
	// before it splits.
	leafDegree = 64
	leafMax    = 2*leafDegree - 1

	// leafMin is the number of entries below which two sibling leaves join.
	leafMin = leafMax / 2

	// maxSpread is how many directory entries there may be for each leaf that
	// holds something. Uniform IDs need 2 to 4.
	maxSpread = 16
)

type prefixIndex struct {
	base   uint64 // the first 64 bits of the lowest ID that it is for
	slab   *slab
	pivots *pivots
	dir    []leaf // 1 << bits of them; a leaf of depth d fills 1 << (bits-d) in a row
	bits   int
	leaves int // those that hold something
	size   int
	order  btree.LessFunc[entry] // less, made once
	moved  []entry               // scratch of halves
}

// leaf holds the entries whose IDs share the first depth bits after those of the
// zone. No tree means none.
type leaf struct {
	tree  *btree.BTreeG[entry]
	depth int
}

func newPrefixIndex(z *zone, p *pivots) *prefixIndex {
	x := &prefixIndex{base: z.id64(), slab: &z.slab, pivots: p, dir: make([]leaf, 1)}
	x.order = x.less
	return x
}

// less orders entries by ID, then address.
func (x *prefixIndex) less(a, b entry) bool {
	if a.hi != b.hi {
		return a.hi < b.hi
	}
	if a.lo != b.lo {
		return a.lo < b.lo
	}
	return x.lessTied(a.pos, b.pos)
}

// lessTied is less of two whose IDs share 64 bits.
func (x *prefixIndex) lessTied(a, b uint32) bool {
	if a == b {
		return false
	}
	if max(a, b) >= firstPivot {
		return x.pivots.less(a, b, x.slab)
	}
	ra, rb := x.slab.at(a), x.slab.at(b)
	if c := bytes.Compare(ra.id[:], rb.id[:]); c != 0 {
		return c < 0
	}
	return x.slab.addr(ra).Compare(x.slab.addr(rb)) < 0
}

// noFreeList keeps nothing: a b-tree without one makes its own, of 32 places.
var noFreeList = btree.NewFreeListG[entry](0)

func (x *prefixIndex) newTree() *btree.BTreeG[entry] {
	return btree.NewWithFreeListG(leafDegree, x.order, noFreeList)
}

func (x *prefixIndex) len() int { return x.size }

// slot is the directory entry for an ID of the zone.
func (x *prefixIndex) slot(id64 uint64) int { return int(id64 << zoneBits >> (64 - x.bits)) }

// span is how many directory entries a leaf fills.
func (x *prefixIndex) span(l leaf) int { return 1 << (x.bits - l.depth) }

// set makes l the leaf of a directory entry and of all others it fills.
func (x *prefixIndex) set(slot int, l leaf) {
	n := x.span(l)
	slot &^= n - 1
	for i := range n {
		x.dir[slot+i] = l
	}
}

func (x *prefixIndex) add(pos uint32) {
	x.size++
	id64 := first64(x.slab.at(pos).id)
	for x.split(x.slot(id64)) {
	}
	slot := x.slot(id64)
	l := x.dir[slot]
	if l.tree == nil {
		l.tree = x.newTree()
		x.leaves++
		x.set(slot, l)
	}
	l.tree.ReplaceOrInsert(entryOf(id64, pos))
}

func (x *prefixIndex) remove(pos uint32) {
	x.size--
	id64 := first64(x.slab.at(pos).id)
	slot := x.slot(id64)
	l := x.dir[slot]
	l.tree.Delete(entryOf(id64, pos))
	if l.tree.Len() == 0 {
		l.tree = nil
		x.leaves--
		x.set(slot, l)
	}
	for x.join(x.slot(id64)) {
	}
}

// split divides a full leaf in two and reports whether it did.
func (x *prefixIndex) split(slot int) bool {
	l := x.dir[slot]
	if l.tree == nil || l.tree.Len() < leafMax || l.depth == x.bits && !x.double() {
		return false
	}
	var id uint64
	if first, ok := l.tree.Min(); ok {
		id = first.id64()
	}
	zeros, ones := x.halves(l)
	x.leaves += occupied(zeros) + occupied(ones) - 1
	bit := l.bit()
	x.set(x.slot(id&^bit), leaf{zeros, l.depth + 1})
	x.set(x.slot(id|bit), leaf{ones, l.depth + 1})
	return true
}

// bit is the one after those that the IDs of a leaf share.
func (l leaf) bit() uint64 { return 1 << (63 - zoneBits - l.depth) }

// double gives every leaf twice as many directory entries, unless there are
// many already for the leaves there are.
func (x *prefixIndex) double() bool {
	if 2*len(x.dir) > maxSpread*x.leaves {
		return false
	}
	dir := make([]leaf, 2*len(x.dir))
	for i, l := range x.dir {
		dir[2*i], dir[2*i+1] = l, l
	}
	x.dir = dir
	x.bits++
	return true
}

// halves returns the entries of l by the bit after its depth. The old tree keeps
// the zeros, or everything.
func (x *prefixIndex) halves(l leaf) (zeros, ones *btree.BTreeG[entry]) {
	bit := l.bit()
	first, _ := l.tree.Min()
	last, _ := l.tree.Max()
	switch {
	case last.id64()&bit == 0:
		return l.tree, nil
	case first.id64()&bit != 0:
		return nil, l.tree
	}
	zeros, ones = l.tree, x.newTree()
	x.moved = x.moved[:0]
	for {
		e, _ := zeros.Max()
		if e.id64()&bit == 0 {
			break
		}
		zeros.DeleteMax()
		x.moved = append(x.moved, e)
	}
	for _, e := range slices.Backward(x.moved) { // a b-tree takes them fastest in order
		ones.ReplaceOrInsert(e)
	}
	return zeros, ones
}

// join merges a leaf with its sibling when both are nearly empty, so that a
// search never walks over what many contacts left behind, and reports whether
// it did.
func (x *prefixIndex) join(slot int) bool {
	l := x.dir[slot]
	if l.depth == 0 {
		return false
	}
	sibling := x.dir[slot^x.span(l)]
	if sibling.depth != l.depth || entries(l.tree)+entries(sibling.tree) > leafMin {
		return false
	}
	big, small := l.tree, sibling.tree
	if entries(big) < entries(small) {
		big, small = small, big
	}
	if small != nil {
		small.Ascend(func(e entry) bool { big.ReplaceOrInsert(e); return true })
		x.leaves--
	}
	x.set(slot, leaf{big, l.depth - 1})
	return true
}

func entries(tree *btree.BTreeG[entry]) int {
	if tree == nil {
		return 0
	}
	return tree.Len()
}

func occupied(tree *btree.BTreeG[entry]) int { return min(entries(tree), 1) }

// count takes whole leaves by their length and looks into the two or one that
// the zone cuts.
func (x *prefixIndex) count(p kad.Prefix) int {
	n := 0
	end := x.slot(first64(p.Last()))
	for slot := x.slot(first64(p.First())); slot <= end; {
		l := x.dir[slot]
		switch {
		case l.tree == nil:
		case zoneBits+l.depth >= p.Bits():
			n += l.tree.Len()
		default:
			n += x.countIn(l.tree, p)
		}
		slot = slot&^(x.span(l)-1) + x.span(l)
	}
	return n
}

func (x *prefixIndex) countIn(tree *btree.BTreeG[entry], p kad.Prefix) int {
	from, to := entryOf(first64(p.First()), beforeAll), entryOf(first64(p.Last()), afterAll)
	n := 0
	tree.AscendRange(from, to, func(e entry) bool {
		if p.Bits() <= 64 || p.Contains(x.slab.at(e.pos).id) {
			n++
		}
		return true
	})
	return n
}
