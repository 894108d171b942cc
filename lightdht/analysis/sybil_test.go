package analysis

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"gonum.org/v1/gonum/mathext"
)

func newSybils(t testing.TB, k int, size SizeEstimate) *Sybils {
	t.Helper()
	s, err := NewSybils(k, size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sybils10M are the tests of k closest in 10 M nodes, made once for all tests.
func sybils10M(t testing.TB, k int) *Sybils {
	if made[k] == nil {
		made[k] = newSybils(t, k, SizeEstimate{N: 1e7})
	}
	return made[k]
}

var made [maxSybilRank + 1]*Sybils

func (s *Sybils) mustTest(t testing.TB, d Distances) SybilResult {
	t.Helper()
	r, err := s.Test(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// withoutKL leaves out the test that is not exact when the size is measured, and slow.
func (s *Sybils) withoutKL(t testing.TB, d Distances) (r SybilResult) {
	var errs [2]error
	r.Gamma, errs[0] = s.Gamma(d)
	r.Scan, errs[1] = s.Scan(d)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	r.KL.P = 1
	return r
}

// alarms counts, by test, how often the p-value is at or below a level.
type alarms struct{ tests, gamma, scan, kl int }

func (a *alarms) add(r SybilResult, level float64) {
	a.tests++
	for _, c := range []struct {
		p float64
		n *int
	}{{r.Gamma.P, &a.gamma}, {r.Scan.P, &a.scan}, {r.KL.P, &a.kl}} {
		if c.p <= level {
			*c.n++
		}
	}
}

// checkLevel holds the false alarms of the continuous tests to the level, and
// those of KL, whose values are steps, below it.
func (a *alarms) checkLevel(t *testing.T, level float64) {
	t.Helper()
	n := float64(a.tests)
	off := 3.5 * math.Sqrt(n*level*(1-level))
	if math.Abs(float64(a.gamma)-n*level) > off || math.Abs(float64(a.scan)-n*level) > off || float64(a.kl) > n*level+off {
		t.Errorf("false alarms at %g %%: Gamma %d, scan %d, KL %d of %d", 100*level, a.gamma, a.scan, a.kl, a.tests)
	}
}

func TestSybilsFalseAlarms(t *testing.T) {
	for i, c := range []struct {
		k     int
		truth float64
		seeds int
	}{{8, 1e7, 5000}, {2, 1e4, 5000}, {20, 1e7, 500}} {
		r, s := source(t, uint64(700+i)), newSybils(t, c.k, SizeEstimate{N: c.truth})
		if c.truth == 1e7 {
			s = sybils10M(t, c.k)
		}
		var one, ten alarms
		for range c.seeds {
			found := s.mustTest(t, drawDistances(r, c.k, c.truth))
			one.add(found, 0.01)
			ten.add(found, 0.1)
		}
		one.checkLevel(t, 0.01)
		ten.checkLevel(t, 0.1)
	}
}

// With the size measured from few nodes, Gamma and scan keep their level, which
// they would not if the estimate counted as the truth.
func TestSybilsFalseAlarmsOfMeasuredSize(t *testing.T) {
	const seeds, truth, k = 1000, 1e6, 8
	r := source(t, 720)
	var measured, taken alarms
	for range seeds {
		size, err := PooledSize([]Spacing{drawSpacing(r, k, truth), drawSpacing(r, k, truth)}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		d := drawDistances(r, k, truth)
		measured.add(newSybils(t, k, size).withoutKL(t, d), 0.05)
		taken.add(newSybils(t, k, SizeEstimate{N: size.N}).withoutKL(t, d), 0.05)
	}
	measured.checkLevel(t, 0.05)
	if level := 0.05 * seeds; float64(taken.gamma) < 1.3*level || float64(taken.scan) < 1.3*level {
		t.Errorf("a size of 16 nodes taken for the truth: %+v", taken)
	}
}

// withSybils draws k closest with n sybils uniformly inside the closest honest one.
func withSybils(r *rand.Rand, n, k int, truth float64) Distances {
	honest := drawDistances(r, k, truth)
	d := make(Distances, 0, k+n)
	left := 1.0 // the largest of n uniform ones, then that of the rest
	for i := n; i > 0; i-- {
		left *= math.Pow(r.Float64(), 1/float64(i))
		d = append(Distances{left * honest[0]}, d...)
	}
	return append(d, honest...)[:k]
}

// The reach that is told: of 1 % false alarms.
func TestSybilsFound(t *testing.T) {
	const seeds, truth, k = 2000, 1e7, 8
	s := sybils10M(t, k)
	for i, c := range []struct {
		sybils          int
		gamma, scan, kl float64
	}{{8, 0.95, 0.9, 0.85}, {4, 0, 0.6, 0.45}} {
		r := source(t, uint64(730+i))
		var found alarms
		ranks := 0
		for range seeds {
			result := s.mustTest(t, withSybils(r, c.sybils, k, truth))
			found.add(result, 0.01)
			ranks += result.Scan.Rank
		}
		if float64(found.gamma) < c.gamma*seeds || float64(found.scan) < c.scan*seeds || float64(found.kl) < c.kl*seeds {
			t.Errorf("%d sybils: found %+v", c.sybils, found)
		}
		if mean := float64(ranks) / seeds; mean < float64(c.sybils)-0.5 || mean > float64(c.sybils)+1.5 {
			t.Errorf("%d sybils: on average the closest %.2f stand out", c.sybils, mean)
		}
	}
}

// The values at which the tests alarm are those at which their p-value is the level,
// and those simulated for this project (scan and KL, a few percent of chance).
func TestSybilsCritical(t *testing.T) {
	for _, c := range []struct {
		k                   int
		level, scan, kl, by float64
	}{
		{8, 0.01, 0.001925, 1.47, 0.05}, {8, 0.001, 0.000186, 2.07, 0.16}, {8, 0.05, 0, 1.09, 0.02},
		{20, 0.01, 0.00112, 0.74, 0.02}, {20, 0.001, 8.7e-5, 1.04, 0.08},
	} {
		s := sybils10M(t, c.k)
		got := s.Critical(c.level)
		if p := s.below(c.k, got.Distance); !close(p, c.level, 1e-9) || got.Gamma != c.level || got.Level != c.level {
			t.Errorf("k = %d: Gamma alarms at p = %v, %+v", c.k, p, got)
		}
		if p := s.scanBelow(got.Scan); !close(p, c.level, 1e-9) || c.scan > 0 && !close(got.Scan, c.scan, c.by) {
			t.Errorf("k = %d: scan alarms at %v (p = %v), want %v", c.k, got.Scan, p, c.scan)
		}
		if p := s.null().atLeast(got.KL); p > c.level || p < c.level/2 || !close(got.KL, c.kl, c.by) {
			t.Errorf("k = %d: KL alarms at %v (p = %v), want %v", c.k, got.KL, p, c.kl)
		}
	}
}

func TestSybilsCriticalOfNoLevel(t *testing.T) {
	for _, level := range []float64{-1, 0, 1, 2, math.NaN()} {
		got := sybils10M(t, 8).Critical(level)
		for _, v := range []float64{got.Distance, got.Gamma, got.Scan, got.KL} {
			if !math.IsNaN(v) {
				t.Errorf("level %v: %+v", level, got)
			}
		}
	}
}

// How often a size that is taken for known and is not makes false alarms at 0.1 %.
func TestSybilsOfWrongSize(t *testing.T) {
	s, honest := newSybils(t, 8, SizeEstimate{N: 1e7}), gammaQuantile(8, 0.001)
	for _, c := range []struct{ of, want float64 }{{0.7, 0.0084}, {1.3, 0.00018}} {
		if got := s.below(8, honest/c.of/1e7); math.Abs(got/c.want-1) > 0.03 {
			t.Errorf("a size that is %g of the truth: false alarms %.5f, want %.5f", c.of, got, c.want)
		}
	}
}

// The threshold published for k = 20 is wrong for k = 8.
func TestPublishedThreshold(t *testing.T) {
	for _, c := range []struct {
		k         int
		want, off float64
	}{{8, 0.094, 0.0005}, {20, 0.002, 0.0005}} {
		if p := sybils10M(t, c.k).null().atLeast(0.94); math.Abs(p-c.want) > c.off {
			t.Errorf("k = %d: at 0.94 false alarms of %.4f, want %.3f", c.k, p, c.want)
		}
	}
}

// The law of the divergence against draws from it.
func TestDivergenceAgainstSimulation(t *testing.T) {
	for i, c := range []struct {
		k int
		n float64
	}{{2, 100}, {8, 33000}, {12, 1e6}} {
		const draws = 20000
		r, s := source(t, uint64(740+i)), newSybils(t, c.k, SizeEstimate{N: c.n})
		values := make([]float64, draws)
		for j := range values {
			values[j] = s.null().divergence(drawDistances(r, c.k, c.n))
		}
		for _, at := range []float64{0.1, 0.2, 0.3, 0.5, 0.94, 1.2, 1.5, 2, 3} {
			more := 0
			for _, v := range values {
				if v >= at {
					more++
				}
			}
			p := s.null().atLeast(at)
			if se := math.Sqrt(p*(1-p)/draws) + 1e-5; math.Abs(float64(more)/draws-p) > 3.5*se {
				t.Errorf("k = %d, N = %v: above %v lie %v, want %.6f", c.k, c.n, at, float64(more)/draws, p)
			}
		}
	}
}

// With the size measured from few nodes, the law of the divergence is the mean over
// what the size may be, which has the larger ones far more often than that of a size
// that is known.
func TestDivergenceOfMeasuredSize(t *testing.T) {
	const draws, n, nodes, k = 20000, 1e6, 16, 8
	r := source(t, 745)
	measured := newSybils(t, k, SizeEstimate{N: n, Nodes: nodes, Method: "pooled"}).null()
	known := newSybils(t, k, SizeEstimate{N: n}).null()
	values := make([]float64, draws)
	for i := range values {
		truth := drawSpacing(r, nodes, 1).Distance / (nodes - 1) * n
		values[i] = measured.divergence(drawDistances(r, k, truth))
	}
	for _, at := range []float64{0.3, 0.94, 1.5, 2} {
		more := 0
		for _, v := range values {
			if v >= at {
				more++
			}
		}
		p := measured.atLeast(at)
		if se := math.Sqrt(p * (1 - p) / draws); math.Abs(float64(more)/draws-p) > 3.5*se {
			t.Errorf("above %v lie %v, want %.6f", at, float64(more)/draws, p)
		}
		if at > 0.9 && p < 1.2*known.atLeast(at) {
			t.Errorf("above %v lie %.6f, and of a known size %.6f", at, p, known.atLeast(at))
		}
	}
}

// By hand, for two nodes: D of counts (2 at x) and (1 at x, 1 at y).
func TestDivergenceByHand(t *testing.T) {
	null := newSybils(t, 2, SizeEstimate{N: 1024}).null()
	p := null.expected
	sum := 0.0
	for _, share := range p {
		sum += share
	}
	// The nearer has x bits in common unless no node has them, the other unless one or none.
	from := func(mean float64) float64 { return (2 - 2*math.Exp(-mean) - mean*math.Exp(-mean)) / 2 }
	if math.Abs(sum-1) > 1e-12 || !close(p[10], from(1)-from(0.5), 1e-12) || !close(p[30], 0x1p-22, 1e-5) {
		t.Errorf("expected shares add up to %v, of 10 bits %v, of 30 bits %v", sum, p[10], p[30])
	}
	if got, want := expectedShare(2, 80), 21*math.Exp(-40); !close(got, want, 1e-12) { // one node or none in the near half
		t.Errorf("the expected share of far nodes is %v, want %v", got, want)
	}
	for _, c := range []struct {
		d    Distances
		want float64
	}{
		{Distances{0x1.8p-11, 0x1.fp-11}, math.Log(1 / p[10])},
		{Distances{0x1p-11, 0x1p-11}, math.Log(1 / p[10])},
		{Distances{0x1p-12, 0x1p-11}, math.Log(0.5/p[11])/2 + math.Log(0.5/p[10])/2},
	} {
		if got := null.divergence(c.d); !close(got, c.want, 1e-12) {
			t.Errorf("divergence of %v is %v, want %v", c.d, got, c.want)
		}
	}
}

// A distance as a share says how many bits are common.
func TestDivergenceCountsCommonBits(t *testing.T) {
	r, null := source(t, 750), newSybils(t, 2, SizeEstimate{N: 100}).null()
	for range 1000 {
		a := randomID(r)
		b := a.Prefix(r.IntN(161)).Fill(randomID(r))
		bits := kad.CommonPrefixLen(a, b)
		d := a.Distance(b).Fraction()
		if got, want := null.divergence(Distances{d, d}), null.term(bits, 2); got != want {
			t.Fatalf("%v and %v have %d bits in common: %v, want %v", a, b, bits, got, want)
		}
	}
}

func TestCrossingByHand(t *testing.T) {
	for _, q := range [][2]float64{{0.1, 0.5}, {1e-9, 1e-4}, {3, 5}, {0.2, 0.2}} {
		if got, want := crossing(q[:1], 1), -math.Expm1(-q[0]); !close(got, want, 1e-12) {
			t.Errorf("one reach of %v: %v, want %v", q[0], got, want)
		}
		// None within the first, at most one within the second.
		want := 1 - math.Exp(-q[1])*(1+q[1]-q[0])
		if got := crossing(q[:], 1); math.Abs(got-want) > 1e-15 {
			t.Errorf("reaches of %v: %v, want %v", q, got, want)
		}
	}
	if got, want := crossing([]float64{1e-20, 1e-6}, 1), 5e-13; !close(got, want, 1e-5) {
		t.Errorf("a small probability is %v, want %v", got, want)
	}
}

// Small p-values keep their digits, and are never 0 nor NaN.
func TestSybilsSmallP(t *testing.T) {
	for _, size := range []SizeEstimate{{N: 1e7}, {N: 1e7, Nodes: 2048, Method: "pooled"}} {
		s, last := newSybils(t, 8, size), SybilResult{}
		for _, scale := range []float64{1e-7, 1e-9, 1e-12, 1e-20, 1e-40} {
			d := make(Distances, 8)
			for i := range d {
				d[i] = scale * float64(i+1) / 8
			}
			r := s.mustTest(t, d)
			if last.Scan.P > 0 && !(r.Gamma.P < last.Gamma.P && r.Scan.P < last.Scan.P && r.KL.P <= last.KL.P) {
				t.Errorf("%v: nearer nodes give %+v after %+v", size, r, last)
			}
			if !(r.Gamma.P > 0 && r.Scan.P > 0 && r.KL.P > 0 && r.KL.P < 0.01) || !(r.Scan.P >= r.Scan.Statistic && r.Scan.P <= 8.0001*r.Scan.Statistic) && scale > 1e-30 {
				t.Errorf("%v: %+v", size, r)
			}
			last = r
		}
	}
}

// A size of very many nodes is as good as one that is known, and a known one agrees
// with the Poisson sum.
func TestSybilsOfManyNodes(t *testing.T) {
	r := source(t, 760)
	known := newSybils(t, 8, SizeEstimate{N: 1e6})
	many := newSybils(t, 8, SizeEstimate{N: 1e6, Nodes: 1 << 24, Method: "pooled"})
	for range 50 {
		d := drawDistances(r, 8, 1e6)
		a, b := known.mustTest(t, d), many.mustTest(t, d)
		if !close(a.Gamma.P, b.Gamma.P, 1e-4) || !close(a.Scan.P, b.Scan.P, 1e-4) || !close(a.KL.P, b.KL.P, 1e-2) {
			t.Errorf("known %+v, from many nodes %+v", a, b)
		}
		if want := 1 - poissonBelow(8, 1e6*d[7]); math.Abs(a.Gamma.P-want) > 1e-12 || !close(a.Expected, 1e6*d[7], 1e-12) {
			t.Errorf("%v: Gamma %v, want %v", d, a.Gamma.P, want)
		}
	}
}

// A node with the very ID of the target stands out by every test, and more than any
// other does; the smallest p-values are still no 0, but for that of a distance.
func TestSybilsAtTheTarget(t *testing.T) {
	for _, size := range []SizeEstimate{{N: 1e7}, {N: 1e7, Nodes: 2048, Method: "pooled"}} {
		s := newSybils(t, 8, size)
		honest := Distances{1e-7, 2e-7, 3e-7, 4e-7, 5e-7, 6e-7, 7e-7, 8e-7}
		near, one, all := slices.Clone(honest), slices.Clone(honest), make(Distances, 8)
		near[0], one[0] = 0x1p-160, 0
		a, b, c, d := s.mustTest(t, honest), s.mustTest(t, near), s.mustTest(t, one), s.mustTest(t, all)
		if a.Scan.P < 0.5 || b.Scan.P > 1e-38 || c.Scan.P >= 1e-280 || c.Scan.Rank != 1 || c.Gamma != a.Gamma {
			t.Errorf("%v: one of the nodes at the target: %+v; honest ones: %+v", size, c, a)
		}
		if !(c.KL.Statistic >= b.KL.Statistic && b.KL.Statistic > a.KL.Statistic) || !(c.KL.P > 0 && c.KL.P < 1e-8) {
			t.Errorf("%v: KL %+v, of a node next to the target %+v", size, c.KL, b.KL)
		}
		if d.Gamma.P != 0 || !(d.Scan.P > 0 && d.Scan.P < 1e-280) || !(d.KL.P > 0 && d.KL.P < 1e-8) || d.Expected != 0 {
			t.Errorf("%v: all at the target: %+v", size, d)
		}
	}
}

func TestRatesOfSize(t *testing.T) {
	for _, nodes := range []float64{8, 16, 100, 2048, 1e6} {
		sum, mean := 0.0, 0.0
		for _, r := range ratesOf(nodes, nodes-1, 8) {
			sum, mean = sum+r.weight, mean+r.weight*r.n
		}
		if !close(sum, 1, 1e-9) || !close(mean, nodes/(nodes-1), 1e-9) {
			t.Errorf("of %v nodes the weights add up to %v, their mean is %v", nodes, sum, mean)
		}
	}
}

func TestGammaQuantile(t *testing.T) {
	for _, j := range []int{1, 2, 8, 20} {
		for _, p := range []float64{0.999, 0.5, 0.01, 1e-4, 1e-8, 1e-30, 1e-100, 1e-290} {
			if got := mathext.GammaIncReg(float64(j), gammaQuantile(j, p)); !close(got, p, 1e-12) {
				t.Errorf("below the quantile %v of shape %d lies %v", p, j, got)
			}
		}
	}
}

func TestSybilsErrors(t *testing.T) {
	for _, c := range []struct {
		k    int
		size SizeEstimate
		says string
	}{
		{1, SizeEstimate{N: 1e6}, "1 closest nodes"}, {21, SizeEstimate{N: 1e6}, "want 2 to 20"},
		{8, SizeEstimate{N: 31}, "want at least 32 nodes"}, {8, SizeEstimate{}, "want at least 32 nodes"},
		{8, SizeEstimate{N: math.NaN()}, "want at least 32 nodes"}, {8, SizeEstimate{N: math.Inf(1)}, "a network of +Inf nodes"},
		{8, SizeEstimate{N: 1e6, Nodes: 7, Method: "pooled"}, "a size from 7 nodes"},
	} {
		if s, err := NewSybils(c.k, c.size); err == nil || s != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d, %v: %v; want an error with %q", c.k, c.size, err, c.says)
		}
	}
	s := newSybils(t, 3, SizeEstimate{N: 1e6})
	for _, c := range []struct {
		d    Distances
		says string
	}{
		{Distances{1e-6, 2e-6}, "2 nodes are too few"}, {Distances{-1e-6, 1e-6, 2e-6}, "not shares"}, {Distances{2e-6, 1e-6, 3e-6}, "nearest first"},
	} {
		if _, err := s.Test(c.d); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v; want an error with %q", c.d, err, c.says)
		}
	}
}
