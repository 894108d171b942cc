// Package table holds every contact a node ever heard of, in one of two shapes
// chosen at run time: [Flat], a list that is scanned, and [Prefix], levels of
// ID prefixes over b-trees.
//
//	t, err := table.New("prefix")
//	t.Observe(table.Sighting{Node: info, Time: now, Event: table.Replied, RTT: rtt})
//	near := t.AppendNearest(nil, target, 8, table.Good(now))
//	for c := range t.All() { … }
//
// Promises, for both shapes:
//
//   - Nothing is forgotten: a contact that failed keeps its history.
//   - A contact is an (ID, address) pair; a sighting at another address adds a
//     contact and never rewrites one.
//   - Nearest is exact in XOR order for any number asked. While others write, it
//     is of each 64th of the ID space as it was when that was read.
//   - Everything may be called from any goroutine. No lock is held while a
//     caller's code runs (Filter.Match, the body of an iteration), which may
//     itself call the table.
//   - A contact present throughout an iteration is yielded once; one that
//     arrives meanwhile may or may not be. Of one that changes meanwhile, the
//     history is at most a page of iteration old.
//
// How it is built: 64 zones of the ID space, each with a lock of its own, so that
// writers and readers seldom meet. In a zone, histories are records without
// pointers, for which the garbage collector does nothing; indexes hold their
// positions. Those who never answered, and those who answer no more, are in
// indexes of their own, so that crowds of them do not slow a search for the
// others. MEMORY.md says what a contact takes.
//
// What it costs, on a server with 2 cores (the benchmarks and cost_test.go
// measure it, go test -bench . -huge ./table; lightdht bench table does, too):
//
//	                                        Flat       Prefix
//	Observe, known of 1 M                   0.5 µs     0.5 µs
//	Observe, new                            0.5 µs     1.1 µs
//	AppendNearest, 8 of 1 k                 0.8 µs     0.6 µs
//	AppendNearest, 8 of 1 M / of 10 M       57 / 390   1.8 / 2.6 µs
//	the same, when it is in the cache                  0.8 / 1.0 µs
//	8 good ones of 1 M, 90 % bad            24 µs      1.3 µs
//	8 good ones of 1 M, 99.9 % stale        0.9 µs     0.6 µs
//	8 of 100 k whose IDs share 100 bits     1.3 ms     3.8 µs
//
// Caveats: what has to come from memory decides at a million. Flat's figures, and
// the time for which a search holds the lock of its zone, grow with the table.
// Positions are 32 bits. Times are seconds since 1970 in 32 bits, until 2106. A
// zone with very many contacts, because IDs crowd there, now and then moves a
// quarter of its hash index, or half a b-tree, which takes some milliseconds. A
// host that makes up hundreds of IDs around a target costs a search with Distinct
// 0.1 ms and more: see Config.MaxIDsPerAddr of package lightdht.
package table

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Table is an unbounded routing table.
type Table interface {
	// Observe adds what was just seen to the history of a contact, which it
	// creates when it is new, and returns the contact as it now is. Sightings
	// may come in any order: times never go backwards, and what the last query
	// or answer told is what the latest one told.
	Observe(s Sighting) (c Contact, added bool)

	// Restore puts in a contact with its whole history, in place of what is
	// known of this ID at this address, and reports whether that was nothing.
	// It is for what a table gave: to move all of one table to another, or to
	// load what was saved. Get then returns c, down to the second. What a table
	// cannot hold is brought to the nearest that it can; no FirstSeen or
	// LastSeen at all is the start of 1970.
	Restore(c Contact) (added bool)

	// Merge adds the history c, of sightings that the table was not told, to what
	// is known of this ID at this address, and reports whether that was nothing.
	// The two may be told in either order:
	//
	//	Queries, Replies           add up
	//	FirstSeen, Origin          of the one that was seen first
	//	LastSeen, LastQuery,
	//	LastReply                  the later
	//	LastRTT                    of the later answer
	//	ReadOnly                   of the later query
	//	Version                    of the later query or answer, but "" only if neither has one
	//	Failures                   since the later answer: of the one that has it, and of the
	//	                           other if it began after that; without any answer they add up
	//	Router                     if either says so
	//
	// Of what happened in one second, what is known counts as the later, and as
	// what was first. So of sightings in order of time, some observed and the
	// others merged make the same as all observed, but for three things: two
	// histories that meet within a second, a client version that is told to be "",
	// and one that a failure began, whose LastSeen is then that failure.
	// What a table cannot hold is as in Restore.
	Merge(c Contact) (added bool)

	// AppendNearest appends to dst the n contacts nearest to target that f
	// passes, nearest first, fewer when there are fewer. Contacts with the same
	// ID stand in order of their addresses. n <= 0 appends nothing. It does not
	// allocate when dst has room and f has no Match.
	AppendNearest(dst []Contact, target kad.ID, n int, f Filter) []Contact

	// Nearest yields the contacts that f passes in order of their distance to
	// target.
	Nearest(target kad.ID, f Filter) iter.Seq[Contact]

	// All yields every contact, in no particular order.
	All() iter.Seq[Contact]

	// Under yields every contact whose ID lies in the zone p, in no particular
	// order.
	Under(p kad.Prefix) iter.Seq[Contact]

	// Get returns the contact with this ID at this address.
	Get(node kad.NodeInfo) (c Contact, ok bool)

	// Count returns the number of contacts whose ID lies in the zone p.
	Count(p kad.Prefix) int

	// Sample returns n different contacts of the zone p that f passes, drawn
	// uniformly with r, fewer when there are fewer. With Distinct, of several
	// with one ID or address the one that is drawn first stands for all.
	Sample(r *rand.Rand, n int, p kad.Prefix, f Filter) []Contact

	// Len returns the number of contacts.
	Len() int

	// Drops returns what could not be kept.
	Drops() Drops
}

