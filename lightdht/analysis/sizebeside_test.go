package analysis

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// drawDistances draws the k closest of n nodes.
func drawDistances(r *rand.Rand, k int, n float64) Distances {
	distances, d := make(Distances, k), 0.0
	for i := range distances {
		d += r.ExpFloat64() / n
		distances[i] = d
	}
	return distances
}

func drawLookups(r *rand.Rand, lookups, k int, n float64) []Distances {
	all := make([]Distances, lookups)
	for i := range all {
		all[i] = drawDistances(r, k, n)
	}
	return all
}

// The bias that is told of least squares (of 8 ranks), and its interval.
func TestLeastSquaresAgainstKnownTruth(t *testing.T) {
	const seeds, truth = 4000, 1e7
	for i, c := range []struct {
		lookups   int
		bias, off float64
	}{{1, 0.16, 0.03}, {4, 0.033, 0.012}, {16, 0.008, 0.008}, {64, 0, 0.006}} {
		r := source(t, uint64(200+i))
		found := tally{truth: truth}
		for range seeds {
			e, err := LeastSquares(drawLookups(r, c.lookups, 8, truth), 0.95)
			if err != nil {
				t.Fatal(err)
			}
			if (e.Confidence == 0) != (c.lookups == 1) {
				t.Fatalf("%d lookups: %v", c.lookups, e)
			}
			found.add(e)
		}
		if math.Abs(found.mean()-1-c.bias) > c.off {
			t.Errorf("%d lookups: bias %+.3f, want %+.3f", c.lookups, found.mean()-1, c.bias)
		}
		if c.lookups > 4 && found.coverage() < 0.93 {
			t.Errorf("%d lookups: the interval holds the truth %.3f times", c.lookups, found.coverage())
		}
	}
}

// The published bias and spread of one lookup of mldht's estimator.
func TestMedianGapAgainstKnownTruth(t *testing.T) {
	const seeds, truth = 20000, 1e7
	r := source(t, 300)
	var logs, squares float64
	for range seeds {
		e, err := MedianGap(drawLookups(r, 1, 8, truth), 0.95)
		if err != nil || e.Confidence != 0 {
			t.Fatal(e, err)
		}
		bits := math.Log2(e.N / truth)
		logs, squares = logs+bits/seeds, squares+bits*bits/seeds
	}
	sd := math.Sqrt(squares - logs*logs)
	if math.Abs(sd-0.78) > 0.02 || math.Abs(logs-math.Log2(1.044)) > 3.5*sd/math.Sqrt(seeds) {
		t.Errorf("bias %.4f and standard deviation %.3f, both in bits; want 0.0621 and 0.78", logs, sd)
	}
}

// Around its own mean, which is biased, the interval of many lookups is right.
func TestMedianGapInterval(t *testing.T) {
	const seeds, truth = 1000, 1e7
	r := source(t, 301)
	found := tally{truth: truth * 1.0445}
	for range seeds {
		e, _ := MedianGap(drawLookups(r, 32, 8, truth), 0.95)
		found.add(e)
	}
	found.checkCoverage(t, 0.95)
}

