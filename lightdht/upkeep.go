package lightdht

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// UpkeepConfig says what a node does on its own to stay a member of the network.
// The zero value is good: a core of a few hundred contacts around our ID is kept
// fresh, as BEP 5 says, with pings to members silent for 15 minutes and lookups
// in parts of the ID space that nothing was heard of for as long. The rest of the
// table is remembered and not pinged.
//
// Upkeep begins with Bootstrap, or with the first lookup that asked a bootstrap
// node.
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
	upkeepPings   = 4               // members pinged in a round
	upkeepProofs  = 3               // members pinged to learn what a time-out means
	upkeepBreath  = time.Second     // between two rounds, at least
	upkeepAtLeast = time.Minute     // between two rounds, at most
	proveLongest  = time.Hour       // between two pings to learn what a time-out means, while nobody answers
	upkeepRest    = 2 * time.Second // between the beginnings of two lookups, at least
	retryLongest  = time.Minute     // between two tries to reach a network that is away
	lookupLongest = 2 * time.Minute // for a lookup that the node makes on its own; most take seconds
)

// keeper is the upkeep of a node. It belongs to its goroutine.
type keeper struct {
	n       *Node
	cfg     UpkeepConfig
	clock   wallClock
	start   kad.ID // where the discoveries begin
	turn    uint32 // discoveries made
	nextRun time.Time
	runs    int           // of lookups on schedule: every (Discoveries+1)-th is of our own ID
	retry   time.Duration // pause before the next try to reach the network
	retryAt time.Time
	proof   time.Duration // pause before the next ping to learn what a time-out means
	proofAt time.Time
	survey  []kad.ID  // targets to be looked up one after the other, to know somebody in every zone next to ours
	met     bool      // the first survey was made
	rested  time.Time // before it no further lookup begins
	busy    bool      // a lookup is under way
	done    chan bool // told when it ended, and whether anybody answered
}

// upkeep keeps the node a member of the network until it is closed.
func (n *Node) upkeep() {
	k := &keeper{n: n, cfg: n.cfg.Upkeep, start: kad.RandomID(), done: make(chan bool, 1)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-n.stir:
		case answered := <-k.done:
			k.looked(answered)
		case <-n.ctx.Done():
			return
		}
		now := time.Now()
		k.round(now)
		timer.Reset(k.pause(now))
	}
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
	for _, e := range k.n.ends {
		switch {
		case e.life.isAway():
			k.reach(e, now)
			continue
		case e.life.doubt():
			k.prove(e, now)
		}
		for _, member := range e.core.Load().pings(now, nil, upkeepPings) {
			k.ping(member)
		}
	}
	if k.n.joined.Load() && !k.busy && !now.Before(k.rested) && !k.allAway() {
		k.lookup(now)
	}
}

