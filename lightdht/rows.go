package lightdht

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
)

// recordQuery gives a query that came to e to the Recorder. It belongs to e's
// read loop, and so does the row.
func (n *Node) recordQuery(e *endpoint, m *krpc.Message, from netip.AddrPort, now time.Time) {
	if n.cfg.Recorder == nil {
		return
	}
	e.asked = record.Query{
		Time: now, Self: n.ID(), Node: kad.NodeInfo{ID: m.ID, Addr: from}, Method: m.Method, Target: subject(m),
		Version: m.Version, ReadOnly: m.ReadOnly, Size: len(m.Raw),
	}
	n.cfg.Recorder.Record(&e.asked)
}

// ending is room for the rows of the end of a call. Calls end in many goroutines.
type ending struct {
	visit    record.Visit
	endpoint record.Endpoint
	nodes    []kad.NodeInfo
}

var endings = sync.Pool{New: func() any { return new(ending) }}

// recordEnd gives the end of c to the Recorder: a visit, and an endpoint if nobody
// answered at an address whose ID is unknown.
func (n *Node) recordEnd(c *call, became record.Outcome) {
	e := endings.Get().(*ending)
	defer endings.Put(e)
	n.fillVisit(e, c, became)
	n.cfg.Recorder.Record(&e.visit)
	if !c.named && unanswered(became) && e.visit.Sent > 0 {
		e.endpoint = record.Endpoint{Time: e.visit.Time, Self: e.visit.Self, Addr: c.to.Addr, Source: "asked"}
		n.cfg.Recorder.Record(&e.endpoint)
	}
	e.visit = record.Visit{} // what it holds belongs to others
}

// unanswered reports whether somebody was asked and did not answer.
func unanswered(o record.Outcome) bool {
	return o == record.Timeout || o == record.Unreachable || o == record.Cancelled
}

// fillVisit makes the row of c's end.
func (n *Node) fillVisit(e *ending, c *call, became record.Outcome) {
	now := time.Now()
	if c.sent.IsZero() {
		c.sent = now
	}
	v := &e.visit
	*v = record.Visit{
		Time: c.sent, Self: n.ID(), Node: c.to, Method: c.method, Target: c.target,
		Outcome: became, RTT: now.Sub(c.sent), Sent: int(c.size.Load()),
	}
	switch became {
	case record.Unsent:
		v.Sent = 0 // as far as it got
	case record.Reply, record.ErrorReply:
		m := &c.reply.Message
		v.Code, v.RTT, v.Replier, v.Version = int(m.Code), c.reply.RTT, m.ID, m.Version
		v.BEPs, v.Peers, v.Got = showed(m, c.to), m.Values.Len(), len(m.Raw)
		e.nodes = n.appendNamed(e.nodes[:0], m)
		v.Nodes = e.nodes
	}
}

// appendNamed appends the nodes that a reply named, as many as may be mentions.
func (n *Node) appendNamed(to []kad.NodeInfo, m *krpc.Message) []kad.NodeInfo {
	most := m.Nodes.Len() + m.Nodes6.Len()
	if !n.private {
		most = min(most, maxNamed)
	}
	for i := range min(most, m.Nodes.Len()) {
		to = append(to, m.Nodes.At(i))
	}
	for i := range most - len(to) {
		to = append(to, m.Nodes6.At(i))
	}
	return to
}

// errAbandoned is about a lookup whose loop was left before it was over.
var errAbandoned = errors.New("abandoned")

// record gives the lookup to the Recorder, once it is concluded.
func (l *lookup) record(err error) {
	if !l.recorded {
		return
	}
	peers := l.cfg.Peers || l.cfg.Scrape
	row := record.Lookup{
		Time: l.began, Self: l.n.ID(), Target: record.Target{ID: l.res.Target, Infohash: peers}, Purpose: l.cfg.Purpose,
		Peers: peers, K: l.cfg.K, Width: l.cfg.Width,
		Asked: l.res.Asked, Answered: l.res.Answered, Strange: l.res.Strange,
		TimedOut: l.res.TimedOut, Failed: l.res.Failed, Silent: l.res.Silent,
		Hops: l.res.Hops, Found: len(l.res.Peers), Sent: l.res.BytesOut, Got: l.res.BytesIn, Duration: l.res.Duration,
	}
	if err != nil {
		row.Err = strings.TrimPrefix(err.Error(), l.title()) // who may know the target has it in Target
	}
	for _, a := range l.res.Closest {
		row.Closest = append(row.Closest, record.Closest{
			Node: a.NodeInfo, RTT: a.RTT, Hop: a.Hop,
			Bits: kad.CommonPrefixLen(a.ID, l.res.Target), Distance: a.ID.Distance(l.res.Target).Fraction(),
		})
	}
	l.n.cfg.Recorder.Record(&row)
}
