package lightdht

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// upkeep is a core for the ID 0 with k = 2: bucket i holds two IDs whose first
// set bit is bit i, the last bucket six, and it splits when four of them lie
// deeper. Its clock begins at minute 0.
type upkeep struct {
	*testing.T
	*core
	start, now time.Time
}

func newUpkeep(t *testing.T, cfg coreConfig) *upkeep {
	if cfg.k == 0 {
		cfg.k = 2
	}
	start := time.Unix(1e9, 0)
	return &upkeep{t, newCore(cfg), start, start}
}

// at sets the clock.
func (u *upkeep) at(minute float64) {
	u.now = u.start.Add(time.Duration(minute * float64(time.Minute)))
}

// member is number n of those that share depth bits with 0; each has a network of
// its own.
func member(depth, n int) kad.NodeInfo {
	id := kad.ID{19: byte(n)}
	id[depth/8] |= 0x80 >> (depth % 8)
	return kad.NodeInfo{ID: id, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(depth), byte(n), 1}), 6881)}
}

func moved(n kad.NodeInfo, addr string) kad.NodeInfo {
	n.Addr = netip.MustParseAddrPort(addr)
	return n
}

func (u *upkeep) answer(nodes ...kad.NodeInfo) {
	for _, n := range nodes {
		u.replied(u.now, n)
	}
}

func (u *upkeep) fail(times int, nodes ...kad.NodeInfo) {
	for _, n := range nodes {
		for range times {
			u.failed(u.now, n)
		}
	}
}

// has holds bucket i to have these members, in the order they joined.
func (u *upkeep) has(i int, want ...kad.NodeInfo) {
	u.Helper()
	var got []kad.NodeInfo
	for _, m := range u.all() {
		if m.bucket == i {
			got = append(got, m.node)
		}
	}
	if !slices.Equal(got, want) {
		u.Errorf("bucket %d has %v, want %v", i, got, want)
	}
	u.sound()
}

// pinged holds pings to give these, in this order.
func (u *upkeep) pinged(max int, want ...kad.NodeInfo) {
	u.Helper()
	if got := u.pings(u.now, nil, max); !slices.Equal(got, want) {
		u.Errorf("after %v pings went to %v, want %v", u.now.Sub(u.start), got, want)
	}
	u.sound()
}

// sound holds the core to what is always so.
func (u *upkeep) sound() {
	u.Helper()
	for _, wrong := range flaws(u.core) {
		u.Error(wrong)
	}
}

// deepen gives a core ten members: two in each of buckets 0 and 1, none in 2,
// one each in 3 and 4, and in the last one, 5, the four that are left.
func deepen(u *upkeep) {
	for depth := range 2 {
		u.answer(member(depth, 1), member(depth, 2))
	}
	for n := range 6 {
		u.answer(member(3+n, 1))
	}
}

func TestCoreSplitsAroundOurID(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	u.answer(member(0, 1), member(0, 2), member(0, 3), member(0, 4), member(5, 1), member(6, 1))
	u.has(0, member(0, 1), member(0, 2), member(0, 3), member(0, 4), member(5, 1), member(6, 1))
	u.answer(member(0, 5)) // who is there stays there
	u.has(0, member(0, 1), member(0, 2), member(0, 3), member(0, 4), member(5, 1), member(6, 1))
	u.answer(member(7, 1)) // but for one of the four nearest
	u.has(0, member(0, 1), member(0, 2), member(0, 3), member(5, 1), member(6, 1), member(7, 1))
	u.answer(member(8, 1))
	u.has(0, member(0, 1), member(0, 2))
	u.has(5, member(5, 1), member(6, 1), member(7, 1), member(8, 1))
}

// Of a full last bucket only one of the four nearest displaces somebody.
func TestCoreTheNearestFourAreMembers(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	full := []kad.NodeInfo{member(0, 8), member(0, 2), member(0, 4), member(0, 6), member(5, 1), member(6, 1)}
	u.answer(full...)
	u.answer(member(0, 5))
	u.has(0, full...)
	u.answer(member(0, 3))
	u.has(0, append(full[1:], member(0, 3))...)
}

