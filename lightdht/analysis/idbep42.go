package analysis

import (
	"cmp"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Compliance is how many nodes have an ID that BEP 42 allows for their address.
// A node is here a pair of ID and IP address, whatever its port.
type Compliance struct {
	Family   kad.Family
	Client   string   // code by BEP 20, "" for those that told none; meaningless in totals
	Total    bool     // of all clients of the family
	Nodes    int      // that BEP 42 is about
	Secure   int      // of those, with an allowed ID
	Exempt   int      // nodes at local addresses, not in Nodes: they may have any ID
	Interval Interval // of Secure/Nodes; the zero Interval when Nodes is 0
}

// ChanceSecure is the share of random IDs that BEP 42 allows: 21 bits have to
// match, whichever of the 8 prefixes the ID's last bits choose.
const ChanceSecure = 0x1p-21

// Share returns Secure/Nodes.
func (c Compliance) Share() float64 { return float64(c.Secure) / float64(c.Nodes) }

// Compliance counts who keeps BEP 42, by family: first the family's total, then its
// clients, those with most nodes first. Its interval of 95 % is Clopper and
// Pearson's (1934, Biometrika 26): conservative, if these nodes are drawn
// independently from those that there are. Of pseudonyms, local addresses are
// not told apart: they count among those that BEP 42 is about, as allowed.
func (s *IDSample) Compliance() []Compliance {
	if s.options.Unjudged {
		return nil
	}
	counts := map[kad.Family][]Compliance{} // by client; the total behind them
	for i := range s.records {
		r := &s.records[i]
		addr := r.addr()
		of := kad.FamilyOf(addr)
		if counts[of] == nil {
			counts[of] = make([]Compliance, len(s.clients)+1)
		}
		exempt := !s.options.Hidden && kad.IsLocal(addr)
		counts[of][r.client].count(r.secure, exempt)
		counts[of][len(s.clients)].count(r.secure, exempt)
	}
	var all []Compliance
	for family, clients := range counts {
		for i, c := range clients {
			if c.Nodes+c.Exempt == 0 {
				continue
			}
			if c.Family, c.Total = family, i == len(s.clients); !c.Total {
				c.Client = s.clients[i]
			}
			if c.Nodes > 0 {
				c.Interval = ClopperPearson(c.Secure, c.Nodes, 0.95)
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, Compliance.compare)
	return all
}

// count takes in one node.
func (c *Compliance) count(secure, exempt bool) {
	if exempt {
		c.Exempt++
		return
	}
	if c.Nodes++; secure {
		c.Secure++
	}
}

// compare orders by family, total first, then from many to few.
func (c Compliance) compare(other Compliance) int {
	if c.Family == other.Family && c.Total != other.Total {
		if c.Total {
			return -1
		}
		return +1
	}
	return cmp.Or(cmp.Compare(c.Family, other.Family), cmp.Compare(other.Nodes+other.Exempt, c.Nodes+c.Exempt),
		cmp.Compare(c.Client, other.Client))
}
