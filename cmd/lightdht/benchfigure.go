package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// figureColumns are the columns of a figure.
var figureColumns = []string{"table", "what", "contacts", "value", "unit", "allocs", "detail"}

// figure is what was measured of a table.
type figure struct {
	what     string
	contacts int // in the table
	value    float64
	unit     string
	allocs   float64 // for each operation; below zero: not measured
	detail   string
}

// noAllocs is the allocs of what is no operation.
const noAllocs = -1

// row returns the columns of f, numbers rounded to hundredths.
func (f *figure) row(kind string) []any {
	var allocs any
	if f.allocs >= 0 {
		allocs = hundredths(f.allocs)
	}
	return []any{kind, f.what, f.contacts, hundredths(f.value), f.unit, allocs, text(f.detail)}
}

func hundredths(v float64) float64 { return math.Round(v*100) / 100 }

// line returns f as a line of at most 100 columns.
func (f *figure) line(kind string) string {
	var allocs string
	if f.allocs >= 0 {
		allocs = fmt.Sprintf("%.3g allocs", hundredths(f.allocs))
	}
	line := fmt.Sprintf("%-6s %-28s of %-6s %11s %11s  %s", kind, f.what, amount(f.contacts), f.valueText(), allocs, f.detail)
	return strings.TrimRight(line, " ")
}

func (f *figure) valueText() string {
	switch f.unit {
	case "ns":
		return nanoseconds(f.value)
	case "ms":
		return nanoseconds(f.value * 1e6)
	case "ratio":
		return fmt.Sprintf("%.3g : 1", f.value)
	}
	return fmt.Sprintf("%.4g %s", f.value, f.unit)
}

// nanoseconds writes a time to three digits.
func nanoseconds(ns float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= 0.9995*unit.size {
			return digits3(ns/unit.size) + " " + unit.name
		}
	}
	return digits3(ns) + " ns"
}

// digits3 writes v to three digits, more when it has more before the point.
func digits3(v float64) string {
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// amount writes a number of contacts for people, cut to what is there: 2000,
// 100 k, 3.2 M.
func amount(n int) string {
	switch {
	case n >= 1_000_000:
		digit := 10_000 // what the last digit stands for
		for n/digit >= 1000 {
			digit *= 10
		}
		return fmt.Sprintf("%g M", float64(n/digit*digit)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%d k", n/1000)
	}
	return fmt.Sprint(n)
}

// median returns the middle one of values, which it sorts, or the mean of the
// two in the middle.
func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile returns the value below which the part p of values lies, which it
// sorts, interpolated between two of them; NaN of none.
func quantile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	at := p * float64(len(values)-1)
	below := int(at)
	above := min(below+1, len(values)-1)
	return values[below] + (at-float64(below))*(values[above]-values[below])
}

// spread says between which values the middle half lies.
func spread(values []float64) string {
	return fmt.Sprintf("slices %s to %s", nanoseconds(quantile(values, 0.25)), nanoseconds(quantile(values, 0.75)))
}
