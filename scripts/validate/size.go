package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

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
	rows := []row{pooledRow(seeds), fewRow(1, 0.03, seeds), fewRow(2, 0.015, seeds)}
	setting := "16 lookups of 8 in 10 M nodes"
	sized := overSeeds("others", seeds, func(r *rand.Rand) (found [2]estimate) {
		s := must(analysis.Sizes(drawLookups(r, 16, k, truth), 0.95))
		return [2]estimate{estimateOf(s.Others[0], truth), estimateOf(s.Others[1], truth)}
	})
	squares := column(sized, func(e [2]estimate) estimate { return e[0] })
	gaps := column(sized, func(e [2]estimate) estimate { return e[1] })
	return append(rows,
		row{"size, least squares", setting, seeds, []figure{bias(ratios(squares), 0.03), spread(ratios(squares), shown), coversAbout(held(squares), 0.93, 0.96)}},
		row{"size, median gap", setting, seeds, []figure{bias(ratios(gaps), 0.1), spread(ratios(gaps), shown), coversAbout(held(gaps), 0.93, 0.96)}},
		deepestRow(max(seeds/40, 5)),
		spaceRow(seeds),
		overlapRow(seeds),
	)
}

// shown is the bound of what is shown, and held to nothing.
var shown = math.Inf(1)

func pooledRow(seeds int) row {
	const truth = 1e7
	found := overSeeds("pooled", seeds, func(r *rand.Rand) estimate {
		return estimateOf(must(analysis.Sizes(drawLookups(r, 256, k, truth), 0.95)).Pooled, truth)
	})
	return row{"size, pooled", "256 lookups of 8 in 10 M nodes", seeds, []figure{bias(ratios(found), 0.01), spread(ratios(found), 0.025), covers(held(found))}}
}

// fewRow is about so few lookups that a degree of freedom more or less shows, in the
// mean and on either side of the interval.
func fewRow(lookups int, within float64, seeds int) row {
	const truth = 1e7
	setting := fmt.Sprintf("%d lookups of 8 in 10 M nodes", lookups)
	found := overSeeds("few "+setting, seeds, func(r *rand.Rand) analysis.SizeEstimate {
		return must(analysis.Sizes(drawLookups(r, lookups, k, truth), 0.95)).Pooled
	})
	of := column(found, func(e analysis.SizeEstimate) estimate { return estimateOf(e, truth) })
	return row{"size, pooled, few lookups", strings.Replace(setting, "1 lookups", "1 lookup", 1), seeds, []figure{
		bias(ratios(of), within), spread(ratios(of), shown), covers(held(of)),
		misses("below", column(found, func(e analysis.SizeEstimate) bool { return e.Hi < truth })),
		misses("above", column(found, func(e analysis.SizeEstimate) bool { return e.Lo > truth }))}}
}

// deepestRow is about a table that knows all nodes.
func deepestRow(seeds int) row {
	const truth = 20000
	found := overSeeds("deepest", seeds, func(r *rand.Rand) estimate {
		return estimateOf(must(analysis.DeepestBucket(randomID(r), newSpace(r, truth))), truth)
	})
	return row{"size, deepest bucket", "a table that knows all of 20,000", seeds, []figure{bias(ratios(found), 0.5), spread(ratios(found), 0.7)}}
}

// spaceRow is about lookups in a space of IDs, nearly as many as it bears: they share
// nodes by chance, and are not told to overlap unless the estimate is 10 % low.
func spaceRow(seeds int) row {
	const truth = 2000
	lookups := analysis.LookupsBorne(truth, k) * 9 / 10
	found := overSeeds("space", seeds, func(r *rand.Rand) measurement { return measure(r, truth, lookups) })
	setting := fmt.Sprintf("%d lookups of 8 in 2,000 IDs", lookups)
	return row{"size, pooled", setting, seeds, []figure{
		bias(ratiosOf(found), 0.01), spread(ratiosOf(found), shown), coversAtLeast(heldOf(found), 0.93)}}
}

// overlapRow is about far too many lookups, which are told so every time.
func overlapRow(seeds int) row {
	const truth, lookups = 200, 100
	found := overSeeds("overlap", seeds, func(r *rand.Rand) measurement { return measure(r, truth, lookups) })
	return row{"size, pooled, refused", "100 lookups of 8 in 200 IDs", seeds, []figure{
		bias(ratiosOf(found), 0.02), rate("95 % intervals hold", heldOf(found)),
		finds("overlap", column(found, func(m measurement) bool { return m.overlap }), 1)}}
}

// measurement is an estimate in a space of IDs, and whether it was told to overlap.
type measurement struct {
	estimate
	overlap bool
}

func ratiosOf(of []measurement) []float64 {
	return column(of, func(m measurement) float64 { return m.ratio })
}
func heldOf(of []measurement) []bool { return column(of, func(m measurement) bool { return m.held }) }

func measure(r *rand.Rand, nodes, lookups int) measurement {
	size, err := analysis.Sizes(lookupsIn(r, newSpace(r, nodes), lookups), 0.95)
	overlap := errors.Is(err, analysis.ErrOverlap)
	if err != nil && !overlap {
		panic("validate: " + err.Error())
	}
	return measurement{estimateOf(size.Pooled, float64(nodes)), overlap}
}

func lookupsIn(r *rand.Rand, s space, lookups int) (all []analysis.Distances) {
	for range lookups {
		all = append(all, s.lookup(randomID(r), k))
	}
	return all
}
