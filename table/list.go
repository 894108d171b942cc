package table

import "sync"

const (
	// chunkLen is how many a chunk of a list holds.
	chunkLen = 512

	// finely is up to how many a list grows by parts of a chunk, so that a
	// thousand small tables fit in one process.
	finely = 8 * chunkLen
)

// list is an array that grows by chunks and copies none but the last, while the
// list is short. There is nothing for the garbage collector to follow in a
// chunk whose T holds no pointer. The zero list is empty.
type list[T any] struct {
	full []*[chunkLen]T
	last []T        // the chunk that is being filled
	from *quarry[T] // of chunks; nil: they are made one by one
}

func (l *list[T]) len() int { return len(l.full)*chunkLen + len(l.last) }

// at returns the element at a position below l.len. It stays where it is until
// something is added or dropped.
func (l *list[T]) at(i uint32) *T {
	if chunk := i / chunkLen; int(chunk) < len(l.full) {
		return &l.full[chunk][i%chunkLen]
	}
	return &l.last[i%chunkLen]
}

// add appends v and returns its position.
func (l *list[T]) add(v T) uint32 {
	if len(l.last) == cap(l.last) {
		l.grow()
	}
	pos := uint32(l.len())
	if l.last = append(l.last, v); len(l.last) == chunkLen {
		l.full, l.last = append(l.full, (*[chunkLen]T)(l.last)), nil
	}
	return pos
}

// grow makes room for one at least: for a fourth or an eighth more than there
// are, or for a whole chunk.
func (l *list[T]) grow() {
	size := chunkLen
	if n := l.len(); n < chunkLen {
		size = min(n+max(4, n/4), chunkLen)
	} else if n < finely {
		size = min(len(l.last)+n/8, chunkLen)
	}
	if size == chunkLen && l.from != nil && l.last == nil {
		l.last = l.from.chunk()
		return
	}
	l.last = append(make([]T, 0, size), l.last...)
}

// drop takes the last one out. Of the chunks that are not used any more it
// keeps one.
func (l *list[T]) drop() {
	if n := len(l.full); len(l.last) == 0 {
		l.full, l.last = l.full[:n-1], l.full[n-1][:]
		l.full[:n][n-1] = nil
	}
	l.last = l.last[:len(l.last)-1]
}

// quarry is a supply of chunks that are cut from blocks, for the lists of
// several zones: a few big objects cost the garbage collector less than many
// small ones. A block is a 32nd of what there was before, so that little is
// unused, and 4,096 chunks at most.
type quarry[T any] struct {
	mu    sync.Mutex
	block []T // what is left of it
	cut   int // how many chunks were cut
}

func (q *quarry[T]) chunk() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.block) == 0 {
		q.block = make([]T, chunkLen*min(max(1, q.cut/32), 1<<12))
	}
	chunk := q.block[:0:chunkLen]
	q.block = q.block[chunkLen:]
	q.cut++
	return chunk
}
