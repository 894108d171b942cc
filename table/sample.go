package table

import (
	"math/rand/v2"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Sample implements [Table]. r is used by this call alone and under no lock.
func (t *contacts) Sample(r *rand.Rand, n int, p kad.Prefix, f Filter) []Contact {
	if n <= 0 {
		return nil
	}
	if p.Bits() == 0 && !f.Distinct {
		if drawn := t.sampleByChance(r, n, f); drawn != nil {
			return drawn
		}
	}
	return t.sampleByList(r, n, p, f)
}

// sampleByChance draws places of the whole table until n different ones
// pass; nil when too many did not.
func (t *contacts) sampleByChance(r *rand.Rand, n int, f Filter) []Contact {
	now := t.census()
	size := now.size()
	if size/2 < n {
		return nil
	}
	sieve := newSieve(&f)
	tried := make(map[place]struct{}, 2*n)
	drawn := make([]Contact, 0, n)
	for range 8*n + 64 {
		at := now.place(r.IntN(size))
		if _, again := tried[at]; again {
			continue
		}
		tried[at] = struct{}{}
		before, pos := len(drawn), [1]uint32{at.pos()}
		drawn = t.zones[at.zone()].Load().read(drawn, pos[:], &sieve)
		if len(drawn) > before && f.Match != nil && !f.Match(drawn[before]) {
			drawn = drawn[:before]
		}
		if len(drawn) == n {
			return drawn
		}
	}
	return nil
}

// sampleByList lists the places of all that pass and shuffles as much of
// the list as it needs.
func (t *contacts) sampleByList(r *rand.Rand, n int, p kad.Prefix, f Filter) []Contact {
	var list []place
	for at := range t.under(p, f) {
		list = append(list, at)
	}
	seen := newSeen(f.Distinct)
	var drawn []Contact
	for i := 0; i < len(list) && len(drawn) < n; i++ {
		j := i + r.IntN(len(list)-i)
		list[i], list[j] = list[j], list[i]
		if c := t.at(list[i]); seen.first(&c) {
			drawn = append(drawn, c)
		}
	}
	return drawn
}

// seen is Filter.Distinct where contacts come in no order: one of several with
// the same ID or address is let through, whichever comes first.
type seen struct {
	ids   map[kad.ID]bool
	addrs map[netip.AddrPort]bool
}

// newSeen returns one that lets everything through unless distinct is set.
func newSeen(distinct bool) seen {
	if !distinct {
		return seen{}
	}
	return seen{ids: map[kad.ID]bool{}, addrs: map[netip.AddrPort]bool{}}
}

func (s seen) first(c *Contact) bool {
	if s.ids == nil {
		return true
	}
	if s.ids[c.ID] || s.addrs[c.Addr] {
		return false
	}
	s.ids[c.ID], s.addrs[c.Addr] = true, true
	return true
}

// at returns the contact at a place.
func (t *contacts) at(p place) Contact {
	z := t.zones[p.zone()].Load()
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.slab.at(p.pos()).contact(&z.slab, &t.versions)
}
