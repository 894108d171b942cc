package testnet

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// far returns the i-th of many addresses.
func far(i int) netip.AddrPort {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], uint32(i))
	return netip.AddrPortFrom(netip.AddrFrom4(ip), 1)
}

// The generators of pairs are bounded; those that begin anew do not repeat
// themselves.
func TestDiceAreBounded(t *testing.T) {
	d := dice{seed: 1}
	first := d.of(far(0), far(0)).Uint64()
	for i := 1; i < maxPairs-1; i++ {
		d.pairs[pair{far(i), far(0)}] = nil
	}
	if d.of(far(0), far(1)); len(d.pairs) != maxPairs {
		t.Errorf("%d generators, want %d", len(d.pairs), maxPairs)
	}
	if d.of(far(1), far(1)); len(d.pairs) != 1 {
		t.Errorf("%d generators, want one", len(d.pairs))
	}
	if again := d.of(far(0), far(0)).Uint64(); len(d.pairs) != 2 || again == first {
		t.Errorf("%d generators; the same sequence again: %v", len(d.pairs), again == first)
	}
}

// A NAT forgets the holes that have closed.
func TestHolesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &nat{hold: 10 * time.Second}
		for i := range 10000 { // ten holes are open at a time
			n.open(far(i))
			time.Sleep(time.Second)
			if len(n.holes) > 50 {
				t.Fatalf("%d holes after %d", len(n.holes), i+1)
			}
			if i >= 9 && (n.blocks(far(i-9)) || !n.blocks(far(i-10))) {
				t.Fatalf("after %d, a hole of 10 s closed: %v, one of 11 s: %v", i, n.blocks(far(i-9)), n.blocks(far(i-10)))
			}
		}
	})
}

// What has arrived is not kept, whatever was under way once.
func TestSkyIsEmptied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Memory
		m.Paths(func(netip.AddrPort, netip.AddrPort) Path { return Path{Delay: time.Second} })
		conn, err := m.Listen(far(1))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 3 {
			for range 100 {
				conn.WriteToUDPAddrPort([]byte("x"), far(2))
			}
			time.Sleep(time.Second)
			synctest.Wait()
			for i, f := range m.sky.flights[:cap(m.sky.flights)] {
				if f != nil {
					t.Fatalf("packet %d is still held", i)
				}
			}
		}
	})
}

// Who has joined, or could not, is not remembered as joining.
func TestNobodyJoinsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := Start(t.Context(), Config{Nodes: 3, Memory: new(Memory)})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		n.Join(t.Context())
		n.cfg.Memory.Cut(func(_, _ netip.AddrPort) bool { return true })
		n.Join(t.Context())
		if len(n.nodes) != 4 || len(n.joining) != 0 {
			t.Errorf("%d nodes, %d joining", len(n.nodes), len(n.joining))
		}
	})
}
