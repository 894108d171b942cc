package main

import (
	"cmp"
	"iter"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// tripPlaces notes at which address each ID has its round trip: a census tells how
// many have one, and the band around their distribution needs to know which of them
// are of one host, as such are no independent samples.
type tripPlaces struct {
	best  map[kad.ID]tripPlace
	read  int  // contacts
	whole bool // all were read
}

// tripPlace is what is known of the best contact of an ID.
type tripPlace struct {
	addr              netip.AddrPort
	replies, failures uint32
	timed             bool
}

// noting yields contacts as they come, and notes those that answered, or all.
func (t *tripPlaces) noting(contacts iter.Seq2[*analysis.Contact, error], all bool) iter.Seq2[*analysis.Contact, error] {
	t.best = map[kad.ID]tripPlace{}
	return func(yield func(*analysis.Contact, error) bool) {
		for c, err := range contacts {
			if err == nil {
				t.read++
				t.note(c, all)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
		t.whole = true
	}
}

// note keeps a contact when it is the best of its ID.
func (t *tripPlaces) note(c *analysis.Contact, all bool) {
	if !c.Answered() && !all {
		return
	}
	p := tripPlace{c.Addr, c.Replies, c.Failures, c.RTT > 0}
	if known, again := t.best[c.ID]; !again || p.better(known) {
		t.best[c.ID] = p
	}
}

// better reports whether a contact stands for the ID rather than another one, by the
// order that a census has.
func (p tripPlace) better(o tripPlace) bool {
	order := cmp.Or(cmp.Compare(o.replies, p.replies), cmp.Compare(p.failures, o.failures), p.addr.Compare(o.addr))
	return order < 0 || order == 0 && p.timed && !o.timed
}

// silent reports whether there are contacts, and none that counts.
func (t *tripPlaces) silent() bool { return t.whole && t.read > 0 && len(t.best) == 0 }

// worth returns how many independent IDs tell as much as those that have a round
// trip, by how many m of them each address has (Kish, Survey sampling, 1965):
//
//	(sum m)^2 / sum m^2
//
// It is 0 with one address only. Where an address is not known an ID is by itself.
func (t *tripPlaces) worth() float64 {
	members, places, sum, squares := map[netip.Addr]float64{}, 0, 0.0, 0.0
	for _, p := range t.best {
		switch addr := p.addr.Addr(); {
		case !p.timed:
		case addr.IsValid():
			members[addr]++
		default:
			places, sum, squares = places+1, sum+1, squares+1
		}
	}
	for _, m := range members {
		places, sum, squares = places+1, sum+m, squares+m*m // integers: in any order the same
	}
	if places < 2 {
		return 0
	}
	return min(sum, sum*sum/squares)
}
