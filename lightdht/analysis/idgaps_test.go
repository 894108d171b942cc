package analysis

import (
	"math"
	"math/big"
	"slices"
	"testing"
)

// The slow twin of a gap: a difference of 160-bit integers.
func TestAheadAgainstTwin(t *testing.T) {
	r := source(t, 1)
	whole := new(big.Int).Lsh(big.NewInt(1), 160)
	for range 2000 {
		a, b := randomID(r), randomID(r)
		b = a.Prefix(r.IntN(161)).Fill(b)
		d := new(big.Int).Sub(new(big.Int).SetBytes(b[:]), new(big.Int).SetBytes(a[:]))
		if d.Sign() < 0 {
			d.Add(d, whole)
		}
		want, _ := new(big.Float).Quo(new(big.Float).SetInt(d), new(big.Float).SetInt(whole)).Float64()
		if got := ahead(a, b); !close(got, want, 1e-15) {
			t.Fatalf("from %v to %v: %v of the space, want %v", a, b, got, want)
		}
	}
}

// Twenty points evenly on the circle have gaps of 1: M is 0, far below its mean.
func TestGapsByHand(t *testing.T) {
	points := make(IDPoints, 32)
	for i := range points {
		points[i][0] = byte(8 * i)
	}
	g, err := points.Gaps()
	if err != nil || g.Gaps != 32 || g.Sum != 0 || g.Moran.Statistic != 0 || g.Moran.P < 0.9999 || g.Least != 1 || g.Median != 1 || g.Greatest != 1 {
		t.Errorf("of even points: %+v, %v", g, err)
	}
	// Two IDs that differ in their last bit alone are two, 2^-160 apart.
	points[1] = points[0]
	points[1][19]++
	g, err = points.Gaps()
	want := -(math.Log(32) - 160*math.Ln2) - math.Log(2)
	if err != nil || !close(g.Sum, want, 1e-12) || !close(g.Least, math.Ldexp(32, -160), 1e-12) || !close(g.Greatest, 2, 1e-12) {
		t.Errorf("with a pair: %+v, %v, want M = %v", g, err, want)
	}
	// The moments of M by its definition, to be told from those of the code.
	mean := 32*0.5772156649 - 0.5 - 1/384.0
	chi := 32 + (want-mean)*8/math.Sqrt(32*0.6449340668-0.5-1/192.0)
	if !close(g.Moran.Statistic, chi, 1e-9) || g.Moran.DF != 32 || g.Moran.P > 1e-6 {
		t.Errorf("a pair that shares 159 bits: %+v", g.Moran)
	}
}

func TestGapsOfUniformPoints(t *testing.T) {
	for _, n := range []int{20, 100, 1200} {
		r := source(t, uint64(n))
		var ps []float64
		const seeds = 300
		inside := map[int]int{}
		for range seeds {
			g, err := drawPoints(r, n).Gaps()
			if err != nil {
				t.Fatal(err)
			}
			ps = append(ps, g.Moran.P)
			for _, q := range g.Quantiles {
				if q.Lo <= q.Observed && q.Observed <= q.Hi {
					inside[q.Rank]++
				}
			}
		}
		checkUniform(t, "Moran", ps)
		for rank, hits := range inside { // with few points the law of a rank is a little narrower than said
			if share := float64(hits) / seeds; share < 0.95-4*math.Sqrt(0.05*0.95/seeds) || n > 1000 && share > 0.95+4.5*math.Sqrt(0.05*0.95/seeds) && rank < n/4 {
				t.Errorf("%d points: gap of rank %d is inside its band in %.1f %%", n, rank, 100*share)
			}
		}
	}
}

func TestGapQuantiles(t *testing.T) {
	r := source(t, 9)
	for _, n := range []int{20, 21, 150, 10_000} {
		g, err := drawPoints(r, n).Gaps()
		if err != nil {
			t.Fatal(err)
		}
		q := g.Quantiles
		if q[0].Rank != 1 || q[len(q)-1].Rank != n || q[0].Observed != g.Least || q[len(q)-1].Observed != g.Greatest {
			t.Errorf("%d gaps: quantiles from %+v to %+v", n, q[0], q[len(q)-1])
		}
		if len(q) > 130 || !slices.IsSortedFunc(q, func(a, b GapQuantile) int { return a.Rank - b.Rank }) {
			t.Errorf("%d gaps: %d quantiles, or not in order", n, len(q))
		}
		for _, q := range q {
			if !(q.Lo < q.Expected && q.Expected < q.Hi) {
				t.Errorf("%d gaps: %+v lies outside its band", n, q)
			}
		}
	}
	huge := gapQuantiles(make([]float64, 10_000_000))
	for _, q := range huge {
		if !(q.Lo < q.Expected && q.Expected < q.Hi) || q.Hi/q.Lo > 1000 {
			t.Errorf("10 M gaps: %+v", q)
		}
	}
}
