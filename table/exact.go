package table

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// exact finds the position of a contact from its key. It is an open-addressing
// hash table of positions alone; the keys are in the slab. For each position it
// holds 8 bits of the hash beside, so that a record is looked at only when it
// is most likely the one: a search costs two lines of the cache, one here and
// the record.
//
// It is split in shards so that growing copies a small part of it at a time:
// at ten million contacts a shard has 40,000. The hash is seeded, because
// strangers choose the keys.
type exact struct {
	shards [exactShards]shard
}

const exactShards = 4

// shard is a run of buckets, a power of two, of which one after another is
// searched from that of the hash on, up to the first with room.
type shard struct {
	buckets []bucket
	used    int
}

// bucket is one line of the cache. Its places fill from the first on; tag 0
// marks a free one.
type bucket struct {
	tags [bucketLen]uint8
	_    [4]uint8
	pos  [bucketLen]uint32
}

const (
	bucketLen = 12
	maxFill   = 11 // of each bucket, on average
)

// hashKey needs no lock. Of its bits 2 choose the shard, 8 are the tag, 32 the
// bucket.
func hashKey(seed maphash.Seed, k *key) uint64 {
	var b [38]byte
	copy(b[:20], k.id[:])
	copy(b[20:36], k.addr[:])
	binary.NativeEndian.PutUint16(b[36:], k.port)
	return maphash.Bytes(seed, b[:])
}

func tagOf(hash uint64) uint8 { return max(uint8(hash>>40), 1) }

func (e *exact) shard(hash uint64) *shard { return &e.shards[hash>>48%exactShards] }

// find returns the position of k, whose hash is given.
func (e *exact) find(hash uint64, k *key, s *slab) (pos uint32, ok bool) {
	x := e.shard(hash)
	if x.used == 0 {
		return 0, false
	}
	tag := tagOf(hash)
	for i := x.home(hash); ; i = x.after(i) {
		b := &x.buckets[i]
		for from := 0; from < len(b.tags); from += 4 {
			for m := matches(b.tags[from:], tag); m != 0; m &= m - 1 {
				pos := b.pos[from+bits.TrailingZeros32(m)/8]
				if s.is(s.at(pos), k) {
					return pos, true
				}
			}
		}
		if b.tags[bucketLen-1] == 0 {
			return 0, false
		}
	}
}

// matches returns the highest bit of each of the first four bytes that are tag,
// and perhaps that of the byte above one: it finds the zeros of their difference
// by what 1 cannot be taken from without borrowing.
func matches(tags []uint8, tag uint8) uint32 {
	const each, high = 0x01010101, 0x80808080
	x := binary.LittleEndian.Uint32(tags) ^ each*uint32(tag)
	return (x - each) &^ x & high
}

// add enters a position that find did not find.
func (e *exact) add(hash uint64, pos uint32, s *slab, seed maphash.Seed) {
	x := e.shard(hash)
	if x.used >= maxFill*len(x.buckets) {
		x.grow(s, seed)
	}
	x.put(hash, pos)
}

func (x *shard) grow(s *slab, seed maphash.Seed) {
	old := x.buckets
	*x = shard{buckets: make([]bucket, max(1, 2*len(old)))}
	for i := range old {
		for j, tag := range old[i].tags {
			if tag != 0 {
				k := s.key(s.at(old[i].pos[j]))
				x.put(hashKey(seed, &k), old[i].pos[j])
			}
		}
	}
}

func (x *shard) put(hash uint64, pos uint32) {
	i := x.home(hash)
	for x.buckets[i].tags[bucketLen-1] != 0 {
		i = x.after(i)
	}
	b := &x.buckets[i]
	for j := range b.tags {
		if b.tags[j] == 0 {
			b.tags[j], b.pos[j] = tagOf(hash), pos
			break
		}
	}
	x.used++
}

func (x *shard) home(hash uint64) uint32 { return uint32(hash) & uint32(len(x.buckets)-1) }

func (x *shard) after(i uint32) uint32 { return (i + 1) & uint32(len(x.buckets)-1) }
