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
