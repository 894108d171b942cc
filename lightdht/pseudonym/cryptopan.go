package pseudonym

import (
	"crypto/cipher"
	"sync"
)

// headBits is how many leading bits of an address are looked up in a table, which
// has an entry for each of their values. With 16 bits an IPv4 address would take a
// tenth less time, and the table 16 times as long to make.
const headBits = 12

// cryptoPAn is Crypto-PAn. Bit i of an address is flipped, or not, by a bit
// that depends on the i bits before it and on nothing else: the first bit of
//
//	AES(the i bits | the pad from its bit i on)
//
// where the pad is AES of the second half of the key under its first half. Two
// addresses that share i bits thus have the same flips in these and in the next,
// in which they differ, before and after.
//
// It is kept to the letter, to be what the published vectors say, a flaw
// included: when bit i is that of the pad, the blocks of bits i and i+1 are the
// same, and so are their flips. Thus not one in 256 keys leaves the first eight
// bits of an address as they are, but one in 15. See addrPermutation.
type cryptoPAn struct {
	block cipher.Block
	pad   bits128

	filled sync.Once
	heads  []uint16 // the flips of the first bits, by their value
}

// newCryptoPAn takes a key of Crypto-PAn. The table, which takes a tenth of a
// millisecond, is made when it is first needed: data often has one family alone.
func newCryptoPAn(key [secretSize]byte) *cryptoPAn {
	p := &cryptoPAn{block: newCipher([blockSize]byte(key[:blockSize]))}
	pad := [blockSize]byte(key[blockSize:])
	p.block.Encrypt(pad[:], pad[:])
	p.pad = bitsOf(&pad)
	return p
}

// flips returns which of the first n bits of x are flipped.
func (p *cryptoPAn) flips(x bits128, n int) bits128 {
	p.filled.Do(p.fill)
	s := scratches.Get().(*scratch)
	for i := headBits; i < n; i++ {
		s.put(i-headBits, x.over(p.pad, i))
	}
	s.encrypt(p.block, 0, n-headBits)
	flips := bits128{hi: uint64(p.heads[x.hi>>(64-headBits)]) << (64 - headBits)}
	for i := headBits; i < n; i++ {
		bit := uint64(s.blocks[i-headBits][0] >> 7)
		flips.hi |= bit << uint(63-i)  // nothing when i > 63
		flips.lo |= bit << uint(127-i) // beyond the word when i < 64
	}
	scratches.Put(s)
	return flips
}

// fill makes the table: at each depth, one bit for each value of the bits above
// it, which all addresses below share.
func (p *cryptoPAn) fill() {
	p.heads = make([]uint16, 1<<headBits)
	s := new(scratch)
	for depth := range headBits {
		below := uint(1) << (headBits - depth) // how many share depth bits
		for first := uint(0); first < 1<<headBits; first += below {
			head := bits128{hi: uint64(first) << (64 - headBits)}
			s.put(0, head.over(p.pad, depth))
			s.encrypt(p.block, 0, 1)
			if s.blocks[0][0]>>7 == 0 {
				continue
			}
			for i := range below {
				p.heads[first+i] |= uint16(below >> 1)
			}
		}
	}
}
