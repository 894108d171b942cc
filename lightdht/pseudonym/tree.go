package pseudonym

import (
	"crypto/cipher"
	"encoding/binary"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const (
	stride    = 7                    // bits of an ID that one block decides
	blockBits = 8*blockSize - 8      // bits of an ID that fit into one block
	single    = blockBits/stride + 1 // strides with no more bits before them
	chained   = 0xff                 // last byte of a block that another follows
)

// tree is the construction of Crypto-PAn over up to 160 bits: whether bit i of an
// ID is flipped depends on the i bits before it and on nothing else. Crypto-PAn
// takes one bit of each block; here each gives all it has, because the 127 inner
// nodes of a tree of seven levels have one bit each in a block of 128. Seven bits
// of the ID are decided at once, by
//
//	AES(the i bits before them, filled up with zeros to 120 | i)
//
// for i = 0, 7, 14, …. Bit n of the block, counted from the lowest of its first
// byte, belongs to node n of the tree, which is 1 at the root and whose children
// are 2n and 2n+1. An i beyond 120 takes two blocks, as in CBC-MAC:
//
//	AES(AES(the first 120 bits | 0xff) xor (the other bits, filled up | i))
//
// No i is 0xff, so no message is the beginning of another, which CBC-MAC asks for,
// and no two prefixes of different lengths are the same message.
type tree struct {
	block cipher.Block
}

func newTree(key [secretSize]byte) *tree {
	return &tree{block: newCipher([blockSize]byte(key[:blockSize]))}
}

// flips returns which of the first n bits of an ID are flipped, and some of the
// next six.
func (t *tree) flips(id *kad.ID, n int) kad.ID {
	n = (n + stride - 1) / stride
	s := scratches.Get().(*scratch)
	t.encryptPrefixes(s, id, n)
	var bits, flips [kad.Size + 1]byte // the last stride ends a bit behind the ID
	copy(bits[:], id[:])
	for i := range n {
		at, shift := i*stride/8, 16-stride-i*stride%8
		branch := (uint(bits[at])<<8 | uint(bits[at+1])) >> shift & (1<<stride - 1)
		path := walk(&s.blocks[i], branch) << shift
		flips[at] |= byte(path >> 8)
		flips[at+1] |= byte(path)
	}
	scratches.Put(s)
	return kad.ID(flips[:kad.Size])
}

// encryptPrefixes makes block i that of the bits before stride i, for n strides.
func (t *tree) encryptPrefixes(s *scratch, id *kad.ID, n int) {
	begin := bitsOf((*[blockSize]byte)(id[:]))
	for i := range min(n, single) {
		s.put(i, begin.over(endingIn(i*stride), i*stride))
	}
	if n <= single {
		s.encrypt(t.block, 0, n)
		return
	}
	s.put(single, begin.over(endingIn(chained), blockBits))
	s.encrypt(t.block, 0, single+1)

	chain := bitsOf(&s.blocks[single])
	rest := bits128{hi: uint64(binary.BigEndian.Uint32(id[blockSize:]))<<24 | uint64(id[blockSize-1])<<56}
	for i := single; i < n; i++ {
		s.put(i, rest.over(endingIn(i*stride), i*stride-blockBits).xor(chain))
	}
	s.encrypt(t.block, single, n)
}

// endingIn has zeros and a last byte.
func endingIn(last int) bits128 { return bits128{lo: uint64(last)} }

// walk follows the bits of a stride, the lowest seven of bits, down a tree, and
// returns the bits of the nodes on the way. The seventh level has nodes 64 to 127,
// the upper half of the block.
func walk(block *[blockSize]byte, bits uint) uint {
	upper, lower := binary.LittleEndian.Uint64(block[8:]), binary.LittleEndian.Uint64(block[:8])
	flips := upper >> (bits >> 1 & 0x3f) & 1
	for level := range uint(stride - 1) {
		node := 1<<level | bits>>(stride-level)
		flips |= lower >> node & 1 << (stride - 1 - level)
	}
	return uint(flips)
}
