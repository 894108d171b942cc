package main

import (
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// drawDistances draws the distances of the k closest of n nodes to a random target:
// exponential gaps, for the nodes near it are points of a Poisson process.
func drawDistances(r *rand.Rand, k int, n float64) analysis.Distances {
	distances, d := make(analysis.Distances, k), 0.0
	for i := range distances {
		d += r.ExpFloat64() / n
		distances[i] = d
	}
	return distances
}

func drawLookups(r *rand.Rand, lookups, k int, n float64) []analysis.Distances {
	all := make([]analysis.Distances, lookups)
	for i := range all {
		all[i] = drawDistances(r, k, n)
	}
	return all
}

// space is a whole ID space: its nodes, sorted. Where lookups share nodes it takes
// the place of drawn distances.
type space []kad.ID

func newSpace(r *rand.Rand, nodes int) space {
	s := make(space, nodes)
	for i := range s {
		s[i] = randomID(r)
	}
	slices.SortFunc(s, kad.ID.Compare)
	return s
}

// closest returns the k nodes nearest to target, the nearest first. Those that
// share a prefix with it stand together: it widens the zone of a node or so until k
// are in it, and sorts them.
func (s space) closest(target kad.ID, k int) []kad.ID {
	for bits := bits.Len(uint(len(s))); ; bits-- {
		zone := target.Prefix(bits)
		from, _ := slices.BinarySearchFunc(s, zone.First(), kad.ID.Compare)
		to, exact := slices.BinarySearchFunc(s, zone.Last(), kad.ID.Compare)
		if exact {
			to++
		}
		if to-from >= k || bits == 0 {
			near := slices.Clone(s[from:to])
			slices.SortFunc(near, target.CompareDistance)
			return near[:min(k, len(near))]
		}
	}
}

// lookup is what a lookup of the k closest gives that finds them all.
func (s space) lookup(target kad.ID, k int) (d analysis.Distances) {
	for _, id := range s.closest(target, k) {
		d = append(d, target.Distance(id).Fraction())
	}
	return d
}

func randomID(r *rand.Rand) (id kad.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}
