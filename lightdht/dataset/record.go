package dataset

import (
	"math"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

const (
	heapFull = 1 << 16  // contacts at which a flush is due
	heapMost = 1 << 20  // contacts that are kept while the disk does not take them
	rowsFull = 1 << 20  // bytes of rows at which a flush is due
	rowsMost = 64 << 20 // bytes of rows that are kept
)

// Record takes a row.
func (r *Run) Record(row record.Row) {
	kind := row.Kind()
	if !known(row) {
		r.lost[0].Add(1)
		return
	}
	if r.err.Load() != nil {
		r.lost[kind].Add(1)
		return
	}
	if !r.set.RawInfohashes {
		row = r.withoutInfohash(row)
	}
	r.mu.Lock()
	kept := !r.closed && r.err.Load() == nil && r.take(row)
	full := len(r.heap.tallies) >= heapFull || len(r.rows.buf) >= rowsFull
	r.mu.Unlock()
	if !kept {
		r.lost[kind].Add(1)
	}
	if full {
		select {
		case r.kick <- struct{}{}:
		default: // it is due already
		}
	}
}

// known reports whether a row is of one of the types of package record.
func known(row record.Row) bool {
	switch row.(type) {
	case *record.Sighting, *record.Query, *record.Visit, *record.Lookup, *record.Estimate, *record.Endpoint:
		return true
	}
	return false
}

// take puts a row where it waits for the next flush; false when there is no room,
// or when it is of a contact without an address.
func (r *Run) take(row record.Row) bool {
	s, ok := row.(*record.Sighting)
	if ok && s.Node.Addr.Addr().Is4In6() {
		c := *s
		c.Node.Addr = kad.Unmap(c.Node.Addr)
		s, row = &c, &c
	}
	framed := !ok || r.set.KeepSightings
	if framed && len(r.rows.buf) >= rowsMost || ok && (len(r.heap.tallies) >= heapMost || !s.Node.Addr.IsValid()) {
		return false
	}
	r.waiting[row.Kind()]++
	if ok {
		r.heap.of(s.Node).add(s, r.version(s.Version))
	}
	if framed {
		r.rows.open(StampOf(row.When()))
		r.rows.buf = appendRow(r.rows.buf, row)
		r.cuts += cuts(row)
		r.rows.settle(false)
	}
	return true
}

// version returns a client version as it is kept.
func (r *Run) version(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	if len(v) > maxVersion {
		r.cuts++
		v = v[:maxVersion]
	}
	return r.names.of(v)
}

// withoutInfohash returns the row with a hash in the place of an infohash.
func (r *Run) withoutInfohash(row record.Row) record.Row {
	switch q := row.(type) {
	case *record.Query:
		if q.Target.Infohash {
			c := *q
			c.Target.ID = r.store.Hash(c.Target.ID)
			return &c
		}
	case *record.Visit:
		if q.Target.Infohash {
			c := *q
			c.Target.ID = r.store.Hash(c.Target.ID)
			return &c
		}
	case *record.Lookup:
		if q.Target.Infohash {
			c := *q
			c.Target.ID = r.store.Hash(c.Target.ID)
			c.Closest = slices.Clone(c.Closest)
			for i := range c.Closest {
				c.Closest[i].Distance = math.NaN() // which with the ID would tell the infohash
			}
			return &c
		}
	}
	return row
}
