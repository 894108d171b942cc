package main

import (
	"slices"
	"strings"
)

// part is something to say in a line, in words that become fewer. What has a
// higher rank gives way first.
type part struct {
	rank  int
	forms []string // ASCII, the longest first
}

// fit joins parts to a line of at most width columns, 0 meaning any number. As
// long as it is too long it shortens one part after the other, then leaves one
// after the other out; the last that is left is cut.
func fit(parts []part, width int) string {
	chosen := make([]string, len(parts))
	for i, p := range parts {
		chosen[i] = p.forms[0]
	}
	fits := func() bool { return width <= 0 || len(joined(chosen)) <= width }
	weakest := make([]int, len(parts))
	longest := 0
	for i, p := range parts {
		weakest[i] = i
		longest = max(longest, len(p.forms))
	}
	slices.SortStableFunc(weakest, func(a, b int) int { return parts[b].rank - parts[a].rank })
	for form := 1; form < longest; form++ {
		for _, i := range weakest {
			if fits() {
				return joined(chosen)
			}
			chosen[i] = parts[i].forms[min(form, len(parts[i].forms)-1)]
		}
	}
	for _, i := range weakest[:max(len(weakest)-1, 0)] {
		if fits() {
			break
		}
		chosen[i] = ""
	}
	line := joined(chosen)
	if width > 0 {
		line = line[:min(len(line), width)]
	}
	return line
}

// joined returns the parts that say something in a line.
func joined(parts []string) string {
	said := slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" })
	return strings.Join(said, "  ")
}
