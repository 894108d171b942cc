package lightdht

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	guardSpan = 10      // seconds that packets are counted over
	guardSets = 1 << 13 // of guardWays sources each: 65,536, in 3.7 MB
	guardWays = 8

	maxBans = 1 << 16 // at a time; beyond it the oldest ends early
)

// guard counts what each source sends us and bans those that send more than
// Limits.Inbound packets in ten seconds, until Limits.BanFor has gone by. Then
// they are forgotten. A source is an IPv4 address, or a /64 of IPv6.
//
// It counts by whole seconds, the one that is under way and the nine before it:
// never more than was sent in ten seconds, so nobody is banned who kept to the
// limit, and everybody is who exceeds it in nine.
//
// At most 65,536 sources are counted at a time, whatever arrives. When more send
// within ten seconds, as spoofed packets seem to, the one that sent least makes
// room among the eight that its place is for. It may thus be undercounted and
// banned late or never, but not wrongly. Whoever can send packets in another's
// name can get it banned, though; that is in the nature of UDP, and why bans
// are short and do not keep answers to our own queries out.
type guard struct {
	limit  uint32 // 0: none
	banFor time.Duration
	key    [2]uint64 // of the hash, so that nobody can choose who shares a set

	mu    sync.Mutex
	epoch time.Time     // the first now
	clock time.Duration // the last now, since epoch
	sets  []*guardSet   // nil where nobody has been counted yet

	banned map[uint64]struct{}
	order  []ban // those in banned as they end, from first on
	first  int
}

// guardSet is what is known of up to eight sources. One whose last second is
// guardSpan or more ago has nothing to tell: its place is free.
type guardSet struct {
	source [guardWays]uint64
	last   [guardWays]uint32            // the second of the last packet
	sum    [guardWays]uint32            // of counts
	counts [guardWays][guardSpan]uint32 // packets by second modulo guardSpan, up to last
}

type ban struct {
	source uint64
	until  time.Duration // since epoch
}

func newGuard(l Limits) *guard {
	g := &guard{limit: uint32(min(max(int64(l.Inbound), 0), 1<<31)), banFor: min(l.BanFor, endless)}
	if g.limit > 0 {
		g.key = [2]uint64{rand.Uint64(), rand.Uint64()}
		g.sets = make([]*guardSet, guardSets)
		g.banned = make(map[uint64]struct{})
	}
	return g
}

// admit counts a packet and reports whether its source may ask. If not, it is
// banned, and banned tells whether since just this packet.
func (g *guard) admit(now time.Time, from netip.Addr) (ok, banned bool) {
	if g.limit == 0 {
		return true, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.advance(now)
	source := hostKey(from)
	if len(g.banned) > 0 {
		if _, is := g.banned[source]; is {
			return false, false
		}
	}
	if !g.exceeds(source) {
		return true, false
	}
	g.ban(source)
	return false, true
}

// bans returns the banned addresses in order, of IPv6 the first of each /64.
func (g *guard) bans(now time.Time) []netip.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.advance(now)
	var all []netip.Addr
	for _, b := range g.order[g.first:] {
		all = append(all, hostOf(b.source))
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

// advance moves the clock on and ends the bans whose time it is. A now before
// one given earlier counts as that one.
func (g *guard) advance(now time.Time) {
	if g.epoch.IsZero() {
		g.epoch = now
	}
	g.clock = max(g.clock, now.Sub(g.epoch))
	for g.first < len(g.order) && g.order[g.first].until <= g.clock {
		g.unban()
	}
}

// exceeds adds a packet of now to a source and reports whether it has sent too
// many. Then they are forgotten, so that after the ban the counting begins anew.
func (g *guard) exceeds(source uint64) bool {
	now := uint32(g.clock/time.Second) + guardSpan // so that a zero last is long ago
	hi, lo := bits.Mul64(source^g.key[0], g.key[1]|1)
	at := &g.sets[(hi^lo)%guardSets]
	if *at == nil {
		*at = new(guardSet)
	}
	set := *at
	way := set.find(source, now)
	set.pass(way, now)
	set.counts[way][now%guardSpan]++
	set.sum[way]++
	if set.sum[way] <= g.limit {
		return false
	}
	set.clear(way)
	return true
}

// find returns the place of a source, which it makes if need be: a free one, or
// that of whoever sent least.
func (s *guardSet) find(source uint64, now uint32) int {
	for way, other := range s.source {
		if other == source {
			return way
		}
	}
	least := 0
	for way, last := range s.last {
		if now-last >= guardSpan {
			least = way
			break
		}
		if s.sum[way] < s.sum[least] {
			least = way
		}
	}
	s.source[least] = source
	s.clear(least)
	return least
}

// pass lets the time go by for one source: seconds that count no more are
// taken from its sum.
func (s *guardSet) pass(way int, now uint32) {
	if now-s.last[way] >= guardSpan {
		s.clear(way)
	}
	for t := s.last[way]; t != now && s.sum[way] > 0; {
		t++
		s.sum[way] -= s.counts[way][t%guardSpan]
		s.counts[way][t%guardSpan] = 0
	}
	s.last[way] = now
}

func (s *guardSet) clear(way int) {
	s.sum[way], s.counts[way] = 0, [guardSpan]uint32{}
}

// ban begins a ban.
func (g *guard) ban(source uint64) {
	if len(g.order)-g.first >= maxBans {
		g.unban()
	}
	g.banned[source] = struct{}{}
	g.order = append(g.order, ban{source, g.clock + g.banFor})
}

// unban ends the oldest ban. With the last one the memory goes too.
func (g *guard) unban() {
	delete(g.banned, g.order[g.first].source)
	g.first++
	switch left := len(g.order) - g.first; {
	case left == 0:
		g.banned, g.order, g.first = make(map[uint64]struct{}), nil, 0
	case left <= g.first: // moved no oftener than as many have gone
		g.order, g.first = g.order[:copy(g.order, g.order[g.first:])], 0
	}
}
