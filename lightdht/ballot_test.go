package lightdht

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

var (
	ours   = netip.MustParseAddr("1.2.3.4")
	theirs = netip.MustParseAddr("5.6.7.8")
)

// voter is the i-th source: each is in a /24 of its own.
func voter(i int) netip.Addr { return netip.AddrFrom4([4]byte{11, byte(i >> 8), byte(i), 9}) }

// voting is a ballot with a time and a tally of elections.
type voting struct {
	*testing.T
	b       ballot
	now     time.Time
	changes int
}

func newVoting(t *testing.T) *voting { return &voting{T: t, now: time.Unix(1e9, 0)} }

// cast has sources from to to vote, each once.
func (v *voting) cast(seen netip.Addr, from, to int) {
	for i := from; i < to; i++ {
		v.one(voter(i), seen)
	}
}

func (v *voting) one(source, seen netip.Addr) {
	v.Helper()
	elected, changed := v.b.vote(v.now, source, seen)
	if changed {
		v.changes++
	}
	if changed && elected != seen || elected != v.b.winner() {
		v.Errorf("vote says %v, %v, and winner %v", elected, changed, v.b.winner())
	}
}

func (v *voting) is(what string, elected netip.Addr, changes int) {
	v.Helper()
	if got := v.b.winner(); got != elected || v.changes != changes {
		v.Errorf("%s: elected is %v after %d elections, want %v after %d", what, got, v.changes, elected, changes)
	}
}

func TestBallotQuorum(t *testing.T) {
	v := newVoting(t)
	v.is("nobody voted", netip.Addr{}, 0)
	v.cast(ours, 0, quorum-1)
	v.is("one vote short", netip.Addr{}, 0)
	v.cast(ours, 0, quorum-1)
	v.is("the same ones again", netip.Addr{}, 0)
	v.cast(ours, quorum-1, quorum)
	v.is("a quorum", ours, 1)
	v.cast(ours, 0, 100)
	v.is("more of the same", ours, 1)
}

// Three of four votes are a clear majority, and one less is none.
func TestBallotClearMajority(t *testing.T) {
	v := newVoting(t)
	v.cast(theirs, 0, 5)
	v.cast(ours, 5, 19)
	v.is("14 of 19", netip.Addr{}, 0)
	v.cast(ours, 19, 20)
	v.is("15 of 20", ours, 1)
}

// However many addresses of one /24 or /64 vote, they are one source, and only
// what they said last counts.
func TestBallotOneVoteEach(t *testing.T) {
	v := newVoting(t)
	v.cast(ours, 0, quorum-1)
	for i := range 256 {
		v.one(netip.AddrFrom4([4]byte{6, 6, 6, byte(i)}), theirs)
	}
	v.is("7 of 8 votes", netip.Addr{}, 0)
	v.cast(ours, 0, 1)
	v.is("7 of 8, when an honest one speaks", ours, 1)

	v = newVoting(t)
	for i := range 1000 {
		a := netip.MustParseAddr("2606:4700:1:2::").As16()
		a[14], a[15] = byte(i>>8), byte(i)
		v.one(netip.AddrFrom16(a), theirs)
	}
	v.is("a /64", netip.Addr{}, 0)
	for i := range quorum {
		a := netip.MustParseAddr("2606:4700:1::1").As16()
		a[7] = byte(i)
		v.one(netip.AddrFrom16(a), ours)
	}
	v.is("eight of them", ours, 1)
}

// Who changes its mind has one vote still.
func TestBallotLastVoteCounts(t *testing.T) {
	v := newVoting(t)
	v.cast(theirs, 0, quorum-1)
	v.cast(ours, 0, quorum-1)
	v.cast(ours, quorum-1, quorum)
	v.is("all of one mind now", ours, 1)
}

