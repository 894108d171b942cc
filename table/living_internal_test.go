package table

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// start is when the clocks of these tests begin.
const start = 1_800_000_000

const stale = int(staleAfter)

// crowd is a table and its i-th contact's sightings.
type crowd struct {
	*contacts
	t *testing.T
}

func crowds(t *testing.T, test func(t *testing.T, c crowd)) {
	t.Run("flat", func(t *testing.T) { test(t, crowd{&NewFlat().(*Flat).contacts, t}) })
	t.Run("prefix", func(t *testing.T) { test(t, crowd{&NewPrefix().(*Prefix).contacts, t}) })
}

func (c crowd) see(i, sec int, e Event) Contact {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], uint32(i))
	n := kad.NodeInfo{Addr: netip.AddrPortFrom(netip.AddrFrom4(a), 1)}
	binary.BigEndian.PutUint64(n.ID[:], uint64(i)*0x9e3779b97f4a7c15)
	got, _ := c.Observe(Sighting{Node: n, Time: time.Unix(int64(sec), 0), Event: e})
	return got
}

// settled has one contact mentioned until nobody's time is up any more.
func (c crowd) settled(sec int) crowd {
	for range c.Len() + 2*tendEvery*zones {
		c.see(0, sec, Mentioned)
	}
	return c
}

// live fails the test unless so many are in classLive, and checks the queue:
// whoever is marked is in it, once, and nobody stale was heard of after lastStale.
func (c crowd) live(want int) {
	c.t.Helper()
	if got := c.alive(); got != want {
		c.t.Errorf("%d are live, want %d", got, want)
	}
	c.check()
}

// alive returns how many are in classLive.
func (c crowd) alive() (n int) {
	for z := range c.in(kad.Prefix{}) {
		n += z.in(classLive)
	}
	return n
}

// in returns how many are in the index of a class.
func (z *zone) in(c class) int {
	if z.nearest[c] == nil {
		return 0
	}
	return z.nearest[c].len()
}

func (c crowd) check() {
	c.t.Helper()
	for z := range c.in(kad.Prefix{}) {
		z.check(c.t)
	}
}

func (z *zone) check(t *testing.T) {
	t.Helper()
	times := map[uint32]int{}
	l := &z.living
	for chunk, at := l.head, l.at; chunk != nil; chunk, at = chunk.next, 0 {
		end := len(chunk.pos)
		if chunk == l.tail {
			end = l.end
		}
		for _, pos := range chunk.pos[at:end] {
			times[pos]++
		}
	}
	var sizes [classes]int
	for pos := range z.slab.size() {
		r := z.slab.at(pos)
		sizes[r.class()]++
		if queued := r.flags&flagQueued != 0; queued != (times[pos] == 1) || times[pos] > 1 {
			t.Fatalf("contact %d: queued is %v, and it is in the queue %d times", pos, queued, times[pos])
		}
		if r.class() == classStale && max(r.reply, r.query) > l.lastStale {
			t.Fatalf("contact %d is stale, heard of at %d, after %d", pos, max(r.reply, r.query), l.lastStale)
		}
	}
	for i, n := range sizes {
		if got := z.in(class(i)); got != n {
			t.Fatalf("the index of class %d holds %d, want %d", i, got, n)
		}
	}
}

func TestStaleLeaveTheLiving(t *testing.T) {
	const n, slow = 3000, 5 * stale
	crowds(t, func(t *testing.T, c crowd) {
		for i := range n {
			c.see(i, start, Replied)
		}
		c.live(n)
		for i := range 100 {
			c.see(i, start+stale, Queried)
		}
		c.live(n)
		c.settled(start + stale + 1).live(100)
		c.settled(start + slow).live(0)
		for i := range 200 {
			c.see(i, start+slow, Queried)
		}
		c.live(200)
		for range BadAfter {
			c.see(0, start+slow, Failed)
		}
		c.live(199)
		c.see(0, start+slow, Replied) // while still in the queue
		c.live(200)
	})
}

