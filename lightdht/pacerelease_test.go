package lightdht

import (
	"net/netip"
	"testing"
	"time"
)

// A moment that is given back is there for the next, in its address, its zone and
// the whole.
func TestPacerRelease(t *testing.T) {
	for _, limits := range []Limits{{PerAddr: 1}, {PerZone: 1}, {Total: 1}} {
		p, now, addr := newPacer(limits), time.Unix(1000, 0), netip.MustParseAddr("192.0.2.1")
		var moments []int64
		for range 4 {
			_, at, ok := p.moment(now, addr, false, time.Hour)
			if !ok {
				t.Fatal("no moment")
			}
			moments = append(moments, at)
		}
		for _, at := range moments[1:] {
			p.release(now, addr, at)
		}
		p.release(now, addr, moments[3]) // a second time: nothing
		p.release(now, netip.MustParseAddr("2001:db8::1"), 1)
		if wait, ok := p.reserve(now, addr, false, time.Hour); !ok || wait != span {
			t.Errorf("%+v: the next waits %v, %v", limits, wait, ok)
		}
		if wait, ok := p.reserve(now, addr, false, time.Hour); !ok || wait != 2*span {
			t.Errorf("%+v: the one after waits %v, %v", limits, wait, ok)
		}
	}
}