// An address stays elected for an hour, whatever is voted; then the next vote
// decides.
func TestBallotAtMostOnceAnHour(t *testing.T) {
	v := newVoting(t)
	v.cast(ours, 0, quorum)
	v.now = v.now.Add(electedFor - 1)
	v.cast(theirs, 0, 60)
	v.is("within the hour", ours, 1)
	v.now = v.now.Add(1)
	v.is("the hour is over, nobody spoke", ours, 1)
	v.one(voter(0), theirs)
	v.is("the next vote", theirs, 2)
	v.cast(ours, 0, 60)
	v.is("and an hour again", theirs, 2)
}

// Of more sources than are kept, the first are forgotten: an address that was
// left long ago does not stand against the new one for ever.
func TestBallotForgetsTheOldest(t *testing.T) {
	v := newVoting(t)
	v.cast(ours, 0, maxVotes)
	v.now = v.now.Add(2 * electedFor)
	v.cast(theirs, 1000, 1000+maxVotes*clearVotes/clearOf-1)
	v.is("one short of a clear majority", ours, 1)
	v.cast(theirs, 1999, 2000)
	v.is("a clear majority of the last ones", theirs, 2)
	v.cast(theirs, 3000, 4000)
	if len(v.b.votes) != maxVotes || len(v.b.order) != maxVotes {
		t.Errorf("%d votes in an order of %d", len(v.b.votes), len(v.b.order))
	}
}

// Random votes against a twin that keeps every vote ever cast and counts anew.
func TestBallotAgainstTwin(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		v, twin := newVoting(t), ballotTwin{}
		sources, liars := 1+r.IntN(100), r.Float64()
		for range 500 {
			v.now = v.now.Add(time.Duration(r.Int64N(int64(10 * time.Minute))))
			seen := ours
			if r.Float64() < liars {
				seen = netip.AddrFrom4([4]byte{5, 6, 7, byte(r.IntN(3))})
			}
			source := voter(r.IntN(sources))
			v.one(source, seen)
			if want := twin.vote(v.now, source, seen); v.b.winner() != want {
				t.Fatalf("elected is %v, want %v", v.b.winner(), want)
			}
		}
	}
}

type ballotTwin struct {
	cast    []struct{ source, seen netip.Addr }
	elected netip.Addr
	since   time.Time
}

func (b *ballotTwin) vote(now time.Time, source, seen netip.Addr) netip.Addr {
	known := false
	for i := range b.cast {
		if b.cast[i].source == source {
			b.cast[i].seen, known = seen, true
		}
	}
	if !known {
		b.cast = append(b.cast, struct{ source, seen netip.Addr }{source, seen})
	}
	b.cast = b.cast[max(0, len(b.cast)-64):]
	agree := 0.0
	for _, c := range b.cast {
		if c.seen == seen {
			agree++
		}
	}
	if seen != b.elected && len(b.cast) >= 8 && agree/float64(len(b.cast)) >= 0.75 && (!b.elected.IsValid() || !now.Before(b.since.Add(time.Hour))) {
		b.elected, b.since = seen, now
	}
	return b.elected
}

// What was elected in another life stands until a majority speaks: be it for the
// same, which then stays for its time, or for another, at once.
func TestBallotPresumed(t *testing.T) {
	v := newVoting(t)
	v.b.presume(ours)
	v.cast(theirs, 0, quorum-1)
	v.is("no quorum", ours, 0)
	v.cast(theirs, 0, quorum)
	v.is("a quorum for another", theirs, 1)
	v.cast(ours, 0, maxVotes)
	v.is("within the hour", theirs, 1)

	v = newVoting(t)
	v.b.presume(ours)
	v.cast(ours, 0, quorum)
	v.is("a quorum for the same", ours, 0)
	v.cast(theirs, 0, maxVotes)
	v.is("within the hour", ours, 0)
	v.now = v.now.Add(electedFor / 2)
	v.cast(ours, 0, maxVotes)
	v.now = v.now.Add(electedFor / 2)
	v.cast(theirs, 0, maxVotes)
	v.is("after it", theirs, 1)
}