func TestSizesByHand(t *testing.T) {
	lookups := []Distances{{0.001, 0.002, 0.004}, {0.002, 0.004}}
	s, err := Sizes(lookups, 0.95)
	if err != nil || len(s.Others) != 2 || s.Refused != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	// Least squares: (1+4+12+2+8)/1000 over 14+5. Median gaps: 0.0015 and 0.002.
	squares, gap := 19/0.027-1, math.Ln2/math.Sqrt(0.0015*0.002)
	for i, want := range []SizeEstimate{
		{N: 500, Confidence: 0.95, Lookups: 2, Nodes: 5, Method: "pooled"},
		{N: squares, Confidence: 0.95, Lookups: 2, Nodes: 5, Method: "least squares"},
		{N: gap, Confidence: 0.95, Lookups: 2, Nodes: 5, Method: "median gap"},
	} {
		got := append([]SizeEstimate{s.Pooled}, s.Others...)[i]
		if !close(got.N, want.N, 1e-12) || !(got.Lo < got.N && got.N < got.Hi) || got.Interval().Method == "" {
			t.Errorf("%+v, want %+v", got, want)
		}
		got.N, got.Lo, got.Hi = want.N, 0, 0
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	// The jackknife of two parts: half of their difference, and t(0.975; 1) = 12.706.
	logs := math.Log(14/0.017-1) - math.Log(5/0.010-1)
	if want := squares * math.Exp(12.7062*math.Abs(logs)/2); !close(s.Others[0].Hi, want, 1e-4) {
		t.Errorf("least squares up to %v, want %v", s.Others[0].Hi, want)
	}
	if want := gap * math.Exp(12.7062*math.Log(0.002/0.0015)/2); !close(s.Others[1].Hi, want, 1e-4) {
		t.Errorf("median gap up to %v, want %v", s.Others[1].Hi, want)
	}
}

func TestSizesRefuse(t *testing.T) {
	good := Distances{1e-6, 2e-6, 3e-6}
	for _, c := range []struct {
		name       string
		lookups    []Distances
		confidence float64
		says       string
	}{
		{"none", nil, 0.95, "no lookups"},
		{"empty", []Distances{good, {}}, 0.95, "lookup 1 found no node"},
		{"order", []Distances{good, {2e-6, 1e-6}}, 0.95, "lookup 1: distances are not shares"},
		{"below zero", []Distances{{-1e-9, 1e-6}}, 0.95, "lookup 0: distances are not shares"},
		{"NaN", []Distances{{math.NaN(), 1e-6}}, 0.95, "lookup 0: distances are not shares"},
		{"above 1", []Distances{{1e-6, 1.5}}, 0.95, "lookup 0: distances are not shares"},
		{"confidence", []Distances{good}, 95, "confidence 95"},
	} {
		s, err := Sizes(c.lookups, c.confidence)
		if err == nil || !strings.Contains(err.Error(), c.says) || s.Others != nil || s.Pooled != (SizeEstimate{}) {
			t.Errorf("%s: %+v, %v; want an error with %q", c.name, s, err, c.says)
		}
		for _, estimate := range []func([]Distances, float64) (SizeEstimate, error){LeastSquares, MedianGap} {
			if e, err := estimate(c.lookups, c.confidence); err == nil || !strings.Contains(err.Error(), c.says) || e != (SizeEstimate{}) {
				t.Errorf("%s: %+v, %v; want an error with %q", c.name, e, err, c.says)
			}
		}
	}
}

// What one estimator cannot bear does not keep the others from it.
func TestSizesOthersRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		lookups []Distances
		others  int
		says    []string
	}{
		{"one node each", []Distances{{0.001}, {0.002}}, 1, []string{"lookup 0 found one node"}},
		{"no gaps", []Distances{{0.001, 0.001, 0.001}}, 1, []string{"lookup 0: half of its nodes"}},
		{"one node in all", []Distances{{0.9, 1}}, 1, []string{"one node or none"}},
		{"half at the target", []Distances{{0, 0, 0, 0.001}}, 1, []string{"lookup 0: half of its nodes"}},
		{"neither", []Distances{{0.9, 0.9}}, 0, []string{"one node or none", "half of its nodes"}},
	} {
		s, err := Sizes(c.lookups, 0.95)
		if (err != nil && !errors.Is(err, ErrOverlap)) || len(s.Others) != c.others || len(s.Refused) != len(c.says) {
			t.Errorf("%s: %+v, %v", c.name, s, err)
			continue
		}
		for i, says := range c.says {
			if !strings.Contains(s.Refused[i].Error(), says) {
				t.Errorf("%s: %v, want %q", c.name, s.Refused[i], says)
			}
		}
	}
}

// A node with the very ID of a target, or one that says so, stops no measurement.
func TestSizesBearTheTarget(t *testing.T) {
	honest := []Distances{{0.001, 0.002, 0.004}, {0.002, 0.004, 0.006}}
	hostile := []Distances{{0, 0.002, 0.004}, {0.002, 0.004, 0.006}}
	a, errA := Sizes(honest, 0.95)
	b, errB := Sizes(hostile, 0.95)
	if errA != nil || errB != nil || b.Pooled != a.Pooled || len(b.Others) != 2 || b.Refused != nil {
		t.Fatalf("%+v, %v; without: %+v, %v", b, errB, a, errA)
	}
	if squares := 28/(28*0.002-0.001) - 1; b.Others[0].N < squares || !(b.Others[0].Lo > 0) || !(b.Others[1].N > 0) {
		t.Errorf("%+v", b.Others)
	}
	if s, err := Sizes([]Distances{{0, 0}, {0.001, 0.002}}, 0.95); err == nil || !strings.Contains(err.Error(), "lookup 0: distance 0 is not") {
		t.Errorf("all of a lookup at its target: %+v, %v", s, err)
	}
	if e, err := LeastSquares([]Distances{{0, 0}}, 0.95); err == nil || !strings.Contains(err.Error(), "no node at a distance") {
		t.Errorf("%v, %v", e, err)
	}
}

