package analysis

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
)

// crossing is the probability that a Poisson process of n points on average in the
// space has j points or more within reach[j-1], for any j. The reaches ascend.
//
// It goes from one reach to the next and keeps, for each number m of points so far,
// the probability that there are m and none was crossed; the j-th is crossed from m
// by j-m points or more in between. All terms are positive, so that a small
// probability keeps its digits.
func crossing(reach []float64, n float64) (p float64) {
	at := make([]float64, len(reach)+1) // by the number of points
	at[0] = 1
	last := 0.0
	for j := 1; j <= len(reach); j++ {
		mean := n * max(0, reach[j-1]-last)
		last = max(last, reach[j-1])
		for m := j - 1; m >= 0; m-- {
			p += at[m] * poissonAtLeast(j-m, mean)
		}
		for m := j - 1; m >= 0; m-- { // from above, for those below are still to be read
			sum, chance := 0.0, math.Exp(-mean)
			for more := 0; more <= m; more++ {
				sum += at[m-more] * chance
				chance *= mean / float64(more+1)
			}
			at[m] = sum
		}
	}
	return p
}

// poissonAtLeast is the probability of r points or more where mean are expected.
func poissonAtLeast(r int, mean float64) float64 {
	if mean == 0 {
		return 0
	}
	return mathext.GammaIncReg(float64(r), mean)
}

// ratesOf are the sizes of a network of which K nodes have the sum D of distances,
// with their weights: N D follows a Gamma distribution of shape K. They are the
// nodes of a Gauss-Legendre rule that reaches as far as what k more points in a
// small zone make of that distribution.
func ratesOf(nodes, sum float64, k int) []rate {
	const points = 48
	x, w := make([]float64, points), make([]float64, points)
	above := nodes + float64(k)
	lo := max(nodes/1000, nodes-8*math.Sqrt(nodes))
	hi := above + 8*math.Sqrt(above) + 16
	quad.Legendre{}.FixedLocations(x, w, lo, hi)
	rates := make([]rate, points)
	lgamma, _ := math.Lgamma(nodes)
	for i := range rates {
		density := math.Exp((nodes-1)*math.Log(x[i]) - x[i] - lgamma)
		rates[i] = rate{x[i] / sum, w[i] * density}
	}
	return rates
}

// gammaQuantile is the x at which the regularized lower incomplete gamma function
// P(j, x) is p, to all digits for p of any smallness. ln P is a concave function of
// ln x, so that Newton's steps from below the root, at (p j!)^(1/j), never pass it.
func gammaQuantile(j int, p float64) float64 {
	shape := float64(j)
	lgamma, _ := math.Lgamma(shape)
	x := math.Exp((math.Log(p) + lgamma + math.Log(shape)) / shape)
	for range 200 {
		below := mathext.GammaIncReg(shape, x)
		slope := math.Exp(shape*math.Log(x)-x-lgamma) / below
		step := (math.Log(p) - math.Log(below)) / slope
		x *= math.Exp(step)
		if !(math.Abs(step) > 1e-15) {
			break
		}
	}
	return x
}
