package analysis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// leastCounted is how many must be counted for an interval that is approximate.
const leastCounted = 30

// HHI returns the Herfindahl-Hirschman index of entities of which counts are those
// counted, the chance that two drawn at random are of one entity: 1 when there is one,
// 1/K for K of the same size. With n the sum of the counts c, and p = c/n,
//
//	H   = sum c (c-1) / (n (n-1))
//	Var = 2/(n(n-1)) (2(n-2) (sum p^3 - H^2) + H - H^2)
//	H ± z(1-a/2) sqrt(Var),  a = 1-level
//
// H is unbiased, where the plain sum of p^2 is too high by (1-H)/n, and is a
// U-statistic, whose exact variance this is (Hoeffding, A class of statistics with
// asymptotically normal distribution, Ann. Math. Stat. 19, 1948; for large n it is
// that of the delta method, 4/n (sum p^3 - H^2)). The interval is approximate: good
// from some hundreds, and left out below thirty. When all are of one entity that has no
// width: the index is at least the square of what [ClopperPearson] says that entity
// has at the least. When no two are of one, it is at most the square of the share p of
// which P(at most one of n) = a/2, as if one entity had it and all others were met
// once: no other sizes of that index hide as well, since of an entity of which x are
// expected none or one is met with the chance exp(ln(1+x) - x), whose exponent is convex in
// x^2 and so the highest when one has all of the index. Where less than thirty pairs
// are of one entity the interval reaches at least as high as this says of the largest.
//
// It takes for granted that those counted are drawn independently. Counts below 1
// are no entities. Of less than two it is NaN.
func HHI(counts []int, level float64) Number {
	n, pairs, cubes := 0.0, 0.0, 0.0
	for _, c := range counts {
		x := float64(c)
		n += x
		pairs += x * (x - 1)
		cubes += x * (x - 1) * (x - 2)
	}
	h := Number{Value: math.NaN(), Samples: int(n)}
	if n < 2 {
		return h
	}
	h.Value = pairs / (n * (n - 1))
	of := ClopperPearson(slices.Max(counts), int(n), level) // the share of the largest
	switch {
	case h.Value == 1:
		h.Interval = Interval{Lo: of.Lo * of.Lo, Hi: 1, Level: level, Method: "Clopper-Pearson, squared"}
		return h
	case h.Value == 0:
		h.Interval = Interval{Lo: 0, Hi: of.Hi * of.Hi, Level: level, Method: "Clopper-Pearson, squared"}
		return h
	case n < leastCounted:
		return h
	}
	spread := 0.0 // between entities: sum p^3 - H^2, of which both parts are unbiased
	if n > 2 {
		spread = max(0, cubes/(n*(n-1)*(n-2))-h.Value*h.Value)
	}
	variance := 2 / (n * (n - 1)) * (2*(n-2)*spread + h.Value - h.Value*h.Value)
	half := distuv.UnitNormal.Quantile((1+level)/2) * math.Sqrt(variance)
	h.Interval = Interval{Lo: h.Value - half, Hi: h.Value + half, Level: level, Method: "U-statistic, delta method"}
	if pairs < 2*leastCounted {
		h.Interval.Hi = max(h.Interval.Hi, of.Hi*of.Hi)
	}
	return h.within(0, 1)
}

// Nakamoto returns the fewest entities that together have more than half of what is
// counted; 0 when nothing is. It has no interval: it jumps by whole entities, and who
// is among the largest is itself drawn.
func Nakamoto(counts []int) int {
	largest := ascending(counts)
	slices.Reverse(largest)
	all, have := 0, 0
	for _, c := range largest {
		all += c
	}
	for i, c := range largest {
		if have += c; 2*have > all {
			return i + 1
		}
	}
	return 0
}

