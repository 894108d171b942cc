package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// quantity returns a number with its unit for people.
func quantity(v float64, unit string) string {
	switch unit {
	case "share":
		if v > 0 && v < 1e-7 {
			return strconv.FormatFloat(100*v, 'e', 1, 64) + " %"
		}
		return strconv.FormatFloat(100*v, 'f', digits(100*v), 64) + " %"
	case "nodes":
		return grouped(int64(math.Round(v))) + " nodes"
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
	case percent == 0 || percent == 100:
		return 0
	case percent >= 10:
		return 1
	case percent >= 0.1:
		return 2
	}
	return 1 - int(math.Floor(math.Log10(percent)))
}

// interval returns the ends of an interval for people, or the one that it has.
func interval(f *finding) string {
	switch {
	case !isNumber(f.hi):
		return "at least " + quantity(f.lo, f.unit)
	case !isNumber(f.lo):
		return "at most " + quantity(f.hi, f.unit)
	}
	lo, hi := quantity(f.lo, f.unit), quantity(f.hi, f.unit)
	for _, unit := range []string{f.unit, "%"} {
		lo = strings.TrimSuffix(lo, " "+unit)
	}
	return lo + " to " + hi
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
