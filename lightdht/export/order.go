package export

import (
	"bytes"
	"cmp"
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
// one that of minutes.
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
				seq = byMinute(seq, func(s *dataset.Sighting) (dataset.RunID, dataset.Stamp) { return s.Run, s.First },
					func(a, b *dataset.Sighting) int { return s.compare(a.Node, b.Node) })
			}
			for row, err := range seq {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// A lookup asks nodes in the order of their distance to its target, and an answer
// names them so: the times of visits, and of sightings that were kept each, tell that
// to the microsecond. So shared times are whole minutes, and rows of one minute come
// in the order of their pseudonyms.

// minute is in microseconds.
const minute = 60_000_000

// byMinute yields rows that come about in the order of time, those of one run and
// minute in that of compare. What seq yields stays.
func byMinute[R any](seq iter.Seq2[*R, error], when func(*R) (dataset.RunID, dataset.Stamp), compare func(a, b *R) int) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		var rows []*R
		var run dataset.RunID
		var at dataset.Stamp
		flush := func() bool {
			slices.SortStableFunc(rows, compare)
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
			of, then := when(row)
			if then -= then % minute; (of != run || then != at) && !flush() {
				return
			}
			run, at = of, then
			rows = append(rows, row)
		}
		flush()
	}
}

// compare orders nodes by the pseudonyms of their IDs.
func (s Source) compare(a, b kad.NodeInfo) int { return s.Key.ID(a.ID).Compare(s.Key.ID(b.ID)) }

// visits yields visits in an order that may be shown.
func (s Source) visits(store *dataset.Store, f dataset.Filter) iter.Seq2[*rowOf[record.Visit], error] {
	type R = rowOf[record.Visit]
	seq := rows[record.Visit](store, record.KindVisit, f)
	if s.Key == nil {
		return seq
	}
	return byMinute(seq, func(v *R) (dataset.RunID, dataset.Stamp) { return v.run, dataset.StampOf(v.Row.Time) },
		func(a, b *R) int { return s.compare(a.Row.Node, b.Row.Node) })
}

// named yields edges in an order that may be shown.
func (s Source) named(store *dataset.Store, f dataset.Filter) iter.Seq2[*naming, error] {
	if s.Key == nil {
		return edges(store, f)
	}
	return byMinute(edges(store, f), func(e *naming) (dataset.RunID, dataset.Stamp) { return e.run, dataset.StampOf(e.visit.Time) },
		func(a, b *naming) int { return cmp.Or(s.compare(a.src, b.src), s.compare(a.dst, b.dst)) })
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
