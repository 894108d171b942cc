package analysis

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

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
// Biometrika 26, 1934). Without n it is from 0 to 1. Levels up to 1-1e-9 and n up to
// 10 M are held against the tails of the binomial distribution.
//
// It takes for granted that those counted are drawn independently from those that
// there are, and are of a class that was named before they were counted. Of a crawl
// that finds one network range more easily than another it says nothing; of the many
// IDs of one host, see [ClusteredShare].
func ClopperPearson(hits, n int, level float64) Interval {
	i := Interval{Level: level, Method: "Clopper-Pearson"}
	i.Lo, i.Hi = exactLimits(float64(hits), float64(n), level)
	return i
}

// exactLimits returns the ends of that interval, for numbers that need not be whole.
func exactLimits(hits, n, level float64) (lo, hi float64) {
	tail := (1 - level) / 2
	return lowerLimit(hits, n, tail), 1 - lowerLimit(n-hits, n, tail)
}

// lowerLimit returns the share under which hits of n or more have the probability
// tail.
func lowerLimit(hits, n, tail float64) float64 {
	switch {
	case n <= 0 || hits <= 0:
		return 0
	case hits >= n:
		return math.Exp(math.Log(tail) / n)
	}
	return lowQuantile(tail, hits, n-hits+1)
}

// lowQuantile returns the quantile of the distribution Beta(a, b) below which tail
// lies, by halving its logarithm: far out in the tail, where the search of
// distuv.Beta goes astray. It is for a tail of less than a half.
func lowQuantile(tail, a, b float64) float64 {
	beyond := func(log float64) bool { return mathext.RegIncBeta(a, b, math.Exp(log)) > tail }
	hi, step := 0.0, 1.0
	for beyond(hi - step) {
		if step *= 2; step > 1400 {
			return 0
		}
	}
	lo := hi - step
	for range 100 {
		middle := (lo + hi) / 2
		if middle == lo || middle == hi {
			break
		}
		if beyond(middle) {
			hi = middle
		} else {
			lo = middle
		}
	}
	return math.Exp(lo)
}

// tQuantile returns the quantile of Student's distribution that is exceeded, to
// either side, with the probability 1-level, however near 1 that is.
func tQuantile(level, df float64) float64 {
	x := lowQuantile(1-level, df/2, 0.5)
	return math.Sqrt(df * (1 - x) / x)
}
