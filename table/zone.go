package table

import (
	"sync"
	"sync/atomic"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// A table is 64 zones of the ID space, which know nothing of each other. Each
// has a lock of its own, so that those who work on different ones do not wait.
// In order of distance to a target, zones come one after another as their
// numbers do, XORed with that of the target's zone: all in one are nearer than
// all in the next.
const (
	zoneBits = 6
	zones    = 1 << zoneBits
)

// zoneOf returns the number of the zone of an ID whose first 64 bits are given.
func zoneOf(id64 uint64) int { return int(id64 >> (64 - zoneBits)) }

// zone is a table of the contacts whose IDs begin with the same bits.
//
//	sighting ─ exact: key -> position ─ slab: the record ─ its class ─ nearest[class]
//
// Everything below mu is guarded by it, but for count, which is written under it.
type zone struct {
	number int
	table  *contacts

	mu      sync.Mutex
	slab    slab
	exact   exact
	living  living
	nearest [classes]index // nil when nobody was in it yet
	count   atomic.Uint32  // of the contacts: slab.size
	turn    uint8          // counts sightings, see contacts.tend
}

// index holds the positions of the contacts of one class by their IDs.
type index interface {
	add(pos uint32)
	remove(pos uint32)
	len() int

	// count returns how many lie in the zone p, which does not contain all of
	// them.
	count(p kad.Prefix) int

	// next appends to dst the nearest want or more candidates that q admits
	// and that lie beyond after, in order; fewer when there are no more up to
	// q.bound.
	next(dst []near, q *query, after cursor, want int) []near
}

func newZone(t *contacts, number int) *zone {
	z := &zone{number: number, table: t}
	z.slab.records.from = &t.records
	z.slab.sixes.from = &t.sixes
	return z
}

// id64 is the lowest ID of the zone, of which it holds the first 64 bits.
func (z *zone) id64() uint64 { return uint64(z.number) << (64 - zoneBits) }

// observe adds a sighting of the contact k, whose hash is given.
func (z *zone) observe(k *key, hash uint64, s *Sighting) (c Contact, added, tend bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	versions := &z.table.versions
	pos, known := z.exact.find(hash, k, &z.slab)
	if !known {
		pos = z.enter(k, hash, newRecord(s))
	}
	r := z.slab.at(pos)
	before := r.class()
	r.apply(s, versions)
	z.living.clock = seconds(s.Time)
	z.settle(pos, before, known)
	z.sweep(sweepMax)
	z.turn++
	return r.contact(&z.slab, versions), !known, z.turn%tendEvery == 0
}

// put puts in a contact with its history: in place of what is known, or, with
// merge, besides.
func (z *zone) put(k *key, hash uint64, c *Contact, merge bool) (added bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	told := recordOf(c, &z.table.versions)
	z.living.clock = max(z.living.clock, told.last)
	pos, known := z.exact.find(hash, k, &z.slab)
	var before class
	switch {
	case !known:
		pos = z.enter(k, hash, told)
	case merge:
		before = z.slab.at(pos).class()
		z.slab.at(pos).merge(&told)
	default:
		before = z.slab.at(pos).class()
		z.slab.at(pos).become(&told)
	}
	z.settle(pos, before, known)
	z.sweep(sweepMax)
	return !known
}

// enter keeps the record of a contact that was not known.
func (z *zone) enter(k *key, hash uint64, r record) (pos uint32) {
	pos = z.slab.add(k, r)
	z.exact.add(hash, pos, &z.slab, z.table.seed)
	z.count.Store(z.slab.size())
	z.table.size.Add(1)
	return pos
}

// settle decides whether a contact that changed is of the living, and moves it
// from the index of the class it was in before, or enters it into its first.
func (z *zone) settle(pos uint32, before class, known bool) {
	r := z.slab.at(pos)
	if r.class() == classStale {
		z.living.judge(pos, r, z.living.clock)
	}
	after := r.class()
	if known && before == after {
		return
	}
	if known {
		z.nearest[before].remove(pos)
	}
	if z.nearest[after] == nil {
		z.nearest[after] = z.table.newIndex(z)
	}
	z.nearest[after].add(pos)
}

// sweep lets up to n out of the queue of the living whose time is up.
func (z *zone) sweep(n int) {
	for range n {
		pos, ok := z.living.pop(z.living.clock)
		if !ok {
			return
		}
		r := z.slab.at(pos)
		before := r.class()
		r.flags &^= flagQueued
		z.settle(pos, before, true)
	}
}

// tend sweeps a zone in which perhaps nobody is seen. One that others work on
// needs no tending.
func (z *zone) tend(clock uint32) {
	if !z.mu.TryLock() {
		return
	}
	defer z.mu.Unlock()
	z.living.clock = clock
	z.sweep(tendEvery * sweepMax)
}

func (z *zone) get(k *key, hash uint64) (c Contact, ok bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	pos, ok := z.exact.find(hash, k, &z.slab)
	if !ok {
		return Contact{}, false
	}
	r := z.slab.at(pos)
	return r.contact(&z.slab, &z.table.versions), true
}

// countIn returns how many of a zone lie in p, a part of it.
func (z *zone) countIn(p kad.Prefix) (n int) {
	if z == nil {
		return 0
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, x := range z.nearest {
		if x != nil {
			n += x.count(p)
		}
	}
	return n
}

// read appends those of the contacts at the positions that pass to dst, and
// moves their positions to the front.
func (z *zone) read(dst []Contact, positions []uint32, s *sieve) []Contact {
	z.mu.Lock()
	defer z.mu.Unlock()
	passed := 0
	for _, pos := range positions {
		if r := z.slab.at(pos); s.passes(r) {
			positions[passed] = pos
			passed++
			dst = append(dst, r.contact(&z.slab, &z.table.versions))
		}
	}
	return dst
}
