package export

import (
	"bytes"
	"iter"
	"math/bits"
	"slices"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
	"github.com/lightdht/lightdht/lightdht/record"
)

// The order of rows is data, too. A store yields contacts in the order of their
// IDs: under pseudonyms that keep common prefixes, that order alone would tell which
// half of each zone had been which, and so the IDs. Answers name nodes, and lookups
// find them, in the order of their distance to a target, which tells as much.
// So shared rows come in the order of their pseudonyms, or of time.

// disguised yields contacts, or what is told of them, in the order of the
// pseudonyms of their IDs: zone by zone, each of which is sorted in memory. within
// yields those of a zone; about is how many there are in all.
func disguised[R any](key *pseudonym.Key, all kad.Prefix, about uint64, node func(*R) kad.NodeInfo, within func(kad.Prefix) iter.Seq2[*R, error]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for _, zone := range zonesByPseudonym(key, all, about) {
			var rows []shadowed[R]
			for row, err := range within(zone) {
				if err != nil {
					yield(nil, err)
					return
				}
				n := node(row)
				s := shadowed[R]{id: key.ID(n.ID), row: *row}
				s.addr = key.Addr(n.Addr.Addr()).As16()
				rows = append(rows, s)
			}
			slices.SortStableFunc(rows, func(a, b shadowed[R]) int {
				if c := a.id.Compare(b.id); c != 0 {
					return c
				}
				return bytes.Compare(a.addr[:], b.addr[:])
			})
			for i := range rows {
				if !yield(&rows[i].row, nil) {
					return
				}
			}
		}
	}
}

// shadowed is a row and what it is sorted by.
type shadowed[R any] struct {
	id   kad.ID
	addr [16]byte
	row  R
}

// zoneRows is about how many rows are sorted in memory at once; IDs that crowd in
// a zone can be more.
const zoneRows = 1 << 16

// zonesByPseudonym cuts a zone with about so many rows into at most 256 smaller
// ones, in the order of their pseudonyms.
func zonesByPseudonym(key *pseudonym.Key, all kad.Prefix, about uint64) []kad.Prefix {
	deeper := min(bits.Len64(about/zoneRows), 8)
	zones := []kad.Prefix{all}
	for range min(deeper, kad.Bits-all.Bits()) {
		var next []kad.Prefix
		for _, z := range zones {
			next = append(next, z.Child(0), z.Child(1))
		}
		zones = next
	}
	slices.SortFunc(zones, func(a, b kad.Prefix) int {
		return key.ID(a.First()).Prefix(a.Bits()).First().Compare(key.ID(b.First()).Prefix(b.Bits()).First())
	})
	return zones
}

// contacts yields contacts in an order that may be shown.
func (s Source) contacts(store *dataset.Store, f dataset.Filter) iter.Seq2[*dataset.Contact, error] {
	if s.Key == nil {
		return store.Contacts(f)
	}
	return disguised(s.Key, f.Prefix, about(store, f), nodeOf,
		func(zone kad.Prefix) iter.Seq2[*dataset.Contact, error] {
			f := f
			f.Prefix = zone
			return store.Contacts(f)
		})
}

func nodeOf(c *dataset.Contact) kad.NodeInfo { return c.Node }

// sightings yields sightings in an order that may be shown: of runs that kept each
// one that of time, which they have but for those of one time.
func (s Source) sightings(store *dataset.Store, f dataset.Filter) iter.Seq2[*dataset.Sighting, error] {
	if s.Key == nil {
		return store.Sightings(f)
	}
	return func(yield func(*dataset.Sighting, error) bool) {
		runs, err := store.Runs()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, run := range runs {
			if !f.Picks(run.ID) {
				continue
			}
			f := f
			f.Runs = []dataset.RunID{run.ID}
			seq := store.Sightings(f)
			if run.Manifest == nil || !run.Manifest.KeepSightings {
				seq = disguised(s.Key, f.Prefix, about(store, f), func(s *dataset.Sighting) kad.NodeInfo { return s.Node },
					func(zone kad.Prefix) iter.Seq2[*dataset.Sighting, error] {
						f := f
						f.Prefix = zone
						return store.Sightings(f)
					})
			} else {
				seq = atOnce(s.Key, seq)
			}
			for row, err := range seq {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// atOnce yields sightings that come in the order of time, those of one time in the
// order of their pseudonyms: it is by their distance to a target that an answer
// names nodes.
func atOnce(key *pseudonym.Key, seq iter.Seq2[*dataset.Sighting, error]) iter.Seq2[*dataset.Sighting, error] {
	return func(yield func(*dataset.Sighting, error) bool) {
		var rows []*dataset.Sighting
		flush := func() bool {
			slices.SortStableFunc(rows, func(a, b *dataset.Sighting) int { return key.ID(a.Node.ID).Compare(key.ID(b.Node.ID)) })
			for _, row := range rows {
				if !yield(row, nil) {
					return false
				}
			}
			rows = rows[:0]
			return true
		}
		for row, err := range seq {
			if err != nil {
				if flush() {
					yield(nil, err)
				}
				return
			}
			if len(rows) > 0 && rows[0].First != row.First && !flush() {
				return
			}
			rows = append(rows, row)
		}
		flush()
	}
}

// about is how many contacts the manifests of runs tell of.
func about(store *dataset.Store, f dataset.Filter) (n uint64) {
	runs, _ := store.Runs()
	for i := range runs {
		if m := runs[i].Manifest; m != nil && f.Picks(runs[i].ID) {
			n += m.Contacts()
		}
	}
	return n
}

// nodes returns the nodes that an answer named, in an order that may be shown.
func (s Source) nodes(named []kad.NodeInfo) []kad.NodeInfo {
	if s.Key == nil {
		return named
	}
	named = slices.Clone(named)
	slices.SortFunc(named, func(a, b kad.NodeInfo) int { return s.Key.ID(a.ID).Compare(s.Key.ID(b.ID)) })
	return named
}

// closest returns the nodes that a lookup found, each with its rank, in an order
// that may be shown.
func (s Source) closest(l *record.Lookup) []ranked {
	all := make([]ranked, len(l.Closest))
	for i := range l.Closest {
		all[i] = ranked{&l.Closest[i], 1}
		if i > 0 && kad.FamilyOf(all[i].Node.Addr.Addr()) == kad.FamilyOf(all[i-1].Node.Addr.Addr()) {
			all[i].rank = all[i-1].rank + 1
		}
	}
	if s.Key != nil {
		slices.SortFunc(all, func(a, b ranked) int { return s.Key.ID(a.Node.ID).Compare(s.Key.ID(b.Node.ID)) })
	}
	return all
}

// ranked is one of the closest nodes and its place among those of its family.
type ranked struct {
	*record.Closest
	rank int64
}
