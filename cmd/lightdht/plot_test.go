package main

import (
	"math"
	"testing"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

// What a figure says of n lookups is what statistics say of the latest n.
func TestGrowingTakesTheLatest(t *testing.T) {
	var lookups []analysis.Distances
	for i := range 7 { // of a network that grows: each lookup finds its nodes closer
		d := make(analysis.Distances, 8)
		for j := range d {
			d[j] = (float64(j) + 1) / math.Ldexp(1000, i)
		}
		lookups = append(lookups, d)
	}
	in, err := growing(lookups)
	if err != nil {
		t.Fatal(err)
	}
	pooled := in.Estimators[0]
	if pooled.Name != "pooled" || pooled.Points[len(pooled.Points)-1].Lookups != 7 {
		t.Errorf("%+v: want the pooled estimate of up to 7 lookups", pooled)
	}
	for _, p := range pooled.Points {
		want, err := analysis.Sizes(lookups[7-p.Lookups:], confidence)
		if err != nil || p.Nodes != want.Pooled.N {
			t.Errorf("of %d lookups %v nodes, %v, want %v", p.Lookups, p.Nodes, err, want.Pooled.N)
		}
	}
}
