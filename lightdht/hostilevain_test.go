package lightdht

import (
	"net/netip"
	"testing"
	"time"
)

// Of one neighbourhood so many strangers are asked in vain and no more, for a
// time. Whoever answers is not in vain.
func TestVain(t *testing.T) {
	var v vain
	now := time.Unix(1e9, 0)
	here := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{9, 9, 9, byte(i)}) }
	for i := range vainTries {
		if v.full(now, here(i)) || !v.ask(now, here(i)) {
			t.Fatalf("after %d tries no more is allowed", i)
		}
	}
	if !v.full(now, here(99)) || v.ask(now, here(99)) || v.full(now, netip.MustParseAddr("9.9.8.1")) {
		t.Error("one more, or another neighbourhood")
	}
	v.answered(here(3))
	if v.full(now, here(99)) || !v.ask(now, here(99)) || v.ask(now, here(99)) {
		t.Error("an answer makes room for one")
	}
	v.answered(netip.MustParseAddr("9.9.7.1")) // whom nobody asked
	for _, c := range []struct {
		after time.Duration
		full  bool
	}{{vainFor - 1, true}, {vainFor, false}} {
		if got := v.full(now.Add(c.after), here(1)); got != c.full {
			t.Errorf("after %v it is full: %v", c.after, got)
		}
	}
	if v.ask(now.Add(vainFor-1), here(1)) || !v.ask(now.Add(vainFor), here(1)) || len(v.zones) != 1 {
		t.Errorf("%d neighbourhoods are counted", len(v.zones))
	}
}

// However many neighbourhoods are asked, so many are counted, the latest.
func TestVainIsBounded(t *testing.T) {
	var v vain
	now := time.Unix(1e9, 0)
	zone := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * vainZones {
		for range vainTries {
			v.ask(now, zone(i<<8))
		}
	}
	if len(v.zones) != vainZones || cap(v.order) > 4*vainZones {
		t.Errorf("%d neighbourhoods, room for %d", len(v.zones), cap(v.order))
	}
	if v.full(now, zone((2*vainZones-1)<<8)) || !v.full(now, zone((2*vainZones)<<8)) {
		t.Error("those that are counted are not the latest")
	}
	v.ask(now.Add(vainFor), zone(0))
	if len(v.zones) != 1 {
		t.Errorf("%d are still counted", len(v.zones))
	}
}
