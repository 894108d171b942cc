package lightdht

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// about is what a Recorder is told of a sighting beyond what a table keeps.
type about struct {
	by       kad.NodeInfo  // who mentioned it
	method   string        // what was asked
	said     *krpc.Message // of it; nil when it said nothing
	entrance bool          // it is at a place to begin with; observe finds out
}

// observe takes a sighting to where it belongs: to the recorder, the table and
// the core of its family. The contact is zero when it was not kept.
func (n *Node) observe(s table.Sighting, more about) table.Contact {
	e := n.endpoint(kad.FamilyOf(s.Node.Addr.Addr()))
	if e == nil {
		return table.Contact{}
	}
	if n.isOurs(s.Node.ID) || e.isUs(s.Node.Addr) {
		n.count.add(OwnID, 1)
		return table.Contact{}
	}
	s.Router = n.routers.has(s.Node.Addr)
	if more.entrance = n.entrances.has(s.Node.Addr); more.entrance && s.Origin == 0 {
		s.Origin = table.FromBootstrap
	}
	c, what := n.enter(e.roster, s, more)
	n.countEntry(what)
	n.tellCore(e, s, c)
	return c
}

// countEntry counts whom the limits keep out.
func (n *Node) countEntry(what entry) {
	switch what {
	case tooManyIDs:
		n.count.add(IDsRefused, 1)
	case tooManyOther:
		n.count.add(ContactsRefused, 1)
	}
}

// enter gives a sighting to the recorder, if there is one, and to the table: to
// both in the same order, so that what was recorded makes the same table again.
func (n *Node) enter(r *roster, s table.Sighting, more about) (table.Contact, entry) {
	if n.cfg.Recorder == nil {
		return r.observe(s)
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.told = record.Sighting{
		Time: s.Time, Self: n.ID(), Node: s.Node, Event: record.Event(s.Event),
		By: more.by, RTT: s.RTT, Version: s.Version, Method: more.method, BEPs: showed(more.said, s.Node),
		ReadOnly: s.ReadOnly, Router: s.Router, Entrance: more.entrance,
	}
	n.cfg.Recorder.Record(&r.told)
	return r.observe(s)
}

// tellCore tells the core what was seen of c: routers, those that were not kept,
// and those whose ID must not be are never members. Nor are read-only nodes, which
// do not answer.
func (n *Node) tellCore(e *endpoint, s table.Sighting, c table.Contact) {
	core := e.core.Load()
	switch s.Event {
	case table.Replied:
		switch {
		case n.insecure(s.Node):
			n.count.add(Insecure, 1)
		case c.Replies > 0 && !c.Router:
			core.replied(s.Time, s.Node)
		}
	case table.Queried:
		core.heard(s.Time, s.Node)
	case table.Failed:
		core.failed(s.Time, s.Node)
	}
}

// looked tells the cores of a lookup that went through: that part of the space
// is fresh.
func (n *Node) looked(res *LookupResult) {
	if res.Answered == 0 {
		return
	}
	now := time.Now()
	for _, e := range n.ends {
		e.core.Load().looked(now, res.Target)
	}
}

// maxNamed is how many nodes are recorded of one reply on the public network:
// more than two packets of the common size hold. Usual are 8 of each family.
const maxNamed = 128

// mention records the nodes that a list named. On the public network an address
// counts once in a list, as a list full of one address is about a victim, and of
// the 2,500 nodes that a datagram has room for no more than maxNamed count: else
// whoever answers us could make up contacts by the million.
func (n *Node) mention(m *krpc.Message, from netip.AddrPort, now time.Time) {
	by := about{by: kad.NodeInfo{ID: m.ID, Addr: from}}
	var few [2 * answerNodes]netip.Addr
	seen := few[:0]
	one := func(info kad.NodeInfo) {
		switch {
		case len(seen) == maxNamed: // never on a private network
			n.count.add(MentionsCrowded, 1)
			return
		case !n.reachable(info.Addr) || n.endpoint(kad.FamilyOf(info.Addr.Addr())) == nil:
			n.count.add(MentionRefused, 1)
			return
		case n.private:
		case slices.Contains(seen, info.Addr.Addr()):
			n.count.add(MentionsCrowded, 1)
			return
		default:
			seen = append(seen, info.Addr.Addr())
		}
		n.observe(table.Sighting{Node: info, Time: now, Event: table.Mentioned}, by)
	}
	for i := range m.Nodes.Len() {
		one(m.Nodes.At(i))
	}
	for i := range m.Nodes6.Len() {
		one(m.Nodes6.At(i))
	}
}

// failed notes that node did not answer what was sent to it. Whether that counts
// against it depends on whether anybody was heard.
func (n *Node) failed(c *call, due, now time.Time) {
	e := n.endpoint(kad.FamilyOf(c.to.Addr.Addr()))
	counts, gone, void := e.life.timedOut(due, heldFailure{c.to, c.named, c.method, now})
	n.count.add(FailuresVoid, void)
	if counts {
		n.blame(c.to, c.named, c.method, now)
		return
	}
	if gone {
		n.count.add(Outages, 1)
		n.cfg.Logger.Warn("nobody answers any more: the network seems to be away", "family", e.family)
	}
	n.stirUpkeep()
}

// blame adds a failure to a contact's history. A query that named nobody is
// nobody's failure.
func (n *Node) blame(node kad.NodeInfo, named bool, method string, at time.Time) {
	if named {
		n.observe(table.Sighting{Node: node, Time: at, Event: table.Failed}, about{method: method})
	}
}

// hear notes that the network is there.
func (n *Node) hear(e *endpoint, now time.Time) {
	failed, void, back := e.life.hear(now)
	for _, f := range failed {
		n.blame(f.node, f.named, f.method, f.at)
	}
	n.count.add(FailuresVoid, void)
	if back {
		n.cfg.Logger.Info("the network is back", "family", e.family)
		n.rejoin.Store(true)
		n.stirUpkeep()
	}
}
