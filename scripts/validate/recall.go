package main

import (
	"math/rand/v2"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func init() { checks = append(checks, check{"recall", recallRows}) }

// recallRows are about lookups of which one in ten goes wrong as a whole and finds
// half, that is, all of them 95 % of the closest; the second of each pair finds 90 %.
func recallRows(seeds int) []row {
	const truth = 0.9 + 0.1*0.5
	found := overSeeds("recall", seeds, func(r *rand.Rand) estimate {
		pairs := make([]analysis.Pair, 64)
		for i := range pairs {
			first := 1.0
			if r.Float64() < 0.1 {
				first = 0.5
			}
			pairs[i] = analysis.Pair{First: findSome(r, first), Second: findSome(r, 0.9)}
		}
		e := must(analysis.Recall(pairs, 0.95))
		return estimate{e.Share / truth, e.Interval.Lo <= truth && truth <= e.Interval.Hi}
	})
	return []row{{"share of the closest found", "64 pairs of lookups, 5 % missed in groups", seeds,
		[]figure{bias(ratios(found), 0.005), spread(ratios(found), shown), coversAtLeast(held(found), 0.93)}}}
}

// findSome finds the 8 closest nodes to the target 0, each with a chance: the n-th
// closest has the ID n.
func findSome(r *rand.Rand, chance float64) (ids []kad.ID) {
	for rank := byte(1); len(ids) < k; rank++ {
		if r.Float64() < chance {
			ids = append(ids, kad.ID{rank})
		}
	}
	return ids
}