func TestLookupsBorne(t *testing.T) {
	for _, c := range []struct {
		n    float64
		k    int
		want int
	}{{100, 8, 6}, {112, 8, 7}, {111.9, 8, 6}, {15, 8, 0}, {1e7, 8, 625000}, {0, 8, 0}, {100, 0, 0}, {math.NaN(), 8, 0}} {
		got := LookupsBorne(c.n, c.k)
		if got != c.want {
			t.Errorf("%v nodes bear %d lookups of %d, want %d", c.n, got, c.k, c.want)
		}
		if got > 0 && (float64(got*c.k) > c.n/2 || float64((got+1)*c.k) <= c.n/2) {
			t.Errorf("%d lookups of %d are not the most that %v nodes bear", got, c.k, c.n)
		}
	}
}

// contacts of 0, one for each first bit in which they differ from it.
func contactsIn(buckets ...int) (ids []kad.ID) {
	for x, n := range buckets {
		for i := range n {
			var id kad.ID
			id[x/8], id[19] = 0x80>>(x%8), byte(i)
			ids = append(ids, id)
		}
	}
	return ids
}

func TestDeepestBucket(t *testing.T) {
	for _, c := range []struct {
		buckets []int
		want    float64
	}{
		{[]int{3, 2}, 6}, {[]int{7, 90}, 98}, {[]int{8}, 16}, {[]int{8, 3}, 16}, {[]int{8, 4}, 16}, {[]int{200, 5}, 20},
		{[]int{8, 8, 8, 7}, 112}, {[]int{8, 8, 8, 8}, 128}, {[]int{8, 8, 2, 8}, 32}, {slices.Repeat([]int{9}, 20), 8 << 20},
	} {
		ids := contactsIn(c.buckets...)
		e, err := DeepestBucket(kad.ID{}, slices.Concat(ids, ids[:1], []kad.ID{{}})) // one twice, and the own ID
		want := SizeEstimate{N: c.want, Nodes: len(ids), Method: "deepest bucket"}
		if err != nil || e != want || e.Interval() != (Interval{}) {
			t.Errorf("buckets of %v: %+v, %v; want %+v", c.buckets, e, err, want)
		}
	}
	if e, err := DeepestBucket(kad.ID{1}, []kad.ID{{1}}); err == nil || e != (SizeEstimate{}) {
		t.Errorf("without contacts: %v, %v", e, err)
	}
}

// Of a table that knows all, it is right within a factor of three or so.
func TestDeepestBucketOrderOfMagnitude(t *testing.T) {
	r := source(t, 400)
	for _, truth := range []int{100, 1000, 10000} {
		ids := make([]kad.ID, truth)
		logs, seeds := 0.0, 50
		for range seeds {
			for i := range ids {
				ids[i] = randomID(r)
			}
			e, err := DeepestBucket(randomID(r), ids)
			if err != nil {
				t.Fatal(err)
			}
			logs += math.Log2(e.N/float64(truth)) / float64(seeds)
		}
		if math.Abs(logs) > 0.7 {
			t.Errorf("of %d nodes it finds 2^%.2f times as many", truth, logs)
		}
	}
}

func TestSizeEstimateStringWithoutInterval(t *testing.T) {
	for _, c := range []struct {
		e    SizeEstimate
		want string
	}{
		{SizeEstimate{N: 4096, Nodes: 96, Method: "deepest bucket"}, "4096 (no interval, deepest bucket over 96 nodes)"},
		{SizeEstimate{N: 512.3, Lookups: 1, Nodes: 8, Method: "median gap"}, "512 (no interval, median gap over 1 lookup)"},
	} {
		if got := c.e.String(); got != c.want {
			t.Errorf("String() = %q, want %q", got, c.want)
		}
	}
}
