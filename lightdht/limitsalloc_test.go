//go:build !race

package lightdht

import (
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// What is done for each packet allocates nothing, once the addresses are known
// or as many as may be have been.
func TestLimitsAllocateNothing(t *testing.T) {
	limits, now, i := Limits{}.withDefaults(true), time.Unix(1e9, 0), 0
	p, g, l := newPacer(limits), newGuard(limits), newLedger(100)
	o := NewOptOut(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"))
	for name, each := range map[string]func(addr netip.Addr){
		"pacer":          func(addr netip.Addr) { p.reserve(now, addr, false, time.Second) },
		"guard":          func(addr netip.Addr) { g.admit(now, addr) },
		"ledger out":     func(addr netip.Addr) { l.Out(now, addr, 100) },
		"ledger in":      func(addr netip.Addr) { l.In(now, addr, 100) },
		"opt-out":        func(addr netip.Addr) { o.Has(addr) },
		"opt-out, zoned": func(netip.Addr) { o.Has(zoned) },
	} {
		run := func() {
			now, i = now.Add(time.Millisecond), i+1
			each(numbered(i % 100))
		}
		for range 20_000 {
			run()
		}
		if got := testing.AllocsPerRun(10_000, run); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

var zoned = netip.MustParseAddr("2001:db8::1%eth0")

// A ledger's address takes less than 150 bytes when a million are in it.
func TestLedgerMemory(t *testing.T) {
	const many = 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l := newLedger(many)
	for i := range many {
		l.Out(noon, numbered(i), 1)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(after.HeapAlloc-before.HeapAlloc) / many; each > 150 {
		t.Errorf("%.1f bytes an address", each)
	} else {
		t.Logf("%.1f bytes an address", each)
	}
	runtime.KeepAlive(l)
}
