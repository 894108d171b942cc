package lightdht

import (
	"context"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const (
	lookupRest    = 2 * time.Second // between the beginnings of two lookups, at least
	lookupLongest = 2 * time.Minute // for a lookup that the node makes on its own; most take seconds
)

// agenda is which lookups upkeep has made and is to make. One is under way at a
// time.
type agenda struct {
	rested time.Time // before it no lookup begins
	busy   bool      // a lookup is under way
	done   chan bool // told when it has ended, and whether anybody answered

	joining bool     // the one under way is to join the network again
	join    backoff  // of tries to
	met     bool     // the survey was planned
	survey  []kad.ID // targets to be looked up one after the other, to know somebody in every zone next to ours

	next  time.Time // when the next lookup on schedule is due
	runs  int       // lookups on schedule that were made
	start kad.ID    // where the discoveries begin
	turn  uint32    // discoveries made
}

func newAgenda() agenda { return agenda{start: kad.RandomID(), done: make(chan bool, 1)} }

// lookup starts the lookup that is due, if one is: of our own ID when we have to
// join again, then those of a survey, then those on schedule, then of the range of
// a core that nothing was heard of for the longest.
func (k *keeper) lookup(now time.Time) {
	if k.next.IsZero() { // Bootstrap has looked up our own ID
		k.next, k.rested = now.Add(k.every()), now.Add(lookupRest)
		return
	}
	if k.apart() {
		k.joinAgain(now)
		return
	}
	if !k.met {
		k.met = true
		k.plan()
	}
	switch {
	case len(k.survey) > 0:
		target := k.survey[0]
		k.survey = k.survey[1:]
		k.run(target, "survey")
	case !now.Before(k.next):
		k.next = now.Add(k.every())
		k.run(k.scheduled())
	default:
		k.refresh(now)
	}
}

// due returns when the next lookup may be due.
func (k *keeper) due() time.Time {
	at := k.next
	switch {
	case k.apart():
		at = k.join.next
	case len(k.survey) > 0 || !k.met:
		at = k.rested
	}
	if at.Before(k.rested) {
		return k.rested
	}
	return at
}

// apart reports whether we have to join the network again: nobody is left, or it
// was away, or our ID is another.
func (k *keeper) apart() bool {
	if k.n.rejoin.Load() {
		return true
	}
	for _, e := range k.ends {
		if e.core.Load().len() > 0 {
			return false
		}
	}
	return true
}

// joinAgain looks up our own ID, ever more rarely while nobody answers.
func (k *keeper) joinAgain(now time.Time) {
	if k.join.try(now, k.n.cfg.Timeout, retryLongest) {
		k.n.rejoin.Store(false)
		k.met, k.joining = false, true
		k.run(k.n.ID(), "self")
	}
}

// plan makes a survey of all zones next to ours, from the half of the space that
// we are not in to the one beside our nearest member.
func (k *keeper) plan() {
	self, depth := k.n.ID(), 0
	for _, e := range k.ends {
		for _, m := range e.core.Load().all() {
			depth = max(depth, kad.CommonPrefixLen(self, m.node.ID))
		}
	}
	k.survey = nil
	for i := range min(depth+1, kad.Bits-1) {
		k.survey = append(k.survey, self.Prefix(i).Child(1-self.Bit(i)).Random())
	}
}

// refresh looks up the range of a core that is stale, if one is.
func (k *keeper) refresh(now time.Time) {
	for _, e := range k.ends {
		if target, ok := e.core.Load().stale(now); ok {
			k.run(target, "refresh")
			return
		}
	}
}

// every is the time between two lookups on schedule.
func (k *keeper) every() time.Duration {
	if !k.cfg.Discover {
		return k.cfg.SelfLookup
	}
	return k.cfg.SelfLookup / time.Duration(k.cfg.Discoveries+1)
}

// scheduled returns the target of the next lookup on schedule, and its purpose.
func (k *keeper) scheduled() (target kad.ID, purpose string) {
	k.runs++
	if !k.cfg.Discover || k.runs%(k.cfg.Discoveries+1) == 0 {
		return k.n.ID(), "self"
	}
	k.turn++
	return evenTarget(k.start, k.turn), "explore"
}

// run looks up target.
func (k *keeper) run(target kad.ID, purpose string) {
	k.n.count.add(UpkeepLookups, 1)
	k.rested = time.Now().Add(lookupRest)
	k.busy = k.n.spawn(func() { k.done <- k.n.lookAround(k.n.ctx, target, purpose) })
}

// lookAround looks up target to get to know who is there, and reports whether
// anybody answered. It ends after lookupLongest: whoever draws it out must not
// keep us from looking elsewhere.
func (n *Node) lookAround(ctx context.Context, target kad.ID, purpose string) bool {
	ctx, cancel := context.WithTimeout(ctx, lookupLongest)
	defer cancel()
	res, _ := n.find(ctx, target, LookupConfig{Purpose: purpose}) // its failures are in the counters
	return res.Answered > 0
}

// ended notes the end of a lookup. One that was to join and that nobody answered
// is made again.
func (k *keeper) ended(answered bool) {
	switch {
	case answered:
		k.join = backoff{}
	case k.joining:
		k.n.rejoin.Store(true)
	}
	k.busy, k.joining = false, false
}
