package main

import (
	"math/rand/v2"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

func init() { checks = append(checks, check{"size", sizeRows}) }

// estimate is what one seed gives: the estimate over the truth, and whether the
// interval holds the truth.
type estimate struct {
	ratio float64
	held  bool
}

func ratios(of []estimate) []float64 { return column(of, func(e estimate) float64 { return e.ratio }) }
func held(of []estimate) []bool      { return column(of, func(e estimate) bool { return e.held }) }

// drawDistances draws the distances of the k closest of n nodes to a random target:
// exponential gaps, for the nodes near it are points of a Poisson process.
func drawDistances(r *rand.Rand, k int, n float64) []float64 {
	distances, d := make([]float64, k), 0.0
	for i := range distances {
		d += r.ExpFloat64() / n
		distances[i] = d
	}
	return distances
}

func sizeRows(seeds int) []row {
	const truth, lookups, k = 1e7, 256, 8
	found := overSeeds("pooled", seeds, func(r *rand.Rand) estimate {
		var spacings []analysis.Spacing
		for range lookups {
			spacings = append(spacings, analysis.Spacing{K: k, Distance: drawDistances(r, k, truth)[k-1]})
		}
		e := must(analysis.PooledSize(spacings, 0.95))
		return estimate{e.N / truth, e.Lo <= truth && truth <= e.Hi}
	})
	return []row{{"size, pooled", "256 lookups of 8, 10 M nodes", seeds,
		[]figure{bias(ratios(found), 0.01), spread(ratios(found), 0.025), covers(held(found))}}}
}
