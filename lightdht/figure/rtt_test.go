package figure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

func TestQuantileString(t *testing.T) {
	for want, i := range map[string]analysis.Interval{
		"99 %: 42 ms":                  {},
		"99 %: 42 ms (30 to 1,250)":    {Lo: 30, Hi: 1250, Level: 0.95},
		"99 %: 42 ms (at least 0.031)": {Lo: 0.031, Hi: math.Inf(1), Level: 0.95},
		"99 %: 42 ms (at most 50)":     {Lo: 0, Hi: 50, Level: 0.95},
	} {
		if got := (Quantile{0.99, 42, i}).String(); got != want {
			t.Errorf("%+v: %q, want %q", i, got, want)
		}
	}
}

// The band holds all of the true distribution in 95 of 100 samples or more: here
// that of uniform numbers, which are their own distribution. Seed 3.
func TestBandHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0))
	const seeds, n = 4000, 50
	held := 0
	for range seeds {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.Float64()
		}
		slices.Sort(v)
		off := 0.0
		for i, x := range v {
			off = max(off, x-float64(i)/n, float64(i+1)/n-x)
		}
		if off <= dkw(n) {
			held++
		}
	}
	share := float64(held) / seeds // of 0.95 the standard error is 0.0034
	if share < 0.95-3.5*0.0034 || share > 0.975 {
		t.Errorf("the band holds the distribution in %.4f of %d samples, want 0.95 or little more", share, seeds)
	}
}

// The distribution is drawn as steps, over the whole axis, and its band ends at 0 and
// at 100 %.
func TestStairs(t *testing.T) {
	p := axes()
	p.X.Min, p.X.Max = 1, 100
	in := RTTs{Steps: []Step{{10, 0.25}, {20, 1}}}
	if got, want := in.stairs(0, p), "[{1 0} {10 0} {10 25} {20 25} {20 100} {100 100}]"; fmt.Sprint(got) != want {
		t.Errorf("steps %v, want %s", got, want)
	}
	if got, want := in.stairs(0.5, p), "[{1 50} {10 50} {10 75} {20 75} {20 100} {100 100}]"; fmt.Sprint(got) != want {
		t.Errorf("half higher: %v, want %s", got, want)
	}
	if got, want := in.stairs(-0.5, p), "[{1 0} {10 0} {10 0} {20 0} {20 50} {100 50}]"; fmt.Sprint(got) != want {
		t.Errorf("half lower: %v, want %s", got, want)
	}
}
