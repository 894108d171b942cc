package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestConcentrationByHand(t *testing.T) {
	for _, c := range []struct {
		counts    []int
		gini, hhi float64 // the plain sample's coefficient, and the unbiased index
		nakamoto  int
	}{
		// 1, 2, 3, 4: G = 2(1+4+9+16)/(4*10) - 5/4 = 0.25; H = (0+2+6+12)/90.
		{[]int{4, 1, 3, 2}, 0.25, 20.0 / 90, 2},
		{[]int{5, 5, 5, 5}, 0, 80.0 / 380, 3},
		{[]int{10}, 0, 1, 1},
		{[]int{0, 10, 0}, 0, 1, 1},
		{[]int{50, 50}, 0, 2 * 50 * 49 / 9900.0, 2}, // half is not more than half
		{[]int{51, 49}, 0.01, (51*50 + 49*48) / 9900.0, 1},
		{[]int{97, 1, 1, 1}, 0.72, 97 * 96 / 9900.0, 1},
		{[]int{1, 1, 1}, 0, 0, 2},
		{[]int{1}, 0, math.NaN(), 1},
		{nil, math.NaN(), math.NaN(), 0},
	} {
		if got := plainGini(c.counts); !same(got, c.gini) {
			t.Errorf("%v: Gini %v, want %v", c.counts, got, c.gini)
		}
		h := HHI(c.counts, 0.95)
		if !same(h.Value, c.hhi) || h.Interval.Level > 0 && (h.Interval.Lo > h.Value || h.Interval.Hi < h.Value) {
			t.Errorf("%v: HHI %+v, want %v", c.counts, h, c.hhi)
		}
		if got := Nakamoto(c.counts); got != c.nakamoto {
			t.Errorf("%v: Nakamoto %d, want %d", c.counts, got, c.nakamoto)
		}
	}
}

func same(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12 }

// plainGini is the coefficient of the sample as it is.
func plainGini(counts []int) float64 {
	c := ascending(counts)
	ranked, n := 0.0, 0
	for i, x := range c {
		ranked += float64((i + 1) * x)
		n += x
	}
	if n == 0 {
		return math.NaN()
	}
	return giniOf(ranked, len(c), n)
}

// The slow twin leaves each of those counted out, one after the other, and compares
// all pairs of entities.
func TestGiniAgainstLeavingOut(t *testing.T) {
	r := source(t, 31)
	for range 300 {
		counts := make([]int, 2+r.IntN(8))
		for i := range counts {
			counts[i] = 1 + r.IntN(1+r.IntN(9))
		}
		n := sum(counts)
		whole, mean, squares := pairGini(counts), 0.0, 0.0
		var without []float64
		for i, c := range counts {
			for range c {
				less := slices.Clone(counts)
				less[i]--
				without = append(without, pairGini(less))
			}
		}
		for _, g := range without {
			mean += g / float64(n)
		}
		for _, g := range without {
			squares += (g - mean) * (g - mean)
		}
		got := jackknifeGini(ascending(counts), n)
		estimate, variance := float64(n)*whole-float64(n-1)*mean, float64(n-1)/float64(n)*squares
		if math.Abs(got.estimate-estimate) > 1e-9 || math.Abs(got.variance-variance) > 1e-9 {
			t.Fatalf("%v: %+v, want %v, %v", counts, got, estimate, variance)
		}
	}
}

// pairGini is half the mean difference of two entities over the mean.
func pairGini(counts []int) float64 {
	c := ascending(counts)
	d := 0
	for _, x := range c {
		for _, y := range c {
			d += max(x-y, y-x)
		}
	}
	return float64(d) / (2 * float64(len(c)) * float64(sum(c)))
}

// network is entities of sizes that are known, of which counts are drawn.
type network struct{ below []float64 }

// falling has k entities, the i-th of a size like i^-s.
func falling(k int, s float64) network {
	n, total := network{make([]float64, k)}, 0.0
	for i := range k {
		total += math.Pow(float64(i+1), -s)
		n.below[i] = total
	}
	for i := range k {
		n.below[i] /= total
	}
	return n
}

func (n network) draw(r *rand.Rand, size int) []int {
	counts := make([]int, len(n.below))
	for range size {
		i, _ := slices.BinarySearch(n.below, r.Float64())
		counts[min(i, len(counts)-1)]++
	}
	return counts
}

