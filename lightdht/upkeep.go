package lightdht

import (
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// UpkeepConfig says what a node does on its own to stay a member of the network.
// The zero value is good: a core of a few hundred contacts around our ID is kept
// fresh, as BEP 5 says, with pings to members silent for 15 minutes and lookups
// in parts of the ID space that nothing was heard of for as long. The rest of the
// table is remembered and not pinged.
//
// It begins with Bootstrap, or Explore, which calls it; a node that only looks
// something up is no member, and just keeps those fresh whom it met.
type UpkeepConfig struct {
	Off bool // ask nothing unless the caller does

	// Discover makes the node look up targets all over the ID space, to get to
	// know ever more of the network: Discoveries of them between two lookups of
	// our own ID.
	Discover    bool
	SelfLookup  time.Duration // between two lookups of our own ID; 0: 3 min with Discover, else 15 min
	Discoveries int           // 0: 10
}

func (c UpkeepConfig) withDefaults() UpkeepConfig {
	def := 15 * time.Minute
	if c.Discover {
		def = 3 * time.Minute
	}
	c.SelfLookup = or(c.SelfLookup, def)
	c.Discoveries = or(c.Discoveries, 10)
	return c
}

const (
	upkeepPings  = 4           // members pinged in a round
	upkeepBreath = time.Second // between two rounds, at least
	upkeepAtMost = time.Minute // between two rounds
)

// keeper is the upkeep of a node. It belongs to its goroutine.
type keeper struct {
	n     *Node
	cfg   UpkeepConfig
	clock wallClock
	ends  []keptEnd // of the node's, one each
	agenda
}

// keptEnd is what a keeper knows of an endpoint.
type keptEnd struct {
	*endpoint
	proof backoff // of pings to learn what a time-out means
	reach backoff // of tries to reach a network that is away
}

// backoff spaces tries ever more widely while they come to nothing.
type backoff struct {
	pause time.Duration
	next  time.Time // when the next try may be made
}

// try reports whether a try may be made now, and if so puts the next one off, by
// least at first and twice as long every time, up to most.
func (b *backoff) try(now time.Time, least, most time.Duration) bool {
	if now.Before(b.next) {
		return false
	}
	b.pause = min(max(2*b.pause, least), most)
	b.next = now.Add(b.pause)
	return true
}

// upkeep keeps the node a member of the network until it is closed.
func (n *Node) upkeep() {
	k := newKeeper(n)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-n.stir:
		case answered := <-k.done:
			k.ended(answered)
		case <-n.ctx.Done():
			return
		}
		now := time.Now()
		k.round(now)
		timer.Reset(k.pause(now))
	}
}

func newKeeper(n *Node) *keeper {
	k := &keeper{n: n, cfg: n.cfg.Upkeep, agenda: newAgenda()}
	for _, e := range n.ends {
		k.ends = append(k.ends, keptEnd{endpoint: e})
	}
	return k
}

// stirUpkeep makes a round come now.
func (n *Node) stirUpkeep() {
	select {
	case n.stir <- struct{}{}:
	default:
	}
}

// round does what is due.
func (k *keeper) round(now time.Time) {
	k.watchClock(now)
	if k.cfg.Off {
		return
	}
	there := false
	for i := range k.ends {
		e := &k.ends[i]
		if e.life.isAway() {
			k.reach(e, now)
			continue
		}
		there = true
		if e.life.doubt() {
			k.prove(e, now)
		}
		for _, member := range e.core.Load().pings(now, nil, upkeepPings) {
			k.ping(member)
		}
	}
	if there && k.n.joined.Load() && k.n.calling.Load() == 0 && !k.busy && !now.Before(k.rested) {
		k.lookup(now)
	}
}

// pause returns how long nothing is due.
func (k *keeper) pause(now time.Time) time.Duration {
	next := now.Add(upkeepAtMost)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if k.cfg.Off {
		return upkeepAtMost
	}
	for _, e := range k.ends {
		if e.life.isAway() {
			sooner(e.reach.next)
		} else {
			sooner(e.core.Load().next(now))
		}
	}
	if k.n.joined.Load() && !k.busy {
		sooner(k.due())
	}
	return max(next.Sub(now), upkeepBreath)
}

// watchClock notices a stepped clock. After a leap forward the machine may have
// slept: whoever is known is to be met again.
func (k *keeper) watchClock(now time.Time) {
	step := k.clock.check(now, now.Sub(k.n.began))
	if step == 0 {
		return
	}
	k.n.count.add(ClockSteps, 1)
	k.n.steps.add(ClockStep{now.Round(0), step})
	k.n.cfg.Logger.Warn("the wall clock was stepped, or the machine slept", "by", step)
	if step > 0 {
		k.n.rejoin.Store(true)
	}
}

// ping pings a member of a core. What comes of it is seen to elsewhere.
func (k *keeper) ping(node kad.NodeInfo) {
	k.n.count.add(UpkeepPings, 1)
	k.n.AskGo(k.n.ctx, node, krpc.Ping{}, nil)
}
