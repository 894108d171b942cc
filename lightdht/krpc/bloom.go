package krpc

import (
	"crypto/sha1"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
)

// Bloom is a set of IP addresses as BEP 33 sends it: BFsd holds the seeds of a
// swarm and BFpe its other peers. Whether an address is in it can be asked, how
// many there are only estimated. The zero Bloom is empty.
//
//	bit i of 2048 is bit i%8 of byte i/8; an address sets two
//
// Ports do not count: peers that share an address are one.
type Bloom [filterSize]byte

const (
	bloomBits = 8 * filterSize // BEP 33's m
	bloomKeys = 2              // BEP 33's k
)

// BloomKey is the bits that an address sets. Whoever has it need not hash the
// address again.
type BloomKey [bloomKeys]uint16

// BloomKeyOf returns the key of addr: the first 4 bytes of the SHA-1 of its 4 or
// 16 bytes, little endian, mod 2048. An IPv4 address mapped into IPv6 counts as
// the IPv4 address; a zone does not count.
func BloomKeyOf(addr netip.Addr) (key BloomKey) {
	var hash [sha1.Size]byte
	if addr = addr.Unmap(); addr.Is4() {
		b := addr.As4()
		hash = sha1.Sum(b[:])
	} else {
		b := addr.As16()
		hash = sha1.Sum(b[:])
	}
	for i := range key {
		key[i] = binary.LittleEndian.Uint16(hash[2*i:]) % bloomBits
	}
	return key
}

// Insert puts addr in.
func (b *Bloom) Insert(addr netip.Addr) { b.InsertKey(BloomKeyOf(addr)) }

// InsertKey is Insert of the address that has this key.
func (b *Bloom) InsertKey(key BloomKey) {
	for _, i := range key {
		b[i/8] |= 1 << (i % 8)
	}
}

// Has reports whether addr may be in b: surely so if it is, and else with a
// probability that grows with b: 0.0001 at 10 addresses, 0.4 at 1,000, nearly 1
// at 6,000.
func (b *Bloom) Has(addr netip.Addr) bool {
	for _, i := range BloomKeyOf(addr) {
		if b[i/8]&(1<<(i%8)) == 0 {
			return false
		}
	}
	return true
}

// Union puts all that is in other into b.
func (b *Bloom) Union(other *Bloom) {
	for i := range b {
		b[i] |= other[i]
	}
}

// zeros counts the bits that are not set.
func (b *Bloom) zeros() int {
	n := bloomBits
	for _, x := range b {
		n -= bits.OnesCount8(x)
	}
	return n
}

// Size estimates how many addresses are in b, by BEP 33's formula. An empty b
// has 0, of which the formula would say 0.5. A b without a zero bit is full: then
// the estimate is that for one zero bit, 7,805.7, and says no more than that
// there are thousands. BEP 33 has nodes keep a filter below 6,000.
func (b *Bloom) Size() float64 {
	zeros := b.zeros()
	if zeros == bloomBits {
		return 0
	}
	return math.Log(float64(max(zeros, 1))/bloomBits) / (bloomKeys * math.Log1p(-1.0/bloomBits))
}

// StdErr returns the standard error of Size: what comes of addresses having bits
// in common. It is 0 for an empty b and infinite for a full one; in between 1/64
// of a size of up to a hundred, 19 at 1,000, 420 at 6,000.
//
// With N = kn bits thrown at m places and t = N/m, the count Z of places left has
// the variance m·exp(-t)·(1 - (1+t)·exp(-t)); n is a function of Z whose
// derivative is -m/(kZ), and Z is m·exp(-t): the variance of n is
// m·(exp(t) - 1 - t)/k².
func (b *Bloom) StdErr() float64 {
	zeros := b.zeros()
	if zeros == 0 {
		return math.Inf(1)
	}
	t := math.Log(bloomBits / float64(zeros))
	return math.Sqrt(bloomBits*(math.Expm1(t)-t)) / bloomKeys
}

// Filters returns the filters of a reply to a scrape, nil for one that is not
// there. They are views of m.
func (m *Message) Filters() (seeds, peers *Bloom) {
	return bloomOf(m.SeedFilter), bloomOf(m.PeerFilter)
}

func bloomOf(b []byte) *Bloom {
	if len(b) != filterSize {
		return nil
	}
	return (*Bloom)(b)
}
