package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// lossy looks up a target twice in a network of n nodes, each lookup missing every
// node with a chance of its own, and returns what the first found.
func lossy(r *rand.Rand, n, miss float64) (Distances, Pair) {
	var first, second []kad.ID
	var d Distances
	at := 0.0
	for rank := byte(1); len(first) < 8 || len(second) < 8; rank++ {
		at += r.ExpFloat64() / n
		if r.Float64() >= miss && len(first) < 8 {
			first = append(first, kad.ID{rank})
			d = append(d, at)
		}
		if r.Float64() >= 0.02 && len(second) < 8 {
			second = append(second, kad.ID{rank})
		}
	}
	return d, Pair{First: first, Second: second}
}

// What lookups missed at random is made good: the estimate is unbiased where the
// pooled one is low, and its interval holds the truth.
func TestOverRecall(t *testing.T) {
	for _, miss := range []float64{0, 0.05, 0.2} {
		r := source(t, 41)
		const seeds, n = 400, 1e6
		var pooled, over tally
		pooled.truth, over.truth = n, n
		for range seeds {
			var lookups []Distances
			var pairs []Pair
			for range 128 {
				d, p := lossy(r, n, miss)
				lookups, pairs = append(lookups, d), append(pairs, p)
			}
			sizes, err := Sizes(lookups, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			recall, err := Recall(pairs[:64], 0.95)
			if err != nil {
				t.Fatal(err)
			}
			e, err := OverRecall(sizes.Pooled, recall)
			if err != nil {
				t.Fatal(err)
			}
			pooled.add(sizes.Pooled)
			over.add(e)
		}
		if mean, sd := over.sum/seeds, math.Sqrt(over.sq/seeds-over.sum/seeds*over.sum/seeds); math.Abs(mean-1) > 3.5*sd/math.Sqrt(seeds)+0.003 {
			t.Errorf("%.0f %% missed: over recall it is %.4f of the truth, standard error %.4f", 100*miss, mean, sd/math.Sqrt(seeds))
		}
		if mean := pooled.sum / seeds; math.Abs(mean-(1-miss)) > 0.01 {
			t.Errorf("%.0f %% missed: pooled is %.4f of the truth", 100*miss, mean)
		}
		if held := float64(over.hit) / seeds; held < 0.93-3.5*math.Sqrt(0.05*0.95/seeds) {
			t.Errorf("%.0f %% missed: %.1f %% of the intervals hold the truth", 100*miss, 100*held)
		}
	}
}

// Where one of the two is known exactly, the interval is that of the other: many
// missed means many nodes.
func TestOverRecallByHand(t *testing.T) {
	known := SizeEstimate{N: 100, Lo: 100, Hi: 100, Confidence: 0.95, Method: "pooled"}
	size := SizeEstimate{N: 100, Lo: 90, Hi: 120, Confidence: 0.95, Method: "pooled"}
	all := RecallEstimate{Share: 0.8, Interval: Interval{Lo: 0.8, Hi: 0.8, Level: 0.95}}
	recall := RecallEstimate{Share: 0.8, Interval: Interval{Lo: 0.5, Hi: 0.9, Level: 0.95}}
	for _, c := range []struct {
		size   SizeEstimate
		recall RecallEstimate
		lo, hi float64
	}{
		{known, recall, 100 / 0.9, 100 / 0.5}, {size, all, 90 / 0.8, 120 / 0.8},
		{size, recall, 125 * math.Exp(-math.Hypot(math.Log(100.0/90), math.Log(0.9/0.8))), 125 * math.Exp(math.Hypot(math.Log(1.2), math.Log(0.8/0.5)))},
	} {
		e, err := OverRecall(c.size, c.recall)
		if err != nil || !close(e.N, 125, 1e-12) || !close(e.Lo, c.lo, 1e-12) || !close(e.Hi, c.hi, 1e-12) {
			t.Errorf("%v over %v: %v, %v; want %v to %v", c.size, c.recall, e, err, c.lo, c.hi)
		}
	}
}

// Nothing is corrected by what is not known.
func TestOverRecallRefuses(t *testing.T) {
	size := SizeEstimate{N: 100, Lo: 90, Hi: 110, Confidence: 0.95, Method: "pooled"}
	recall := RecallEstimate{Share: 0.9, Interval: Interval{Lo: 0.8, Hi: 0.95, Level: 0.95}}
	e, err := OverRecall(size, recall)
	if err != nil || math.Abs(e.N-100/0.9) > 1e-9 || e.Lo >= size.Lo/0.9 || e.Hi <= size.Hi/0.9 || e.Method == size.Method {
		t.Errorf("%+v: %v", e, err)
	}
	if got := e.Interval(); got.Lo != e.Lo || got.Hi != e.Hi || got.Level != 0.95 || got.Method == "" {
		t.Errorf("interval %+v", got)
	}
	if _, err := OverRecall(SizeEstimate{N: 100}, recall); err == nil {
		t.Error("a size without an interval was corrected")
	}
	if _, err := OverRecall(size, RecallEstimate{}); err == nil {
		t.Error("a size was corrected by an unknown recall")
	}
	nothing := recall
	nothing.Interval.Lo = 0
	if _, err := OverRecall(size, nothing); err == nil {
		t.Error("a size was divided by what may be 0")
	}
}
