package lightdht

import (
	"iter"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Restore tells a running node of histories that it has not seen itself, such as
// those of a store: each is added to what the tables know (see table.Table.Merge),
// as far as the node's limits of contacts let it in, and n is how many were.
// Contacts that it would not hear of otherwise are left out and counted: those
// with private, reserved or useless addresses, or of another family
// (MentionRefused), and ourselves (OwnID).
//
// The node goes on meanwhile, and the sequence may use it. Restore returns when
// the sequence ends, or with ErrClosed when the node is closed before.
//
// Nothing of it goes to the Recorder: it is no sighting. Nor does it make a
// contact one that upkeep keeps fresh, since that somebody answered another node,
// or this one under another address, does not mean that it answers us: lookups
// begin with the best of the tables, and who answers those is kept fresh.
func (n *Node) Restore(contacts iter.Seq[table.Contact]) (restored int, err error) {
	for c := range contacts {
		if n.ctx.Err() != nil {
			return restored, ErrClosed
		}
		if n.restore(c) {
			restored++
		}
	}
	return restored, nil
}

// restore adds one history, unless it is of somebody who is not to be known.
func (n *Node) restore(c table.Contact) bool {
	c.Addr = kad.Unmap(c.Addr)
	e := n.endpoint(kad.FamilyOf(c.Addr.Addr()))
	switch {
	case e == nil || !n.reachable(c.Addr):
		n.count.add(MentionRefused, 1)
		return false
	case n.isOurs(c.ID) || e.isUs(c.Addr):
		n.count.add(OwnID, 1)
		return false
	}
	c.Router = c.Router || n.routers.has(c.Addr)
	what := e.roster.restore(c)
	n.countEntry(what)
	return what == entered
}
