package main

import (
	"math"

	"github.com/lightdht/lightdht/lightdht/analysis"
)

// finding is one number that statistics come to, with what it takes to judge it.
// In CSV and JSON it is a row; people see the findings of a section as a table.
type finding struct {
	section string // what it is about, as in "clients"
	item    string // which of these, as in "LT"
	counted string // what was counted: "id", "address", "run" (the mean of runs), "contact"; or which null hypothesis was tested

	count  any     // how many there are, an integer, or a float for a mean; nil: it is no count
	value  float64 // the number: a share, a quantile, a statistic; NaN: there is none
	unit   string  // of value: "share", "us", "bits", "nodes"; "": none
	lo, hi float64 // its interval, in the same unit; both NaN: there is none
	level  float64 // confidence of the interval; 0 when there is none

	estimator string  // how value and interval were found
	samples   int64   // what it rests on
	df        float64 // degrees of freedom of a test; NaN: none
	p         float64 // p-value of a test; NaN: it is none
}

// findingColumns are the columns of findings.
var findingColumns = []string{
	"section", "item", "counted", "count", "value", "unit", "ci_lo", "ci_hi", "level", "estimator", "samples", "df", "p_value",
}

// found returns a finding about a section with nothing in it but a value.
func found(section, item string, value float64, unit string) finding {
	nan := math.NaN()
	return finding{section: section, item: item, value: value, unit: unit, lo: nan, hi: nan, df: nan, p: nan}
}

// within returns f with an interval.
func (f finding) within(i analysis.Interval) finding {
	f.lo, f.hi, f.level, f.estimator = i.Lo, i.Hi, i.Level, i.Method
	return f
}

// row returns the values of the columns.
func (f finding) row() []any {
	return []any{
		f.section, text(f.item), text(f.counted), f.count, numberOf(f.value), text(f.unit), numberOf(f.lo), numberOf(f.hi), levelOf(f.level),
		text(f.estimator), f.samples, numberOf(f.df), numberOf(f.p),
	}
}

// numberOf returns v for a row, nil when it is none.
func numberOf(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// levelOf returns a confidence for a row, nil when there is none.
func levelOf(v float64) any {
	if v == 0 {
		return nil
	}
	return v
}
