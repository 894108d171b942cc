package analysis

import (
	"iter"
	"math"
)

// leastClusters is how many there must be for the interval of a [Ratio].
const leastClusters = 10

// effectiveNumber is the method of intervals of a [Ratio].
const effectiveNumber = "Clopper-Pearson, effective number"

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

// join adds the clusters of another.
func (r *Ratio) join(o *Ratio) {
	r.clusters += o.clusters
	r.y, r.x = r.y+o.y, r.x+o.x
	r.yy, r.xy, r.xx = r.yy+o.yy, r.xy+o.xy, r.xx+o.xx
}

// Share returns the ratio R = sum y / sum x over k clusters, of which parts y and
// wholes x are counts, with the interval of [ClopperPearson] for R m of m, where
//
//	m = min((sum x)^2 / sum x^2, R (1-R) / v) (t(1-a/2; sum x - 1) / t(1-a/2; k-1))^2
//	v = k/(k-1) sum (y - R x)^2 / (sum x)^2,  a = 1-level
//
// is how many independent ones tell as much: what came of one node, or from one, is no
// independent sample. R (1-R) / v is that by the variance over clusters, that of the
// delta method (Korn and Graubard, Confidence intervals for proportions with small
// expected number of positive counts estimated from survey data, Survey Methodology
// 24, 1998). Of a rare class, or with a few that have most of the sum, that is a guess
// from too few clusters, and too high; the first is that of clusters which are all
// part or all not (Kish, Survey sampling, 1965), and never exceeded.
//
// So it is conservative where clusters are mixed, and close to exact where they are
// not. It is left out below ten clusters, except when all or none is counted, and
// takes clusters for drawn independently. When all wholes are 1 it is Clopper and
// Pearson's own.
func (r *Ratio) Share(level float64) Share {
	s := Share{Number: Number{Value: math.NaN(), Samples: r.clusters}, Count: r.y, Of: r.x}
	if r.x == 0 {
		return s
	}
	s.Value = r.y / r.x
	switch m := r.worth(level); {
	case r.alone():
		s.Interval = ClopperPearson(int(r.y), int(r.x), level)
	case m > 0:
		s.Interval = Interval{Level: level, Method: effectiveNumber}
		s.Interval.Lo, s.Interval.Hi = exactLimits(s.Value*m, m, level)
	}
	return s
}

// alone reports whether all wholes are 1.
func (r *Ratio) alone() bool { return r.xx == r.x && r.x == float64(r.clusters) }

// worth returns how many independent ones tell as much; 0 when there are too few
// clusters to know.
func (r *Ratio) worth(level float64) float64 {
	kish := r.x * r.x / r.xx
	switch {
	case r.alone():
		return r.x
	case r.y == 0 || r.y == r.x:
		return kish
	case r.clusters < leastClusters:
		return 0
	}
	k, share := float64(r.clusters), r.y/r.x
	squares := max(0, r.yy-2*share*r.xy+share*share*r.xx)
	v := k / (k - 1) * squares / (r.x * r.x)
	t := tQuantile(level, max(r.x, k)-1) / tQuantile(level, k-1)
	return min(kish, share*(1-share)/v) * t * t
}

// ClusteredShare returns the share of those counted, which come in clusters: the IDs
// of one address are not independent. It takes, cluster by cluster, how many are so,
// and of how many; see [Ratio.Share] for its interval, and what that takes for
// granted.
func ClusteredShare(clusters iter.Seq2[int, int], level float64) Share {
	var r Ratio
	for part, whole := range clusters {
		if whole > 0 {
			r.Add(float64(part), float64(whole), 1)
		}
	}
	return r.Share(level)
}
