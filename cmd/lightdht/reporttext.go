package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// page returns a report as people read it: facts, then a table for each section;
// in Markdown or as plain text.
func (r *report) page(markdown bool) string {
	var b strings.Builder
	for _, f := range r.about {
		if markdown {
			fmt.Fprintf(&b, "- %s: %s\n", f.name, f.text)
		} else {
			fmt.Fprintf(&b, "%-11s %s\n", f.name, f.text)
		}
	}
	for _, s := range r.sections {
		t := s.table()
		if markdown {
			fmt.Fprintf(&b, "\n### %s\n\n", s.title)
			if s.note != "" {
				fmt.Fprintf(&b, "%s\n\n", s.note)
			}
			t.markdown(&b)
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(s.title))
		if s.note != "" {
			fmt.Fprintf(&b, "%s\n", s.note)
		}
		t.text(&b)
	}
	return b.String()
}

// grid is a table as it is shown: a heading of two lines, of which the first one
// names groups of columns, and cells. The first column is of texts, the others of
// numbers unless they are in texts.
type grid struct {
	groups, heads []string
	cells         [][]string
	texts         []bool // columns of texts
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
	{"interval", func(f *finding) bool { return isNumber(f.lo) && isNumber(f.hi) }, interval, false},
	{"df", func(f *finding) bool { return isNumber(f.df) }, func(f *finding) string { return quantity(f.df, "") }, false},
	{"p", func(f *finding) bool { return isNumber(f.p) }, func(f *finding) string { return probability(f.p) }, false},
	{"of", func(f *finding) bool { return isNumber(f.samples) }, func(f *finding) string { return quantity(f.samples, "") }, false},
	{"method", func(f *finding) bool { return f.estimator != "" }, func(f *finding) string { return f.estimator }, true},
}

// table lays out the findings of a section. What was counted in several ways
// stands side by side.
func (s *section) table() *grid {
	var ways, items []string
	at := map[[2]string]*finding{}
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
	t := &grid{groups: []string{""}, heads: []string{""}, texts: []bool{true}}
	for _, item := range items {
		t.cells = append(t.cells, []string{item})
	}
	for _, way := range ways {
		t.addWay(way, items, at)
	}
	return t
}

// addWay adds the columns of one way to count.
func (t *grid) addWay(way string, items []string, at map[[2]string]*finding) {
	title := wayTitle(way)
	for _, p := range facets {
		column, some := make([]string, len(items)), false
		for i, item := range items {
			if f := at[[2]string{way, item}]; f != nil && p.is(f) {
				column[i], some = p.show(f), true
			}
		}
		same := uniform(column)
		switch {
		case !some:
			continue
		case same && len(items) > 1 && (p.name == "of" || p.name == "method"):
			title = strings.TrimSpace(title + " " + map[string]string{"of": "of " + column[0], "method": "(" + column[0] + ")"}[p.name])
			t.retitle(way, title)
			continue
		}
		t.groups, t.heads, t.texts = append(t.groups, title), append(t.heads, headOf(p.name, way, at)), append(t.texts, p.text)
		for i := range t.cells {
			t.cells[i] = append(t.cells[i], column[i])
		}
	}
	t.retitle(way, title)
}

// retitle gives the columns of the last way another title.
func (t *grid) retitle(way, title string) {
	was := wayTitle(way)
	for i := len(t.groups) - 1; i > 0 && (t.groups[i] == was || strings.HasPrefix(title, t.groups[i])); i-- {
		t.groups[i] = title
	}
}

