package lightdht

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// A zone has the name that the system knows its number by, and is asked for again
// when it may have another.
func TestZoneCache(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skipf("no interfaces: %v", err)
	}
	now := time.Now()
	z := zoneCache{scope: uint32(all[0].Index), last: "old", asked: now}
	if got := z.name(uint32(all[0].Index), now.Add(zoneAge)); got != "old" {
		t.Errorf("within its time: %q", got)
	}
	if got := z.name(uint32(all[0].Index), now.Add(zoneAge+1)); got != all[0].Name {
		t.Errorf("after its time: %q, want %q", got, all[0].Name)
	}
	if got := z.name(1<<30, now); got != "1073741824" {
		t.Errorf("of no interface: %q", got)
	}
}

// An address is the same after it has been the kernel's, whatever its bytes.
func FuzzSockaddr(f *testing.F) {
	for _, text := range []string{"127.0.0.1:6881", "[::1]:1", "[2001:db8::7]:65535", "[::ffff:1.2.3.4]:5", "0.0.0.0:0"} {
		at := netip.MustParseAddrPort(text)
		var s sockaddr
		s.set(map[bool]int{true: syscall.AF_INET, false: syscall.AF_INET6}[at.Addr().Is4()], at)
		f.Add(s[:])
	}
	f.Add(bytes.Repeat([]byte{255}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again sockaddr
		copy(s[:], b)
		copy(again[:], bytes.Repeat([]byte{255}, len(again))) // as left by another
		at, scope := s.addrPort()
		if !at.IsValid() {
			return
		}
		family := int(binary.NativeEndian.Uint16(s[:]))
		if size := again.set(family, at); (size == 0) != at.Addr().Is4In6() {
			t.Fatalf("%v of family %d has %d bytes", at, family, size)
		}
		if got, zone := again.addrPort(); !at.Addr().Is4In6() && (got != at || zone != 0) {
			t.Fatalf("%v, zone %d, became %v, zone %d", at, scope, got, zone)
		}
		if size := again.set(family, netip.AddrPortFrom(at.Addr().WithZone("eth0"), 1)); at.Addr().Is6() && size != 0 {
			t.Fatal("a zone was written")
		}
	})
}
