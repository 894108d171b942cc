package analysis

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"gonum.org/v1/gonum/stat/distuv"
)

// source is seeded with a constant: these tests accept 3.5 standard errors of
// chance, which a fresh seed would exceed once in two thousand runs.
func source(t testing.TB, seed uint64) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// drawSpacing draws the distance of the k-th closest of n nodes: the k-th point
// of a Poisson process whose gaps are exponential with mean 1/n.
func drawSpacing(r *rand.Rand, k int, n float64) Spacing {
	d := 0.0
	for range k {
		d += r.ExpFloat64()
	}
	return Spacing{k, d / n}
}

// tally gathers estimates of a size that is known.
type tally struct {
	truth      float64
	seeds, hit int
	sum, sq    float64
}

func (t *tally) add(e SizeEstimate) {
	t.seeds++
	t.sum += e.N / t.truth
	t.sq += (e.N / t.truth) * (e.N / t.truth)
	if e.Lo <= t.truth && t.truth <= e.Hi {
		t.hit++
	}
}

func (t *tally) mean() float64     { return t.sum / float64(t.seeds) }
func (t *tally) sd() float64       { return math.Sqrt(t.sq/float64(t.seeds) - t.mean()*t.mean()) }
func (t *tally) coverage() float64 { return float64(t.hit) / float64(t.seeds) }

// checkCoverage holds the share of intervals that hold the truth to within 3.5
// standard errors of the confidence.
func (t *tally) checkCoverage(test *testing.T, confidence float64) {
	test.Helper()
	se := math.Sqrt(confidence * (1 - confidence) / float64(t.seeds))
	if got := t.coverage(); math.Abs(got-confidence) > 3.5*se {
		test.Errorf("%.1f %% of the intervals of %g %% hold the truth", 100*got, 100*confidence)
	}
}

// checkBias holds the mean to within 3.5 standard errors of the truth, where sd
// is the relative standard deviation of one estimate.
func (t *tally) checkBias(test *testing.T, sd float64) {
	test.Helper()
	if got := t.mean(); math.Abs(got-1) > 3.5*sd/math.Sqrt(float64(t.seeds)) {
		test.Errorf("the estimates are %.4f of the truth on average", got)
	}
}

func TestPooledSizeAgainstKnownTruth(t *testing.T) {
	const seeds, truth = 4000, 1e7
	for i, ranks := range [][]int{
		{2}, {1, 1}, {3}, {8}, {20}, {8, 8, 8, 8}, {1, 2, 3, 4, 5, 6, 7, 8}, slices.Repeat([]int{8}, 32),
	} {
		for j, confidence := range []float64{0.95, 0.5} {
			r := source(t, uint64(100*i+j))
			found := tally{truth: truth}
			for range seeds {
				var spacings []Spacing
				for _, k := range ranks {
					spacings = append(spacings, drawSpacing(r, k, truth))
				}
				e, err := PooledSize(spacings, confidence)
				if err != nil {
					t.Fatal(err)
				}
				found.add(e)
			}
			nodes := 0
			for _, k := range ranks {
				nodes += k
			}
			found.checkCoverage(t, confidence)
			if nodes < 8 {
				continue // the variance is infinite, or that of the variance
			}
			sd := 1 / math.Sqrt(float64(nodes-2))
			found.checkBias(t, sd)
			if nodes >= 32 && math.Abs(found.sd()/sd-1) > 0.05 {
				t.Errorf("%d nodes: relative standard deviation %.4f, want %.4f", nodes, found.sd(), sd)
			}
		}
	}
}

