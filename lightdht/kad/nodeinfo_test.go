package kad

import (
	"net/netip"
	"testing"
)

// One address inside each reserved network at either end, and the public
// neighbours just outside.
func TestIsReserved(t *testing.T) {
	reservedAddrs := []string{
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
		"127.0.0.0", "127.255.255.255", "169.254.0.0", "169.254.255.255", "172.16.0.0", "172.31.255.255",
		"192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255",
		"192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
		"203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
		"::", "::1", "::203.0.114.1", "::ffff:10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:ffff::1",
		"2001:2::1", "2001:10::1", "2001:2f:ffff::1", "2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"3fff:fff::1", "5f00::1", "fc00::1", "fdff:ffff::1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1",
	}
	public := []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
		"192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
		"64:ff9b:2::1", "101::1", "2001:1::1", "2001:3::1", "2001:30::1", "2001:db7:ffff::1", "2001:db9::1", "2001:4860:4860::8888",
		"2002:808:808::1", "2a00::1", "3fff:1000::1", "3ffe::1", "5eff::1", "5f01::1", "fbff::1", "fe00::1",
	}
	for _, s := range reservedAddrs {
		if !IsReserved(netip.MustParseAddr(s)) {
			t.Errorf("%s is not reserved", s)
		}
	}
	for _, s := range public {
		if IsReserved(netip.MustParseAddr(s)) {
			t.Errorf("%s is reserved", s)
		}
	}
	if !IsReserved(netip.Addr{}) {
		t.Error("the zero Addr is not reserved")
	}
}

func TestIsLocal(t *testing.T) {
	for s, want := range map[string]bool{
		"127.0.0.1": true, "127.255.0.1": true, "10.99.0.1": true, "172.16.0.1": true, "172.31.0.1": true,
		"192.168.1.1": true, "169.254.0.1": true, "::1": true, "fc00::1": true, "fd00::1": true, "fe80::1": true,
		"fe80::1%eth0": true, "::ffff:127.0.0.1": true, "::ffff:192.168.1.1": true,
		"8.8.8.8": false, "126.255.255.255": false, "172.32.0.1": false, "192.0.2.1": false, "100.64.0.1": false,
		"0.0.0.0": false, "::": false, "2001:db8::1": false, "ff02::1": false, "::ffff:8.8.8.8": false,
	} {
		if got := IsLocal(netip.MustParseAddr(s)); got != want {
			t.Errorf("IsLocal(%s) = %v", s, got)
		}
	}
	if IsLocal(netip.Addr{}) {
		t.Error("the zero Addr is local")
	}
}

// What is local is reserved too: a public network excludes it.
func TestLocalIsReserved(t *testing.T) {
	r := source(t)
	for range 100000 {
		id := randomID(r)
		for _, addr := range []netip.Addr{netip.AddrFrom4([4]byte(id[:4])), netip.AddrFrom16([16]byte(id[:16]))} {
			if IsLocal(addr) && !IsReserved(addr) {
				t.Fatalf("%v is local and not reserved", addr)
			}
		}
	}
}

func TestFamily(t *testing.T) {
	for _, c := range []struct {
		addr   netip.Addr
		family Family
		other  Family
		name   string
	}{
		{netip.Addr{}, 0, 0, "any"},
		{netip.MustParseAddr("192.0.2.1"), IPv4, IPv6, "ipv4"},
		{netip.MustParseAddr("::ffff:192.0.2.1"), IPv4, IPv6, "ipv4"},
		{netip.MustParseAddr("2001:db8::1"), IPv6, IPv4, "ipv6"},
		{netip.MustParseAddr("fe80::1%eth0"), IPv6, IPv4, "ipv6"},
	} {
		f := FamilyOf(c.addr)
		if f != c.family || f.Other() != c.other || f.String() != c.name {
			t.Errorf("%v is of %v, other %v; want %v, %v", c.addr, f, f.Other(), c.family, c.other)
		}
	}
	if unknown := Family(5); unknown.String() != "family(5)" || unknown.Other() != 0 {
		t.Errorf("Family(5) is %v, other %v", unknown, unknown.Other())
	}
}

func TestUnmap(t *testing.T) {
	for in, want := range map[string]string{
		"[::ffff:192.0.2.1]:6881": "192.0.2.1:6881",
		"192.0.2.1:6881":          "192.0.2.1:6881",
		"[2001:db8::1]:1":         "[2001:db8::1]:1",
	} {
		if got := Unmap(netip.MustParseAddrPort(in)); got != netip.MustParseAddrPort(want) {
			t.Errorf("Unmap(%s) = %v, want %s", in, got, want)
		}
	}
	if got := Unmap(netip.AddrPort{}); got != (netip.AddrPort{}) {
		t.Errorf("Unmap of nothing = %v", got)
	}
}

func TestNodeInfo(t *testing.T) {
	n := NodeInfo{MustParseID(digits), netip.MustParseAddrPort("192.0.2.1:6881")}
	if got, want := n.String(), digits+"@192.0.2.1:6881"; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	mapped := NodeInfo{n.ID, Unmap(netip.MustParseAddrPort("[::ffff:192.0.2.1]:6881"))}
	if (map[NodeInfo]bool{n: true})[mapped] != true {
		t.Error("a node reached over a mapped address is another one")
	}
	if n == (NodeInfo{}) || (NodeInfo{}) != (NodeInfo{ID{}, netip.AddrPort{}}) {
		t.Error("the zero NodeInfo is not nobody")
	}
}

func TestIsHost(t *testing.T) {
	for addr, want := range map[string]bool{
		"1.2.3.4": true, "127.0.0.1": true, "10.0.0.1": true, "240.0.0.1": true, "223.255.255.255": true, "255.255.255.254": true,
		"::1": true, "fe80::1": true, "2001:db8::1": true, "::ffff:1.2.3.4": true,
		"0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "239.255.255.250": false, "255.255.255.255": false,
		"::": false, "ff02::1": false, "::ffff:0.0.0.0": false, "::ffff:224.0.0.1": false, "::ffff:255.255.255.255": false,
	} {
		if got := IsHost(netip.MustParseAddr(addr)); got != want {
			t.Errorf("IsHost(%s) = %t", addr, got)
		}
	}
	if IsHost(netip.Addr{}) {
		t.Error("the zero Addr is a host")
	}
}
