package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// text writes g in columns that stand below each other.
func (g *grid) text(b *strings.Builder) {
	widths, grouped := make([]int, len(g.columns)), false
	for i, col := range g.columns {
		for _, cell := range append([]string{col.head}, col.cells...) {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
		grouped = grouped || col.group != ""
	}
	if grouped {
		g.groupLine(b, widths)
	}
	g.line(b, widths, func(c *column) string { return c.head })
	for row := range g.columns[0].cells {
		g.line(b, widths, func(c *column) string { return c.cells[row] })
	}
}

// groupLine writes the names of the groups above their columns, and widens those
// that are too narrow.
func (g *grid) groupLine(b *strings.Builder, widths []int) {
	var line strings.Builder
	for i := 0; i < len(g.columns); {
		j, width := i+1, widths[i]
		for ; j < len(g.columns) && i > 0 && g.columns[j].group == g.columns[i].group; j++ {
			width += 2 + widths[j]
		}
		name := g.columns[i].group
		if lacks := utf8.RuneCountInString(name) - width; lacks > 0 {
			widths[j-1] += lacks
			width += lacks
		}
		fmt.Fprintf(&line, "  %*s", width, name)
		i = j
	}
	fmt.Fprintf(b, "%s\n", strings.TrimRight(line.String(), " "))
}

// line writes one cell of each column.
func (g *grid) line(b *strings.Builder, widths []int, cell func(*column) string) {
	var line strings.Builder
	for i := range g.columns {
		text := cell(&g.columns[i])
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		if g.columns[i].text {
			line.WriteString("  " + text + pad)
		} else {
			line.WriteString("  " + pad + text)
		}
	}
	fmt.Fprintf(b, "%s\n", strings.TrimRight(line.String(), " "))
}

// markdown writes g as a table of Markdown.
func (g *grid) markdown(b *strings.Builder) {
	row := func(cell func(i int, c *column) string) {
		b.WriteString("|")
		for i := range g.columns {
			fmt.Fprintf(b, " %s |", unmarked(cell(i, &g.columns[i])))
		}
		b.WriteString("\n")
	}
	row(func(i int, c *column) string {
		if c.group != "" && c.group != g.columns[i-1].group {
			return c.group + ": " + c.head
		}
		return c.head
	})
	row(func(_ int, c *column) string {
		if c.text {
			return "---"
		}
		return "---:"
	})
	for n := range g.columns[0].cells {
		row(func(_ int, c *column) string { return c.cells[n] })
	}
}
