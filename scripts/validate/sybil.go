package main

import (
	"math"
	"math/rand/v2"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

func init() { checks = append(checks, check{"sybil", sybilRows}) }

// found is what the tests say of one target without sybils, with 4 and with 8.
type found struct{ none, four, eight analysis.SybilResult }

func sybilRows(seeds int) []row {
	const truth, level = 1e7, 0.01
	tests := must(analysis.NewSybils(k, analysis.SizeEstimate{N: truth}))
	must(tests.KL(drawDistances(rand.New(rand.NewPCG(1, 1)), k, truth))) // its law is made here, once
	results := overSeeds("sybils", 4*seeds, func(r *rand.Rand) found {
		return found{
			must(tests.Test(drawDistances(r, k, truth))),
			must(tests.Test(withSybils(r, 4, truth))),
			must(tests.Test(withSybils(r, 8, truth))),
		}
	})
	gamma := func(s analysis.SybilResult) float64 { return s.Gamma.P }
	scan := func(s analysis.SybilResult) float64 { return s.Scan.P }
	kl := func(s analysis.SybilResult) float64 { return s.KL.P }
	rows := []row{
		sybilRow("Gamma", level, results, gamma, shown, 0.95),
		sybilRow("Gamma scan", level, results, scan, 0.6, 0.9),
		sybilRow("KL for k = 8", level, results, kl, shown, shown),
	}
	rows[2].figures[0].lo = 0                                                              // its values are steps: it alarms at the level or less often
	published := column(results, func(f found) bool { return f.none.KL.Statistic > 0.94 }) // for k = 20
	rows[2].figures = append(rows[2].figures, rate("false alarms at the published 0.94", published))
	return append(rows, measuredRow(seeds, level), vagueRow(seeds))
}

// vagueRow is about KL where the size was measured by two lookups only. Its law takes
// long to make, so that the estimates are a few, from one octave, after which prefix
// lengths repeat, and the sizes are drawn that make them likely.
func vagueRow(seeds int) row {
	const level, nodes = 0.05, 2 * k
	var tests []*analysis.Sybils
	var sizes []float64
	for i := range 8 {
		n := 1e7 * math.Exp2(float64(i)/8)
		tests = append(tests, must(analysis.NewSybils(k, analysis.SizeEstimate{N: n, Nodes: nodes, Method: "pooled"})))
		sizes = append(sizes, n)
	}
	alarms := overSeeds("vague", 4*seeds, func(r *rand.Rand) bool {
		i := r.IntN(len(tests))
		sum := (nodes - 1) / sizes[i]
		truth := drawDistances(r, nodes, sum)[nodes-1] // N times the sum follows a Gamma distribution
		return must(tests[i].KL(drawDistances(r, k, truth))).P <= level
	})
	alarmed := falseAlarms(alarms, level)
	alarmed.lo = 0 // its values are steps
	return row{"sybils, KL for k = 8", "10 to 20 M nodes, measured by 2 lookups", 4 * seeds, []figure{alarmed}}
}

// sybilRow is about one test, whose p-value p takes out of the results. Finding is
// held to what is finite.
func sybilRow(name string, level float64, results []found, p func(analysis.SybilResult) float64, four, eight float64) row {
	alarmed := func(of func(found) analysis.SybilResult) []bool {
		return column(results, func(f found) bool { return p(of(f)) <= level })
	}
	figures := []figure{
		falseAlarms(alarmed(func(f found) analysis.SybilResult { return f.none }), level),
		finds("8", alarmed(func(f found) analysis.SybilResult { return f.eight }), eight),
		finds("4", alarmed(func(f found) analysis.SybilResult { return f.four }), four),
	}
	return row{"sybils, " + name, "inside the closest of 10 M nodes", len(results), figures}
}

// measuredRow is about a size that was itself measured, by two lookups only.
func measuredRow(seeds int, level float64) row {
	const truth = 1e7
	type alarm struct{ gamma, scan bool }
	alarms := overSeeds("measured", seeds, func(r *rand.Rand) alarm {
		size := must(analysis.Sizes(drawLookups(r, 2, k, truth), 0.95)).Pooled
		tests, d := must(analysis.NewSybils(k, size)), drawDistances(r, k, truth)
		return alarm{must(tests.Gamma(d)).P <= level, must(tests.Scan(d)).P <= level}
	})
	gamma := falseAlarms(column(alarms, func(a alarm) bool { return a.gamma }), level)
	scan := falseAlarms(column(alarms, func(a alarm) bool { return a.scan }), level)
	gamma.name, scan.name = "Gamma "+gamma.name, "scan "+scan.name
	return row{"sybils, Gamma and scan", "10 M nodes, measured by 2 lookups", seeds, []figure{gamma, scan}}
}

// withSybils draws the k closest with n sybils uniformly inside the closest of the
// honest nodes: the largest of n uniform numbers, the largest of the rest below it…
func withSybils(r *rand.Rand, n int, truth float64) analysis.Distances {
	honest := drawDistances(r, k, truth)
	d := make(analysis.Distances, n, n+k)
	at := honest[0]
	for i := n; i > 0; i-- {
		at *= math.Pow(r.Float64(), 1/float64(i))
		d[i-1] = at
	}
	return append(d, honest...)[:k]
}
