package lightdht

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

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

// An address of the socket's own family takes no help of package net.
func TestWriteNow(t *testing.T) {
	onLoopback(t, func(t *testing.T, host string, _ netip.AddrPort) {
		a, b := newUDPConn(openUDP(t, host)), newUDPConn(openUDP(t, host))
		if failed := a.writeNow([]byte("x"), localAddr(b)); failed != 0 {
			t.Fatal(failed)
		}
		if got, _, _, err := b.read(); string(got) != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		for _, other := range []string{"127.0.0.1:1", "[::1]:1", "[fe80::1%lo]:1", "[::ffff:127.0.0.1]:1"} {
			to := netip.MustParseAddrPort(other)
			if now := a.writeNow(nil, to) == 0; now != (to.Addr() == localAddr(b).Addr()) {
				t.Errorf("%s from %s at once: %v", to, host, now)
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