// Gini returns the Gini coefficient of entities of which counts are those counted: 0
// when all have the same, near 1 when one of many has all. With the K counts c in
// ascending order, i from 1, n their sum, and R the mean over those counted of the
// rank i of their entity,
//
//	G  = 2 sum(i c_i) / (K n) - (K+1)/K  =  (2 R - K - 1) / K
//	se = 2 s / (K sqrt(n))
//
// where s is the standard deviation of those ranks, of entities of the same count
// their mean rank: this is the delta method, the ranks being what the coefficient
// changes by with each that is counted (Langel and Tille, Variance estimation of the
// Gini index, J. R. Stat. Soc. A 176, 2013).
//
// Chance makes entities of like size uneven, so that G is too high, the more the
// fewer were counted of each: of entities of one size it is about 1/sqrt(pi m) with
// m = n/K, which is 0.056 for 100 of each, 0.18 for 10, and 0 is the truth. The
// interval reaches down by as much as that can be, and where chance may have made
// half of G or more there is none:
//
//	G - z(1-a/2) se - B  to  G + z(1-a/2) se,  a = 1-level
//	B = (1+sqrt(2)) sum over i<j of (E|N(d, v)| - d) / (K n),  d = |c_i - c_j|,  v = c_i + c_j
//
// Each term is how much higher than a difference d chance makes it look, once more:
// what is seen was spread by chance already, so that of two entities of one size this
// is 1/(1+sqrt(2)) of what it was the first time. For others it is more.
//
// It is approximate, left out below thirty counted, and takes for granted that those
// counted are drawn independently, and that all entities were found: those that were
// not are not in it. With many that were seen once, it is about entities that such a
// count finds, and another of another length comes to another number.
//
// Counts below 1 are no entities. Of none it is NaN; of one entity 0, without interval.
func Gini(counts []int, level float64) Number {
	sizes := sizesOf(counts)
	k, n := 0, 0
	for _, s := range sizes {
		k += s.alike
		n += s.alike * s.count
	}
	if n == 0 {
		return none()
	}
	mean, sd := rankMoments(sizes, n)
	g := Number{Value: max(0, (2*mean-float64(k)-1)/float64(k)), Samples: n}
	chance := (1 + math.Sqrt2) * unevenByChance(sizes) / (float64(k) * float64(n))
	if n < leastCounted || 2*chance >= g.Value {
		return g
	}
	half := distuv.UnitNormal.Quantile((1+level)/2) * 2 * sd / (float64(k) * math.Sqrt(float64(n)))
	g.Interval = Interval{Lo: g.Value - half - chance, Hi: g.Value + half, Level: level, Method: "ranks, delta method"}
	return g.within(0, 1)
}

// size is how many entities have a count.
type size struct{ count, alike int }

// sizesOf returns the different counts of entities in ascending order.
func sizesOf(counts []int) (sizes []size) {
	for _, x := range ascending(counts) {
		if len(sizes) == 0 || sizes[len(sizes)-1].count != x {
			sizes = append(sizes, size{count: x})
		}
		sizes[len(sizes)-1].alike++
	}
	return sizes
}

// rankMoments returns the mean and the standard deviation, over all n that are
// counted, of the rank that their entity has.
func rankMoments(sizes []size, n int) (mean, sd float64) {
	each := func(add func(rank, share float64)) {
		below := 0
		for _, s := range sizes {
			add(float64(below)+float64(s.alike+1)/2, float64(s.alike*s.count)/float64(n))
			below += s.alike
		}
	}
	squares := 0.0
	each(func(rank, share float64) { mean += share * rank })
	each(func(rank, share float64) { squares += share * (rank - mean) * (rank - mean) })
	return mean, math.Sqrt(squares)
}

// unevenByChance returns the sum over pairs of entities of how much chance adds to
// their difference.
func unevenByChance(sizes []size) (sum float64) {
	for i, a := range sizes {
		sum += float64(a.alike) * float64(a.alike-1) / 2 * foldedExcess(0, float64(2*a.count))
		for _, b := range sizes[i+1:] {
			d, variance := float64(b.count-a.count), float64(a.count+b.count)
			if d*d > 36*variance {
				break // as all after it, which chance does not turn around
			}
			sum += float64(a.alike) * float64(b.alike) * foldedExcess(d, variance)
		}
	}
	return sum
}

// foldedExcess returns E|X| - d of X that is normal with mean d, 0 or more.
func foldedExcess(d, variance float64) float64 {
	s := math.Sqrt(variance)
	return s*math.Sqrt(2/math.Pi)*math.Exp(-d*d/(2*variance)) - d*math.Erfc(d/(s*math.Sqrt2))
}

// ascending returns the counts that are entities, in order.
func ascending(counts []int) []int {
	c := slices.DeleteFunc(slices.Clone(counts), func(x int) bool { return x < 1 })
	slices.Sort(c)
	return c
}
