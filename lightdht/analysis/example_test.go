package analysis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// The size of a network from lookups of random targets. Here the network is a
// slice of 10,000 random IDs, and a lookup sorts it.
func ExamplePooledSize() {
	source := rand.New(rand.NewPCG(1, 0))
	random := func() (id kad.ID) {
		for i := range id {
			id[i] = byte(source.Uint32())
		}
		return id
	}
	nodes := make([]kad.ID, 10_000)
	for i := range nodes {
		nodes[i] = random()
	}

	var spacings []analysis.Spacing
	for range 64 {
		target := random()
		slices.SortFunc(nodes, target.CompareDistance)
		d := target.Distance(nodes[7]).Fraction()
		spacings = append(spacings, analysis.Spacing{K: 8, Distance: d})
	}
	size, err := analysis.PooledSize(spacings, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(size)
	// Output:
	// 9473 (95 % interval 8687 to 10331, pooled over 64 lookups)
}

// What the estimators make of the same lookups. The distances are here those that
// the closest of 10,000 nodes have on average.
func ExampleSizes() {
	var lookups []analysis.Distances
	for range 16 {
		var d analysis.Distances
		for i := 1.0; i <= 8; i++ {
			d = append(d, i/10_001)
		}
		lookups = append(lookups, d)
	}
	sizes, err := analysis.Sizes(lookups, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sizes.Pooled)
	for _, other := range sizes.Others {
		fmt.Printf("%s: %.0f\n", other.Method, other.N)
	}
	fmt.Println("lookups that such a network bears:", analysis.LookupsBorne(sizes.Pooled.Lo, 8))
	// Output:
	// 9923 (95 % interval 8344 to 11806, pooled over 16 lookups)
	// least squares: 10000
	// median gap: 6932
	// lookups that such a network bears: 521
}

// Four of the eight closest nodes stand a thousand times nearer to a target than
// those of a network of 10 M nodes do.
func ExampleSybils() {
	tests, err := analysis.NewSybils(8, analysis.SizeEstimate{N: 1e7})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := tests.Test(analysis.Distances{1e-10, 2e-10, 3e-10, 4e-10, 1e-7, 2e-7, 3e-7, 4e-7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("honest nodes expected as near as the 8th: %.1f\n", found.Expected)
	fmt.Printf("Gamma: p = %.2g\n", found.Gamma.P)
	fmt.Printf("scan:  p = %.2g, the closest %d\n", found.Scan.P, found.Scan.Rank)
	fmt.Printf("KL:    p = %.2g\n", found.KL.P)
	// Output:
	// honest nodes expected as near as the 8th: 4.0
	// Gamma: p = 0.051
	// scan:  p = 8.3e-11, the closest 4
	// KL:    p = 6.4e-05
}

// Eight lookups were repeated, from elsewhere. One of them had missed a node.
func ExampleRecall() {
	ids := func(ranks ...byte) (all []kad.ID) {
		for _, rank := range ranks {
			all = append(all, kad.ID{rank})
		}
		return all
	}
	pairs := slices.Repeat([]analysis.Pair{{
		First:  ids(1, 2, 3, 4, 5, 6, 7, 8),
		Second: ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
	}}, 64)
	pairs[3].First = ids(1, 2, 4, 5, 6, 7, 8, 9)

	recall, err := analysis.Recall(pairs, 0.95)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(recall)
	// Output:
	// 99.8 % (95 % interval 94.1 to 100.0 %, 511 of 512 nodes around 64 targets)
}
