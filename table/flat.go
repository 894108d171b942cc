package table

import (
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Flat is a table that scans: the first 8 bytes of the IDs stand side by side,
// those of each 64th of the ID space and of each class in a list, and a search
// looks at all of the list that the target falls in. It is the plain one, with
// the least memory, and the one to compare Prefix with.
type Flat struct{ contacts }

// NewFlat returns an empty [Flat].
func NewFlat() Table {
	t := new(Flat)
	t.init(func(z *zone) index { return &flatIndex{slab: &z.slab} })
	return t
}

// flatIndex is two lists side by side. The slot of a record is its place in them.
type flatIndex struct {
	slab *slab
	ids  list[uint64] // the first 64 bits
	pos  list[uint32]
}

func (x *flatIndex) len() int { return x.ids.len() }

func (x *flatIndex) add(pos uint32) {
	r := x.slab.at(pos)
	r.slot = x.ids.add(first64(r.id))
	x.pos.add(pos)
}

// remove puts the last of the lists into the place that becomes free.
func (x *flatIndex) remove(pos uint32) {
	slot, last := x.slab.at(pos).slot, uint32(x.len()-1)
	id, moved := *x.ids.at(last), *x.pos.at(last)
	*x.ids.at(slot), *x.pos.at(slot) = id, moved
	x.slab.at(moved).slot = slot
	x.ids.drop()
	x.pos.drop()
}

// each calls f with the chunks of both lists.
func (x *flatIndex) each(f func(ids []uint64, pos []uint32)) {
	for i, ids := range x.ids.full {
		f(ids[:], x.pos.full[i][:])
	}
	f(x.ids.last, x.pos.last)
}

func (x *flatIndex) count(p kad.Prefix) int {
	n, first, mask := 0, first64(p.First()), ^(^uint64(0) >> p.Bits())
	x.each(func(ids []uint64, pos []uint32) {
		for i, id := range ids {
			if id&mask == first && (p.Bits() <= 64 || p.Contains(x.slab.at(pos[i]).id)) {
				n++
			}
		}
	})
	return n
}

// flatRead is how many candidates a scan looks for at least: the scan is what
// costs.
const flatRead = 32

// next scans once with a heap of the best so far, whose top is the farthest.
// Most IDs are farther than that, or nearer than the cursor, and cost one
// comparison.
func (x *flatIndex) next(dst []near, q *query, after cursor, want int) []near {
	want = max(want, flatRead)
	floor, span := after.d, q.bound-after.d
	x.each(func(ids []uint64, pos []uint32) {
		for i, id := range ids {
			d := id ^ q.first
			if d-floor > span {
				continue
			}
			n := near{d, pos[i]}
			if len(dst) == want && !q.closer(n, dst[0]) || !q.wants(n, after) {
				continue
			}
			if dst = q.push(dst, n, want); len(dst) == want {
				span = dst[0].d - floor
			}
		}
	})
	slices.SortFunc(dst, q.compare)
	return dst
}

// push adds a candidate, in place of the farthest one when there are want. From
// then on heap is one, with the farthest on top.
func (q *query) push(heap []near, n near, want int) []near {
	if len(heap) == want {
		heap[0] = n
		q.sink(heap, 0)
		return heap
	}
	heap = append(heap, n)
	if len(heap) == want {
		for i := want/2 - 1; i >= 0; i-- {
			q.sink(heap, i)
		}
	}
	return heap
}

// sink restores the heap below i.
func (q *query) sink(heap []near, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if right := child + 1; right < len(heap) && q.closer(heap[child], heap[right]) {
			child = right
		}
		if !q.closer(heap[i], heap[child]) {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
