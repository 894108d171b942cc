package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

func init() { checks = append(checks, check{"size", sizeRows}) }

const k = 8 // the closest nodes that a lookup is to find

// estimate is what one seed gives: the estimate over the truth, and whether the
// interval holds the truth.
type estimate struct {
	ratio float64
	held  bool
}

func estimateOf(e analysis.SizeEstimate, truth float64) estimate {
	return estimate{e.N / truth, e.Lo <= truth && truth <= e.Hi}
}

func ratios(of []estimate) []float64 { return column(of, func(e estimate) float64 { return e.ratio }) }
func held(of []estimate) []bool      { return column(of, func(e estimate) bool { return e.held }) }

func sizeRows(seeds int) []row {
	const truth = 1e7
	rows := []row{pooledRow(seeds, 256, 0.01, 0.025), pooledRow(seeds, 4, 0.02, 0.2)}
	setting := "16 lookups of 8 in 10 M nodes"
	sized := overSeeds("others", seeds, func(r *rand.Rand) (found [2]estimate) {
		s := must(analysis.Sizes(drawLookups(r, 16, k, truth), 0.95))
		return [2]estimate{estimateOf(s.Others[0], truth), estimateOf(s.Others[1], truth)}
	})
	squares := column(sized, func(e [2]estimate) estimate { return e[0] })
	gaps := column(sized, func(e [2]estimate) estimate { return e[1] })
	return append(rows,
		row{"size, least squares", setting, seeds, []figure{bias(ratios(squares), 0.03), spread(ratios(squares), shown), coversAtLeast(held(squares), 0.93)}},
		row{"size, median gap", setting, seeds, []figure{bias(ratios(gaps), 0.1), spread(ratios(gaps), shown), coversAtLeast(held(gaps), 0.93)}},
		deepestRow(max(seeds/40, 5)),
		spaceRow(max(seeds/4, 20)),
		overlapRow(seeds),
	)
}

// shown is the bound of what is shown, and held to nothing.
var shown = math.Inf(1)

func pooledRow(seeds, lookups int, off, sd float64) row {
	const truth = 1e7
	setting := fmt.Sprintf("%d lookups of 8 in 10 M nodes", lookups)
	found := overSeeds(setting, seeds, func(r *rand.Rand) estimate {
		return estimateOf(must(analysis.Sizes(drawLookups(r, lookups, k, truth), 0.95)).Pooled, truth)
	})
	return row{"size, pooled", setting, seeds, []figure{bias(ratios(found), off), spread(ratios(found), sd), covers(held(found))}}
}

// deepestRow is about a table that knows all nodes.
func deepestRow(seeds int) row {
	const truth = 20000
	found := overSeeds("deepest", seeds, func(r *rand.Rand) estimate {
		return estimateOf(must(analysis.DeepestBucket(randomID(r), newSpace(r, truth))), truth)
	})
	return row{"size, deepest bucket", "a table that knows all of 20,000", seeds, []figure{bias(ratios(found), 0.5), spread(ratios(found), 0.7)}}
}

// spaceRow is about lookups in a space of IDs, as many as it bears: they share nodes
// by chance, and the estimate still holds.
func spaceRow(seeds int) row {
	const truth = 2000
	lookups := analysis.LookupsBorne(truth, k) * 9 / 10 // the estimate may be lower than the truth
	found := overSeeds("space", seeds, func(r *rand.Rand) estimate { return measure(r, truth, lookups) })
	setting := fmt.Sprintf("%d lookups of 8 in 2,000 IDs", lookups)
	return row{"size, pooled", setting, seeds, []figure{bias(ratios(found), 0.01), spread(ratios(found), shown), coversAtLeast(held(found), 0.93)}}
}

// overlapRow is about far too many lookups, which are told so every time.
func overlapRow(seeds int) row {
	const truth, lookups = 200, 100
	type flagged struct {
		estimate
		told bool
	}
	found := overSeeds("overlap", seeds, func(r *rand.Rand) flagged {
		s := newSpace(r, truth)
		size, err := analysis.Sizes(lookupsIn(r, s, lookups), 0.95)
		return flagged{estimateOf(size.Pooled, truth), errors.Is(err, analysis.ErrOverlap)}
	})
	estimates := column(found, func(f flagged) estimate { return f.estimate })
	return row{"size, pooled, overlapping", "100 lookups of 8 in 200 IDs", seeds, []figure{
		bias(ratios(estimates), 0.02), rate("95 % intervals hold", held(estimates)),
		finds("overlap", column(found, func(f flagged) bool { return f.told }), 1)}}
}

func measure(r *rand.Rand, nodes, lookups int) estimate {
	size, err := analysis.Sizes(lookupsIn(r, newSpace(r, nodes), lookups), 0.95)
	if err != nil && !errors.Is(err, analysis.ErrOverlap) {
		panic(err)
	}
	return estimateOf(size.Pooled, float64(nodes))
}

func lookupsIn(r *rand.Rand, s space, lookups int) (all []analysis.Distances) {
	for range lookups {
		all = append(all, s.lookup(randomID(r), k))
	}
	return all
}
