package analysis

import (
	"math"
	"testing"
)

// Limits of 95 % as the published tables of exact binomial limits have them, to four
// digits.
func TestClopperPearsonPublished(t *testing.T) {
	for _, c := range []struct {
		hits, n int
		lo, hi  float64
	}{
		{0, 1, 0, 0.975}, {1, 1, 0.025, 1}, {0, 10, 0, 0.3085}, {1, 10, 0.0025, 0.4450}, {5, 10, 0.1871, 0.8129},
		{10, 10, 0.6915, 1}, {0, 20, 0, 0.1684}, {4, 20, 0.0573, 0.4366}, {10, 100, 0.0490, 0.1762}, {50, 100, 0.3983, 0.6017},
		{0, 0, 0, 1},
	} {
		i := ClopperPearson(c.hits, c.n, 0.95)
		if math.Abs(i.Lo-c.lo) > 0.00006 || math.Abs(i.Hi-c.hi) > 0.00006 || i.Level != 0.95 || i.Method != "Clopper-Pearson" {
			t.Errorf("%d of %d: %+v, want %v to %v", c.hits, c.n, i, c.lo, c.hi)
		}
	}
}

// The slow twin: under its ends the tails of the binomial distribution, summed term by
// term, have what was left for them, for n up to 10 M.
func TestClopperPearsonAgainstBinomialSum(t *testing.T) {
	for n := 1; n <= 10_000_000; n *= 10 {
		for _, hits := range []int{0, 1, 2, n / 1000, n / 10, n / 3, n / 2, n - n/1000, n - 2, n - 1, n} {
			if hits < 0 || hits > n {
				continue
			}
			for _, level := range []float64{0.5, 0.95, 0.999} {
				i, tail := ClopperPearson(hits, n, level), (1-level)/2
				if got := atLeast(hits, n, i.Lo); hits > 0 && !close(got, tail, 1e-6) {
					t.Errorf("%d of %d at %v: %d or more have %v, want %v", hits, n, level, hits, got, tail)
				}
				if got := atLeast(n-hits, n, 1-i.Hi); hits < n && !close(got, tail, 1e-6) {
					t.Errorf("%d of %d at %v: %d or fewer have %v, want %v", hits, n, level, hits, got, tail)
				}
			}
		}
	}
}

// atLeast is P(B >= k) for a binomial B, where that is the smaller tail.
func atLeast(k, n int, p float64) (sum float64) {
	lgamma := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	term := math.Exp(lgamma(n) - lgamma(k) - lgamma(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	for i := k; i <= n && (term > 1e-20*sum || sum == 0); i++ {
		sum += term
		term *= float64(n-i) / float64(i+1) * p / (1 - p)
	}
	return sum
}

// Its interval, whatever the share is, holds it at least as often as it says: summed
// over all outcomes, without chance.
func TestClopperPearsonIsConservative(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 50} {
		for p := 0.005; p < 1; p += 0.01 {
			held := 0.0
			for k := range n + 1 {
				if i := ClopperPearson(k, n, 0.95); i.Lo <= p && p <= i.Hi {
					held += atLeast(k, n, p) - atLeast(k+1, n, p)
				}
			}
			if held < 0.95-1e-9 {
				t.Errorf("n %d, share %v: held with %v", n, p, held)
			}
		}
	}
}

func TestMeanByHand(t *testing.T) {
	// Student's own table: t(0.975; 2) = 4.3027; the deviation of 1, 2, 3 is 1.
	m := Mean([]float64{1, 2, 3}, 0.95)
	half := 4.302653 / math.Sqrt(3)
	if m.Value != 2 || m.Samples != 3 || !close(m.Interval.Lo, 2-half, 1e-6) || !close(m.Interval.Hi, 2+half, 1e-6) {
		t.Errorf("%+v", m)
	}
	if one := Mean([]float64{7}, 0.95); one.Value != 7 || one.Interval != (Interval{}) {
		t.Errorf("of one: %+v", one)
	}
	if alike := Mean([]float64{0.1, 0.1, 0.1}, 0.95); !close(alike.Value, 0.1, 1e-12) || alike.Samples != 3 || alike.Interval != (Interval{}) {
		t.Errorf("of three that are the same: %+v", alike)
	}
	if no := Mean(nil, 0.95); !math.IsNaN(no.Value) || no.Samples != 0 {
		t.Errorf("of none: %+v", no)
	}
}

func TestMeanHoldsTheTruth(t *testing.T) {
	const seeds = 2000
	r, held := source(t, 21), 0
	for range seeds {
		values := make([]float64, 2+r.IntN(6))
		for i := range values {
			values[i] = 0.3 + 0.1*r.NormFloat64()
		}
		if m := Mean(values, 0.95); m.Interval.Lo <= 0.3 && 0.3 <= m.Interval.Hi {
			held++
		}
	}
	if got := float64(held) / seeds; math.Abs(got-0.95) > 3.5*math.Sqrt(0.95*0.05/seeds) {
		t.Errorf("held in %v", got)
	}
}
