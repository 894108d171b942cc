package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// By hand: 5 tests, of which the third and the fourth share a value by the rule
// that no smaller p may be adjusted to more.
func TestAdjustBH(t *testing.T) {
	got := AdjustBH([]float64{0.04, 0.001, 0.03, math.NaN(), 0.5, 0.01})
	want := []float64{0.05, 0.005, 0.05, math.NaN(), 0.5, 0.025}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
			t.Errorf("%d: %v, want %v", i, got[i], want[i])
		}
	}
	if len(AdjustBH(nil)) != 0 {
		t.Error("nothing became something")
	}
}

// With k of m hypotheses false and found for certain, the expected share of chance
// among the discoveries is level*(m-k)/m, and never above the level.
func TestAdjustBHKeepsTheLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 0))
	const runs, tests, false_, level = 4000, 40, 10, 0.2
	var sum, squares float64
	for range runs {
		p := make([]float64, tests)
		for i := range p {
			if p[i] = r.Float64(); i < false_ {
				p[i] = 1e-9
			}
		}
		chance, all := 0, 0
		for i, q := range AdjustBH(p) {
			if q <= level {
				all++
				if i >= false_ {
					chance++
				}
			}
		}
		share := float64(chance) / float64(max(all, 1))
		sum, squares = sum+share, squares+share*share
	}
	mean := sum / runs
	sd := math.Sqrt(squares/runs - mean*mean)
	want := level * float64(tests-false_) / tests
	if se := sd / math.Sqrt(runs); math.Abs(mean-want) > 3.5*se {
		t.Errorf("a share of %.4f of the discoveries is chance, want %.4f, standard error %.4f", mean, want, se)
	}
}
