package table

import (
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Contact is a node's history as this table knows it: one (ID, address) pair
// and what was seen of it. It is a copy; changing it changes nothing.
type Contact struct {
	ID   kad.ID
	Addr netip.AddrPort

	FirstSeen time.Time // when it was first heard of, in any way
	LastSeen  time.Time // when it was last heard of or from, in any way
	LastQuery time.Time // when it last asked us something; zero when never
	LastReply time.Time // when it last answered us; zero when never

	LastRTT  time.Duration // round trip of the last answer, exact; 0 when it never answered
	Failures int           // queries of ours in a row without an answer; an answer resets it
	Queries  uint32        // queries received from it
	Replies  uint32        // answers received from it

	Version  string // the client version it last told ("v", BEP 20), raw bytes; "" when none
	ReadOnly bool   // its last query was marked read-only (BEP 43)
	Router   bool   // it is a bootstrap router: never handed out
	Origin   Origin // how it was first heard of
}

// Info returns the contact's ID and address.
func (c Contact) Info() kad.NodeInfo { return kad.NodeInfo{ID: c.ID, Addr: c.Addr} }

// Times are kept in whole seconds, from 1970 to 2106; the RTT to the
// nanosecond, up to 18 minutes.

// State is BEP 5's judgement of a contact at a point in time.
type State uint8

// The states. Their values are bits, so that a set of them is one number.
const (
	StateGood         State = 1 << iota // answered within FreshFor, or ever answered and asked us within FreshFor
	StateQuestionable                   // neither good nor bad
	StateBad                            // BadAfter or more failures in a row
)

// FreshFor and BadAfter are BEP 5's "15 minutes" and "multiple queries in a row".
const (
	FreshFor = 15 * time.Minute
	BadAfter = 3
)

// Origin is how a contact was first heard of.
type Origin uint8

// The origins.
const (
	FromMention   Origin = iota + 1 // another node named it in a node list
	FromQuery                       // it asked us something
	FromReply                       // it answered us
	FromBootstrap                   // the caller named it
	FromImport                      // a saved table or store held it
)
