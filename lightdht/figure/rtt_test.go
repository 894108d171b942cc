package figure

import (
	"math"
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
