package analysis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// leastNames is how many counts a power law is fitted to at the least.
const leastNames = 10

// PowerLaw returns the exponent of the power law that counts of 1 and more follow,
//
//	P(x) = x^-A / zeta(A),  A > 1
//
// by maximum likelihood: the A that makes l(A) = -A sum ln x - n ln zeta(A) the
// largest (Clauset, Shalizi and Newman, Power-law distributions in empirical data,
// SIAM Review 51, 2009, section 3.1, with the least x of 1). The interval is that of
// the likelihood ratio, all A with
//
//	2 (l(best) - l(A)) <= q(1-a; 1),  a = 1-level
//
// where q is the quantile of the chi-square distribution of one degree of freedom; it
// is approximate, and good from ten counts or so.
//
// It takes for granted that counts are drawn independently from that law, from 1 on,
// and does not look whether they are: there is no test of fit in it, and the interval
// is about the exponent if the law is true. A law that holds in the tail alone has
// another exponent there, and of counts that follow none the exponent that comes next
// has an interval as narrow as any, which narrows as they grow. In the terms of
// Zipf, the count of the r-th most frequent falls as r^-s with s = 1/(A-1): see
// [Number.Zipf].
//
// It is NaN when there are fewer than ten counts, or all are 1: the law is then as
// steep as one likes. Counts below 1 are none.
func PowerLaw(counts []int, level float64) Number {
	counts = ascending(counts) // so that their order makes no difference, not even to the last digit
	logs, n := 0.0, len(counts)
	for _, x := range counts {
		logs += math.Log(float64(x))
	}
	found := Number{Value: math.NaN(), Samples: n}
	if n < leastNames || logs == 0 {
		return found
	}
	mean := logs / float64(n)
	cost := func(a float64) float64 { return a*mean + math.Log(mathext.Zeta(a, 1)) } // -l/n, convex
	best := lowest(cost, 1+1e-9, 60)
	allowed := cost(best) + distuv.ChiSquared{K: 1}.Quantile(level)/(2*float64(n))
	beyond := func(a float64) bool { return cost(a) > allowed }
	far := best + 1
	for !beyond(far) && far < 1e3 {
		far = best + 2*(far-best)
	}
	found.Value = best
	found.Interval = Interval{
		Lo: boundary(best, 1+1e-12, beyond), Hi: boundary(best, far, beyond),
		Level: level, Method: "maximum likelihood, likelihood ratio",
	}
	return found
}

// Zipf returns the exponent of ranks for n, that of a power law of counts:
// s = 1/(A-1), and its interval by the same.
func (n Number) Zipf() Number {
	z := n
	z.Value = 1 / (n.Value - 1)
	if n.Interval.Level > 0 {
		z.Interval.Lo, z.Interval.Hi = 1/(n.Interval.Hi-1), 1/(n.Interval.Lo-1)
	}
	return z
}

// lowest returns where a convex function is the lowest, by golden sections.
func lowest(f func(float64) float64, lo, hi float64) float64 {
	golden := (math.Sqrt(5) - 1) / 2
	x, y := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fx, fy := f(x), f(y)
	for range 80 {
		if fx < fy {
			hi, y, fy = y, x, fx
			x = hi - golden*(hi-lo)
			fx = f(x)
		} else {
			lo, x, fx = x, y, fy
			y = lo + golden*(hi-lo)
			fy = f(y)
		}
	}
	return (lo + hi) / 2
}

// boundary returns where, between a point that is not beyond and one that is, it
// begins.
func boundary(inside, outside float64, beyond func(float64) bool) float64 {
	for range 100 {
		if middle := (inside + outside) / 2; beyond(middle) {
			outside = middle
		} else {
			inside = middle
		}
	}
	return inside
}

// descending returns a copy of counts, the largest first.
func descending(counts []int) []int {
	sorted := slices.Clone(counts)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	return sorted
}
