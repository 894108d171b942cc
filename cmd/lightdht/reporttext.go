package main

import (
	"fmt"
	"slices"
	"strings"
)

// page returns a report as people read it: facts, then a table for each section;
// in Markdown or as plain text.
func (r *report) page(markdown bool) string {
	var b strings.Builder
	for _, f := range r.about {
		if markdown {
			fmt.Fprintf(&b, "- %s: %s\n", f.name, unmarked(f.shown()))
		} else {
			fmt.Fprintf(&b, "%-11s %s\n", f.name, f.shown())
		}
	}
	for _, s := range r.sections {
		g, title := s.table(), brief(s.title, 2*widest)
		heading, end := "\n"+strings.ToUpper(title)+"\n", "\n"
		if markdown {
			heading, end = "\n### "+unmarked(title)+"\n\n", "\n\n"
		}
		b.WriteString(heading)
		for _, note := range []string{s.note, g.note} {
			if note != "" {
				b.WriteString(strings.ReplaceAll(note, "\n", end) + end)
			}
		}
		if markdown {
			g.markdown(&b)
		} else {
			g.text(&b)
		}
	}
	return b.String()
}

// mostOfFact is how many characters of a fact are shown.
const mostOfFact = 1000

// shown returns the text of a fact as a terminal may have it.
func (f *fact) shown() string { return brief(f.text, mostOfFact) }

// grid is a table as it is shown: a heading of two lines, of which the first one
// names groups of columns, and cells.
type grid struct {
	columns []column
	note    string // what is the same in all of it
}

// column is one column of a grid.
type column struct {
	group, head string
	text        bool // its cells are texts; else numbers
	cells       []string
}

// facet is what of a finding makes a column.
type facet struct {
	name string
	is   func(*finding) bool
	show func(*finding) string
	text bool
}

var facets = []facet{
	{"count", func(f *finding) bool { return isNumber(f.count) }, func(f *finding) string { return quantity(f.count, "") }, false},
	{"value", func(f *finding) bool { return isNumber(f.value) }, func(f *finding) string { return quantity(f.value, f.unit) }, false},
	{"interval", func(f *finding) bool { return isNumber(f.lo) || isNumber(f.hi) }, interval, false},
	{"df", func(f *finding) bool { return isNumber(f.df) }, func(f *finding) string { return quantity(f.df, "") }, false},
	{"p", func(f *finding) bool { return isNumber(f.p) }, func(f *finding) string { return probability(f.p) }, false},
	{"n", func(f *finding) bool { return isNumber(f.samples) }, func(f *finding) string { return quantity(f.samples, "") }, false},
	{"method", func(f *finding) bool { return f.estimator != "" }, func(f *finding) string { return f.estimator }, true},
}

// table lays out the findings of a section: what was counted in several ways side
// by side, and what is the same for all of them apart.
func (s *section) table() *grid {
	ways, items, at := s.lay()
	g := &grid{columns: []column{{text: true, cells: shownItems(items)}}}
	methods, sizes := s.common(ways, facetNamed("method")), s.common(ways, facetNamed("n"))
	last := methodColumn(ways, items, at)
	for _, way := range ways {
		columns := wayColumns(way, items, at, methods == nil && last == nil, sizes == nil)
		for i := range columns {
			if len(ways) > 1 {
				columns[i].group = wayTitle(way)
				if sizes != nil && sizes[way] != "" && !same(sizes, ways) {
					columns[i].group += " (n = " + sizes[way] + ")"
				}
			}
		}
		g.columns = append(g.columns, columns...)
	}
	if methods == nil && last != nil {
		g.columns = append(g.columns, *last)
	}
	notes := s.methodNotes(methods, ways)
	if sizes != nil && same(sizes, ways) && sizes[ways[0]] != "" {
		notes = append(notes, "n = "+sizes[ways[0]])
	}
	g.note = strings.Join(notes, "\n")
	return g
}

// methodNotes says how all findings were found of which the methods are the same:
// what has intervals, how these were.
func (s *section) methodNotes(methods map[string]string, ways []string) (notes []string) {
	of := "intervals"
	for i := range s.rows {
		if f := &s.rows[i]; f.estimator != "" && !isNumber(f.level) {
			of = ""
		}
	}
	different := map[string]bool{}
	for _, way := range ways {
		if text := methods[way]; text != "" {
			different[text] = true
			notes = append(notes, strings.TrimSpace(of+" "+wayTitle(way))+": "+text)
		}
	}
	if len(different) == 1 && (len(notes) > 1 || len(ways) == 1) {
		for text := range different {
			return []string{orText(of, "method") + ": " + text}
		}
	}
	return notes
}

