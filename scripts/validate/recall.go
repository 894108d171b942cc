package main

import (
	"math/rand/v2"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func init() { checks = append(checks, check{"recall", recallRows}) }

func recallRows(seeds int) []row {
	alone := func(r *rand.Rand) float64 { return 0.95 }
	grouped := func(r *rand.Rand) float64 { // one lookup of ten goes wrong as a whole
		if r.Float64() < 0.1 {
			return 0.5
		}
		return 1
	}
	return []row{
		recallRow(seeds, "64 pairs, 5 % missed one by one", 0.95, alone),
		recallRow(seeds, "64 pairs, 5 % missed in groups", 0.95, grouped),
	}
}

// recallRow is about pairs of lookups whose first finds each node by the chance that
// is drawn for the lookup, truth on average, and whose second finds 90 %.
func recallRow(seeds int, setting string, truth float64, first func(*rand.Rand) float64) row {
	found := overSeeds(setting, seeds, func(r *rand.Rand) estimate {
		pairs := make([]analysis.Pair, 64)
		for i := range pairs {
			pairs[i] = analysis.Pair{First: findSome(r, first(r)), Second: findSome(r, 0.9)}
		}
		e := must(analysis.Recall(pairs, 0.95))
		return estimate{e.Share / truth, e.Interval.Lo <= truth && truth <= e.Interval.Hi}
	})
	return row{"share of the closest found", setting, seeds, []figure{bias(ratios(found), 0.005), spread(ratios(found), shown), coversAtLeast(held(found), 0.93)}}
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