// The same in the space itself: planted nodes, random targets, the XOR metric.
func TestPooledSizeOfPlantedNetwork(t *testing.T) {
	const seeds, truth, lookups, k = 200, 2000, 16, 8
	r := source(t, 7)
	found := tally{truth: truth}
	for range seeds {
		nodes := make([]kad.ID, truth)
		for i := range nodes {
			nodes[i] = randomID(r)
		}
		var spacings []Spacing
		for range lookups {
			target := randomID(r)
			nearest := closest(nodes, target, k)
			spacings = append(spacings, Spacing{k, target.Distance(nearest[k-1]).Fraction()})
		}
		e, err := PooledSize(spacings, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		found.add(e)
	}
	found.checkCoverage(t, 0.95)
	found.checkBias(t, 1/math.Sqrt(lookups*k-2))
}

func randomID(r *rand.Rand) (id kad.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}

// closest returns the k IDs nearest to target, in order.
func closest(ids []kad.ID, target kad.ID, k int) []kad.ID {
	var best []kad.ID
	for _, id := range ids {
		if len(best) == k && !target.Closer(id, best[k-1]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, id, target.CompareDistance)
		best = slices.Insert(best[:min(len(best), k-1)], min(at, k-1), id)
	}
	return best
}

// A missed close node makes the estimate low, as the comment warns.
func TestMissedNodesMakeItLow(t *testing.T) {
	const truth = 1e6
	r := source(t, 11)
	var whole, lossy []Spacing
	for range 1000 {
		whole = append(whole, drawSpacing(r, 8, truth))
		lossy = append(lossy, Spacing{8, drawSpacing(r, 10, truth).Distance}) // two of ten did not answer
	}
	a, errA := PooledSize(whole, 0.99)
	b, errB := PooledSize(lossy, 0.99)
	if errA != nil || errB != nil || a.Lo > truth || a.Hi < truth || b.Hi > 0.85*truth || b.Lo < 0.75*truth {
		t.Errorf("all nodes found: %v, %v; eight of ten: %v, %v", a, errA, b, errB)
	}
}

func TestPooledSizeByHand(t *testing.T) {
	e, err := PooledSize([]Spacing{{2, 0.001}, {3, 0.004}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	// Ten degrees of freedom: 3.24697 and 20.4832, over twice 0.005.
	want := SizeEstimate{N: 800, Lo: 324.697, Hi: 2048.32, Confidence: 0.95, Lookups: 2, Nodes: 5, Method: "pooled"}
	if !close(e.N, want.N, 1e-12) || !close(e.Lo, want.Lo, 1e-5) || !close(e.Hi, want.Hi, 1e-5) {
		t.Errorf("estimate %+v, want %+v", e, want)
	}
	e.N, e.Lo, e.Hi = want.N, want.Lo, want.Hi
	if e != want {
		t.Errorf("estimate %+v, want %+v", e, want)
	}
}

func close(a, b, relative float64) bool { return math.Abs(a-b) <= relative*math.Abs(b) }

// Neither the order of the lookups nor how they are grouped matters, and a
// space seen at half the scale holds twice the nodes.
func TestPooledSizeInvariances(t *testing.T) {
	r := source(t, 3)
	for range 200 {
		var spacings, halved []Spacing
		for range 1 + r.IntN(20) {
			spacings = append(spacings, drawSpacing(r, 2+r.IntN(20), 1e6))
		}
		e, err := PooledSize(spacings, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if !(e.Lo < e.N && e.N < e.Hi) {
			t.Fatalf("%v lies outside its interval", e)
		}
		joined := Spacing{}
		for _, s := range spacings {
			halved = append(halved, Spacing{s.K, s.Distance / 2})
			joined.K += s.K
			joined.Distance += s.Distance
		}
		half, _ := PooledSize(halved, 0.9)
		if half.N != 2*e.N || half.Lo != 2*e.Lo || half.Hi != 2*e.Hi {
			t.Fatalf("at half the scale %v becomes %v", e, half)
		}
		one, _ := PooledSize([]Spacing{joined}, 0.9)
		if one.N != e.N || one.Lo != e.Lo || one.Hi != e.Hi {
			t.Fatalf("%v, joined into one lookup, becomes %v", e, one)
		}
		r.Shuffle(len(spacings), func(i, j int) { spacings[i], spacings[j] = spacings[j], spacings[i] })
		shuffled, _ := PooledSize(spacings, 0.9)
		if !close(shuffled.N, e.N, 1e-12) || !close(shuffled.Lo, e.Lo, 1e-12) {
			t.Fatalf("%v in another order becomes %v", e, shuffled)
		}
		wider, _ := PooledSize(spacings, 0.99)
		if !(wider.Lo < e.Lo && wider.Hi > e.Hi) {
			t.Fatalf("99 %% %v is no wider than 90 %% %v", wider, e)
		}
	}
}

func TestPooledSizeErrors(t *testing.T) {
	good := []Spacing{{8, 1e-6}}
	for _, c := range []struct {
		name       string
		spacings   []Spacing
		confidence float64
		says       string
	}{
		{"none", nil, 0.95, "no lookups"},
		{"one node", []Spacing{{1, 1e-6}}, 0.95, "two are the least"},
		{"rank 0", []Spacing{{8, 1e-6}, {0, 1e-6}}, 0.95, "lookup 1: rank 0"},
		{"rank -1", []Spacing{{-1, 1e-6}, {8, 1e-6}}, 0.95, "lookup 0: rank -1"},
		{"distance 0", []Spacing{{8, 0}}, 0.95, "distance 0"},
		{"distance -1", []Spacing{{8, 1e-6}, {8, -1}}, 0.95, "lookup 1: distance -1"},
		{"distance 2", []Spacing{{8, 2}}, 0.95, "distance 2"},
		{"distance NaN", []Spacing{{8, math.NaN()}}, 0.95, "distance NaN"},
		{"confidence 0", good, 0, "confidence 0"},
		{"confidence 1", good, 1, "confidence 1"},
		{"confidence 95", good, 95, "confidence 95"},
		{"confidence NaN", good, math.NaN(), "confidence NaN"},
	} {
		e, err := PooledSize(c.spacings, c.confidence)
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, ErrOverlap) || e != (SizeEstimate{}) {
			t.Errorf("%s: %v, %v; want an error with %q", c.name, e, err, c.says)
		}
	}
}

func TestPooledSizeOverlap(t *testing.T) {
	for _, c := range []struct {
		lookups int
		want    error
	}{{1, nil}, {6, nil}, {7, ErrOverlap}, {100, ErrOverlap}} {
		// Each lookup names 8 of 100 nodes: six name 48, seven name 56.
		spacings := slices.Repeat([]Spacing{{8, 0.08}}, c.lookups)
		e, err := PooledSize(spacings, 0.95)
		if !errors.Is(err, c.want) || e.Lookups != c.lookups || e.N > 100 || e.N < 80 || e.Lo >= e.N || e.Hi <= e.N {
			t.Errorf("%d lookups: %v, %v; want %v", c.lookups, e, err, c.want)
		}
	}
}

func TestSizeEstimateString(t *testing.T) {
	for _, c := range []struct {
		e    SizeEstimate
		want string
	}{
		{SizeEstimate{203.4, 181.2, 228.9, 0.95, 32, 256, "pooled"}, "203 (95 % interval 181 to 229, pooled over 32 lookups)"},
		{SizeEstimate{1.25e7, 1e7, 2e7, 0.683, 1, 8, "pooled"}, "12500000 (68.3 % interval 10000000 to 20000000, pooled over 1 lookup)"},
	} {
		if got := c.e.String(); got != c.want {
			t.Errorf("String() = %q, want %q", got, c.want)
		}
	}
}

// Published upper and lower percentage points (NIST/SEMATECH e-Handbook of
// Statistical Methods, 1.3.6.7.4), to the three decimals they are printed with.
func TestChiSquareAgainstPublishedTable(t *testing.T) {
	for _, c := range []struct{ df, p, want float64 }{
		{2, 0.025, 0.051}, {2, 0.975, 7.378}, {2, 0.95, 5.991}, {2, 0.99, 9.210},
		{4, 0.025, 0.484}, {4, 0.975, 11.143}, {10, 0.025, 3.247}, {10, 0.975, 20.483},
		{16, 0.025, 6.908}, {16, 0.975, 28.845}, {40, 0.025, 24.433}, {40, 0.975, 59.342},
		{100, 0.025, 74.222}, {100, 0.975, 129.561}, {100, 0.001, 61.918}, {100, 0.999, 149.449},
	} {
		if got := (distuv.ChiSquared{K: c.df}).Quantile(c.p); math.Abs(got-c.want) > 0.00051 {
			t.Errorf("quantile %v of %v degrees = %.4f, want %.3f", c.p, c.df, got, c.want)
		}
	}
}

// The slow twin of the quantile: for 2k degrees of freedom the distribution is
// a Poisson sum, P(X > 2x) = sum over i < k of e^-x x^i/i!.
func TestChiSquareAgainstPoissonSum(t *testing.T) {
	for _, k := range []int{1, 2, 3, 8, 20, 99, 100, 101, 256, 1000, 10_000, 100_000, 500_000, 1_000_000} {
		for _, p := range []float64{0.0005, 0.005, 0.025, 0.25, 0.5, 0.84, 0.975, 0.995, 0.9995} {
			x := (distuv.ChiSquared{K: 2 * float64(k)}).Quantile(p) / 2
			if got := 1 - poissonBelow(k, x); math.Abs(got-p) > 1e-8 {
				t.Errorf("%d degrees: below the quantile %v lies %.10f", 2*k, p, got)
			}
		}
	}
}

// poissonBelow is P(Poisson(x) < k), summed from the largest term outwards.
func poissonBelow(k int, x float64) float64 {
	lgamma, _ := math.Lgamma(float64(k))
	term := math.Exp(float64(k-1)*math.Log(x) - x - lgamma) // of i = k-1
	if float64(k-1) <= x {
		sum := 0.0
		for i := k - 1; i >= 0 && term > 1e-20; i-- {
			sum += term
			term *= float64(i) / x
		}
		return sum
	}
	sum := 0.0
	for i := k; term > 1e-20; i++ { // the terms of i >= k, taken from 1
		term *= x / float64(i)
		sum += term
	}
	return 1 - sum
}
