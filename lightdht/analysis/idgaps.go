package analysis

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
	"gonum.org/v1/gonum/stat/distuv"
)

// GapTest is about the gaps between neighbouring points of the space, taken as a
// circle, in units of the mean gap, which is 2^160/N: for uniform points their law
// is exponential with mean 1.
type GapTest struct {
	Gaps           int     // as many as points
	Sum            float64 // Moran's M
	Moran          Test    // of it, scaled
	Least          float64
	Median         float64  // ln 2 = 0.693 by chance
	MedianInterval Interval // conservative: it holds that in 99 % of samples, as gaps add up to what they do
	Greatest       float64
	Quantiles      []GapQuantile // for a quantile-quantile plot, ascending
}

// GapQuantile is one of the sorted gaps beside what uniform points would have.
type GapQuantile struct {
	Rank     int     // 1 for the least gap
	P        float64 // Rank/(Gaps+1)
	Expected float64 // -ln(1-P), in mean gaps: of the greatest ln(N+1), about its mode; its mean is ln N + 0.58
	Observed float64 // in mean gaps
	Lo, Hi   float64 // 95 % of all uniform samples have theirs between them, each rank by itself
}

// Gaps tests the gaps between neighbours. With g the gaps of N points as shares of the
// space, which add up to 1, Moran's statistic (1951) is
//
//	M = - sum of ln(N g)
//	mean     = N γ - 1/2 - 1/(12 N),  γ = 0.5772…
//	variance = N (π²/6 - 1) - 1/2 - 1/(6 N)
//
// and moved and scaled to the mean and the variance of chi-square with df N,
//
//	Statistic = N + (M - mean) sqrt(2 N/variance),   at least 0
//
// it is nearly of that law, of which P is the upper tail (Cheng and Stephens 1989,
// Biometrika 76). Crowds, pairs among them, make M large: two IDs that share 80 bits beyond their neighbours add 55 to a sum whose standard
// deviation is 0.8 sqrt(N). Gaps are taken over all 160 bits. The points are distinct,
// so that no gap is 0.
//
// Expected, Lo and Hi of a quantile: the i-th of N gaps is -ln(1-B) with B from Beta(i,
// N+1-i), but for terms of 1/N.
func (p IDPoints) Gaps() (GapTest, error) {
	if err := p.enough(); err != nil {
		return GapTest{}, err
	}
	n := float64(len(p))
	gaps := make([]float64, len(p))
	sum := 0.0
	before := p[len(p)-1]
	for i, id := range p {
		gaps[i] = n * ahead(before, id)
		sum -= math.Log(gaps[i])
		before = id
	}
	slices.Sort(gaps)
	at, lo, hi := QuantileRanks(0.5, len(gaps), 0.95)
	return GapTest{
		Gaps:           len(gaps),
		Sum:            sum,
		Moran:          moran(sum, n),
		Least:          gaps[0],
		Median:         gaps[at-1],
		MedianInterval: Interval{Lo: gaps[lo-1], Hi: gaps[hi-1], Level: 0.95, Method: orderStatistics},
		Greatest:       gaps[len(gaps)-1],
		Quantiles:      gapQuantiles(gaps),
	}, nil
}

// ahead returns how far b is ahead of a on the circle, as a share of it.
func ahead(a, b kad.ID) float64 {
	var d kad.Distance
	low, borrow := bits.Sub32(binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(a[16:]), 0)
	mid, borrow64 := bits.Sub64(binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(a[8:]), uint64(borrow))
	high, _ := bits.Sub64(binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(a[:]), borrow64)
	binary.BigEndian.PutUint32(d[16:], low)
	binary.BigEndian.PutUint64(d[8:], mid)
	binary.BigEndian.PutUint64(d[:], high)
	return d.Fraction()
}

// moran returns the test of a sum of minus logarithms of n gaps.
func moran(sum, n float64) Test {
	const gamma = 0.57721566490153286060651209008240243 // Euler's
	mean := n*gamma - 0.5 - 1/(12*n)
	sd := math.Sqrt(n*(math.Pi*math.Pi/6-1) - 0.5 - 1/(6*n))
	chi := n + (sum-mean)/sd*math.Sqrt(2*n)
	return chiSquareTest("Moran, scaled", max(chi, 0), n)
}

// gapQuantiles picks some 120 of the sorted gaps: each percent, and ever denser
// towards both ends, where crowds and holes show.
func gapQuantiles(gaps []float64) []GapQuantile {
	n := len(gaps)
	var ranks []int
	for i := 1; i < 100; i++ {
		ranks = append(ranks, max(n*i/100, 1))
	}
	for end := 1; end < max(n/100, 2); end = max(end*2, end+1) {
		ranks = append(ranks, end, n+1-end)
	}
	slices.Sort(ranks)
	var quantiles []GapQuantile
	for _, rank := range slices.Compact(ranks) {
		p := float64(rank) / float64(n+1)
		law := distuv.Beta{Alpha: float64(rank), Beta: float64(n + 1 - rank)}
		quantiles = append(quantiles, GapQuantile{
			Rank: rank, P: p, Expected: -math.Log1p(-p), Observed: gaps[rank-1],
			Lo: -math.Log1p(-law.Quantile(0.025)), Hi: -math.Log1p(-law.Quantile(0.975)),
		})
	}
	return quantiles
}
