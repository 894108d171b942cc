package analysis

import (
	"math"
	"slices"
	"testing"
	"time"
)

// The ranks of the median as the tables of the sign test have them: n, and the rank
// whose mirror is the other end.
func TestQuantileRanksOfTheMedian(t *testing.T) {
	for _, c := range []struct{ n, lo int }{{5, 0}, {6, 1}, {8, 1}, {9, 2}, {12, 3}, {15, 4}, {20, 6}, {25, 8}, {50, 18}, {100, 40}} {
		at, lo, hi := QuantileRanks(0.5, c.n, 0.95)
		if lo != c.lo || hi != c.n+1-c.lo || at != (c.n+1)/2 {
			t.Errorf("n %d: ranks %d, %d to %d, want from %d", c.n, at, lo, hi, c.lo)
		}
	}
}

// Against sums of the binomial distribution: the tails hold what they may, and one
// rank nearer would not.
func TestQuantileRanksAreTheNarrowest(t *testing.T) {
	for _, n := range []int{1, 10, 99, 1000} {
		for _, p := range quantiles {
			at, lo, hi := QuantileRanks(p, n, 0.95)
			fewer := func(r int) float64 { return 1 - sumFrom(r, n, p) } // P(B < r)
			if lo > 0 && fewer(lo) > 0.025+1e-9 || fewer(lo+1) <= 0.025-1e-9 {
				t.Errorf("n %d, p %v: below rank %d lie %v", n, p, lo, fewer(lo))
			}
			if hi <= n && sumFrom(hi, n, p) > 0.025+1e-9 || hi > 0 && sumFrom(hi-1, n, p) <= 0.025-1e-9 {
				t.Errorf("n %d, p %v: from rank %d on lie %v", n, p, hi, sumFrom(hi, n, p))
			}
			if want := int(math.Ceil(p * float64(n))); at != want {
				t.Errorf("n %d, p %v: rank %d, want %d", n, p, at, want)
			}
		}
	}
	if at, lo, hi := QuantileRanks(0.5, 0, 0.95); at != 0 || lo != 0 || hi != 1 {
		t.Errorf("of none: %d, %d to %d", at, lo, hi)
	}
}

// sumFrom is P(B >= k), term by term from the lowest.
func sumFrom(k, n int, p float64) (sum float64) {
	for i := max(k, 0); i <= n; i++ {
		lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func TestQuantilesHoldTheTruth(t *testing.T) {
	const seeds, n = 300, 150
	r := source(t, 23)
	held := make([]int, len(quantiles))
	for range seeds {
		trips := newRoundTrips()
		for range n {
			trips.add(uint32(100_000 * r.ExpFloat64()))
		}
		for i, q := range rank(trips.bars()).quantiles(quantiles, nil) {
			if truth := -100_000 * math.Log(1-quantiles[i]); q.Interval.Lo <= truth && truth <= q.Interval.Hi {
				held[i]++
			}
		}
	}
	for i, p := range quantiles {
		if got := float64(held[i]) / seeds; got < 0.95-3.5*math.Sqrt(0.95*0.05/seeds) {
			t.Errorf("quantile %v: held in %v", p, got)
		}
	}
}

// The slow twin sorts: a quantile is off by a thousandth at most, and its interval
// holds that of the sorted values.
func TestQuantilesAgainstSorting(t *testing.T) {
	r := source(t, 24)
	for _, n := range []int{1, 2, 7, 100, 5000} {
		values, trips := make([]float64, n), newRoundTrips()
		for i := range values {
			v := uint32(math.Exp(16 * r.Float64()))
			values[i] = float64(v)
			trips.add(v)
		}
		slices.Sort(values)
		for i, q := range rank(trips.bars()).quantiles(quantiles, nil) {
			at, lo, hi := QuantileRanks(quantiles[i], n, 0.95)
			if !close(q.Value, values[at-1], 0.001) || q.Samples != n {
				t.Errorf("n %d, p %v: %v, want %v", n, quantiles[i], q.Value, values[at-1])
			}
			if none := lo == 0 && hi > n; none != (q.Interval.Level == 0) {
				t.Errorf("n %d, p %v: interval %+v", n, quantiles[i], q.Interval)
			} else if none {
				continue
			}
			from, to := 0.0, math.Inf(1)
			if lo > 0 {
				from = values[lo-1]
			}
			if hi <= n {
				to = values[hi-1]
			}
			if q.Interval.Lo > from || q.Interval.Lo < 0.999*from-1 || q.Interval.Hi < to || q.Interval.Hi > 1.001*to+1 {
				t.Errorf("n %d, p %v: interval %+v, want %v to %v", n, quantiles[i], q.Interval, from, to)
			}
		}
	}
	if q := rank(nil).quantiles(quantiles, nil)[0]; !math.IsNaN(q.Value) || q.Interval.Level != 0 {
		t.Errorf("of none: %+v", q)
	}
}

// What is outside of the range of the histogram counts at its ends.
func TestRoundTripsAtTheEnds(t *testing.T) {
	trips := newRoundTrips()
	trips.add(0)
	trips.add(math.MaxUint32)
	bars := trips.bars()
	if len(bars) != 2 || bars[0] != (Bar{time.Microsecond, time.Microsecond, 1}) || bars[1].To < time.Hour {
		t.Errorf("%v", bars)
	}
	for d, want := range map[time.Duration]uint32{-1: 0, 0: 0, 1: 1, 1499: 1, 1500: 2, time.Second: 1e6, 1 << 62: math.MaxUint32} {
		if got := microseconds(d); got != want {
			t.Errorf("%v is %d µs, want %d", d, got, want)
		}
	}
}
