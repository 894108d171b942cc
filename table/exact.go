package table

import "hash/maphash"

// exact finds the position of a contact from its key. It is an open-addressing
// hash table of positions alone; the keys are in the slab. For each position it
// holds 8 bits of the hash beside, so that a record is looked at only when it
// is most likely the one.
//
// It is split in shards so that growing copies a small part of it at a time:
// at ten million contacts a shard has 40,000. The hash is seeded, because
// strangers choose the keys.
type exact struct {
	seed   maphash.Seed
	slab   *slab
	shards [exactShards]shard
}

const exactShards = 256

// shard is a run of slots probed one after another; tag 0 marks a free one.
type shard struct {
	tags []uint8
	pos  []uint32
	used int
}

func newExact(s *slab) exact { return exact{seed: maphash.MakeSeed(), slab: s} }

// hash needs no lock. Its bits serve as: 8 the shard, 8 the tag, 32 the slot.
func (e *exact) hash(k *key) uint64 {
	var b [38]byte
	copy(b[:20], k.id[:])
	copy(b[20:36], k.addr[:])
	b[36], b[37] = byte(k.port>>8), byte(k.port)
	return maphash.Bytes(e.seed, b[:])
}

func tagOf(hash uint64) uint8 { return max(uint8(hash>>40), 1) }

// find returns the position of k, whose hash is given.
func (e *exact) find(hash uint64, k *key) (pos uint32, ok bool) {
	s := &e.shards[hash>>56]
	if s.used == 0 {
		return 0, false
	}
	tag := tagOf(hash)
	for i := s.home(hash); s.tags[i] != 0; i = s.after(i) {
		if s.tags[i] == tag && e.slab.at(s.pos[i]).key == *k {
			return s.pos[i], true
		}
	}
	return 0, false
}

// add enters a position that find did not find.
func (e *exact) add(hash uint64, pos uint32) {
	s := &e.shards[hash>>56]
	if 4*(s.used+1) > 3*len(s.tags) {
		e.grow(s)
	}
	s.put(hash, pos)
}

func (e *exact) grow(s *shard) {
	size := max(8, 2*len(s.tags))
	old := *s
	*s = shard{tags: make([]uint8, size), pos: make([]uint32, size)}
	for i, tag := range old.tags {
		if tag != 0 {
			s.put(e.hash(&e.slab.at(old.pos[i]).key), old.pos[i])
		}
	}
}

func (s *shard) put(hash uint64, pos uint32) {
	i := s.home(hash)
	for s.tags[i] != 0 {
		i = s.after(i)
	}
	s.tags[i], s.pos[i] = tagOf(hash), pos
	s.used++
}

// home is the slot at which the search for a hash begins; the number of slots
// is a power of two.
func (s *shard) home(hash uint64) uint32 { return uint32(hash) & uint32(len(s.tags)-1) }

func (s *shard) after(i uint32) uint32 { return (i + 1) & uint32(len(s.tags)-1) }