// A search for the good leaves out classStale, from as soon as it may.
func TestGoodReadTheLivingAlone(t *testing.T) {
	crowds(t, func(t *testing.T, c crowd) {
		for i := range 1000 {
			c.see(i, start, Replied)
		}
		now := start + stale + 1
		c.settled(now).live(0)
		var q query
		for z := range c.in(kad.Prefix{}) {
			q.enter(z, z.slab.size())
			break
		}
		for sec, want := range map[int]bool{now: true, start + 901: true, start + 900: false, start: false} {
			good, questionable := Good(time.Unix(int64(sec), 0)), Filter{Now: time.Unix(int64(sec), 0), States: StateQuestionable}
			q.aim(kad.ID{}, anywhere, &good)
			q.resume()
			if q.heads[classStale].done != want {
				t.Errorf("%d s later the stale are left out: %v", sec-start, !want)
			}
			q.aim(kad.ID{}, anywhere, &questionable)
			if q.resume(); q.heads[classStale].done {
				t.Errorf("%d s later nobody asks the stale who is questionable", sec-start)
			}
		}
	})
}

// A clock that was ahead for a moment or for a while, and sightings of long
// ago, leave the queue working.
func TestClocksThatStep(t *testing.T) {
	const n, century, later = 2000, start + 2_000_000_000, start + 2*stale
	crowds(t, func(t *testing.T, c crowd) {
		c.see(n, century, Replied) // is good for a century, whoever asks
		for i := range n {
			c.see(i, start, Replied)
		}
		c.see(n+1, century, Replied)
		c.see(n+2, 5, Replied)
		c.check()
		if left := c.Len() - c.alive(); left > sweepMax*(1+tendEvery) { // to the clock ahead they were stale
			t.Errorf("a clock that was ahead for a moment took %d of the living", left)
		}
		c.settled(later).settled(later + stale + 1).live(2)
		for i := range n {
			c.see(i, later, Replied)
		}
		c.live(n + 2)
		c.settled(century).live(2)
		c.settled(later)
		for i := range 50 {
			c.see(i, later+10, Replied)
		}
		c.live(52)
		if good := c.AppendNearest(nil, kad.ID{}, 2*n, Good(time.Unix(int64(later)+10, 0))); len(good) != n+2 {
			t.Errorf("%d good, want %d", len(good), n+2)
		}
	})
}

// However the times go, the queue holds everybody once at most.
func TestQueueInDisorder(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	crowds(t, func(t *testing.T, c crowd) {
		r := rand.New(rand.NewPCG(seed, 0))
		for i := range 30_000 {
			got := c.see(r.IntN(1500), start+i/10+r.IntN(4)*1000, Event(1+r.IntN(4)))
			if r.IntN(10) == 0 {
				got.Failures = r.IntN(6) - 1
				got.LastReply = time.Unix(start+r.Int64N(6000), 0)
				c.Restore(got)
			}
			if r.IntN(10) == 0 {
				got.LastQuery = time.Unix(start+r.Int64N(6000), 0)
				c.Merge(got)
			}
			if i%3000 == 0 {
				c.check()
			}
		}
		c.check()
	})
}

// Moving a table finds out again who is alive.
func TestRestoreFindsTheLiving(t *testing.T) {
	const n, now = 5000, start + 10*stale
	crowds(t, func(t *testing.T, from crowd) {
		for i := range n {
			from.see(i, start+i/100, Replied)
		}
		for i := range 300 {
			from.see(7*i, now, Replied)
		}
		crowds(t, func(t *testing.T, to crowd) {
			for c := range from.All() {
				to.Restore(c)
			}
			to.live(300)
		})
	})
}

// The lists of a flat table shrink with the living.
func TestFlatGivesBack(t *testing.T) {
	c := crowd{&NewFlat().(*Flat).contacts, t}
	for i := range 4 * chunkLen * zones {
		c.see(i, start, Replied)
	}
	c.settled(start + 1000).live(0)
	for z := range c.in(kad.Prefix{}) {
		if ids := z.nearest[classLive].(*flatIndex).ids; len(ids.full) > 0 {
			t.Errorf("%d chunks for nobody", len(ids.full)+1)
		}
	}
}

// Whoever stays alive comes out of the queue and goes in again, in the same memory.
func TestTurningAllocatesNothing(t *testing.T) {
	crowds(t, func(t *testing.T, c crowd) {
		const n = 600 // each is seen every ten minutes
		sec := start
		turn := func() {
			for range 5 * n {
				c.see(sec%n, sec, Replied)
				sec++
			}
		}
		turn()
		since := func() uint32 { return c.zone(kad.ID{}).living.head.since }
		before := since()
		if allocs := testing.AllocsPerRun(3, turn); allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
		if c.live(n); since() == before {
			t.Error("the queue does not turn")
		}
	})
}
