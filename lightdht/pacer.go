package lightdht

import (
	"net/netip"
	"sync"
	"time"
)

// pacer says when a packet may be sent, so that in any second [t, t+1s) no more
// go to one address, into one zone and in all than Limits allow. It keeps the
// moments that it gave away, of the last second and those still to come, and
// gives the first moment that leaves every such second within every limit.
//
// A packet that must wait for its own address holds a place in the future of its
// zone and of the whole; whoever comes later for other addresses is fitted in
// before it where there is room. Memory is for packets of the last second and
// for those that wait: Total and the callers' patience bound it.
type pacer struct {
	free bool // there is no limit

	mu    sync.Mutex
	epoch time.Time // the first now
	clock int64     // the last now, nanoseconds since epoch

	addrs   lanes // by IP address
	zones   lanes // by /24 or /48
	total   window
	answers window // those of total that answer
}

func newPacer(l Limits) *pacer {
	return &pacer{
		free:    l.PerAddr <= 0 && l.PerZone <= 0 && l.Total <= 0,
		addrs:   lanes{limit: l.PerAddr},
		zones:   lanes{limit: l.PerZone},
		total:   window{limit: l.Total},
		answers: window{limit: answerShare(l.Total)},
	}
}

// answerShare is how many of total answers may take: three quarters, and one of
// one.
func answerShare(total int) int {
	if total <= 0 {
		return 0
	}
	return max(1, total/4*3+total%4*3/4) // never overflows
}

// reserve asks for a packet to an IP address. When ok, the moment wait from now
// is taken and the caller sends then; when the wait would exceed patience it is
// not ok and nothing is taken. An answer goes now or never, whatever the
// patience: its wait is 0.
//
// A now before one given earlier counts as that one, so goroutines need not
// agree on whose call comes first.
func (p *pacer) reserve(now time.Time, to netip.Addr, answer bool, patience time.Duration) (wait time.Duration, ok bool) {
	wait, _, ok = p.moment(now, to, answer, patience)
	return wait, ok
}

// moment is reserve that tells the moment, too, for release.
func (p *pacer) moment(now time.Time, to netip.Addr, answer bool, patience time.Duration) (wait time.Duration, at int64, ok bool) {
	if p.free {
		return 0, 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	past := p.advance(now)
	zone := zoneOf(to)
	windows := [...]*window{p.addrs.find(to, past), p.zones.find(zone, past), &p.total, nil}
	patience = min(max(patience, 0), endless)
	if answer {
		windows[3], patience = &p.answers, 0
	}
	at, ok = fit(windows[:], p.clock, p.clock+int64(patience))
	if !ok {
		return 0, 0, false
	}
	p.addrs.take(to, at)
	p.zones.take(zone, at)
	p.total.take(at)
	windows[3].take(at)
	return time.Duration(at - p.clock), at, true
}

// release gives back a moment that was given for a packet to an address and that
// will not be sent.
func (p *pacer) release(now time.Time, to netip.Addr, at int64) {
	if p.free {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	past := p.advance(now)
	p.addrs.find(to, past).release(at)
	p.zones.find(zoneOf(to), past).release(at)
	p.total.release(at)
}

// endless is 73 years: longer than anybody waits, and far from overflowing.
const endless = time.Duration(1 << 61)

// advance moves the clock on and forgets some of what lies behind, that is up
// to past.
func (p *pacer) advance(now time.Time) (past int64) {
	if p.epoch.IsZero() {
		p.epoch = now
	}
	p.clock = max(p.clock, int64(now.Sub(p.epoch)))
	past = p.clock - second
	p.addrs.sweep(past)
	p.zones.sweep(past)
	p.total.forget(past)
	p.answers.forget(past)
	return past
}

// zoneOf is the /24 or /48 that an address is in, as its first address.
func zoneOf(addr netip.Addr) netip.Addr {
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	zone, _ := addr.Prefix(bits) // no error: the bits suit the family
	return zone.Addr()
}

// fit returns the first moment from at to last that every window has room at.
func fit(windows []*window, at, last int64) (int64, bool) {
	for at <= last {
		from := at
		for _, w := range windows {
			at = w.fit(at, last)
		}
		if at == from {
			return at, true
		}
	}
	return 0, false
}
