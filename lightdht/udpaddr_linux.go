package lightdht

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// sockaddr has room for an address as the kernel has it: a struct sockaddr_in of
// netinet/in.h, or a struct sockaddr_in6. Family and scope are in the order of
// bytes of the machine, port and address in that of the network:
//
//	0        2      4          8         16      24      28
//	| family | port | address4 | zeros   |
//	| family | port | flowinfo | address16       | scope |
type sockaddr [syscall.SizeofSockaddrInet6]byte

// set writes an address and returns its size; 0 when it is not of that family of
// the system's, or has a zone.
func (s *sockaddr) set(family int, to netip.AddrPort) int {
	addr := to.Addr()
	*s = sockaddr{}
	binary.NativeEndian.PutUint16(s[:], uint16(family))
	binary.BigEndian.PutUint16(s[2:], to.Port())
	switch {
	case family == syscall.AF_INET && addr.Is4():
		*(*[4]byte)(s[4:]) = addr.As4()
		return syscall.SizeofSockaddrInet4
	case family == syscall.AF_INET6 && addr.Is6() && !addr.Is4In6() && addr.Zone() == "":
		*(*[16]byte)(s[8:]) = addr.As16()
		return syscall.SizeofSockaddrInet6
	}
	return 0
}

// addrPort reads an address without its zone, whose number is scope, if it has
// one. The zero AddrPort is of no family known.
func (s *sockaddr) addrPort() (at netip.AddrPort, scope uint32) {
	port := binary.BigEndian.Uint16(s[2:])
	switch binary.NativeEndian.Uint16(s[:]) {
	case syscall.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:8])), port), 0
	case syscall.AF_INET6:
		at = netip.AddrPortFrom(netip.AddrFrom16([16]byte(s[8:24])), port)
		return at, binary.NativeEndian.Uint32(s[24:])
	}
	return netip.AddrPort{}, 0
}

// zoneCache knows the name of the zone that was asked for last, as long as it is
// not likely to have changed. To ask the system takes long.
type zoneCache struct {
	scope uint32
	last  string
	asked time.Time
}

const zoneAge = time.Minute

func (z *zoneCache) name(scope uint32, now time.Time) string {
	if z.scope != scope || now.Sub(z.asked) > zoneAge {
		*z = zoneCache{scope, zoneName(int(scope)), now}
	}
	return z.last
}

// zoneName is as package net names a zone.
func zoneName(index int) string {
	if ifi, err := net.InterfaceByIndex(index); err == nil {
		return ifi.Name
	}
	return strconv.Itoa(index)
}