// wayTitle says in words what was counted.
func wayTitle(way string) string {
	switch way {
	case "id", "address", "contact":
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

// headOf returns the heading of a column: of a value its unit, of an interval its
// level, when all have the same.
func headOf(name, way string, at map[[2]string]*finding) string {
	var units []string
	level := 0.0
	for key, f := range at {
		if key[0] != way {
			continue
		}
		if isNumber(f.value) && !slices.Contains(units, f.unit) {
			units = append(units, f.unit)
		}
		if isNumber(f.level) {
			level = f.level
		}
	}
	switch {
	case name == "interval":
		return fmt.Sprintf("%.6g %% interval", 100*level)
	case name == "value" && len(units) == 1 && units[0] == "share":
		return "share"
	}
	return name
}

// uniform reports whether all texts are the same.
func uniform(all []string) bool {
	for _, s := range all {
		if s != all[0] {
			return false
		}
	}
	return true
}

// quantity returns a number with its unit for people.
func quantity(v float64, unit string) string {
	switch unit {
	case "share":
		return strconv.FormatFloat(100*v, 'f', digits(100*v), 64) + " %"
	case "us":
		return round(time.Duration(v * float64(time.Microsecond))).String()
	}
	text := strconv.FormatFloat(v, 'g', 5, 64)
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		text = grouped(int64(v))
	case math.Abs(v) >= 1000 && math.Abs(v) < 1e15:
		text = grouped(int64(math.Round(v)))
	}
	if unit != "" {
		text += " " + unit
	}
	return text
}

// digits is how many a percentage has behind the point.
func digits(percent float64) int {
	switch {
	case percent == 0 || percent >= 99.995:
		return 0
	case percent >= 10:
		return 1
	case percent >= 0.1:
		return 2
	}
	return min(2-int(math.Floor(math.Log10(percent))), 8)
}

// interval returns the ends of an interval for people.
func interval(f *finding) string {
	lo, hi := quantity(f.lo, f.unit), quantity(f.hi, f.unit)
	if unit := " " + f.unit; f.unit != "" && strings.HasSuffix(lo, unit) {
		lo = strings.TrimSuffix(lo, unit)
	}
	return strings.TrimSuffix(lo, " %") + " to " + hi
}

// probability returns a p-value for people.
func probability(p float64) string {
	switch {
	case p < 1e-300:
		return "< 1e-300"
	case p < 0.001:
		return strconv.FormatFloat(p, 'e', 1, 64)
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// text writes t in columns that stand below each other.
func (t *grid) text(b *strings.Builder) {
	widths := make([]int, len(t.heads))
	for _, row := range append([][]string{t.heads}, t.cells...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	t.groupLine(b, widths)
	if strings.Join(t.heads, "") != "value" {
		t.line(b, t.heads, widths)
	}
	for _, row := range t.cells {
		t.line(b, row, widths)
	}
}

// groupLine writes the names of the groups above their columns, and widens those
// that are too narrow.
func (t *grid) groupLine(b *strings.Builder, widths []int) {
	if strings.Join(t.groups, "") == "" {
		return
	}
	var line strings.Builder
	for i := 0; i < len(t.groups); {
		j, width := i+1, widths[i]
		for ; j < len(t.groups) && i > 0 && t.groups[j] == t.groups[i]; j++ {
			width += 2 + widths[j]
		}
		if lacks := utf8.RuneCountInString(t.groups[i]) - width; lacks > 0 {
			widths[j-1] += lacks
			width += lacks
		}
		fmt.Fprintf(&line, "  %*s", width, t.groups[i])
		i = j
	}
	fmt.Fprintf(b, "%s\n", strings.TrimRight(line.String(), " "))
}

func (t *grid) line(b *strings.Builder, row []string, widths []int) {
	var line strings.Builder
	for i, cell := range row {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.texts[i] {
			line.WriteString("  " + cell + pad)
		} else {
			line.WriteString("  " + pad + cell)
		}
	}
	fmt.Fprintf(b, "%s\n", strings.TrimRight(line.String(), " "))
}

// markdown writes t as a table of Markdown.
func (t *grid) markdown(b *strings.Builder) {
	heads, rules := make([]string, len(t.heads)), make([]string, len(t.heads))
	for i, head := range t.heads {
		heads[i], rules[i] = head, "---:"
		if t.texts[i] {
			rules[i] = "---"
		}
		if t.groups[i] != "" && t.groups[i] != t.groups[i-1] {
			heads[i] = t.groups[i] + ": " + head
		}
	}
	for _, row := range append([][]string{heads, rules}, t.cells...) {
		escaped := make([]string, len(row))
		for i, cell := range row {
			escaped[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(escaped, " | "))
	}
}
