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
// from some hundreds, and left out below thirty. When all are of one entity it has no
// width, and the interval is the square of that of [ClopperPearson], of which the index
// cannot be less; when no two are of one, it is that of ClopperPearson for none of n/2
// pairs.
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
	switch {
	case h.Value == 1:
		i := ClopperPearson(int(n), int(n), level)
		h.Interval = Interval{Lo: i.Lo * i.Lo, Hi: 1, Level: level, Method: "Clopper-Pearson, squared"}
		return h
	case h.Value == 0:
		h.Interval = ClopperPearson(0, int(n)/2, level)
		h.Interval.Method = "Clopper-Pearson, of pairs"
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
// ascending order, i from 1, and n their sum,
//
//	G = 2 sum(i c_i) / (K n) - (K+1)/K
//
// Its interval is that of the jackknife, by leaving out one of those counted: all of
// an entity leave the same behind, so that there are as many outcomes G_c as there are
// different counts, each weighted with the number w of those counted that it stands
// for, and m their mean:
//
//	G* = n G - (n-1) m ± t(1-a/2; n-1) sqrt((n-1)/n sum w (G_c - m)^2),  a = 1-level
//
// (Efron, The jackknife, the bootstrap and other resampling plans, 1982, section 3).
// It is approximate, left out below thirty counted, and takes for granted that those
// counted are drawn independently, and that nearly all entities were found: those that were not are not
// in it. With many that were seen once, it is about entities that such a count finds,
// and another of another length comes to another number.
//
// Chance makes entities of one size uneven, to a coefficient of about 1/sqrt(pi m)
// with m = n/K: up to twice that it does not tell them from equal ones, and the
// interval begins at 0.
//
// Counts below 1 are no entities. Of none it is NaN; of one entity 0, without interval.
func Gini(counts []int, level float64) Number {
	c := ascending(counts)
	n := 0
	for _, x := range c {
		n += x
	}
	if n == 0 {
		return none()
	}
	g := Number{Value: 0, Samples: n}
	if len(c) == 1 {
		return g
	}
	j := jackknifeGini(c, n)
	g.Value = min(max(j.estimate, 0), 1)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile((1 + level) / 2)
	half := t * math.Sqrt(j.variance)
	if n < leastCounted || half == 0 {
		return g
	}
	g.Interval = Interval{Lo: j.estimate - half, Hi: j.estimate + half, Level: level, Method: "jackknife"}
	if chance := math.Sqrt(float64(len(c)) / (math.Pi * float64(n))); j.plain <= 2*chance {
		g.Interval.Lo = 0
	}
	g.Interval.Hi = max(g.Interval.Hi, g.Value)
	return g.within(0, 1)
}

// ginis is what a jackknife comes to, and the coefficient of the counts as they are.
type ginis struct{ plain, estimate, variance float64 }

// jackknifeGini leaves out one of n counted, whose counts come in ascending order.
func jackknifeGini(c []int, n int) ginis {
	ranked := 0.0 // sum of i c_i
	for i, x := range c {
		ranked += float64(i+1) * float64(x)
	}
	whole := giniOf(ranked, len(c), n)
	sum, squares := 0.0, 0.0 // of how much higher it is without one
	for i, x := range c {
		if i > 0 && x == c[i-1] {
			continue
		}
		alike := 1
		for i+alike < len(c) && c[i+alike] == x {
			alike++
		}
		d := withoutOne(ranked, c, i, n) - whole
		w := float64(alike) * float64(x)
		sum += w * d
		squares += w * d * d
	}
	m := float64(n)
	mean := sum / m
	return ginis{
		plain:    whole,
		estimate: whole - (m-1)*mean,
		variance: (m - 1) / m * max(0, squares-m*mean*mean),
	}
}

// withoutOne is the coefficient without one of those of c[i], which is the first of
// its size.
func withoutOne(ranked float64, c []int, i, n int) float64 {
	if c[i] > 1 {
		return giniOf(ranked-float64(i+1), len(c), n-1)
	}
	// The entity is gone, and each other one that had a higher rank is a rank lower.
	// All of size 1 come first, so that i is 0: the ranks of all others fall.
	return giniOf(ranked-float64(n), len(c)-1, n-1)
}

// giniOf returns the coefficient of k entities, from the sum of i c_i.
func giniOf(ranked float64, k, n int) float64 {
	if n == 0 || k == 0 {
		return 0
	}
	return 2*ranked/(float64(k)*float64(n)) - float64(k+1)/float64(k)
}

// ascending returns the counts that are entities, in order.
func ascending(counts []int) []int {
	c := slices.DeleteFunc(slices.Clone(counts), func(x int) bool { return x < 1 })
	slices.Sort(c)
	return c
}
