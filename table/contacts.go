package table

import (
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// contacts is all of a table but the shape of its indexes: Flat and Prefix are
// one each. It is the zones, and what they share.
//
// No method calls a caller's code while it holds a lock; iterations copy a page
// of contacts under it, let go, and yield. Nobody waits for the lock of a zone
// while holding that of another.
type contacts struct {
	newIndex func(*zone) index
	ordered  bool // the indexes find a part of a zone without looking at all of it

	seed     maphash.Seed
	versions versions
	records  quarry[record]
	sixes    quarry[[16]byte]
	queries  sync.Pool // of *query

	zones  [zones]atomic.Pointer[zone] // nil when nobody was in it yet
	size   atomic.Int64                // of all zones
	tended atomic.Uint32               // the zone that was tended last, or others since
}

func (t *contacts) init(newIndex func(*zone) index) {
	t.newIndex = newIndex
	t.seed = maphash.MakeSeed()
	t.versions.init()
	t.queries.New = func() any { return new(query) }
}

// zone returns the zone of an ID; a new one if it has to be.
func (t *contacts) zone(id kad.ID) *zone {
	number := zoneOf(first64(id))
	if z := t.zones[number].Load(); z != nil {
		return z
	}
	t.zones[number].CompareAndSwap(nil, newZone(t, number))
	return t.zones[number].Load()
}

// Observe implements [Table].
func (t *contacts) Observe(s Sighting) (c Contact, added bool) {
	k := keyOf(s.Node)
	c, added, tend := t.zone(k.id).observe(&k, hashKey(t.seed, &k), &s)
	if tend {
		t.tend(seconds(s.Time))
	}
	return c, added
}

// tendEvery is after how many sightings in a zone another one is tended.
const tendEvery = 16

// tend lets those whose time is up leave the living of a zone, each time of
// another one: a zone where nobody is seen for long would keep them.
func (t *contacts) tend(clock uint32) {
	if z := t.zones[t.tended.Add(1)%zones].Load(); z != nil {
		z.tend(clock)
	}
}

// Restore implements [Table].
func (t *contacts) Restore(c Contact) (added bool) { return t.put(&c, false) }

// Merge implements [Table].
func (t *contacts) Merge(c Contact) (added bool) { return t.put(&c, true) }

// put puts in a contact with its history.
func (t *contacts) put(c *Contact, merge bool) (added bool) {
	k := keyOf(c.Info())
	return t.zone(k.id).put(&k, hashKey(t.seed, &k), c, merge)
}

// Get implements [Table].
func (t *contacts) Get(node kad.NodeInfo) (c Contact, ok bool) {
	k := keyOf(node)
	z := t.zones[zoneOf(first64(k.id))].Load()
	if z == nil {
		return Contact{}, false
	}
	return z.get(&k, hashKey(t.seed, &k))
}

// Len implements [Table].
func (t *contacts) Len() int { return int(t.size.Load()) }

// Drops implements [Table].
func (t *contacts) Drops() Drops { return t.versions.drops() }

// Count implements [Table].
func (t *contacts) Count(p kad.Prefix) (n int) {
	if p.Bits() == 0 {
		return t.Len()
	}
	if p.Bits() > zoneBits {
		return t.zones[zoneOf(first64(p.First()))].Load().countIn(p)
	}
	now := t.census()
	for i := zoneOf(first64(p.First())); i <= zoneOf(first64(p.Last())); i++ {
		n += int(now[i])
	}
	return n
}

// in yields the zones that p is a part of, or that are parts of p.
func (t *contacts) in(p kad.Prefix) iter.Seq[*zone] {
	first, last := zoneOf(first64(p.First())), zoneOf(first64(p.Last()))
	return func(yield func(*zone) bool) {
		for i := first; i <= last; i++ {
			if z := t.zones[i].Load(); z != nil && !yield(z) {
				return
			}
		}
	}
}

// census is how many contacts each zone had at a time.
type census [zones]uint32

func (t *contacts) census() (c census) {
	for i := range t.zones {
		if z := t.zones[i].Load(); z != nil {
			c[i] = z.count.Load()
		}
	}
	return c
}

func (c *census) size() (n int) {
	for _, in := range c {
		n += int(in)
	}
	return n
}

// place returns the i-th place of all there were, below c.size.
func (c *census) place(i int) place {
	for zone, in := range c {
		if i < int(in) {
			return placeOf(zone, uint32(i))
		}
		i -= int(in)
	}
	panic("no such place")
}

// place is where a contact is kept: the number of its zone and its position there.
type place uint64

func placeOf(zone int, pos uint32) place { return place(zone)<<32 | place(pos) }

func (p place) zone() int { return int(p >> 32) }

func (p place) pos() uint32 { return uint32(p) }

// All implements [Table].
func (t *contacts) All() iter.Seq[Contact] { return values(t.each(kad.Prefix{}, Filter{})) }

// Under implements [Table].
func (t *contacts) Under(p kad.Prefix) iter.Seq[Contact] { return values(t.under(p, Filter{})) }

// under yields the places and contacts of the zone p that f passes, but for
// Distinct. In an ordered table they are within a distance of the zone's first
// ID, or nearly so.
func (t *contacts) under(p kad.Prefix, f Filter) iter.Seq2[place, Contact] {
	if p.Bits() <= zoneBits {
		return t.each(p, f)
	}
	match := f.Match
	f.Match = nil // of those outside the zone nobody asks
	seq := t.each(p, f)
	if t.ordered {
		seq = t.byDistance(p.First(), ^ones(p.Bits()), f)
	}
	return func(yield func(place, Contact) bool) {
		for at, c := range seq {
			if p.Contains(c.ID) && (match == nil || match(c)) && !yield(at, c) {
				return
			}
		}
	}
}

// page is how many contacts an iteration copies under one lock: about 13 kB.
const page = 64

// each yields those in the zones of p in order of position, so those that were
// there at the start, with all of f but Distinct.
func (t *contacts) each(p kad.Prefix, f Filter) iter.Seq2[place, Contact] {
	return func(yield func(place, Contact) bool) {
		sieve, then := newSieve(&f), t.census()
		for z := range t.in(p) {
			if !z.each(then[z.number], &sieve, f.Match, yield) {
				return
			}
		}
	}
}

// each yields those of the first n positions that pass, and reports whether to
// go on.
func (z *zone) each(n uint32, s *sieve, match func(Contact) bool, yield func(place, Contact) bool) bool {
	var positions [page]uint32
	var copies [page]Contact
	for from := uint32(0); from < n; from += page {
		some := positions[:min(page, n-from)]
		for i := range some {
			some[i] = from + uint32(i)
		}
		if !z.yieldPage(some, z.read(copies[:0], some, s), match, yield) {
			return false
		}
	}
	return true
}

// yieldPage yields those that match and reports whether to go on.
func (z *zone) yieldPage(positions []uint32, cs []Contact, match func(Contact) bool, yield func(place, Contact) bool) bool {
	for i, c := range cs {
		if match != nil && !match(c) {
			continue
		}
		if !yield(placeOf(z.number, positions[i]), c) {
			return false
		}
	}
	return true
}

// values drops the places of a sequence.
func values(seq iter.Seq2[place, Contact]) iter.Seq[Contact] {
	return func(yield func(Contact) bool) {
		for _, c := range seq {
			if !yield(c) {
				return
			}
		}
	}
}
