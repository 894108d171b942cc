package analysis

import (
	"cmp"
	"math"
	"slices"
)

// AdjustBH returns p-values adjusted for their number after Benjamini and Hochberg
// (Controlling the false discovery rate, J. R. Stat. Soc. B 57, 1995), in the order
// given: with p(1) <= p(2) <= … of m,
//
//	adjusted(i) = min over j >= i of m p(j) / j, at most 1
//
// Of those that are called discoveries because their adjusted value is at most q, a
// share of q is expected to be chance, at most, when the tests are independent, or
// rise and fall together (Benjamini and Yekutieli, Annals of Statistics 29, 2001). NaN stays NaN and counts as no test.
func AdjustBH(p []float64) []float64 {
	order, out := []int{}, slices.Clone(p)
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	least, m := 1.0, float64(len(order))
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*m/float64(rank))
		out[i] = least
	}
	return out
}
