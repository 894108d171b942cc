package lightdht

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Packets that have arrived together are read in order, each whole and from its
// sender, whatever their sizes are.
func TestInbox(t *testing.T) {
	const seed = 3
	t.Log("seed", seed)
	onLoopback(t, func(t *testing.T, host string, _ netip.AddrPort) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := newUDPConn(openUDP(t, host))
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		senders := []*net.UDPConn{openUDP(t, host), openUDP(t, host)}
		var sent [][]byte
		for i := range 5 * inboxSize / 2 {
			b := make([]byte, []int{0, 1, r.IntN(1500)}[i%3])
			if i == 7 {
				b = make([]byte, 65507) // the largest of IPv4
			}
			for j := range b {
				b[j] = byte(r.Uint32())
			}
			sent = append(sent, b)
			floodOf(t, senders[i%2], localAddr(c), 1, b)
		}
		for i, want := range sent {
			b, from, _, err := c.read()
			if err != nil || !bytes.Equal(b, want) || kad.Unmap(from) != localAddr(senders[i%2]) {
				t.Fatalf("packet %d: %d bytes from %v, %v, want %d from %v", i, len(b), from, err, len(want), localAddr(senders[i%2]))
			}
		}
		if c.sys.in.filled != inboxSize/2 {
			t.Errorf("%d packets were read at last", c.sys.in.filled)
		}
	})
}

// A read waits no longer than its deadline, and not at all once the socket is
// closed; what was read before is still there.
func TestInboxEnds(t *testing.T) {
	c, from := newUDPConn(openUDP(t, "127.0.0.1:0")), openUDP(t, "127.0.0.1:0")
	c.SetReadDeadline(time.Now().Add(-time.Second))
	var late net.Error
	if _, _, _, err := c.read(); !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("too late: %v", err)
	}
	c.SetReadDeadline(time.Time{})
	floodOf(t, from, localAddr(c), 2, []byte("x"))
	for range 2 {
		if b, _, _, err := c.read(); string(b) != "x" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
	}
	if _, _, _, err := c.read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := write(c, localAddr(from)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write, closed: %v", err)
	}
}

// Writers at the same time write whole packets, each to where it is to go.
func TestWritersAtOnce(t *testing.T) {
	onLoopback(t, func(t *testing.T, host string, _ netip.AddrPort) {
		const writers, each = 4, 200
		c := newUDPConn(openUDP(t, host))
		var wg sync.WaitGroup
		var to [writers]*udpConn
		for w := range writers {
			to[w] = newUDPConn(openUDP(t, host))
			to[w].SetReadDeadline(time.Now().Add(20 * time.Second))
			addr := localAddr(to[w])
			wg.Go(func() {
				for i := range each {
					b := slices.Repeat([]byte{byte(w)}, i)
					if n, err := c.WriteToUDPAddrPort(b, addr); err != nil || n != i {
						t.Errorf("writer %d: %d, %v", w, n, err)
					}
				}
			})
		}
		wg.Wait()
		for w := range writers {
			for i := range each {
				if b, _, _, err := to[w].read(); err != nil || !bytes.Equal(b, slices.Repeat([]byte{byte(w)}, i)) {
					t.Fatalf("writer %d, packet %d: %x, %v", w, i, b, err)
				}
			}
		}
	})
}

// What cannot be written at once, package net writes: here from a socket of both
// families to an address of the other one, and to one with a zone.
func TestWritesLeftToNet(t *testing.T) {
	both, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { both.Close() })
	c, to := newUDPConn(both), newUDPConn(openUDP(t, "127.0.0.1:0"))
	for _, each := range []*udpConn{c, to} {
		each.SetReadDeadline(time.Now().Add(20 * time.Second))
	}
	if err := write(c, localAddr(to)); err != nil {
		t.Skipf("no socket of both families: %v", err)
	}
	if b, from, _, err := to.read(); err != nil || string(b) != "x" || from.Port() != localAddr(c).Port() {
		t.Errorf("%q from %v, %v", b, from, err)
	}
	if err := write(to, localAddr(c)); err == nil {
		t.Error("a packet was written to nowhere")
	}
	floodOf(t, to.UDPConn, netip.AddrPortFrom(localAddr(to).Addr(), localAddr(c).Port()), 1, []byte("y"))
	if b, from, _, err := c.read(); err != nil || string(b) != "y" || kad.Unmap(from) != localAddr(to) {
		t.Errorf("%q from %v, %v", b, from, err)
	}
}

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
