package analysis

import (
	"cmp"
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
		if got := Gini(c.counts, 0.95); !same(got.Value, c.gini) {
			t.Errorf("%v: Gini %v, want %v", c.counts, got.Value, c.gini)
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

// The coefficient and its standard error against their slow twins: all pairs of
// entities, and a sum over each of those counted.
func TestGiniAgainstPairs(t *testing.T) {
	r := source(t, 31)
	for range 300 {
		counts := make([]int, 2+r.IntN(8))
		for i := range counts {
			counts[i] = 1 + 10*r.IntN(1+r.IntN(90))
		}
		g, k, n := Gini(counts, 0.95), float64(len(counts)), sum(counts)
		if !close(g.Value, pairGini(counts), 1e-9) {
			t.Fatalf("%v: %v, want %v", counts, g.Value, pairGini(counts))
		}
		if g.Interval.Level == 0 || g.Interval.Hi == 1 {
			continue
		}
		squares := 0.0
		for _, x := range counts {
			rank := 0.5
			for _, y := range counts {
				rank += []float64{0, 0.5, 1}[cmp.Compare(x, y)+1]
			}
			squares += float64(x) * math.Pow(2*rank/k-(g.Value+(k+1)/k), 2)
		}
		half := 1.959963984540054 * math.Sqrt(squares) / float64(n)
		if got := g.Interval.Hi - g.Value; !close(got, half, 1e-9) || g.Interval.Lo > max(0, g.Value-half)+1e-9 {
			t.Fatalf("%v: %+v, want ±%v", counts, g, half)
		}
	}
}

// Entities of the same count are as those of nearly the same.
func TestGiniOfTies(t *testing.T) {
	for _, c := range [][2][]int{
		{{500, 300, 100, 100}, {500, 300, 101, 99}},
		{{90, 60, 60, 60, 30, 30, 30}, {90, 61, 60, 59, 31, 30, 29}},
	} {
		tied, near := Gini(c[0], 0.95), Gini(c[1], 0.95)
		if !close(tied.Value, near.Value, 0.02) || !close(tied.Interval.Lo, near.Interval.Lo, 0.06) || !close(tied.Interval.Hi, near.Interval.Hi, 0.03) {
			t.Errorf("%v: %+v, and %v: %+v", c[0], tied, c[1], near)
		}
	}
	if g := Gini([]int{500, 300, 100, 100}, 0.95); !close(g.Value, 0.35, 1e-12) {
		t.Errorf("%v, want 0.35", g.Value)
	}
}

// What chance adds to a difference, against numbers drawn.
func TestFoldedExcess(t *testing.T) {
	r := source(t, 32)
	for _, d := range []float64{0, 1, 3, 10} {
		const draws = 200_000
		mean := 0.0
		for range draws {
			mean += math.Abs(d+3*r.NormFloat64()) / draws
		}
		if got := foldedExcess(d, 9); math.Abs(got-(mean-d)) > 3.5*3/math.Sqrt(draws) {
			t.Errorf("of %v: %v, want %v", d, got, mean-d)
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
			if se := f.sd() / math.Sqrt(seeds); name == "HHI" && math.Abs(f.mean()-1) > 3.5*se || math.Abs(f.mean()-1) > 0.03 {
				t.Errorf("%+v: %s is %v of the truth on average", c, name, f.mean())
			}
		}
	}
}

// What is too little for an interval has none, or an exact one; none leaves its number
// out.
func TestConcentrationOfFew(t *testing.T) {
	if h := HHI([]int{1, 1, 1, 1}, 0.95); h.Value != 0 || h.Interval.Hi != math.Pow(ClopperPearson(1, 4, 0.95).Hi, 2) {
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
}

// Of entities of one size, which chance alone makes uneven, there is no interval, and
// where the mean of the counts is large the coefficient is what is said of it.
func TestGiniOfEqualSizes(t *testing.T) {
	r, n := source(t, 45), falling(100, 0)
	mean, none := 0.0, 0
	const seeds = 200
	for range seeds {
		g := Gini(n.draw(r, 5000), 0.95)
		mean += g.Value / seeds
		if g.Interval.Level == 0 {
			none++
		} else if g.Interval.Lo > 0.03 {
			t.Errorf("%+v", g)
		}
	}
	if want := 1 / math.Sqrt(math.Pi*50); !close(mean, want, 0.02) || none < 0.9*seeds {
		t.Errorf("%v on average, want %v; %d of %d without interval", mean, want, none, seeds)
	}
}

// Who meets no two of one entity, or once two, knows no more than that: the index can
// be as high as that of one large entity among singles.
func TestHHIOfSingles(t *testing.T) {
	const seeds, n = 2000, 100
	r := source(t, 46)
	for _, largest := range []float64{0.01, 0.03, 0.05} {
		held := 0
		for range seeds {
			counts := make([]int, 1, n+1)
			for range n {
				if r.Float64() < largest {
					counts[0]++
				} else {
					counts = append(counts, 1)
				}
			}
			if h := HHI(counts, 0.95); h.Interval.Lo <= largest*largest && largest*largest <= h.Interval.Hi {
				held++
			}
		}
		if got := float64(held) / seeds; got < 0.95-3.5*math.Sqrt(0.95*0.05/seeds) {
			t.Errorf("one has %v: held in %v", largest, got)
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
