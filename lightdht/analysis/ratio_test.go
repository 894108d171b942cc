package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// By hand: parts 1, 2 and 3 of wholes 2, 4 and 4, ten times each. R is 0.6, and the
// clusters are worth 100^2/360 at the most; by the variance, 0.24/(30/29 5.6/100^2), it
// would be 414. t(0.975; 99) = 1.98422 and t(0.975; 29) = 2.04523. With parts of 0
// and 2, 4 and 4 the variance decides: R is 0.4, the squares of y-Rx are 0.64, 5.76
// and 2.56.
func TestRatioByHand(t *testing.T) {
	var r, split Ratio
	r.Add(1, 2, 10)
	r.Add(2, 4, 10)
	r.Add(3, 4, 10)
	split.Add(0, 2, 10)
	split.Add(4, 4, 10)
	split.Add(0, 4, 10)
	factor := math.Pow(1.9842170/2.0452296, 2)
	for _, c := range []struct {
		ratio       Ratio
		share, many float64
	}{{r, 0.6, 10000.0 / 360}, {split, 0.4, min(10000.0/360, 0.24/(30.0/29*89.6/10000))}} {
		s := c.ratio.Share(0.95)
		lo, hi := exactLimits(c.share*c.many*factor, c.many*factor, 0.95)
		if !close(s.Value, c.share, 1e-12) || s.Of != 100 || s.Samples != 30 || !close(s.Interval.Lo, lo, 1e-5) || !close(s.Interval.Hi, hi, 1e-5) {
			t.Errorf("%+v, want %v to %v", s, lo, hi)
		}
	}
}

// With all or none counted it is about as many as the clusters are worth, 5 when they
// are alike; of a few others nothing is known.
func TestRatioAtItsEnds(t *testing.T) {
	var all, no, one, empty Ratio
	all.Add(3, 3, 5)
	no.Add(0, 3, 5)
	one.Add(1, 2, 1)
	if i, want := all.Share(0.95).Interval, ClopperPearson(5, 5, 0.95); i.Lo != want.Lo || i.Hi != 1 {
		t.Errorf("all of 5: %+v", i)
	}
	if i, want := no.Share(0.95).Interval, ClopperPearson(0, 5, 0.95); i.Hi != want.Hi || i.Lo != 0 {
		t.Errorf("none of 5: %+v", i)
	}
	if s := one.Share(0.95); s.Value != 0.5 || s.Interval.Level != 0 {
		t.Errorf("one: %+v", s)
	}
	if s := empty.Share(0.95); !math.IsNaN(s.Value) || s.Interval.Level != 0 {
		t.Errorf("nothing: %+v", s)
	}
}

// When each cluster is one, it is the interval of Clopper and Pearson.
func TestRatioOfOnes(t *testing.T) {
	s := ClusteredShare(func(yield func(part, whole int) bool) {
		for i := range 50 {
			if !yield(min(i%5, 1), min(i, 1)) { // the first has none, and does not count
				return
			}
		}
	}, 0.99)
	if s.Count != 40 || s.Of != 49 || s.Interval != ClopperPearson(40, 49, 0.99) {
		t.Errorf("%+v", s)
	}
}

// Clusters of many sizes, each with its own chance to be counted whole, or, mixed,
// each of its ones: from a rare class to a common one, from light to heavy tails.
func TestRatioHoldsTheTruth(t *testing.T) {
	const seeds = 500
	heavy := func(r *rand.Rand) int { return int(math.Min(1e4, math.Pow(1-r.Float64(), -1/1.2))) }
	for i, c := range []struct {
		clusters  int
		truth, hi float64
		mixed     bool
		size      func(*rand.Rand) int
	}{
		{200, 0.02, 0.999, false, func(r *rand.Rand) int { return 1 + r.IntN(8) }},
		{1000, 0.01, 1, false, heavy},
		{30, 0.3, 1, false, heavy},
		{300, 0.4, 0.985, false, func(r *rand.Rand) int { return 1 + r.IntN(8) }},
		{200, 0.6, 1, true, func(r *rand.Rand) int { return 1 + r.IntN(20) }},
	} {
		r, held := source(t, uint64(200+i)), 0
		for range seeds {
			var ratio Ratio
			for range c.clusters {
				whole := c.size(r)
				part := drawBinomial(r, 1, c.truth) * whole
				if c.mixed {
					part = drawBinomial(r, whole, c.truth+0.3*float64(1-2*r.IntN(2)))
				}
				ratio.Add(float64(part), float64(whole), 1)
			}
			if s := ratio.Share(0.95); s.Interval.Lo <= c.truth && c.truth <= s.Interval.Hi {
				held++
			}
		}
		if got := float64(held) / seeds; got < 0.95-3.5*math.Sqrt(0.95*0.05/seeds) || got > c.hi {
			t.Errorf("%d clusters, %v of them: held in %v", c.clusters, c.truth, got)
		} else {
			t.Logf("%d clusters, %v of them: held in %v", c.clusters, c.truth, got)
		}
	}
}

func drawBinomial(r *rand.Rand, n int, p float64) (k int) {
	for range n {
		if r.Float64() < p {
			k++
		}
	}
	return k
}
