package lightdht

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// span is a second as windows count it.
const span = time.Duration(second)

// slowPacer remembers every moment for ever and looks at every second.
type slowPacer struct {
	limits  Limits
	addrs   map[netip.Addr][]time.Time
	zones   map[netip.Prefix][]time.Time
	total   []time.Time
	answers []time.Time
}

// crowded reports whether some second has more than limit of times, as of those
// that begin with one of them.
func crowded(times []time.Time, limit int) bool {
	for _, from := range times {
		n := 0
		for _, at := range times {
			if d := at.Sub(from); d >= 0 && d < span {
				n++
			}
		}
		if limit > 0 && n > limit {
			return true
		}
	}
	return false
}

func twinZone(addr netip.Addr) netip.Prefix {
	if addr.Is4() {
		return netip.PrefixFrom(addr, 24).Masked()
	}
	return netip.PrefixFrom(addr, 48).Masked()
}

// around returns those of times within a second of at, and at itself.
func around(times []time.Time, at time.Time) []time.Time {
	near := []time.Time{at}
	for _, other := range times {
		if d := other.Sub(at); d > -span && d < span {
			near = append(near, other)
		}
	}
	return near
}

func (s *slowPacer) fits(at time.Time, to netip.Addr, answer bool) bool {
	return !crowded(around(s.addrs[to], at), s.limits.PerAddr) &&
		!crowded(around(s.zones[twinZone(to)], at), s.limits.PerZone) &&
		!crowded(around(s.total, at), s.limits.Total) &&
		!(answer && crowded(around(s.answers, at), answerShare(s.limits.Total)))
}

// reserve tries now and the ends of all seconds that begin with a packet, since
// nothing gets better in between.
func (s *slowPacer) reserve(now time.Time, to netip.Addr, answer bool, patience time.Duration) (time.Duration, bool) {
	if answer {
		patience = 0
	}
	tries := []time.Time{now}
	for _, at := range s.total {
		if end := at.Add(span); end.After(now) && end.Sub(now) <= patience {
			tries = append(tries, end)
		}
	}
	slices.SortFunc(tries, time.Time.Compare)
	for _, at := range tries {
		if s.fits(at, to, answer) {
			s.addrs[to] = append(s.addrs[to], at)
			s.zones[twinZone(to)] = append(s.zones[twinZone(to)], at)
			s.total = append(s.total, at)
			if answer {
				s.answers = append(s.answers, at)
			}
			return at.Sub(now), true
		}
	}
	return 0, false
}

// some is a few addresses in a few zones of both families.
func some(r *rand.Rand) netip.Addr {
	if r.IntN(3) == 0 {
		return netip.AddrFrom16([16]byte{0x20, 1, 5: byte(r.IntN(2)), 6: byte(r.IntN(2)), 15: byte(r.IntN(2))})
	}
	return netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(2)), byte(100 * r.IntN(3))})
}

func every(r *rand.Rand, most int) int { return r.IntN(most+1) - 1 } // -1 and 0 are no limit

// The pacer gives just the moments that the twin gives, which looked at every
// second: never too many, never later than need be.
func TestPacerAgainstTwin(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		limits := Limits{PerAddr: every(r, 5), PerZone: every(r, 8), Total: every(r, 12)}
		fast := newPacer(limits)
		slow := &slowPacer{limits, map[netip.Addr][]time.Time{}, map[netip.Prefix][]time.Time{}, nil, nil}
		grain := []time.Duration{1, time.Millisecond, 125 * time.Millisecond}[r.IntN(3)]
		latest := time.Unix(1e9, 0)
		for i := range 150 {
			now := latest
			switch r.IntN(12) {
			case 0:
				now = now.Add(time.Duration(r.IntN(3)) * span)
			case 1:
				now = now.Add(-grain * time.Duration(min(i, 1))) // another goroutine
			case 2, 3, 4, 5:
				now = now.Add(time.Duration(r.Int64N(int64(250*time.Millisecond/grain))) * grain)
			}
			if now.After(latest) {
				latest = now
			}
			to, answer, patience := some(r), r.IntN(4) == 0, time.Duration(r.IntN(4*8))*span/8
			wait, ok := fast.reserve(now, to, answer, patience)
			wantWait, wantOK := slow.reserve(latest, to, answer, patience)
			if wait != wantWait || ok != wantOK {
				t.Fatalf("seed %d, %+v, step %d: %s in %s, %v, want %s, %v", seed, limits, i, to, wait, ok, wantWait, wantOK)
			}
		}
		for addr, times := range slow.addrs {
			if crowded(times, limits.PerAddr) {
				t.Errorf("seed %d: too many for %s", seed, addr)
			}
		}
		for zone, times := range slow.zones {
			if crowded(times, limits.PerZone) {
				t.Errorf("seed %d: too many for %s", seed, zone)
			}
		}
		if crowded(slow.total, limits.Total) || crowded(slow.answers, answerShare(limits.Total)) {
			t.Errorf("seed %d: too many in all", seed)
		}
	}
}

// numbered returns an address of a /24 of its own.
func numbered(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1})
}

