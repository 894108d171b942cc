package main

import (
	"slices"
	"strings"
)

// part is something to say in a line, in several lengths. The lower its rank,
// the sooner it gets room.
type part struct {
	rank  int
	forms []string // ASCII, the longest first
}

// fit joins parts to a line of at most width columns, 0 meaning any number. It
// goes round the parts by rank and gives each a longer form, beginning with none
// at all, until none has room to grow. A first part that has no room is cut.
func fit(parts []part, width int) string {
	chosen := make([]string, len(parts))
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return parts[a].rank - parts[b].rank })
	left := make([]int, len(parts)) // forms that are longer than the chosen one
	for i, p := range parts {
		left[i] = len(p.forms)
	}
	for grown := true; grown; {
		grown = false
		for _, i := range order {
			if left[i] == 0 {
				continue
			}
			before := chosen[i]
			chosen[i] = parts[i].forms[left[i]-1]
			if width > 0 && len(joined(chosen)) > width {
				chosen[i] = before
				continue
			}
			left[i]--
			grown = true
		}
	}
	line := joined(chosen)
	if line == "" && len(order) > 0 {
		first := parts[order[0]].forms
		line = first[len(first)-1][:width]
	}
	return line
}

// joined returns the parts that say something in a line.
func joined(parts []string) string {
	said := slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" })
	return strings.Join(said, "  ")
}
