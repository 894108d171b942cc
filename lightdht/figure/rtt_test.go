package figure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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
		if off <= dkw(float64(n)) {
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

// The key says what the band rests on where that is less than all samples; where it
// is not known there is neither band nor key.
func TestRTTBandWorth(t *testing.T) {
	for worth, want := range map[float64]string{
		2000:   "95 % band (DKW)",
		1550.7: "95 % band (DKW, as of 1,550 independent)",
		20:     "95 % band (DKW, as of 20 independent)",
		0:      "",
	} {
		in := lognormal(2000)
		in.Worth = worth
		f, err := RoundTrips(in, Column)
		got := ""
		for _, s := range texts(t, written(t, f, err, SVG)) {
			if strings.Contains(s, "band") || strings.Contains(s, "DKW") {
				got += s
			}
		}
		if got != want {
			t.Errorf("worth %v: the key says %q, want %q", worth, got, want)
		}
	}
}

// The band is as wide as so many independent samples have it, however many there are.
func TestRTTBandWidth(t *testing.T) {
	band := func(samples int, worth float64) int {
		in := lognormal(200)
		in.Samples, in.Worth, in.Of = samples, worth, "ID"
		f, err := RoundTrips(in, Column)
		if err != nil {
			t.Fatal(err)
		}
		shaded := 0
		picture := coarse(f)
		box := picture.Bounds()
		for x := box.Min.X; x < box.Max.X; x++ {
			for y := box.Min.Y; y < box.Max.Y; y++ {
				if r, _, b, _ := picture.At(x, y).RGBA(); b > r+0x1000 {
					shaded++
				}
			}
		}
		return shaded
	}
	none, few, many := band(2000, 0), band(2000, 20), band(2000, 2000)
	if !(none < many && many-none < (few-none)/3) {
		t.Errorf("coloured dots: %d without a band, %d of 20 independent, %d of 2,000", none, few, many)
	}
}
