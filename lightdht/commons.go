package lightdht

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// commons is what several nodes of one process have in common, each of them a
// vantage with an ID and a socket of its own (Config.Share): the contacts, whose
// history then has what all of them saw, and the manners, so that nobody is sent
// more because there are several of us.
type commons struct {
	four, six *roster
	pacer     *pacer
	ledger    *Ledger // nil: none is kept
	vain      vain

	naming sync.Mutex                      // of whoever changes ours
	ours   atomic.Pointer[map[kad.ID]bool] // the IDs of all these nodes, which are nobody's contacts
}

// name makes id one of ours in the place of old; either may be zero, for none.
func (c *commons) name(old, id kad.ID) {
	c.naming.Lock()
	defer c.naming.Unlock()
	ids := map[kad.ID]bool{}
	if was := c.ours.Load(); was != nil {
		ids = maps.Clone(*was)
	}
	delete(ids, old)
	if !id.IsZero() {
		ids[id] = true
	}
	c.ours.Store(&ids)
}

// isOurs reports whether an ID is that of a node of ours.
func (c *commons) isOurs(id kad.ID) bool { return (*c.ours.Load())[id] }

func newCommons(cfg Config) *commons {
	if cfg.Share != nil {
		return cfg.Share.commons
	}
	contacts := func() *roster {
		return &roster{table: cfg.NewTable(), perAddr: cfg.MaxIDsPerAddr, most: cfg.MaxContacts}
	}
	return &commons{four: contacts(), six: contacts(), pacer: newPacer(cfg.Limits), ledger: newLedger(cfg.Limits.Ledger)}
}

// roster returns the contacts of a family.
func (c *commons) roster(f kad.Family) *roster {
	if f == kad.IPv6 {
		return c.six
	}
	return c.four
}

// Drops returns what the node's tables were told and could not keep, those
// included that SwapTable took the place of.
func (n *Node) Drops() table.Drops {
	four, six := n.four.drops(), n.six.drops()
	return table.Drops{VersionsCut: four.VersionsCut + six.VersionsCut, VersionsLost: four.VersionsLost + six.VersionsLost}
}