func TestCoreBuckets(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.has(0, member(0, 1), member(0, 2))
	u.has(1, member(1, 1), member(1, 2))
	u.has(2)
	u.has(3, member(3, 1))
	u.has(4, member(4, 1))
	u.has(5, member(5, 1), member(6, 1), member(7, 1), member(8, 1))
}

// A last bucket of fewer than four is joined to the one before it.
func TestCoreMergesAroundOurID(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.fail(coreDropAfter, member(8, 1))
	u.has(4, member(5, 1), member(6, 1), member(7, 1), member(4, 1))
	u.answer(member(1, 3))
	u.fail(coreDropAfter, member(7, 1), member(6, 1), member(5, 1))
	u.has(1, member(4, 1), member(3, 1), member(1, 1), member(1, 2), member(1, 3))
	u.fail(coreDropAfter, u.core.nearest(nil, kad.ID{}, 9)...)
	if u.len() != 0 || len(u.buckets) != 1 {
		u.Errorf("%d are left in %d buckets", u.len(), len(u.buckets))
	}
}

func TestCoreAFullBucketHasNewcomersWait(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.answer(member(0, 3), member(0, 4), member(0, 5)) // 3 is forgotten: two may wait
	u.has(0, member(0, 1), member(0, 2))
	u.fail(1, member(0, 1))
	u.has(0, member(0, 1), member(0, 2))
	u.fail(1, member(0, 1))
	u.has(0, member(0, 2), member(0, 5))
	u.fail(2, member(0, 2))
	u.has(0, member(0, 5), member(0, 4))
	u.fail(2, member(0, 5))
	u.has(0, member(0, 5), member(0, 4)) // nobody waits: 5 stays, bad
	u.answer(member(0, 3))
	u.has(0, member(0, 4), member(0, 3))
}

func TestCoreTheWorstMemberMakesRoomFirst(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.fail(2, member(0, 1))
	u.fail(3, member(0, 2))
	u.answer(member(0, 3))
	u.has(0, member(0, 1), member(0, 3))
}

func TestCoreWhoWaitsLeavesWithTheFirstFailure(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.answer(member(0, 3), member(0, 4))
	u.answer(member(0, 3)) // the newest again
	u.fail(1, member(0, 3))
	u.fail(2, member(0, 1))
	u.has(0, member(0, 2), member(0, 4))
}

func TestCoreAnAnswerForgivesFailures(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.fail(1, member(0, 1))
	u.answer(member(0, 1), member(0, 3))
	u.fail(1, member(0, 1))
	u.heard(u.now, member(0, 1))
	u.has(0, member(0, 1), member(0, 2))
	u.heard(u.now, member(0, 1)) // asking forgives nothing
	u.fail(1, member(0, 1))
	u.has(0, member(0, 2), member(0, 3))
}

func TestCoreStrangersDoNotJoinByAsking(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	u.heard(u.now, member(0, 1))
	u.fail(1, member(0, 2))
	u.answer(kad.NodeInfo{Addr: member(0, 3).Addr}, kad.NodeInfo{ID: member(0, 4).ID})
	u.has(0)
}

// The name of a member is not to be had while it answers.
func TestCoreAnIDAtAnotherAddress(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	thief := moved(member(3, 1), "10.99.0.1:1")
	u.answer(thief)
	u.has(3, member(3, 1)) // though there is room
	u.fail(1, member(3, 1), moved(member(3, 1), "10.98.0.1:1"))
	u.has(3, member(3, 1))
	u.fail(1, member(3, 1))
	u.has(3, thief)
	u.answer(member(3, 1))
	u.has(3, thief)
}

func TestCoreAnAddressWithAnotherID(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	deepen(u)
	u.answer(member(0, 3))
	other := moved(member(3, 2), member(0, 1).Addr.String())
	u.answer(other)
	u.has(0, member(0, 2), member(0, 3))
	u.has(3, member(3, 1), other)
	u.answer(kad.NodeInfo{Addr: other.Addr}) // with our own ID
	u.has(3, member(3, 1))
}

