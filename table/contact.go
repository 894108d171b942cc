package table

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Contact is a node's history as this table knows it: one (ID, address) pair
// and what was seen of it. It is a copy; changing it changes nothing. Contacts
// are comparable with ==.
//
// Times are kept in whole seconds, from 1970 to 2106, and given in UTC; the RTT
// is kept to the nanosecond, up to 18 minutes. An IPv6 zone is not kept.
type Contact struct {
	ID   kad.ID
	Addr netip.AddrPort

	FirstSeen time.Time // when it was first heard of, in any way
	LastSeen  time.Time // when it was last heard of or from, in any way
	LastQuery time.Time // when it last asked us something; zero when never
	LastReply time.Time // when it last answered us; zero when never

	LastRTT  time.Duration // round trip of the last answer, exact; 0 when it never answered
	Failures int           // queries of ours in a row without an answer, up to 255; an answer resets it
	Queries  uint32        // queries received from it
	Replies  uint32        // answers received from it

	Version  string // the client version it last told ("v", BEP 20), raw bytes; "" when none
	ReadOnly bool   // its last query was marked read-only (BEP 43)
	Router   bool   // it is a bootstrap router: never handed out
	Origin   Origin // how it was first heard of
}

// Info returns the contact's ID and address.
func (c Contact) Info() kad.NodeInfo { return kad.NodeInfo{ID: c.ID, Addr: c.Addr} }

// State judges c at the time now, as BEP 5 does:
//
//   - bad, when BadAfter or more of our queries in a row had no answer;
//   - else good, when it ever answered and either answered or asked us
//     something within FreshFor, the end included;
//   - else questionable. Who never answered is never good.
//
// An answer later than now (two clocks, or a judgement of the past) counts as
// fresh.
func (c Contact) State(now time.Time) State {
	switch {
	case c.Failures >= BadAfter:
		return StateBad
	case !c.LastReply.IsZero() && (fresh(c.LastReply, now) || fresh(c.LastQuery, now)):
		return StateGood
	}
	return StateQuestionable
}

func fresh(t, now time.Time) bool { return now.Sub(t) <= FreshFor }

// State is BEP 5's judgement of a contact at a point in time, see
// [Contact.State].
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

var stateNames = []string{"good", "questionable", "bad"}

// String returns "good", "questionable" or "bad", those of a set joined by
// "|", and "any" for the empty set.
func (s State) String() string {
	if s == 0 {
		return "any"
	}
	var names []string
	for i, name := range stateNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
			s &^= 1 << i
		}
	}
	if s != 0 {
		names = append(names, fmt.Sprintf("state(%d)", uint8(s)))
	}
	return strings.Join(names, "|")
}

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

var originNames = []string{"unknown", "mention", "query", "reply", "bootstrap", "import"}

// String returns "mention", "query", "reply", "bootstrap" or "import", and
// "unknown" for 0.
func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return fmt.Sprintf("origin(%d)", uint8(o))
}

// origin is what an event says about a contact never heard of before. A query
// of ours that failed went to somebody whom the caller must have named.
func (e Event) origin() Origin {
	switch e {
	case Queried:
		return FromQuery
	case Replied:
		return FromReply
	case Failed:
		return FromBootstrap
	}
	return FromMention
}
