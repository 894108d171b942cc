package lightdht

import (
	"math"
	"sync"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// roster is the table of one family, with what decides who may enter it, and
// what lets it be exchanged for another while it is in use.
type roster struct {
	perAddr int // IDs kept at one address, at most; 0: no limit
	most    int // contacts beyond which only those that answer are let in; 0: no limit

	mu      sync.RWMutex // held for writing only to exchange the table
	table   table.Table
	changed map[kad.NodeInfo]bool // contacts that changed while the table is being copied; nil when it is not
	noting  sync.Mutex            // guards changed, under mu for reading

	entry sync.Mutex        // guards ids, and who enters
	ids   map[uint64]uint16 // IDs kept at an address
	swap  sync.Mutex        // one exchange at a time, and nothing restored meanwhile

	telling sync.Mutex      // of a recorder: held until the table has what it was told
	told    record.Sighting // the row for that; under telling
	past    table.Drops     // of tables that were exchanged; under mu
}

// An entry says what became of a sighting.
type entry uint8

const (
	entered      entry = iota // it is in the table
	tooManyIDs                // not kept: its address has enough IDs
	tooManyOther              // not kept: there are enough contacts, and it never answered
)

// now returns the table of the moment.
func (r *roster) now() table.Table {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.table
}

// observe adds a sighting to the table, unless it is of somebody new whom the
// limits keep out.
func (r *roster) observe(s table.Sighting) (c table.Contact, e entry) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.limited() && !r.knows(s.Node) {
		r.entry.Lock()
		defer r.entry.Unlock()
		if e = r.admit(s.Node, s.Event == table.Replied); e != entered {
			return table.Contact{}, e
		}
	}
	c, added := r.table.Observe(s)
	r.changes(s.Node, added)
	return c, entered
}

// restore adds a history to the table, unless it is of somebody new whom the
// limits keep out. While tables are exchanged it waits: millions of changes would
// draw that out.
func (r *roster) restore(c table.Contact) entry {
	r.swap.Lock()
	defer r.swap.Unlock()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.limited() && !r.knows(c.Info()) {
		r.entry.Lock()
		defer r.entry.Unlock()
		if e := r.admit(c.Info(), c.Replies > 0); e != entered {
			return e
		}
	}
	r.changes(c.Info(), r.table.Merge(c))
	return entered
}

// limited reports whether anybody is kept out.
func (r *roster) limited() bool { return r.perAddr > 0 || r.most > 0 }

// changes notes that a contact changed, or was added. It needs mu, and when one
// was added the lock of entry if anybody is kept out.
func (r *roster) changes(node kad.NodeInfo, added bool) {
	if added && r.perAddr > 0 {
		r.ids[hostKey(node.Addr.Addr())]++
	}
	if r.changed != nil {
		r.noting.Lock()
		r.changed[node] = true
		r.noting.Unlock()
	}
}

// knows reports whether the table has a contact. It needs mu.
func (r *roster) knows(node kad.NodeInfo) bool {
	_, known := r.table.Get(node)
	return known
}

// admit says whether somebody who was not known just now may enter. It needs the
// lock of entry.
func (r *roster) admit(node kad.NodeInfo, answers bool) entry {
	if r.ids == nil {
		r.ids = map[uint64]uint16{}
	}
	switch {
	case r.knows(node): // entered while this one waited for the lock
		return entered
	case r.most > 0 && !answers && r.table.Len() >= r.most:
		return tooManyOther
	case r.perAddr > 0 && int(r.ids[hostKey(node.Addr.Addr())]) >= r.room(answers):
		return tooManyIDs
	}
	return entered
}

// room is how many IDs an address may have for one more to be let in. Anybody can
// make up IDs at another's address; so a quarter of the room is for those that
// answer, and whoever lives there is not kept out.
func (r *roster) room(answers bool) int {
	if answers {
		return r.perAddr
	}
	return r.perAddr - r.perAddr/4
}

// fewChanges is how many contacts may still be to be copied when the table is
// held to exchange it: some tenths of a millisecond.
const fewChanges = 256

// exchange puts to in the place of the table, with all that is known. The table
// goes on meanwhile: what changes while it is copied is copied again, until that
// is little, or does not become much less because as much changes as is copied.
func (r *roster) exchange(to table.Table) {
	r.swap.Lock()
	defer r.swap.Unlock()
	r.mu.Lock()
	from := r.table
	r.changed = map[kad.NodeInfo]bool{}
	r.mu.Unlock()
	for c := range from.All() {
		to.Restore(c)
	}
	for last := math.MaxInt; ; {
		r.mu.Lock()
		changed := r.changed
		if len(changed) <= fewChanges || len(changed) > last/4*3 {
			r.settle(from, to)
			r.mu.Unlock()
			return
		}
		r.changed, last = map[kad.NodeInfo]bool{}, len(changed)
		r.mu.Unlock()
		copyChanged(from, to, changed)
	}
}

// settle ends an exchange. It needs the lock of mu, for writing.
func (r *roster) settle(from, to table.Table) {
	copyChanged(from, to, r.changed)
	drops := from.Drops()
	r.past.VersionsCut += drops.VersionsCut
	r.past.VersionsLost += drops.VersionsLost
	r.table, r.changed = to, nil
}

// drops returns what could not be kept, by this table and those before it.
func (r *roster) drops() table.Drops {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := r.table.Drops()
	return table.Drops{VersionsCut: r.past.VersionsCut + now.VersionsCut, VersionsLost: r.past.VersionsLost + now.VersionsLost}
}

func copyChanged(from, to table.Table, changed map[kad.NodeInfo]bool) {
	for info := range changed {
		if c, ok := from.Get(info); ok {
			to.Restore(c)
		}
	}
}

// SwapTable moves everything into new tables and goes on with those: from flat
// to prefix, say, while the node runs. Nothing is lost, and nobody waits for longer
// than it takes to copy what changed while the rest was copied: a tenth of a
// second when half a million contacts are moved under a storm of new ones. A nil
// newTable means table.NewPrefix.
// A table that was got before with Node.Table is not added to any more. Nodes that
// share their tables have them swapped for all.
func (n *Node) SwapTable(newTable func() table.Table) {
	if newTable == nil {
		newTable = table.NewPrefix
	}
	for _, e := range n.ends {
		e.roster.exchange(newTable())
	}
}