func TestCoreSpread(t *testing.T) {
	for _, test := range []struct {
		first, second string
		same          bool
	}{
		{"192.0.2.1:1", "192.0.2.200:2", true},
		{"192.0.2.1:1", "192.0.3.1:1", false},
		{"[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::1]:1", true},
		{"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
		{"[c000:201::1]:1", "192.0.2.1:1", false},
	} {
		for _, spread := range []bool{true, false} {
			u := newUpkeep(t, coreConfig{spread: spread})
			deepen(u)
			a, b := moved(member(2, 1), test.first), moved(member(2, 2), test.second)
			elsewhere := moved(member(3, 2), test.second)
			u.answer(a, elsewhere)
			u.has(3, member(3, 1), elsewhere)
			u.answer(a, b)
			if test.same && spread {
				u.answer(moved(b, test.second+"1"))
				b = moved(b, test.second+"1")
				u.has(2, a)
				u.fail(2, a)
				u.has(2, b)
			} else {
				u.has(2, a, b)
			}
		}
	}
}

// Nobody takes two places at once.
func TestCoreBarredByTwo(t *testing.T) {
	u := newUpkeep(t, coreConfig{spread: true})
	deepen(u)
	neighbour := moved(member(3, 2), "10.77.0.1:1")
	u.answer(neighbour)
	u.fail(2, member(3, 1), neighbour)
	u.answer(moved(member(3, 1), "10.77.0.2:1"))
	u.has(3, member(3, 1), neighbour)
}

func TestCorePingsTheSilent(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	a, b, c := member(0, 1), member(3, 1), member(7, 1)
	u.answer(b)
	u.at(1)
	u.answer(c)
	u.at(2)
	u.answer(a)
	u.at(3)
	u.heard(u.now, b)
	u.at(15.99)
	u.pinged(9)
	u.at(16)
	u.pinged(9, c)
	u.pinged(9)
	u.answer(c)
	u.at(18)
	u.pinged(0)
	u.pinged(1, a)
	u.pinged(9, b)
	u.at(18.99)
	u.pinged(9)
	u.at(19)
	u.pinged(9, b, a) // nothing was reported: again
	u.answer(a, b)
	u.at(31)
	u.pinged(9, c)
	u.at(34)
	u.answer(c)
	u.pinged(9, b, a)
}

// A member that does not answer is pinged ever more rarely, and dropped.
func TestCorePingsTheFailing(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	u.answer(member(0, 1))
	minute := 15.0
	for i, gap := range []float64{1, 2, 4, 8, 16, 32, 60, 0} {
		u.at(minute - 0.01)
		u.pinged(9)
		u.at(minute)
		u.pinged(9, member(0, 1))
		u.fail(1, member(0, 1))
		if good := len(u.nearest(nil, kad.ID{}, 9)); good != max(0, 1-i) {
			u.Errorf("%d are handed out after %d failures", good, i+1)
		}
		minute += gap
	}
	u.has(0)
	u.at(1000)
	u.pinged(9)
}

// Somebody who fails in between is asked soon, and is fresh again if it answers.
func TestCorePingsTheFailedSoon(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	u.answer(member(0, 1))
	u.at(5)
	u.fail(1, member(0, 1))
	u.at(5.99)
	u.pinged(9)
	u.at(6)
	u.pinged(9, member(0, 1))
	u.answer(member(0, 1))
	u.at(20.9)
	u.pinged(9)
	u.at(21)
	u.pinged(9, member(0, 1))
}

// After hours without a word all are asked, a few at a time, and good again.
func TestCoreAfterAnOutage(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	var all []kad.NodeInfo
	for i, n := range []kad.NodeInfo{member(5, 1), member(0, 1), member(6, 1), member(0, 2), member(1, 1), member(7, 1)} {
		u.at(float64(i))
		u.answer(n)
		all = append(all, n)
	}
	u.at(600)
	if got := u.nearest(nil, kad.ID{}, 9); len(got) != len(all) {
		u.Errorf("%d are handed out, want %d", len(got), len(all))
	}
	for i := 0; i < len(all); i += 2 {
		u.pinged(2, all[i:i+2]...)
		u.answer(all[i : i+2]...)
	}
	u.at(614)
	u.pinged(9)
}

// refreshes holds stale to give targets in these buckets' ranges, then nothing.
func (u *upkeep) refreshes(want ...int) {
	u.Helper()
	got := []int{}
	for target, ok := u.stale(u.now); ok; target, ok = u.stale(u.now) {
		got = append(got, min(kad.CommonPrefixLen(target, kad.ID{}), len(u.buckets)-1))
	}
	if !slices.Equal(got, append([]int{}, want...)) {
		u.Errorf("after %v refreshed %v, want %v", u.now.Sub(u.start), got, want)
	}
}

func TestCoreStale(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	u.at(-60)
	u.refreshes()
	u.at(0)
	deepen(u)
	u.at(1)
	u.looked(u.now, member(2, 9).ID)
	u.looked(u.now, kad.ID{})
	u.at(2)
	u.answer(member(4, 2), member(3, 1)) // 4 has one more; 3 has room though it answers
	u.at(3)
	u.answer(member(0, 2)) // of a full bucket
	u.at(14.99)
	u.refreshes()
	u.at(15)
	u.refreshes(1, 3)
	u.at(17)
	u.refreshes(2, 5, 4)
	u.at(18)
	u.refreshes(0)
	u.at(29.99)
	u.refreshes()
	u.at(60)
	u.refreshes(1, 3, 2, 4, 5, 0)
}

// Of two ranges that are joined, the one refreshed longer ago counts.
func TestCoreStaleAfterAMerge(t *testing.T) {
	for _, looked := range []kad.ID{{}, member(4, 9).ID} {
		u := newUpkeep(t, coreConfig{})
		deepen(u)
		u.at(5)
		u.looked(u.now, looked)
		u.at(10)
		u.fail(coreDropAfter, member(8, 1))
		u.at(15)
		u.refreshes(0, 1, 2, 3, 4)
	}
}

func TestCoreStaleDrawsFromItsSource(t *testing.T) {
	u := newUpkeep(t, coreConfig{self: kad.ID{0xff}, random: func() kad.ID { return kad.ID{0xd5, 0x77} }})
	u.answer(kad.NodeInfo{ID: kad.ID{1}, Addr: member(0, 1).Addr})
	u.at(15)
	if target, ok := u.stale(u.now); !ok || target != (kad.ID{0xd5, 0x77}) {
		u.Errorf("refreshes %v (%v)", target, ok)
	}
}

// Whoever sleeps until next has something to do then, and never before.
func TestCoreNext(t *testing.T) {
	u := newUpkeep(t, coreConfig{})
	if at := u.next(u.now); !at.IsZero() {
		u.Errorf("an empty core has something to do at %v", at)
	}
	for i, n := range []kad.NodeInfo{member(5, 1), member(0, 1), member(6, 1), member(0, 2), member(1, 1), member(7, 1), member(8, 1)} {
		u.at(float64(i) / 3)
		u.answer(n)
	}
	for step := range 200 {
		at := u.next(u.now)
		u.now = at.Add(-1)
		if _, ok := u.stale(u.now); ok || len(u.pings(u.now, nil, 9)) > 0 {
			u.Fatalf("step %d: something to do before %v", step, at)
		}
		u.now = at
		_, ok := u.stale(at)
		due := u.pings(at, nil, 9)
		if !ok && len(due) == 0 {
			u.Fatalf("step %d: nothing to do at %v", step, at)
		}
		for i, n := range due {
			switch {
			case n == member(0, 1) || n == member(5, 1):
				u.failed(at, n)
			case i%2 == 0:
				u.replied(at, n)
			}
		}
	}
	if u.len() != 5 {
		u.Errorf("%d are left, want all but the two that failed", u.len())
	}
}
