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
//   - Nearest is exact in XOR order for any number asked.
//   - Everything may be called from any goroutine. No lock is held while a
//     caller's code runs (Filter.Match, the body of an iteration), which may
//     itself call the table.
//   - A contact present throughout an iteration is yielded once; one that
//     arrives meanwhile may or may not be.
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
	// creates when it is new, and returns the contact as it now is.
	Observe(s Sighting) (c Contact, added bool)

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

	// Sample returns n distinct contacts of the zone p that f passes, drawn
	// uniformly with r, fewer when there are fewer.
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

// The events.
const (
	Mentioned Event = iota + 1 // another node named it in a node list, or the caller did
	Queried                    // it asked us something
	Replied                    // it answered us, be it with an error
	Failed                     // a query of ours to it had no answer
)

// Filter selects contacts. The zero Filter passes every contact; fields
// combine with and.
type Filter struct {
	Now      time.Time          // what States is judged at; needed when States is set
	States   State              // a set (StateGood|StateQuestionable); 0 means any
	Answered bool               // only contacts that ever answered
	Public   bool               // no routers and no read-only contacts: those that may be handed out
	Distinct bool               // of several with one ID or one address, only the first in order of distance
	Match    func(Contact) bool // any further condition; called under no lock, perhaps more than once for a contact
}

// Good passes the contacts that BEP 5 calls good at the time now.
func Good(now time.Time) Filter { return Filter{Now: now, States: StateGood} }