// Drops counts what a table was told and did not keep.
type Drops struct {
	VersionsCut  uint64 // sightings with a client version over 64 bytes, of which 64 were kept
	VersionsLost uint64 // sightings with a new client version when 65,535 were known; kept as ""
}

// New returns an empty table of the named kind: "flat" or "prefix"; "" means
// "prefix".
func New(kind string) (Table, error) {
	switch kind {
	case "flat":
		return NewFlat(), nil
	case "prefix", "":
		return NewPrefix(), nil
	}
	return nil, fmt.Errorf("no table %q: choose flat or prefix", kind)
}

// Sighting is one observation of a contact, to be added to its history.
type Sighting struct {
	Node  kad.NodeInfo // its address unmapped
	Time  time.Time    // when; never the zero time
	Event Event

	RTT      time.Duration // of a Replied
	Version  []byte        // of a Queried or Replied: the client version told, nil when none; copied
	ReadOnly bool          // of a Queried: it was marked read-only
	Router   bool          // of any: it is a bootstrap router from now on
	Origin   Origin        // how it was heard of, if this is the first time; 0: as the event says
}

// Event is what happened.
type Event uint8

// The events, and what they add to a history. Any of them creates the contact,
// or moves FirstSeen back when it is older; all but Failed move LastSeen on.
const (
	// Mentioned: another node named it in a node list, or the caller did.
	Mentioned Event = iota + 1

	// Queried: it asked us something. Queries is one more; LastQuery,
	// ReadOnly and, if told, Version are those of the latest query.
	Queried

	// Replied: it answered us, be it with an error. Replies is one more and
	// Failures none; LastReply, LastRTT and, if told, Version are those of
	// the latest answer.
	Replied

	// Failed: a query of ours to it had no answer. Failures is one more.
	Failed
)

// Filter selects contacts. The zero Filter passes every contact; fields
// combine with and. Distinct comes last: it lets through, in order of distance,
// whoever passes all else and shares neither ID nor address with one that it
// let through before.
type Filter struct {
	Now      time.Time          // what States is judged at; needed when States is set
	States   State              // a set (StateGood|StateQuestionable); 0 means any
	Answered bool               // only contacts that ever answered
	Public   bool               // those that may be handed out: no routers, and no read-only contacts but those that answered all the same, since anybody can mark a query so in another's name
	Distinct bool               // of several with one ID or one address, only the first in order of distance
	Match    func(Contact) bool // any further condition; called under no lock, perhaps more than once for a contact
}

// Good passes the contacts that BEP 5 calls good at the time now.
func Good(now time.Time) Filter { return Filter{Now: now, States: StateGood} }
