package krpc

import (
	"iter"
	"net/netip"
)

// Peers is the inside of the bencoded list values: "6:" and 6 bytes for an
// IPv4 peer, "18:" and 18 bytes for an IPv6 peer, in any mixture (BEP 32).
// A received list may hold items of other lengths; they are left out.
type Peers []byte

// The lengths of a peer with its prefix.
const (
	peer4Size = len("6:") + addr4Size
	peer6Size = len("18:") + addr6Size
)

// All yields the well-formed peers in their order. IPv4 addresses mapped into
// IPv6 are unmapped.
func (p Peers) All() iter.Seq[netip.AddrPort] {
	return func(yield func(netip.AddrPort) bool) {
		for len(p) > 0 {
			start, end := firstPeer(p)
			if end == 0 {
				p = p.afterBad()
				continue
			}
			if addr, _ := addrAt(p[start:end]); !yield(addr) {
				return
			}
			p = p[end:]
		}
	}
}

// Len returns the number of well-formed peers. It walks the list.
func (p Peers) Len() int {
	count := 0
	for range p.All() {
		count++
	}
	return count
}

// AppendPeer appends addr to dst: IPv4, mapped or not, as 6 bytes, IPv6 as 18.
// An invalid addr is left out.
func AppendPeer(dst Peers, addr netip.AddrPort) Peers {
	switch {
	case !addr.IsValid():
		return dst
	case addr.Addr().Unmap().Is4():
		dst = append(dst, "6:"...)
	default:
		dst = append(dst, "18:"...)
	}
	return appendAddr(dst, addr)
}

// firstPeer returns where the address of the first item of p lies, 0 and 0
// unless that item is well-formed.
func firstPeer(p []byte) (start, end int) {
	switch {
	case len(p) >= peer4Size && p[0] == '6' && p[1] == ':':
		return peer4Size - addr4Size, peer4Size
	case len(p) >= peer6Size && p[0] == '1' && p[1] == '8' && p[2] == ':':
		return peer6Size - addr6Size, peer6Size
	}
	return 0, 0
}

// goodRun returns the length of the well-formed items that p begins with.
func (p Peers) goodRun() int {
	i := 0
	for {
		for len(p)-i >= peer4Size && p[i] == '6' && p[i+1] == ':' { // nearly all there are
			i += peer4Size
		}
		_, n := firstPeer(p[i:])
		if n == 0 {
			return i
		}
		i += n
	}
}

// afterBad returns what follows the first item of p, nothing if it is no
// bencode.
func (p Peers) afterBad() Peers {
	c := cursor{b: p}
	c.skip()
	return p[c.i:]
}
