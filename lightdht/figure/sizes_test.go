package figure

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

// The band of the first estimator lies on those of the others, whose edges are
// drawn over it.
func TestOrderOfBands(t *testing.T) {
	f, err := NetworkSize(estimates(2000, 64), Column)
	svg := written(t, f, err, SVG)
	at := map[string]int{}
	for i, name := range []string{"pooled", "least squares", "median gap"} {
		shade := tint(pens[i].colour, 0.28-0.04*float64(i))
		at[name] = bytes.LastIndex(svg, fmt.Appendf(nil, "fill:#%02X%02X%02X", shade.R, shade.G, shade.B)) // the one in the key comes first
	}
	if !(at["median gap"] < at["least squares"] && at["least squares"] < at["pooled"]) {
		t.Errorf("the bands are drawn in the order %v", at)
	}
}

// The upright axis is about estimates and the first estimator's intervals.
func TestSizeScales(t *testing.T) {
	in := Sizes{Truth: 100, Estimators: []Estimator{
		{"a", []Estimate{{1, 120, analysis.Interval{Lo: 60, Hi: 200, Level: 0.95}}, {10, 101, analysis.Interval{Lo: 90, Hi: 110, Level: 0.95}}}},
		{"b", []Estimate{{2, 50, analysis.Interval{Lo: 1, Hi: 1e9, Level: 0.95}}}},
	}}
	across, upright := in.scales()
	if want := (scale{min: 1 / 1.1, max: 11, log: true, whole: true}); across != want {
		t.Errorf("across %+v, want %+v", across, want)
	}
	if want := (scale{min: 41, max: 209}); upright != want {
		t.Errorf("upright %+v, want %+v", upright, want)
	}
	in.Estimators[1].Points[0].Nodes = 20
	if _, upright := in.scales(); !upright.log || upright.min != 20/1.2 || upright.max != 240 {
		t.Errorf("for 20 to 200: %+v, want a logarithmic axis", upright)
	}
}
