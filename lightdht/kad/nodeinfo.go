package kad

import (
	"fmt"
	"net/netip"
)

// NodeInfo is an ID at an address: what a node list carries and what a contact
// is. It is comparable; the zero NodeInfo is nobody.
//
// The address is unmapped: ::ffff:192.0.2.1 never occurs, because under == it
// would be another node than 192.0.2.1. Whoever takes an address from outside
// unmaps it at the door (see [Unmap]).
type NodeInfo struct {
	ID   ID
	Addr netip.AddrPort
}

// String returns "id@host:port".
func (n NodeInfo) String() string { return n.ID.String() + "@" + n.Addr.String() }

// Family is one of the two DHTs of BEP 32. The zero Family stands for both or
// for unknown, as the place says.
type Family uint8

// The two families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// FamilyOf returns the family that addr belongs to, 0 for the zero Addr. An
// IPv4 address mapped into IPv6 counts as IPv4.
func FamilyOf(addr netip.Addr) Family {
	switch {
	case addr.Is4() || addr.Is4In6():
		return IPv4
	case addr.Is6():
		return IPv6
	}
	return 0
}

// Other returns the other family; of the zero Family, the zero Family.
func (f Family) Other() Family {
	switch f {
	case IPv4:
		return IPv6
	case IPv6:
		return IPv4
	}
	return 0
}

// String returns "ipv4", "ipv6" or "any".
func (f Family) String() string {
	switch f {
	case 0:
		return "any"
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return fmt.Sprintf("family(%d)", uint8(f))
}

// Unmap takes an address as a socket gives it and returns the one to keep: IPv4
// mapped into IPv6 becomes IPv4.
func Unmap(addr netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

// reserved lists the networks that no public DHT node can live in: those of
// IANA's special-purpose registries (RFC 6890 and its updates) that are not
// globally reachable, multicast, the ORCHIDs, which name hosts but no places,
// and Teredo, which BEP 32 asks to avoid. IPv4 mapped into IPv6 is not among
// them: it is unmapped before the list is read.
var reserved = func() []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28",
		"2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		nets = append(nets, netip.MustParsePrefix(s))
	}
	return nets
}()

// IsReserved reports whether addr is private, reserved, loopback, link-local,
// multicast or otherwise an address at which no public node can be reached.
// The zero Addr is reserved.
func IsReserved(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return true
	}
	for _, net := range reserved {
		if net.Contains(addr) {
			return true
		}
	}
	return false
}

// IsHost reports whether addr can be that of one host in some network: it is
// valid, and not unspecified, multicast, broadcast or of 0.0.0.0/8.
func IsHost(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() {
		return false
	}
	return !addr.Is4() || addr.As4()[0] != 0 && addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// IsLocal reports whether addr is loopback, private (RFC 1918, RFC 4193) or
// link-local: an address that a private network would use.
func IsLocal(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast()
}
