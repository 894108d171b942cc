package table

import (
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Flat is a table that scans: the first 8 bytes of all IDs stand side by side,
// and each search looks at every one of them. It is the plain one, with the
// least memory, and the one to compare Prefix with.
type Flat struct{ contacts }

// NewFlat returns an empty [Flat].
func NewFlat() Table {
	t := new(Flat)
	t.init(func(s *slab) index { return &flatIndex{slab: s} })
	return t
}

// flatIndex is a list in chunks, so that it grows without copying. The slot of
// a record is its place in the list.
type flatIndex struct {
	slab   *slab
	chunks []*flatChunk
	size   uint32
}

const flatChunkSize = 512

type flatChunk struct {
	ids [flatChunkSize]uint64 // the first 64 bits
	pos [flatChunkSize]uint32
}

func (x *flatIndex) len() int { return int(x.size) }

func (x *flatIndex) add(pos uint32) {
	if int(x.size) == flatChunkSize*len(x.chunks) {
		x.chunks = append(x.chunks, new(flatChunk))
	}
	x.size++
	r := x.slab.at(pos)
	x.put(x.size-1, first64(r.id), pos)
}

func (x *flatIndex) put(slot uint32, id uint64, pos uint32) {
	chunk := x.chunks[slot/flatChunkSize]
	chunk.ids[slot%flatChunkSize], chunk.pos[slot%flatChunkSize] = id, pos
	x.slab.at(pos).slot = slot
}

// remove puts the last of the list into the place that becomes free. Of the
// chunks that are not used it keeps one.
func (x *flatIndex) remove(pos uint32) {
	x.size--
	n := x.size / flatChunkSize
	last, i := x.chunks[n], x.size%flatChunkSize
	x.put(x.slab.at(pos).slot, last.ids[i], last.pos[i])
	if int(n)+2 < len(x.chunks) {
		x.chunks[n+2] = nil
		x.chunks = x.chunks[:n+2]
	}
}

// each calls f with every chunk's used part.
func (x *flatIndex) each(f func(ids []uint64, pos []uint32)) {
	left := x.size
	for _, chunk := range x.chunks {
		n := min(left, flatChunkSize)
		if n == 0 {
			return // one that is kept for growth
		}
		f(chunk.ids[:n], chunk.pos[:n])
		left -= n
	}
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
