package lightdht

import (
	"encoding/binary"
	"net/netip"
)

// vicinity returns the neighbourhood of an address, which most likely has one
// owner: its /24 (IPv4) or /64 (IPv6). Votes, cores, lookups and what was asked in
// vain go by it.
func vicinity(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits) // no error: the bits suit the family; a zone is dropped
	return p
}

// fromIPv4 begins the key of an IPv4 address. As a /64 it would be multicast,
// which sends nothing.
const fromIPv4 = 0xffffffff << 32

// hostKey is what one host commonly has to itself, as a number: an IPv4 address,
// or the /64 that an IPv6 address lies in. Bans and the IDs kept at an address go
// by it.
func hostKey(a netip.Addr) uint64 {
	if a.Is4() {
		b := a.As4()
		return fromIPv4 | uint64(binary.BigEndian.Uint32(b[:]))
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8])
}

// hostOf returns the address that a key stands for, of a /64 the first.
func hostOf(key uint64) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], key)
	if key>>32 == fromIPv4>>32 {
		return netip.AddrFrom4([4]byte(b[4:8]))
	}
	return netip.AddrFrom16(b)
}
