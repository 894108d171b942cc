package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"sync"
)

const blockSize = aes.BlockSize

// bits128 are 128 bits in a row, the first of them the highest of hi.
type bits128 struct{ hi, lo uint64 }

func bitsOf(b *[blockSize]byte) bits128 {
	return bits128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (x bits128) xor(y bits128) bits128 { return bits128{x.hi ^ y.hi, x.lo ^ y.lo} }

// over returns the first n bits of x and the others of y.
func (x bits128) over(y bits128, n int) bits128 {
	hi, lo := leading(n), leading(n-64)
	return bits128{x.hi&hi | y.hi&^hi, x.lo&lo | y.lo&^lo}
}

// leading has the first n bits of 64 set; n is clamped to 0..64.
func leading(n int) uint64 { return ^(^uint64(0) >> max(n, 0)) }

// mostBlocks is how many blocks the longest permutation takes: that of an IPv6
// address, one for each bit behind those of the table.
const mostBlocks = 128 - headBits

// scratch is the memory of one permutation at work. It is kept, because what goes
// through the interface of a cipher would be allocated anew each time. All blocks
// are written before the first is encrypted: the processor then works on several
// at once, and does not wait for bytes that it has just written.
type scratch struct {
	blocks [mostBlocks][blockSize]byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// put writes x as block i.
func (s *scratch) put(i int, x bits128) {
	binary.BigEndian.PutUint64(s.blocks[i][:8], x.hi)
	binary.BigEndian.PutUint64(s.blocks[i][8:], x.lo)
}

// encrypt encrypts the blocks in [from, to), each for itself, in their place.
func (s *scratch) encrypt(c cipher.Block, from, to int) {
	for i := from; i < to; i++ {
		b := s.blocks[i][:]
		c.Encrypt(b, b)
	}
}

// newCipher is AES-128, as Crypto-PAn has it.
func newCipher(key [blockSize]byte) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the length of the key is right
	}
	return block
}
