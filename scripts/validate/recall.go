package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func init() { checks = append(checks, check{"recall", recallRows}) }

// fault is how lookups miss nodes: some of them find but a share, all others find
// the usual one.
type fault struct {
	name  string
	usual float64
	rate  float64 // how many lookups are bad
	bad   float64 // the share that those find
}

// found is the share that all of them find.
func (f fault) found() float64 { return (1-f.rate)*f.usual + f.rate*f.bad }

// draw draws the share that one lookup finds.
func (f fault) draw(r *rand.Rand) float64 {
	if r.Float64() < f.rate {
		return f.bad
	}
	return f.usual
}

// again is the share that second lookups find.
const again = 0.97

func recallRows(seeds int) (rows []row) {
	for _, f := range []fault{
		{"1 % missed", 0.99, 0, 0},
		{"1 % missed, and half of it by 10 % of the lookups", 0.99, 0.1, 0.5},
		{"1 % missed, and 7/8 of it by 5 % of the lookups", 0.99, 0.05, 0.125},
		{"1 % missed, and 7/8 of it by 2 % of the lookups", 0.99, 0.02, 0.125},
	} {
		for _, pairs := range []int{32, 64, 128} {
			rows = append(rows, recallRow(f, pairs, seeds))
		}
	}
	for _, f := range []fault{
		{"2 % missed", 0.98, 0, 0},
		{"10 % missed", 0.9, 0, 0},
		{"20 % missed by 20 % of the lookups", 1, 0.2, 0.8},
	} {
		rows = append(rows, overRow(f, seeds, false))
	}
	for _, f := range []fault{
		{"half missed by 10 % of the lookups", 1, 0.1, 0.5},
		{"7/8 missed by 2 % of the lookups", 1, 0.02, 0.125},
	} {
		rows = append(rows, overRow(f, seeds, true))
	}
	return rows
}

// recallRow is about what a share of lookups of which some are made again tells.
// Its interval must hold the truth also where bad lookups are so rare that often none
// is among those made again; it then reaches down by what so many may hide, and no
// farther.
func recallRow(f fault, pairs, seeds int) row {
	type told struct {
		estimate
		down float64
	}
	setting := fmt.Sprintf("%d pairs of lookups, %s", pairs, f.name)
	found := overSeeds("recall "+setting, seeds, func(r *rand.Rand) told {
		all := make([]analysis.Pair, pairs)
		for i := range all {
			first, _ := findSome(r, f.draw(r))
			second, _ := findSome(r, again)
			all[i] = analysis.Pair{First: first, Second: second}
		}
		e := must(analysis.Recall(all, 0.95))
		return told{estimate{e.Share / f.found(), holds(e.Interval, f.found())}, e.Share - e.Interval.Lo}
	})
	of := column(found, func(t told) estimate { return t.estimate })
	down := bias(column(found, func(t told) float64 { return 1 + t.down }), shown)
	down.name, down.signed, down.hi = "lower end below it by", false, map[int]float64{32: 0.15, 64: 0.09, 128: 0.055}[pairs]
	return row{"share of the closest found", setting, seeds,
		[]figure{bias(ratios(of), 0.005), spread(ratios(of), shown), coversAtLeast(held(of), 0.93), down}}
}

// overRow is about a size that is corrected for what lookups missed, as told by a
// quarter of them that were made again. What all miss alike is made good; of what a
// few miss in groups a part remains, for which nothing is held. The interval reaches
// up farther than chance does, for recall allows for what is too rare to be seen: hardly
// ever does it lie below the truth.
func overRow(f fault, seeds int, grouped bool) row {
	const truth, lookups, twice = 1e7, 256, 64
	found := overSeeds("over recall "+f.name, seeds, func(r *rand.Rand) analysis.SizeEstimate {
		pairs, spacings := make([]analysis.Pair, twice), make([]analysis.Spacing, lookups)
		for i := range spacings {
			first, distances := findSome(r, f.draw(r))
			spacings[i] = analysis.Spacing{K: k, Distance: distances[k-1] / truth}
			if i < twice {
				second, _ := findSome(r, again)
				pairs[i] = analysis.Pair{First: first, Second: second}
			}
		}
		return must(analysis.OverRecall(must(analysis.PooledSize(spacings, 0.95)), must(analysis.Recall(pairs, 0.95))))
	})
	of := column(found, func(e analysis.SizeEstimate) estimate { return estimateOf(e, truth) })
	below := rate("lie below", column(found, func(e analysis.SizeEstimate) bool { return e.Hi < truth }))
	figures := []figure{bias(ratios(of), 0.01), spread(ratios(of), 0.03), coversAtLeast(held(of), 0.93), below}
	figures[3].hi = 0.005
	what := "size, pooled over recall"
	if grouped {
		what += ", of rare bad lookups"
		for i := range figures {
			figures[i] = free(figures[i])
		}
	}
	return row{what, fmt.Sprintf("%d lookups, %d of them made again, %s", lookups, twice, f.name), seeds, figures}
}

// findSome finds the 8 closest nodes to the target 0, each with a chance, and how far
// they are where one node is expected in 1: the n-th closest has the ID n.
func findSome(r *rand.Rand, chance float64) (ids []kad.ID, d analysis.Distances) {
	at := 0.0
	for rank := 1; len(ids) < k; rank++ {
		at += r.ExpFloat64()
		if r.Float64() < chance {
			ids, d = append(ids, kad.ID{byte(rank >> 8), byte(rank)}), append(d, at)
		}
	}
	return ids, d
}
