package krpc

import (
	"encoding/binary"
	"iter"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// The compact forms of BEPs 5 and 32. Ports are big endian.
//
//	address    4 or 16 bytes | port 2            6 or 18 bytes
//	node       ID 20 | address                   26 or 38 bytes
const (
	addr4Size = 4 + 2
	addr6Size = 16 + 2
	node4Size = kad.Size + addr4Size
	node6Size = kad.Size + addr6Size
)

// Nodes is a list of IPv4 nodes, 26 bytes each. What Parse returns has no torn
// tail; Len, At and All do not look at one.
type Nodes []byte

// Len returns the number of nodes.
func (n Nodes) Len() int { return len(n) / node4Size }

// At returns node i; it panics unless 0 <= i < Len.
func (n Nodes) At(i int) kad.NodeInfo { return nodeAt(n[i*node4Size : (i+1)*node4Size]) }

// All yields the nodes in their order, whatever their addresses are.
func (n Nodes) All() iter.Seq[kad.NodeInfo] { return allNodes(n, node4Size) }

// Nodes6 is a list of IPv6 nodes, 38 bytes each, with the promises of Nodes.
type Nodes6 []byte

// Len returns the number of nodes.
func (n Nodes6) Len() int { return len(n) / node6Size }

// At returns node i, an IPv4 address mapped into IPv6 being unmapped; it
// panics unless 0 <= i < Len.
func (n Nodes6) At(i int) kad.NodeInfo { return nodeAt(n[i*node6Size : (i+1)*node6Size]) }

// All yields the nodes in their order, as At returns them.
func (n Nodes6) All() iter.Seq[kad.NodeInfo] { return allNodes(n, node6Size) }

func allNodes(b []byte, size int) iter.Seq[kad.NodeInfo] {
	return func(yield func(kad.NodeInfo) bool) {
		for i := size; i <= len(b); i += size {
			if !yield(nodeAt(b[i-size : i])) {
				return
			}
		}
	}
}

// nodeAt reads one node of 26 or 38 bytes.
func nodeAt(b []byte) kad.NodeInfo {
	addr, _ := addrAt(b[kad.Size:])
	return kad.NodeInfo{ID: kad.ID(b[:kad.Size]), Addr: addr}
}

// addrAt reads an address of 6 or 18 bytes, unmapped; ok is false for any
// other length.
func addrAt(b []byte) (addr netip.AddrPort, ok bool) {
	switch len(b) {
	case addr4Size:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[4:])), true
	case addr6Size:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), binary.BigEndian.Uint16(b[16:])), true
	}
	return netip.AddrPort{}, false
}

// AppendNode appends n to a list of its family: 26 bytes for an IPv4 address,
// mapped or not, 38 for an IPv6 address, nothing for an invalid one.
func AppendNode(dst []byte, n kad.NodeInfo) []byte {
	if !n.Addr.IsValid() {
		return dst
	}
	return appendAddr(append(dst, n.ID[:]...), n.Addr)
}

// appendAddr appends 6 or 18 bytes. The zone of an IPv6 address is lost.
func appendAddr(dst []byte, addr netip.AddrPort) []byte {
	if ip := addr.Addr().Unmap(); ip.Is4() {
		b := ip.As4()
		dst = append(dst, b[:]...)
	} else {
		b := ip.As16()
		dst = append(dst, b[:]...)
	}
	return binary.BigEndian.AppendUint16(dst, addr.Port())
}