// watchClock notices a stepped clock. After a leap forward the machine may have
// slept: whoever is known is to be met again.
func (k *keeper) watchClock(now time.Time) {
	step := k.clock.check(now, now.Sub(k.n.began))
	if step == 0 {
		return
	}
	k.n.count.add(ClockSteps, 1)
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

// prove pings some who should answer, since only then it is known what a
// held time-out means. While nobody answers it does so ever more rarely.
func (k *keeper) prove(e *endpoint, now time.Time) {
	if !e.life.silentSince(k.proofAt) {
		k.proof = 0
	} else if now.Before(k.proofAt.Add(k.proof)) {
		return
	}
	k.proof = min(max(2*k.proof, k.n.cfg.Timeout), proveLongest)
	k.proofAt = now
	for _, member := range e.someone(upkeepProofs) {
		k.ping(member)
	}
}

// someone returns up to n members of the core at random, of those that did not
// fail lately, or of the table's good contacts when there are none.
func (e *endpoint) someone(n int) []kad.NodeInfo {
	var out []kad.NodeInfo
	members := slices.DeleteFunc(e.core.Load().all(), func(m coreMember) bool { return m.failures > 0 })
	for _, i := range rand.Perm(len(members))[:min(n, len(members))] {
		out = append(out, members[i].node)
	}
	if len(out) > 0 {
		return out
	}
	known := table.Filter{Now: time.Now(), States: table.StateGood | table.StateQuestionable, Answered: true, Public: true, Distinct: true}
	for _, c := range e.table().AppendNearest(nil, kad.RandomID(), n, known) {
		out = append(out, c.Info())
	}
	return out
}

// reach tries to reach a network that is away, ever more rarely: some members,
// and the places to begin with.
func (k *keeper) reach(e *endpoint, now time.Time) {
	if now.Before(k.retryAt) {
		return
	}
	k.later(now)
	for _, member := range e.someone(upkeepPings) {
		k.ping(member)
	}
	k.n.spawn(func() {
		ctx, cancel := context.WithTimeout(k.n.ctx, k.n.cfg.Timeout)
		defer cancel()
		k.n.introduceOnce(ctx, k.n.places())
	})
}

// allAway reports whether no family has a network.
func (k *keeper) allAway() bool {
	for _, e := range k.n.ends {
		if !e.life.isAway() {
			return false
		}
	}
	return true
}

// lookup starts the lookup that is due, if one is: of our own ID when we have to
// join again, then those on schedule, then of the range of a core that nothing
// was heard of for the longest.
func (k *keeper) lookup(now time.Time) {
	if k.nextRun.IsZero() {
		k.nextRun = now.Add(k.every()) // Bootstrap has looked up our own ID
	}
	switch {
	case k.lonely() || k.n.rejoin.Load():
		k.joinAgain(now)
	case !k.met:
		k.met = true
		k.plan()
		k.lookup(now)
	case len(k.survey) > 0:
		target := k.survey[0]
		k.survey = k.survey[1:]
		k.run(target)
	case !now.Before(k.nextRun):
		k.nextRun = now.Add(k.every())
		k.run(k.scheduled())
	default:
		k.refresh(now)
	}
}

// joinAgain looks up our own ID, ever more rarely while nobody answers.
func (k *keeper) joinAgain(now time.Time) {
	if now.Before(k.retryAt) {
		return
	}
	k.n.rejoin.Store(false)
	k.met = false
	k.later(now)
	k.run(k.n.ID())
}

// plan makes a survey of all zones next to ours, from the half of the space that
// we are not in to the one beside our nearest member.
func (k *keeper) plan() {
	self, depth := k.n.ID(), 0
	for _, e := range k.n.ends {
		for _, m := range e.core.Load().all() {
			depth = max(depth, kad.CommonPrefixLen(self, m.node.ID))
		}
	}
	k.survey = nil
	for i := range min(depth+1, kad.Bits-1) {
		k.survey = append(k.survey, sibling(self, i))
	}
}

// sibling returns a random ID that shares the first i bits with id and no more.
func sibling(id kad.ID, i int) kad.ID {
	return id.Prefix(i).Child(1 - id.Bit(i)).Random()
}

// later puts the next try off, twice as long as the last time.
func (k *keeper) later(now time.Time) {
	k.retry = min(max(2*k.retry, k.n.cfg.Timeout), retryLongest)
	k.retryAt = now.Add(k.retry)
}

// refresh looks up the range of a core that is stale, if one is.
func (k *keeper) refresh(now time.Time) {
	for _, e := range k.n.ends {
		if target, ok := e.core.Load().stale(now); ok {
			k.run(target)
			return
		}
	}
}

// lonely reports whether no core has anybody.
func (k *keeper) lonely() bool {
	for _, e := range k.n.ends {
		if e.core.Load().len() > 0 {
			return false
		}
	}
	return true
}

// every is the time between two lookups on schedule.
func (k *keeper) every() time.Duration {
	if !k.cfg.Discover {
		return k.cfg.SelfLookup
	}
	return k.cfg.SelfLookup / time.Duration(k.cfg.Discoveries+1)
}

// scheduled returns the target of the next lookup on schedule.
func (k *keeper) scheduled() kad.ID {
	k.runs++
	if !k.cfg.Discover || k.runs%(k.cfg.Discoveries+1) == 0 {
		return k.n.ID()
	}
	k.turn++
	return evenTarget(k.start, k.turn)
}

// run looks up target. One lookup is under way at a time.
func (k *keeper) run(target kad.ID) {
	k.n.count.add(UpkeepLookups, 1)
	k.rested = time.Now().Add(upkeepRest)
	k.busy = k.n.spawn(func() {
		k.done <- k.n.lookAround(k.n.ctx, target)
	})
}

// lookAround looks up target to get to know who is there, and reports whether
// anybody answered. It ends after lookupLongest: whoever draws it out must not
// keep us from looking elsewhere.
func (n *Node) lookAround(ctx context.Context, target kad.ID) bool {
	ctx, cancel := context.WithTimeout(ctx, lookupLongest)
	defer cancel()
	res, _ := n.FindClosest(ctx, target) // its failures are in the counters
	return res.Answered > 0
}

// looked notes the end of a lookup. One that nobody answered while we are alone
// is made again.
func (k *keeper) looked(answered bool) {
	k.busy = false
	if answered {
		k.retry = 0
	}
}

// pause returns how long nothing is due.
func (k *keeper) pause(now time.Time) time.Duration {
	next := now.Add(upkeepAtLeast)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if k.cfg.Off {
		return upkeepAtLeast
	}
	for _, e := range k.n.ends {
		if e.life.isAway() {
			sooner(k.retryAt)
		} else {
			sooner(e.core.Load().next(now))
		}
	}
	if k.n.joined.Load() && !k.busy {
		sooner(k.nextRun)
		if len(k.survey) > 0 || !k.met {
			sooner(k.rested)
		}
		if k.lonely() || k.n.rejoin.Load() {
			sooner(k.retryAt)
		}
	}
	return max(next.Sub(now), upkeepBreath)
}
