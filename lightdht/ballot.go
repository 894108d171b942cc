package lightdht

import (
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// ballot counts at which address others see us: the ip of their replies, BEP 42.
// Each source has one vote, its latest; a source is an IP address, but those of
// one /24 or /64 are one, so that nobody votes often. An address is elected by a
// clear majority of enough votes, and stays so for a time. It has no clock.
type ballot struct {
	mu      sync.Mutex
	votes   map[netip.Prefix]netip.Addr
	order   []netip.Prefix // sources, the one whose vote was cast first in front
	elected netip.Addr     // zero: none yet
	since   time.Time      // zero: it was elected when the node ran last, and not since
}

const (
	maxVotes   = 64 // sources whose votes count: the last ones
	quorum     = 8  // votes without which nobody is elected
	clearVotes = 3  // of every clearOf votes must be for one address
	clearOf    = 4
	electedFor = time.Hour // at least
)

// vote takes what source says our address is. It reports whether that elected
// another address than before.
func (b *ballot) vote(now time.Time, source, seen netip.Addr) (elected netip.Addr, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cast(vicinity(source), seen)
	agree := 0
	for _, v := range b.votes {
		if v == seen {
			agree++
		}
	}
	switch {
	case len(b.votes) < quorum, agree*clearOf < len(b.votes)*clearVotes:
		return b.elected, false
	case seen == b.elected:
		if b.since.IsZero() {
			b.since = now
		}
		return b.elected, false
	case b.elected.IsValid() && now.Sub(b.since) < electedFor:
		return b.elected, false
	}
	b.elected, b.since = seen, now
	return seen, true
}

// presume takes addr, if it is valid, for elected until the first real majority.
func (b *ballot) presume(addr netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.elected = addr
}

// cast replaces the vote of a source, and forgets the oldest of too many.
func (b *ballot) cast(source netip.Prefix, seen netip.Addr) {
	if b.votes == nil {
		b.votes = map[netip.Prefix]netip.Addr{}
	}
	if _, voted := b.votes[source]; !voted {
		if len(b.order) == maxVotes {
			delete(b.votes, b.order[0])
			b.order = append(b.order[:0], b.order[1:]...)
		}
		b.order = append(b.order, source)
	}
	b.votes[source] = seen
}

// winner returns the elected address; zero when there is none.
func (b *ballot) winner() netip.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.elected
}

// PublicAddr returns the IP address of this node in a family as a clear majority
// of those who answered it see it (BEP 42); the zero Addr while there is none.
func (n *Node) PublicAddr(f kad.Family) netip.Addr {
	if e := n.endpoint(f); e != nil {
		return e.ballot.winner()
	}
	return netip.Addr{}
}
