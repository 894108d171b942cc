package record

import (
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Target is what a query or a lookup is about. The zero Target is nothing.
type Target struct {
	ID kad.ID

	// Infohash says that ID is the name of content: an infohash, or the key of
	// a value (BEP 44), and no place of the ID space alone. Who keeps rows may
	// put a keyed hash in the place of such an ID, as who reads them could else
	// tell who wants what.
	Infohash bool
}

// IsZero reports whether t is nothing.
func (t Target) IsZero() bool { return t == Target{} }

// Query is a query that we received and acted on, be it answered or not. Our own
// that come back to us are among them: Node then has our ID.
type Query struct {
	Time     time.Time
	Self     kad.ID       // our ID, which was asked
	Node     kad.NodeInfo // who asked; with the zero ID when it told none
	Method   string       // what it asked, as it came: any bytes
	Target   Target
	Version  []byte // the client version told; nil when none
	ReadOnly bool   // it was marked read-only, BEP 43
	Size     int    // of the UDP payload in bytes
}

// When returns the time of the query.
func (q *Query) When() time.Time { return q.Time }

// Kind returns KindQuery.
func (q *Query) Kind() Kind { return KindQuery }

// Visit is a query of ours and what became of it, be it that it was never sent. The
// contacts that its answer named are its edges.
type Visit struct {
	Time    time.Time    // when it was sent, or was to be
	Self    kad.ID       // our ID, which asked
	Node    kad.NodeInfo // who was asked; with the zero ID when that was not known
	Method  string
	Target  Target
	Outcome Outcome
	Code    int            // of ErrorReply: the KRPC error code
	RTT     time.Duration  // of Reply and ErrorReply: the round trip; else how long was waited
	Replier kad.ID         // of Reply and ErrorReply: the ID that answered; zero when it told none
	Version []byte         // the client version told; nil when none
	BEPs    BEPs           // what the answer showed
	Nodes   []kad.NodeInfo // that it named, IPv4's before IPv6's, whatever their addresses; on the public network 128 at most
	Peers   int            // that it told
	Sent    int            // UDP payload of the query in bytes; 0 when it was not sent
	Got     int            // and of the answer; 0 without one
}

// When returns Time.
func (v *Visit) When() time.Time { return v.Time }

// Kind returns KindVisit.
func (v *Visit) Kind() Kind { return KindVisit }

// Outcome is what became of a query of ours.
type Outcome uint8

// The outcomes. They are written into data that is kept.
const (
	Reply       Outcome = iota + 1 // it was answered
	ErrorReply                     // it was answered with a KRPC error
	Timeout                        // it was not answered in time
	Unreachable                    // the receiver's system said that nobody listens
	Unsent                         // the system, or an opt-out, kept it from being sent
	Cancelled                      // its caller, or the end of the node, did not wait for an answer
)

// String returns "reply", "error", "timeout", "unreachable", "unsent" or
// "cancelled".
func (o Outcome) String() string {
	return name(o, "unknown", "reply", "error", "timeout", "unreachable", "unsent", "cancelled")
}

// Lookup is a lookup of ours that ended.
type Lookup struct {
	Time     time.Time // when it began
	Self     kad.ID    // our ID
	Target   Target
	Purpose  string // why, as who began it says: "random", "self", "explore"; "" when it did not say
	Peers    bool   // peers were asked for, with get_peers
	K, Width int    // as in lightdht.LookupConfig
	Err      string // why it ended early; "" when it did not

	Asked, Answered, Strange, TimedOut, Failed, Silent int // as in lightdht.LookupResult

	Hops     int // the longest way to one of Closest
	Found    int // peers told
	Sent     int // UDP payload of the queries in bytes
	Got      int // and of the replies
	Duration time.Duration
	Closest  []Closest // the K closest of each family that answered, IPv4's before IPv6's, nearest first
}

// When returns the time that the lookup began.
func (l *Lookup) When() time.Time { return l.Time }

// Kind returns KindLookup.
func (l *Lookup) Kind() Kind { return KindLookup }

// Closest is one of the closest nodes that answered a lookup.
type Closest struct {
	Node     kad.NodeInfo
	RTT      time.Duration
	Hop      int
	Bits     int     // length of the prefix that it shares with the target
	Distance float64 // to the target, as a fraction of the ID space: from 0, of its own ID, to 1
}

// Estimate is a quantity that was estimated, such as the size of a network.
type Estimate struct {
	Time    time.Time
	What    string     // the quantity: "size"
	Method  string     // how: "pooled"
	Family  kad.Family // of the network; 0: both
	K       int        // closest nodes of each sample; 0 when that means nothing
	Samples int        // such as lookups
	Value   float64
	Lo, Hi  float64 // the interval; both NaN when there is none
	Level   float64 // its confidence, such as 0.95; 0 when there is none
	Recall  float64 // share of the true closest that are thought to have been found; NaN when unknown
}

// When returns the time of the estimate.
func (e *Estimate) When() time.Time { return e.Time }

// Kind returns KindEstimate.
func (e *Estimate) Kind() Kind { return KindEstimate }

// Endpoint is an address at which there may be a node, whose ID is unknown.
type Endpoint struct {
	Time   time.Time
	Self   kad.ID // our ID
	Addr   netip.AddrPort
	Source string // how it is known: "asked" when a query to it had no answer
}

// When returns the time that the address was met.
func (e *Endpoint) When() time.Time { return e.Time }

// Kind returns KindEndpoint.
func (e *Endpoint) Kind() Kind { return KindEndpoint }
