package figure

import (
	"image/color"
	"math"
	"testing"
)

// 90 points, 30 in one of four zones: of the mean 22.5 and the standard deviation
// 4.108 of the binomial distribution.
func TestScores(t *testing.T) {
	z := Strip{Depth: 2, Counts: []int{30, 20, 22, 18}}.scores(90)
	for i, want := range []float64{1.8257, -0.6086, -0.1217, -1.0954} {
		if math.Abs(z[i]-want) > 0.0001 {
			t.Errorf("zone %d: %.4f, want %.4f", i, z[i], want)
		}
	}
}

// More is darker, all the way, so that grey copies tell it too; and no two
// neighbours are alike.
func TestRamp(t *testing.T) {
	grey := func(step int) uint16 { return color.Gray16Model.Convert(ramp{}.colour(step)).(color.Gray16).Y }
	for step := 1; step < steps; step++ {
		if grey(step) >= grey(step-1) {
			t.Errorf("colour %d is %d in grey, and the one before %d", step, grey(step), grey(step-1))
		}
	}
	r := rampFor(3.9)
	for z, want := range map[float64]int{-100: 0, -4: 0, 0: 16, 4: 32, 100: 32, 2: 24} {
		if got := r.step(z); got != want {
			t.Errorf("a score of %v has colour %d, want %d", z, got, want)
		}
	}
	for most, want := range map[float64]ramp{0: {4, false}, 4: {4, false}, 4.1: {8, false}, 8: {8, false}, 8.1: {8, true}} {
		if got := rampFor(most); got != want {
			t.Errorf("the ramp for %v is %+v, want %+v", most, got, want)
		}
	}
}

// The two panels stand side by side and end at one height, or below each other.
func TestPanels(t *testing.T) {
	in := idsAt(uniform(2000))
	wide, err := IDDistribution(in, Page)
	if err != nil {
		t.Fatal(err)
	}
	left, right := wide.parts[0].at, wide.parts[1].at
	if left.Max.Y != right.Max.Y || math.Abs(float64(left.Min.Y-right.Min.Y)) > 0.01 || left.Max.X >= right.Min.X {
		t.Errorf("side by side: %v and %v", left, right)
	}
	narrow, err := IDDistribution(in, Column)
	if err != nil {
		t.Fatal(err)
	}
	upper, lower := narrow.parts[0].at, narrow.parts[1].at
	if upper.Min.X != lower.Min.X || upper.Max.X != lower.Max.X || upper.Min.Y <= lower.Max.Y {
		t.Errorf("below each other: %v and %v", upper, lower)
	}
	in.Gaps = nil
	alone, err := IDDistribution(in, Page)
	if err != nil || len(alone.parts) != 1 || alone.parts[0].at.Max.X-alone.parts[0].at.Min.X != alone.width-2*margin {
		t.Errorf("without gaps: %+v, %v", alone, err)
	}
}
