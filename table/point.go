package table

import (
	"encoding/binary"
	"math/bits"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// point is an ID as three words, for arithmetic: the 160 bits stand at the top,
// the lowest 32 of the third word are zero.
type point [3]uint64

func pointOf(id kad.ID) point {
	return point{
		binary.BigEndian.Uint64(id[0:]),
		binary.BigEndian.Uint64(id[8:]),
		uint64(binary.BigEndian.Uint32(id[16:])) << 32,
	}
}

// first64 returns the first 64 bits of id.
func first64(id kad.ID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// ones returns a word whose first n bits are set: none below 0, all above 64.
func ones(n int) uint64 { return ^(^uint64(0) >> max(n, 0)) }

// splice returns the first n bits of p and the others of q.
func (p point) splice(n int, q point) point {
	for i := range p {
		mask := ones(n - 64*i)
		p[i] = p[i]&mask | q[i]&^mask
	}
	return p
}

// flip returns p with bit i inverted.
func (p point) flip(i int) point {
	p[i/64] ^= 1 << (63 - i%64)
	return p
}

func (p point) xor(q point) point {
	return point{p[0] ^ q[0], p[1] ^ q[1], p[2] ^ q[2]}
}

// shared returns how many leading bits p and q share: 0 to 160.
func (p point) shared(q point) int {
	for i := range p {
		if x := p[i] ^ q[i]; x != 0 {
			return 64*i + bits.LeadingZeros64(x)
		}
	}
	return kad.Bits
}

// compare orders points as numbers.
func (p point) compare(q point) int {
	for i := range p {
		switch {
		case p[i] < q[i]:
			return -1
		case p[i] > q[i]:
			return +1
		}
	}
	return 0
}