// shownItems returns the names of items as a table shows them.
func shownItems(items []string) []string {
	shown := make([]string, len(items))
	for i, item := range items {
		shown[i] = brief(item, widest)
	}
	return shown
}

// methodColumn is the column of methods when each item has but one, in whatever
// way it was counted; nil when that is not so, or when none has any.
func methodColumn(ways, items []string, at map[[2]string]*finding) *column {
	col, some := &column{head: "method", text: true, cells: make([]string, len(items))}, false
	for i, item := range items {
		for _, way := range ways {
			f := at[[2]string{way, item}]
			switch {
			case f == nil || f.estimator == "":
			case col.cells[i] != "" && col.cells[i] != f.estimator:
				return nil
			default:
				col.cells[i], some = f.estimator, true
			}
		}
	}
	if !some {
		return nil
	}
	return col
}

// common returns, for each way to count, the text of a facet that all its findings
// have in common which have it; nil when that is not so, or when there is but one
// finding.
func (s *section) common(ways []string, f facet) map[string]string {
	if len(s.rows) < 2 {
		return nil
	}
	all := map[string]string{}
	for i := range s.rows {
		row := &s.rows[i]
		if !f.is(row) {
			continue
		}
		text := f.show(row)
		if was, told := all[row.counted]; told && was != text {
			return nil
		}
		all[row.counted] = text
	}
	return all
}

// same reports whether all ways have the same text.
func same(texts map[string]string, ways []string) bool {
	for _, way := range ways {
		if texts[way] != texts[ways[0]] {
			return false
		}
	}
	return true
}

func facetNamed(name string) facet {
	return facets[slices.IndexFunc(facets, func(f facet) bool { return f.name == name })]
}

// lay returns the ways to count and the items of a section, each in the order in
// which they first come, and the findings by both.
func (s *section) lay() (ways, items []string, at map[[2]string]*finding) {
	at = map[[2]string]*finding{}
	for i := range s.rows {
		f := &s.rows[i]
		if !slices.Contains(ways, f.counted) {
			ways = append(ways, f.counted)
		}
		if !slices.Contains(items, f.item) {
			items = append(items, f.item)
		}
		at[[2]string{f.counted, f.item}] = f
	}
	return ways, items, at
}

// wayColumns returns the columns of one way to count, with the method and the size
// of the sample if these are wanted.
func wayColumns(way string, items []string, at map[[2]string]*finding, method, size bool) (columns []column) {
	unit := commonUnit(way, at)
	for _, facet := range facets {
		col, some := column{head: facet.name, text: facet.text, cells: make([]string, len(items))}, false
		for i, item := range items {
			if f := at[[2]string{way, item}]; f != nil && facet.is(f) {
				col.cells[i], some = strings.TrimSuffix(facet.show(f), " "+unit), true
			}
		}
		switch {
		case !some, facet.name == "method" && !method, facet.name == "n" && !size:
			continue
		case facet.name == "value" && unit != "":
			col.head = unit
		case facet.name == "interval":
			col.head = commonLevel(way, at)
		}
		columns = append(columns, col)
	}
	return columns
}

// commonUnit returns the unit of all values of one way to count that their heading
// can tell; else "".
func commonUnit(way string, at map[[2]string]*finding) (unit string) {
	first := true
	for key, f := range at {
		switch {
		case key[0] != way || !isNumber(f.value):
		case first:
			unit, first = f.unit, false
		case f.unit != unit:
			return ""
		}
	}
	if unit == "us" {
		return "" // which each value has its own form of
	}
	return unit
}

// commonLevel names intervals with their level.
func commonLevel(way string, at map[[2]string]*finding) string {
	for key, f := range at {
		if key[0] == way && isNumber(f.level) {
			return fmt.Sprintf("%.6g %% interval", 100*f.level)
		}
	}
	return "interval"
}

// wayTitle says in words what was counted.
func wayTitle(way string) string {
	switch way {
	case "id", "address", "contact", "query":
		return "by " + strings.Replace(way, "id", "ID", 1)
	case "run":
		return "mean of runs"
	case "one-per-address":
		return "one node per address"
	case "bep42":
		return "BEP 42"
	}
	return way
}