// truth is its Gini coefficient and its index.
func (n network) truth() (gini, hhi float64) {
	last, k := 0.0, float64(len(n.below))
	for i, b := range n.below { // falling: the largest has the highest rank
		p := b - last
		last = b
		hhi += p * p
		gini += 2 * float64(len(n.below)-i) * p / k
	}
	return gini - (k+1)/k, hhi
}

func TestConcentrationHoldsTheTruth(t *testing.T) {
	const seeds = 400
	for i, c := range []struct {
		k, size int
		s       float64
	}{{5, 400, 1}, {30, 2000, 1}, {100, 5000, 0.7}} {
		r, n := source(t, uint64(40+i)), falling(c.k, c.s)
		gini, hhi := n.truth()
		var ofGini, ofHHI tally
		ofGini.truth, ofHHI.truth = gini, hhi
		for range seeds {
			counts := n.draw(r, c.size)
			g, h := Gini(counts, 0.95), HHI(counts, 0.95)
			ofGini.add(SizeEstimate{N: g.Value, Lo: g.Interval.Lo, Hi: g.Interval.Hi})
			ofHHI.add(SizeEstimate{N: h.Value, Lo: h.Interval.Lo, Hi: h.Interval.Hi})
		}
		for name, f := range map[string]tally{"Gini": ofGini, "HHI": ofHHI} {
			if got := f.coverage(); got < 0.93-3.5*math.Sqrt(0.95*0.05/seeds) {
				t.Errorf("%+v: %s held in %v", c, name, got)
			}
			if se := f.sd() / math.Sqrt(seeds); name == "HHI" && math.Abs(f.mean()-1) > 3.5*se || math.Abs(f.mean()-1) > 0.01 {
				t.Errorf("%+v: %s is %v of the truth on average", c, name, f.mean())
			}
		}
	}
}

// What is too little for an interval has none, or an exact one; none leaves its number
// out.
func TestConcentrationOfFew(t *testing.T) {
	if h := HHI([]int{1, 1, 1, 1}, 0.95); h.Value != 0 || h.Interval.Hi != ClopperPearson(0, 2, 0.95).Hi {
		t.Errorf("all alone: %+v", h)
	}
	if h := HHI([]int{20, 9}, 0.95); h.Interval.Level != 0 {
		t.Errorf("of 29: %+v", h)
	}
	for _, counts := range [][]int{{1, 1}, {2, 2}, {2, 1}, {20, 9}} {
		if g := Gini(counts, 0.95); g.Interval.Level != 0 || g.Value < 0 {
			t.Errorf("%v: %+v", counts, g)
		}
	}
	for _, counts := range [][]int{{15, 15}, {15, 16}, {29, 1}, {10, 10, 10}} {
		if g := Gini(counts, 0.95); g.Interval.Level > 0 && (g.Interval.Lo > g.Value || g.Interval.Hi < g.Value) {
			t.Errorf("%v: %+v", counts, g)
		}
	}
}

// Entities of one size are not told to be uneven.
func TestGiniOfEqualSizes(t *testing.T) {
	r, n := source(t, 45), falling(100, 0)
	for range 200 {
		if g := Gini(n.draw(r, 5000), 0.95); g.Interval.Lo != 0 || g.Interval.Hi < g.Value || g.Value > 0.08 {
			t.Fatalf("%+v", g)
		}
	}
}

// The index is unbiased to the last digit: summed over all outcomes, without chance.
func TestHHIIsUnbiased(t *testing.T) {
	p := []float64{0.5, 0.3, 0.2}
	for n := 2; n < 12; n++ {
		mean := 0.0
		for a := range n + 1 {
			for b := range n + 1 - a {
				c := n - a - b
				lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
				chance := math.Exp(lg(n) - lg(a) - lg(b) - lg(c) + float64(a)*math.Log(p[0]) + float64(b)*math.Log(p[1]) + float64(c)*math.Log(p[2]))
				mean += chance * HHI([]int{a, b, c}, 0.95).Value
			}
		}
		if math.Abs(mean-0.38) > 1e-9 {
			t.Errorf("of %d: %v, want 0.38", n, mean)
		}
	}
}
