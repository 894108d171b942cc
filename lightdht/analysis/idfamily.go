package analysis

import (
	"iter"
	"math"
	"sort"
)

// binFamily is the stretches that one zone has at a depth: all of the space, or
// one zone of 21 bits among several families.
type binFamily struct {
	n        int     // keys in the zone
	depth    int     // bits of the bins
	bins     float64 // of this depth in the zone
	families float64 // zones like it
	alone    bool    // stretches of one bin are all that is asked for
}

// logP returns ln p of o keys in a stretch of l bins.
func (f binFamily) logP(o int, l float64) float64 {
	return logBinomialTail(o, f.n, l/f.bins) + math.Log(f.families*f.bins*l*(l+1)*deepestZones)
}

// least returns how many keys a stretch needs at least for a p below 1: those of
// a stretch of one bin. It is more than n when none has enough.
func (f binFamily) least() int {
	return sort.Search(f.n+1, func(o int) bool { return o > 0 && f.logP(o, 1) < 0 })
}

// shortest returns the same stretch with as few bits as it takes: 16 neighbours of
// 25 bits are one of 21 where they begin and end with it.
func (f binFamily) shortest(s stretch) (binFamily, stretch) {
	for s.first&1 == 0 && s.last&1 == 1 && f.bins > 2 {
		s.first, s.last = s.first>>1, s.last>>1
		f.depth, f.bins = f.depth-1, f.bins/2
	}
	return f, s
}

// prepared is a family with the search for its candidates.
type prepared struct {
	binFamily
	cusum
}

// prepare readies the search for stretches with p below 1.
func (f binFamily) prepare() prepared {
	return prepared{f, newCusum(uint(64-f.depth), float64(f.n)/f.bins, f.least(), f.alone)}
}

// search appends the stretches among the keys of the family with p below 1.
func (f *prepared) search(found []candidate, keys []uint64) []candidate {
	f.each(keys, func(s stretch) {
		of, s := f.shortest(s)
		if logP := of.logP(s.observed, s.length()); logP < 0 {
			found = append(found, candidate{of.depth, s, float64(of.n) / of.bins * s.length(), logP})
		}
	})
	return found
}

// appendInner appends the candidates of the depths below bound within the zones
// of bound bits, each of which is given how many keys it has.
func appendInner(found []candidate, keys []uint64, bound int, alone bool) []candidate {
	families := 0
	for zone := range zonesOf(keys, bound) {
		if len(zone) > 1 {
			families++
		}
	}
	var known [64][]prepared // by how many keys a zone has: most have few
	for zone := range zonesOf(keys, bound) {
		n := len(zone)
		var all []prepared
		switch {
		case n < 2:
			continue
		case n >= len(known):
			all = innerFamilies(n, families, bound, alone)
		default:
			if known[n] == nil {
				known[n] = innerFamilies(n, families, bound, alone)
			}
			all = known[n]
		}
		for i := range all {
			found = all[i].search(found, zone)
		}
	}
	return found
}

// innerFamilies returns the searches of a zone of n keys, for each depth at which
// as many could stand out.
func innerFamilies(n, families, bound int, alone bool) []prepared {
	all := []prepared{}
	for depth := bound + 1; depth <= deepestZones; depth++ {
		f := binFamily{n: n, depth: depth, bins: math.Ldexp(1, depth-bound), families: float64(families), alone: alone}
		if f.least() <= n {
			all = append(all, f.prepare())
		}
	}
	return all
}

// zonesOf yields the keys of one prefix of so many bits after the other.
func zonesOf(keys []uint64, bits int) iter.Seq[[]uint64] {
	return func(yield func([]uint64) bool) {
		for begin := 0; begin < len(keys); {
			end := binEnd(keys, begin, uint(64-bits))
			if !yield(keys[begin:end]) {
				return
			}
			begin = end
		}
	}
}
