package lightdht

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

const (
	reachMembers = 4           // members pinged in a try to reach a network that is away
	retryLongest = time.Minute // between two such tries, and between two to join
	proofs       = 3           // members pinged to learn what a time-out means
	proveLongest = time.Hour   // between two such rounds, while nobody answers
)

// prove pings some who should answer, since only then it is known what a
// held time-out means. While nobody answers it does so ever more rarely.
func (k *keeper) prove(e *keptEnd, now time.Time) {
	if !e.life.silentSince(e.proofBegan()) {
		e.proof = backoff{}
	}
	if !e.proof.try(now, k.n.cfg.Timeout, proveLongest) {
		return
	}
	for _, member := range e.someone(proofs) {
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
func (k *keeper) reach(e *keptEnd, now time.Time) {
	if !e.reach.try(now, k.n.cfg.Timeout, retryLongest) {
		return
	}
	for _, member := range e.someone(reachMembers) {
		k.ping(member)
	}
	k.n.spawn(func() {
		ctx, cancel := context.WithTimeout(k.n.ctx, k.n.cfg.Timeout)
		defer cancel()
		k.n.introduceOnce(ctx, k.n.places())
	})
}

// proofBegan returns when members were last pinged to learn what a time-out
// means; the zero time for never.
func (e *keptEnd) proofBegan() time.Time { return e.proof.next.Add(-e.proof.pause) }
