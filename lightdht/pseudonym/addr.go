package pseudonym

import (
	"encoding/binary"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// addrPermutation is Crypto-PAn of what a tree of the kind that permutes IDs has
// made of an address. Either keeps prefixes, and so do both. The tree has a fair
// bit of its own for each place where two addresses can part, which mends what
// Crypto-PAn lacks there; and with a key of its own it cannot weaken it.
type addrPermutation struct {
	tree *tree
	pan  *cryptoPAn
}

func newAddrPermutation(tree, pan [secretSize]byte) addrPermutation {
	return addrPermutation{newTree(tree), newCryptoPAn(pan)}
}

// Addr returns what stands for an address: a permutation of all IPv4 addresses,
// and another of all IPv6 addresses, that keep the lengths of common prefixes. An
// IPv4 address within an IPv6 one is an IPv4 address. A zone, which names an
// interface of the host that saw the address, is dropped. Nothing stands for the
// zero Addr but itself.
func (k *Key) Addr(a netip.Addr) netip.Addr {
	a = a.Unmap()
	switch {
	case a.Is4():
		b := a.As4()
		k.four.permute(b[:])
		return netip.AddrFrom4(b)
	case a.Is6():
		b := a.As16()
		k.six.permute(b[:])
		return netip.AddrFrom16(b)
	}
	return a
}

// permute permutes an address in its place.
func (p *addrPermutation) permute(addr []byte) {
	var id kad.ID // which begins with the address
	copy(id[:], addr)
	for i, flips := range p.tree.flips(&id, 8*len(addr)) {
		id[i] ^= flips
	}
	copy(addr, id[:])
	p.pan.permute(addr)
}

// permute permutes an address in its place.
func (p *cryptoPAn) permute(addr []byte) {
	var b [blockSize]byte
	copy(b[:], addr)
	x := bitsOf(&b)
	x = x.xor(p.flips(x, 8*len(addr)))
	binary.BigEndian.PutUint64(b[:8], x.hi)
	binary.BigEndian.PutUint64(b[8:], x.lo)
	copy(addr, b[:])
}
