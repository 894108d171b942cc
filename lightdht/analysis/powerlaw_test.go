package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// drawPower draws from a power law, by its sum.
func drawPower(r *rand.Rand, a float64) int {
	const last = 1 << 20
	// Devroye, Non-uniform random variate generation, 1986, section X.6.1.
	b := math.Pow(2, a-1)
	for {
		u, v := r.Float64(), r.Float64()
		x := math.Floor(math.Pow(1-u, -1/(a-1)))
		if x > last {
			continue // so far out that it makes no difference
		}
		t := math.Pow(1+1/x, a-1)
		if v*x*(t-1)/(b-1) <= t/b {
			return int(x)
		}
	}
}

func TestPowerLawHoldsTheTruth(t *testing.T) {
	const seeds = 400
	for i, c := range []struct {
		truth float64
		n     int
	}{{2.5, 20}, {2.2, 100}, {3, 400}} {
		r := source(t, uint64(50+i))
		f := tally{truth: c.truth}
		for range seeds {
			counts := make([]int, c.n)
			for j := range counts {
				counts[j] = drawPower(r, c.truth)
			}
			if p := PowerLaw(counts, 0.95); !math.IsNaN(p.Value) {
				f.add(SizeEstimate{N: p.Value, Lo: p.Interval.Lo, Hi: p.Interval.Hi})
			}
		}
		if got, se := f.coverage(), math.Sqrt(0.95*0.05/seeds); math.Abs(got-0.95) > 0.01+3.5*se {
			t.Errorf("%+v: held in %v", c, got)
		}
		if c.n >= 400 && math.Abs(f.mean()-1) > 0.01 {
			t.Errorf("%+v: %v of the truth on average", c, f.mean())
		}
	}
}

// The slow twin: a grid of exponents, and the sum of the series term by term.
func TestPowerLawAgainstAGrid(t *testing.T) {
	r := source(t, 60)
	counts := make([]int, 200)
	logs := 0.0
	for i := range counts {
		counts[i] = drawPower(r, 2.5)
		logs += math.Log(float64(counts[i]))
	}
	likelihood := func(a float64) float64 {
		zeta := 0.0
		for x := 1.0; x < 2e4; x++ {
			zeta += math.Pow(x, -a)
		}
		zeta += math.Pow(2e4, 1-a) / (a - 1)
		return -a*logs - float64(len(counts))*math.Log(zeta)
	}
	best, most := 0.0, math.Inf(-1)
	for a := 2.0; a < 3.2; a += 0.01 {
		if l := likelihood(a); l > most {
			best, most = a, l
		}
	}
	p := PowerLaw(counts, 0.95)
	if math.Abs(p.Value-best) > 0.011 || p.Samples != 200 {
		t.Errorf("%+v, want %v", p, best)
	}
	for _, end := range []float64{p.Interval.Lo, p.Interval.Hi} { // 3.841 is the 95 % point of chi-square
		if got := 2 * (likelihood(p.Value) - likelihood(end)); math.Abs(got-3.8415) > 0.01 {
			t.Errorf("at %v the ratio is %v", end, got)
		}
	}
	z := p.Zipf()
	if !close(z.Value, 1/(p.Value-1), 1e-12) || !(z.Interval.Lo < z.Value && z.Value < z.Interval.Hi) {
		t.Errorf("ranks: %+v", z)
	}
}

func TestPowerLawRefuses(t *testing.T) {
	nine := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 0}
	ones := make([]int, 100)
	for i := range ones {
		ones[i] = 1
	}
	for _, counts := range [][]int{nil, nine, ones} {
		if p := PowerLaw(counts, 0.95); !math.IsNaN(p.Value) || p.Interval.Level != 0 {
			t.Errorf("%v: %+v", counts, p)
		}
	}
}
