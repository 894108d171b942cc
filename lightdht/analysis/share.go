package analysis

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// censusLevel is the confidence of the intervals of a census.
const censusLevel = 0.95

// none is a number that there is none of.
func none() Number { return Number{Value: math.NaN()} }

// ClopperPearson returns the interval of a share of which hits among n are a
// sample. Its ends are the shares under which as many hits or more, and as many or
// fewer, have the probability a/2:
//
//	Lo = Beta(a/2; hits, n-hits+1),  Hi = Beta(1-a/2; hits+1, n-hits),  a = 1-level
//
// where Beta is the quantile of that distribution; with no hits Lo is 0 and Hi is
// 1-(a/2)^(1/n), with n of them Hi is 1 and Lo is (a/2)^(1/n). It holds the share at
// least as often as level says, whatever that is and for any n: it is conservative,
// and wide for a few (Clopper and Pearson, The use of confidence or fiducial limits,
// Biometrika 26, 1934). Without n it is from 0 to 1.
//
// It takes for granted that those counted are drawn independently from those that
// there are: of a crawl that finds one network range more easily than another, or of
// the many IDs of one host, it says nothing.
func ClopperPearson(hits, n int, level float64) Interval {
	i := Interval{Lo: 0, Hi: 1, Level: level, Method: "Clopper-Pearson"}
	a, k, m := (1-level)/2, float64(hits), float64(n)
	switch {
	case n <= 0:
	case hits <= 0:
		i.Hi = -math.Expm1(math.Log(a) / m)
	case hits >= n:
		i.Lo = math.Exp(math.Log(a) / m)
	default:
		i.Lo = distuv.Beta{Alpha: k, Beta: m - k + 1}.Quantile(a)
		i.Hi = distuv.Beta{Alpha: k + 1, Beta: m - k}.Quantile(1 - a)
	}
	return i
}

// shareOf returns a share with its interval; of none its Value is NaN, and it has
// none.
func shareOf(hits, n int) Share {
	s := Share{Number: none(), Count: float64(hits), Of: float64(n)}
	if s.Samples = n; n > 0 {
		s.Value, s.Interval = float64(hits)/float64(n), ClopperPearson(hits, n, censusLevel)
	}
	return s
}

// Mean returns the mean of values, m, with its interval by Student's t,
//
//	m ± t(1-a/2; n-1) s / sqrt(n),  a = 1-level
//
// where s is their standard deviation; of one value there is none, and of values that
// are all the same, as what they are spread over does not show. The mean of none is NaN. The interval is exact when the values are drawn independently from a
// normal distribution, and close to that for others as n grows (Student, The
// probable error of a mean, Biometrika 6, 1908). Runs that follow each other within
// minutes see the same nodes and are not independent: it is then too narrow for what
// the network is over days.
func Mean(values []float64, level float64) Number {
	n := Number{Value: math.NaN(), Samples: len(values)}
	switch len(values) {
	case 0:
	case 1:
		n.Value = values[0]
	default:
		mean, sd := stat.MeanStdDev(values, nil)
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(values) - 1)}.Quantile((1 + level) / 2)
		half := t * sd / math.Sqrt(float64(len(values)))
		n.Value = mean
		if sd > 1e-12*math.Abs(mean) { // less is of rounding
			n.Interval = Interval{Lo: mean - half, Hi: mean + half, Level: level, Method: "Student's t over runs"}
		}
	}
	return n
}

// within returns n with an interval that stays between two bounds that the truth
// has.
func (n Number) within(lo, hi float64) Number {
	if n.Interval.Level != 0 {
		n.Interval.Lo, n.Interval.Hi = max(n.Interval.Lo, lo), min(n.Interval.Hi, hi)
	}
	return n
}

// leastClusters is how many there must be for the interval of a [Ratio].
const leastClusters = 10

// Ratio is a sum of parts over a sum of wholes, cluster by cluster: answers over
// queries, node by node. Feed it with Add.
type Ratio struct {
	clusters   int
	y, x       float64 // sums of parts and of wholes
	yy, xy, xx float64 // sums of their squares and products
}

// Add adds clusters of a size, of which part is counted.
func (r *Ratio) Add(part, whole float64, clusters int) {
	c := float64(clusters)
	r.clusters += clusters
	r.y += c * part
	r.x += c * whole
	r.yy += c * part * part
	r.xy += c * part * whole
	r.xx += c * whole * whole
}

// Share returns the ratio R = sum y / sum x over n clusters, with the interval of the
// delta method,
//
//	R ± t(1-a/2; n-1) sqrt(n/(n-1) sum (y - R x)^2) / sum x,  a = 1-level
//
// for what came of one node, or from one, is no independent sample (Cochran,
// Sampling techniques, 1977, section 2.11). It is approximate: good from some dozens
// of clusters of which none has most of the sum, and left out below ten. When all of them are counted, or
// none, that has no width, and the interval is that of [ClopperPearson] for clusters.
func (r *Ratio) Share(level float64) Share {
	s := Share{Number: Number{Value: math.NaN(), Samples: r.clusters}, Count: r.y, Of: r.x}
	if r.x == 0 {
		return s
	}
	s.Value = r.y / r.x
	n := float64(r.clusters)
	switch {
	case r.y == 0:
		s.Interval = ClopperPearson(0, r.clusters, level)
	case r.y == r.x:
		s.Interval = ClopperPearson(r.clusters, r.clusters, level)
	case r.clusters >= leastClusters:
		squares := max(0, r.yy-2*s.Value*r.xy+s.Value*s.Value*r.xx)
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile((1 + level) / 2)
		half := t * math.Sqrt(n/(n-1)*squares) / r.x
		s.Interval = Interval{Lo: s.Value - half, Hi: s.Value + half, Level: level, Method: "ratio of sums, delta method"}
		s.Number = s.Number.within(0, 1)
	}
	return s
}