// What waits for one address delays nobody else, not even in its zone, and what
// waits within the whole's limit is one behind the other.
func TestPacerQueue(t *testing.T) {
	p, now := newPacer(Limits{}.withDefaults(true)), time.Unix(1e9, 0)
	for i := range 40 {
		wait, ok := p.reserve(now, netip.MustParseAddr("10.0.0.1"), false, time.Minute)
		if want := time.Duration(i/4) * span; !ok || wait != want {
			t.Errorf("query %d waits %s, %v, want %s", i, wait, ok, want)
		}
	}
	if wait, ok := p.reserve(now, netip.MustParseAddr("10.0.0.2"), true, 0); !ok || wait != 0 {
		t.Errorf("a neighbour waits %s, %v", wait, ok)
	}
	for i := range 1500 { // 5 have been sent now, and 4 wait in each second to come
		wait, ok := p.reserve(now, numbered(1<<20+i), false, time.Minute)
		want := time.Duration(0)
		switch {
		case i >= 495+496+496:
			want = 3 * span
		case i >= 495+496:
			want = 2 * span
		case i >= 495:
			want = span
		}
		if !ok || wait != want {
			t.Fatalf("query %d of all waits %s, %v, want %s", i, wait, ok, want)
		}
	}
}

// Who will not wait long enough takes nothing.
func TestPacerPatience(t *testing.T) {
	p, now, addr := newPacer(Limits{PerAddr: 1}), time.Unix(1e9, 0), numbered(1)
	p.reserve(now, addr, false, 0)
	for _, patience := range []time.Duration{-1 << 63, -1, 0, span - 1} {
		if wait, ok := p.reserve(now, addr, false, patience); ok || wait != 0 {
			t.Errorf("with patience for %s: %s, %v", patience, wait, ok)
		}
	}
	if _, ok := p.reserve(now.Add(span-1), addr, false, 0); ok {
		t.Error("the second is not over, and there are two in it")
	}
	if _, ok := p.reserve(now, addr, true, time.Hour); ok {
		t.Error("an answer waits")
	}
	now = now.Add(span)
	for i, patience := range []time.Duration{0, 1<<63 - 1} {
		if wait, ok := p.reserve(now, addr, false, patience); !ok || wait != time.Duration(i)*span {
			t.Errorf("with patience for %s: %s, %v", patience, wait, ok)
		}
	}
}

// A flood of questions takes three quarters of the whole; the rest is ours.
func TestPacerKeepsRoomForQueries(t *testing.T) {
	p, start := newPacer(Limits{}.withDefaults(true)), time.Unix(1e9, 0)
	answers, queries := 0, 0
	for i := range 10_000 { // in one second
		now := start.Add(time.Duration(i) * span / 10_000)
		if _, ok := p.reserve(now, numbered(i), true, 0); ok {
			answers++
		}
		if i%80 == 79 {
			if wait, ok := p.reserve(now, numbered(1<<20+i), false, 0); ok && wait == 0 {
				queries++
			}
		}
	}
	if answers != 375 || queries != 125 {
		t.Errorf("%d answers, %d queries", answers, queries)
	}
}

// However many addresses ask, no more are kept than what was sent within about a
// second allows; when it is quiet, what is left goes with the next calls.
func TestPacerForgets(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		most   int // windows by address
	}{
		{Limits{}.withDefaults(true), 500 * 3 / 2},
		{Limits{PerAddr: 4, PerZone: 32}, 10_000 * 3 / 2},
	} {
		p, now := newPacer(c.limits), time.Unix(1e9, 0)
		for i := range 50_000 {
			now = now.Add(span / 10_000)
			p.reserve(now, numbered(i), i%2 == 0, 0)
			if len(p.addrs.all) > c.most || len(p.zones.all) > c.most || len(p.addrs.index) != len(p.addrs.all) {
				t.Fatalf("%+v: %d addresses, %d of them found, and %d zones after %d", c.limits, len(p.addrs.all), len(p.addrs.index), len(p.zones.all), i)
			}
		}
		now = now.Add(span)
		for range c.most/sweeps + 1 {
			p.reserve(now, numbered(0), false, 0)
		}
		if len(p.addrs.all) > 1 || len(p.zones.all) > 1 || len(p.total.times) > 501 {
			t.Errorf("%+v: %d addresses, %d zones and %d moments are left", c.limits, len(p.addrs.all), len(p.zones.all), len(p.total.times))
		}
	}
}

// A busy window does not grow either.
func TestPacerOneBusyAddress(t *testing.T) {
	p, now := newPacer(Limits{PerAddr: 100, PerZone: 100, Total: 100}), time.Unix(1e9, 0)
	for range 100_000 {
		now = now.Add(time.Millisecond)
		p.reserve(now, numbered(1), false, 2*span)
	}
	if n := cap(p.addrs.all[0].times); n > 1500 || cap(p.total.times) > 1500 {
		t.Errorf("room for %d moments of the address, %d of all", n, cap(p.total.times))
	}
}

func BenchmarkPacer(b *testing.B) {
	limits := Limits{}.withDefaults(true)
	b.Run("one", func(b *testing.B) {
		p, now := newPacer(limits), time.Now()
		for b.Loop() {
			now = now.Add(span / 4)
			p.reserve(now, numbered(1), false, 0)
		}
	})
	b.Run("many", func(b *testing.B) {
		p, now, i := newPacer(limits), time.Now(), 0
		for b.Loop() {
			now, i = now.Add(span/500), i+1
			p.reserve(now, numbered(i), false, 0)
		}
	})
	b.Run("flood", func(b *testing.B) {
		p, now, i := newPacer(limits), time.Now(), 0
		for b.Loop() {
			now, i = now.Add(time.Microsecond), i+1
			p.reserve(now, numbered(i), true, 0)
		}
	})
	b.Run("queue", func(b *testing.B) { // 5,000 wait
		p, now, i := newPacer(limits), time.Now(), 0
		for b.Loop() {
			now, i = now.Add(span/500), i+1
			p.reserve(now, numbered(i), false, 10*span)
			p.reserve(now, numbered(i), false, 10*span)
		}
	})
}

// randomIPv4 returns one of 2^32.
func randomIPv4(r *rand.Rand) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], r.Uint32())
	return netip.AddrFrom4(b)
}
