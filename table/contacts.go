package table

import (
	"iter"
	"sync"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// contacts is all of a table but the shape of its indexes: Flat and Prefix are
// one each.
//
//	sighting ─ exact: key -> position ─ slab: the record ─ its class ─ nearest[class]
//
// Everything below mu is guarded by it. No method calls a caller's code while
// it holds mu; iterations copy a page of contacts under it, let go, and yield.
type contacts struct {
	queries sync.Pool // of *query
	ordered bool      // the indexes find a zone without looking at everything

	mu       sync.RWMutex
	slab     slab
	exact    exact
	versions versions
	living   living
	nearest  [classes]index
}

// index holds the positions of the contacts of one class by their IDs.
type index interface {
	add(pos uint32)
	remove(pos uint32)
	len() int

	// count returns how many lie in the zone p.
	count(p kad.Prefix) int

	// next appends to dst the nearest want or more candidates that q admits
	// and that lie beyond after, in order; fewer when there are no more up to
	// q.bound.
	next(dst []near, q *query, after cursor, want int) []near
}

func (t *contacts) init(newIndex func(*slab) index) {
	t.queries.New = func() any { return newQuery(t) }
	t.exact = newExact(&t.slab)
	t.versions = newVersions()
	for c := range t.nearest {
		t.nearest[c] = newIndex(&t.slab)
	}
}

// Observe implements [Table].
func (t *contacts) Observe(s Sighting) (c Contact, added bool) {
	k := keyOf(s.Node)
	hash := t.exact.hash(&k)
	t.mu.Lock()
	defer t.mu.Unlock()
	pos, known := t.exact.find(hash, &k)
	if !known {
		pos = t.slab.add(newRecord(k, &s))
		t.exact.add(hash, pos)
	}
	r := t.slab.at(pos)
	before := r.class()
	r.apply(&s, &t.versions)
	t.living.clock = seconds(s.Time)
	t.settle(pos, before, known)
	t.sweep()
	return r.contact(&t.versions), !known
}

// Restore implements [Table].
func (t *contacts) Restore(c Contact) (added bool) {
	k := keyOf(c.Info())
	hash := t.exact.hash(&k)
	t.mu.Lock()
	defer t.mu.Unlock()
	restored := recordOf(k, &c, &t.versions)
	t.living.clock = max(t.living.clock, restored.last)
	pos, known := t.exact.find(hash, &k)
	var before class
	if known {
		r := t.slab.at(pos)
		before = r.class()
		r.become(&restored)
	} else {
		pos = t.slab.add(restored)
		t.exact.add(hash, pos)
	}
	t.settle(pos, before, known)
	t.sweep()
	return !known
}

// settle decides whether a contact that changed is of the living, and moves it
// from the index of the class it was in before, or enters it into its first.
func (t *contacts) settle(pos uint32, before class, known bool) {
	r := t.slab.at(pos)
	if r.class() == classStale {
		t.living.judge(pos, r, t.living.clock)
	}
	after := r.class()
	if known && before == after {
		return
	}
	if known {
		t.nearest[before].remove(pos)
	}
	t.nearest[after].add(pos)
}

// sweep lets a few out of the queue of the living whose time is up.
func (t *contacts) sweep() {
	for range sweepMax {
		pos, ok := t.living.pop(t.living.clock)
		if !ok {
			return
		}
		r := t.slab.at(pos)
		before := r.class()
		r.flags &^= flagQueued
		t.settle(pos, before, true)
	}
}

// Get implements [Table].
func (t *contacts) Get(node kad.NodeInfo) (c Contact, ok bool) {
	k := keyOf(node)
	hash := t.exact.hash(&k)
	t.mu.RLock()
	defer t.mu.RUnlock()
	pos, ok := t.exact.find(hash, &k)
	if !ok {
		return Contact{}, false
	}
	return t.slab.at(pos).contact(&t.versions), true
}

// Len implements [Table].
func (t *contacts) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return int(t.slab.size)
}

// Drops implements [Table].
func (t *contacts) Drops() Drops {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.versions.drops
}

// Count implements [Table].
func (t *contacts) Count(p kad.Prefix) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if p.Bits() == 0 {
		return int(t.slab.size)
	}
	n := 0
	for _, x := range t.nearest {
		n += x.count(p)
	}
	return n
}

// All implements [Table].
func (t *contacts) All() iter.Seq[Contact] { return values(t.each(Filter{})) }

// Under implements [Table].
func (t *contacts) Under(p kad.Prefix) iter.Seq[Contact] { return values(t.under(p, Filter{})) }

// under yields the positions and contacts of the zone p that f passes, but for
// Distinct. In an ordered table they are within a distance of the zone's first
// ID, or nearly so.
func (t *contacts) under(p kad.Prefix, f Filter) iter.Seq2[uint32, Contact] {
	if p.Bits() == 0 {
		return t.each(f)
	}
	match := f.Match
	f.Match = nil // of those outside the zone nobody asks
	seq := t.each(f)
	if t.ordered {
		seq = t.byDistance(p.First(), ^ones(p.Bits()), f)
	}
	return func(yield func(uint32, Contact) bool) {
		for pos, c := range seq {
			if p.Contains(c.ID) && (match == nil || match(c)) && !yield(pos, c) {
				return
			}
		}
	}
}

// page is how many contacts an iteration copies under one lock: about 13 kB.
const page = 64

// each yields in order of position, so those that were there at the start,
// with all of f but Distinct.
func (t *contacts) each(f Filter) iter.Seq2[uint32, Contact] {
	return func(yield func(uint32, Contact) bool) {
		sieve := newSieve(&f)
		var positions [page]uint32
		var copies [page]Contact
		for from, end := 0, t.Len(); from < end; from += page {
			n := min(page, end-from)
			for i := range n {
				positions[i] = uint32(from + i)
			}
			if !yieldPage(positions[:n], t.read(copies[:0], positions[:n], &sieve), f.Match, yield) {
				return
			}
		}
	}
}

// read appends those of the contacts at the positions that pass to dst, and
// moves their positions to the front.
func (t *contacts) read(dst []Contact, positions []uint32, s *sieve) []Contact {
	t.mu.RLock()
	defer t.mu.RUnlock()
	passed := 0
	for _, pos := range positions {
		if r := t.slab.at(pos); s.passes(r) {
			positions[passed] = pos
			passed++
			dst = append(dst, r.contact(&t.versions))
		}
	}
	return dst
}

// yieldPage yields those that match and reports whether to go on.
func yieldPage(positions []uint32, cs []Contact, match func(Contact) bool, yield func(uint32, Contact) bool) bool {
	for i, c := range cs {
		if match != nil && !match(c) {
			continue
		}
		if !yield(positions[i], c) {
			return false
		}
	}
	return true
}

// values drops the positions of a sequence.
func values(seq iter.Seq2[uint32, Contact]) iter.Seq[Contact] {
	return func(yield func(Contact) bool) {
		for _, c := range seq {
			if !yield(c) {
				return
			}
		}
	}
}
