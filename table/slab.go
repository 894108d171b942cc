package table

// slabChunk is how many records one chunk holds: 9,728 bytes, which is a size
// class of the allocator, so nothing is wasted, and little enough that a
// thousand small tables fit in one process.
const slabChunk = 128

// slab holds the records. It grows by a chunk at a time and copies none, and
// nothing is ever taken out of it: a record keeps its position for good, so
// that the indexes and the cursors of iterations can be positions. There is no
// pointer in a chunk for the garbage collector to follow.
type slab struct {
	chunks []*[slabChunk]record
	size   uint32
}

// at returns the record at a position below s.size.
func (s *slab) at(pos uint32) *record {
	return &s.chunks[pos/slabChunk][pos%slabChunk]
}

// add keeps r and returns its position.
func (s *slab) add(r record) uint32 {
	pos := s.size
	if pos%slabChunk == 0 {
		s.chunks = append(s.chunks, new([slabChunk]record))
	}
	s.size++
	*s.at(pos) = r
	return pos
}
