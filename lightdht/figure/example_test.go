package figure_test

import (
	"bytes"
	"fmt"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/figure"
)

// The size of a network, as wide as a column of a paper.
func ExampleNetworkSize() {
	var pooled figure.Estimator
	pooled.Name = "pooled"
	var spacings []analysis.Spacing
	for i, d := range []float64{0.0081, 0.0074, 0.0102, 0.0065, 0.0089, 0.0077, 0.0091, 0.0083} {
		spacings = append(spacings, analysis.Spacing{K: 8, Distance: d})
		size, err := analysis.PooledSize(spacings, 0.95)
		if err != nil {
			fmt.Println(err)
			return
		}
		pooled.Points = append(pooled.Points, figure.Estimate{Lookups: i + 1, Nodes: size.N, Interval: size.Interval()})
	}
	f, err := figure.NetworkSize(figure.Sizes{Estimators: []figure.Estimator{pooled}, Truth: 1000}, figure.Column)
	if err != nil {
		fmt.Println(err)
		return
	}
	var svg bytes.Buffer
	if err := f.Write(&svg, figure.SVG); err != nil {
		fmt.Println(err)
		return
	}
	width, height := f.Size()
	fmt.Printf("%.0f mm by %.0f mm", width, height)
	// Output: 88 mm by 61 mm
}

// Round trips from a few samples: what is drawn are the steps of their
// distribution.
func ExampleRoundTrips() {
	f, err := figure.RoundTrips(figure.RTTs{
		Samples:   4,
		Worth:     4,
		Steps:     []figure.Step{{Millis: 21, Share: 0.25}, {Millis: 34, Share: 0.5}, {Millis: 55, Share: 0.75}, {Millis: 300, Share: 1}},
		Quantiles: []figure.Quantile{{Share: 0.5, Millis: 34}},
	}, figure.Column)
	if err != nil {
		fmt.Println(err)
		return
	}
	var pdf bytes.Buffer
	fmt.Println(f.Write(&pdf, figure.PDF))
	// Output: <nil>
}

// What cannot be drawn is an error that says what is missing.
func ExampleClients() {
	_, err := figure.Clients(figure.Shares{Of: "clients", Counted: []string{"by ID"}}, figure.Column)
	fmt.Println(err)
	// Output: no shares to draw: nothing was counted
}
