package lightdht

import (
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Identity is who a node is to others: what to keep of one that ends, for
// Config.Last of the next. The zero Identity is nobody.
type Identity struct {
	ID           kad.ID
	Addr4, Addr6 netip.Addr // where others see it, see Node.PublicAddr; zero when unknown
}

// addr returns the address of a family; zero when it is none that others could
// see us at.
func (i Identity) addr(f kad.Family) netip.Addr {
	addr := i.Addr4.Unmap()
	if f == kad.IPv6 {
		addr = i.Addr6.Unmap().WithZone("")
	}
	if !addr.IsValid() || kad.FamilyOf(addr) != f || kad.IsReserved(addr) {
		return netip.Addr{}
	}
	return addr
}

// Identity returns who the node is now.
func (n *Node) Identity() Identity {
	return Identity{ID: n.ID(), Addr4: n.PublicAddr(kad.IPv4), Addr6: n.PublicAddr(kad.IPv6)}
}

// firstID returns the ID that a node of this network begins with, whose first
// family is given: Config.ID, or the last one if it fits where others saw us last.
func (c Config) firstID(first kad.Family) kad.ID {
	if !c.ID.IsZero() {
		return c.ID
	}
	id := c.Last.ID
	if id.IsZero() {
		id = kad.RandomID()
	}
	if at := c.Last.addr(first); c.Network == Public && at.IsValid() && !kad.IsSecureID(id, at) {
		return kad.SecureID(at, kad.RandomID())
	}
	return id
}

// ID returns our node ID. On the public network it follows our address (BEP 42)
// unless Config.ID gave one: it then changes when others agree on an address
// that it does not fit, at most once an hour.
func (n *Node) ID() kad.ID { return *n.self.Load() }

// hearVote takes what the sender of a reply says our address is.
func (n *Node) hearVote(e *endpoint, source, seen netip.Addr, now time.Time) {
	if n.private || !seen.IsValid() || kad.IsReserved(seen) || kad.FamilyOf(seen) != e.family {
		return
	}
	elected, changed := e.ballot.vote(now, source, seen)
	if !changed {
		return
	}
	n.cfg.Logger.Info("others see us at", "addr", elected)
	if n.follows && e == n.ends[0] && !kad.IsSecureID(n.ID(), elected) { // one ID for both families, BEP 32: the first one's address decides
		n.rename(kad.SecureID(elected, kad.RandomID()), now)
	}
}

// rename changes our ID. Upkeep then looks up the new neighbourhood.
func (n *Node) rename(id kad.ID, now time.Time) {
	n.cfg.Logger.Info("our ID follows our address", "old", n.ID(), "new", id)
	n.count.add(IDChanges, 1)
	n.name(n.ID(), id)
	n.self.Store(&id)
	for _, e := range n.ends {
		e.core.Store(n.recore(e, id, now))
	}
	n.rejoin.Store(true)
	n.stirUpkeep()
}

// recore returns a core around id of those that the old one knows, but for the
// bad, and of good contacts near to id.
func (n *Node) recore(e *endpoint, id kad.ID, now time.Time) *core {
	c := newCore(n.cfg.core(id))
	near := e.table().AppendNearest(nil, id, recoreNear, table.Filter{Now: now, States: table.StateGood, Answered: true, Public: true, Distinct: true})
	for _, contact := range near {
		if contact.Failures < coreBadAfter && !n.insecure(contact.Info()) {
			c.replied(contact.LastReply, contact.Info())
		}
	}
	for _, m := range e.core.Load().all() {
		if !m.bad() {
			c.replied(m.answered, m.node)
		}
	}
	return c
}

// recoreNear is how many of the nearest good contacts a new core is offered.
const recoreNear = 64

// insecure reports whether a node is one that SecureOnly leaves out.
func (n *Node) insecure(info kad.NodeInfo) bool {
	return n.cfg.SecureOnly && !n.private && !kad.IsSecureID(info.ID, info.Addr.Addr())
}
