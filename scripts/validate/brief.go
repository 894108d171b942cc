package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// group is the rows of one estimator or test.
type group struct {
	row
	settings int
	most     []float64 // of each figure: its value is the least, this the most of all settings
}

// brief joins the rows of one estimator or test: what was measured in several
// settings is told as a range, and held to the loosest of their reaches. Minor rows
// are left out.
func brief(rows []row) (cells [][]string) {
	var groups []*group
	for _, r := range rows {
		if minor.MatchString(r.what) {
			continue
		}
		r.what = wholeSpace.ReplaceAllString(variant.ReplaceAllString(r.what, ""), "IDs, four tests of the whole space")
		at := slices.IndexFunc(groups, func(g *group) bool { return g.what == r.what && !apart(&g.row) && !apart(&r) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &group{row: row{what: r.what, setting: r.setting}})
		}
		groups[at].add(r)
	}
	for _, g := range groups {
		cells = append(cells, g.cells())
	}
	return cells
}

// variant is what of a name tells rows of one test from each other, wholeSpace what
// does so of tests that are alike.
var (
	variant    = regexp.MustCompile(`, (one node per address|BEP 42)$| \d+ %| by client`)
	wholeSpace = regexp.MustCompile(`^IDs, (chi-square|G|Kolmogorov-Smirnov|gaps \(Moran\))$`)
)

// minor is what the whole table has, and the brief one does without.
var minor = regexp.MustCompile(`^(share of queries|popularity|census by ID|queries of the largest|mean of runs in a census|` +
	`IDs, (deepest zones|dispersion|share that BEP)|IDs by BEP 42, few)`)

// apart reports whether a row says what its like do not: what lookups miss in one
// network or another, and of what is no attack that none is found.
func apart(r *row) bool {
	return strings.HasSuffix(r.what, ", by lookups") || strings.HasPrefix(r.setting, "VPN ")
}

// add takes a row in.
func (g *group) add(r row) {
	if g.settings++; g.settings > 1 {
		g.setting = fmt.Sprintf("%d settings", g.settings)
	}
	g.seeds = max(g.seeds, r.seeds)
	for _, f := range r.figures {
		at := slices.IndexFunc(g.figures, func(o figure) bool { return o.name == f.name })
		if at < 0 {
			g.figures, g.most = append(g.figures, f), append(g.most, f.value)
			continue
		}
		o := &g.figures[at]
		o.value, g.most[at] = min(o.value, f.value), max(g.most[at], f.value)
		o.lo, o.hi = min(o.lo, f.lo), max(o.hi, f.hi)
	}
}

// cells are those of a row, with ranges for what was measured.
func (g *group) cells() []string {
	cells, measured := g.row.cells(), ""
	for i, f := range g.figures {
		form := "%.3g"
		if f.signed {
			form = "%+.3g"
		}
		text := fmt.Sprintf(form, 100*f.value)
		if most := fmt.Sprintf(form, 100*g.most[i]); most != text {
			text += " to " + most
		}
		if i > 0 {
			measured += ", "
		}
		measured += f.name + " " + text + " %"
	}
	cells[3] = measured
	return cells
}
