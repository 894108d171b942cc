package main

import (
	"math"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/export"
)

// finding is one number that statistics come to, with what it takes to judge it.
// In CSV and JSON it is a row; people see the findings of a section as a table.
// NaN stands for a number that there is none of.
type finding struct {
	section string // what it is about, as in "clients"
	item    string // which of these, as in "LT"
	counted string // what was counted: "id", "address", "run" (the mean of runs), "contact"; of tests under which null hypothesis: "one-per-address", "bep42"

	count  float64 // how many there are; a mean need not be whole
	value  float64 // the number: a share, a quantile, a statistic
	unit   string  // of value: "share", "us", "bits", "nodes"; "": none
	lo, hi float64 // its interval, in the same unit
	level  float64 // confidence of the interval

	estimator string  // how value and interval were found
	samples   float64 // what it rests on, a whole number
	df        float64 // degrees of freedom of a test
	p         float64 // p-value of a test
}

// found returns a finding about a section with nothing in it but a value.
func found(section, item string, value float64, unit string) finding {
	nan := math.NaN()
	return finding{section: section, item: item, count: nan, value: value, unit: unit, lo: nan, hi: nan, level: nan, samples: nan, df: nan, p: nan}
}

// within returns f with an interval.
func (f finding) within(i analysis.Interval) finding {
	if i.Level > 0 {
		f.lo, f.hi, f.level, f.estimator = i.Lo, i.Hi, i.Level, i.Method
	}
	return f
}

// findingSchema is the columns of findings.
var findingSchema = export.Schema{
	{Name: "section", Type: export.Text}, {Name: "item", Type: export.Text}, {Name: "counted", Type: export.Text},
	{Name: "count", Type: export.Float}, {Name: "value", Type: export.Float}, {Name: "unit", Type: export.Text},
	{Name: "ci_lo", Type: export.Float}, {Name: "ci_hi", Type: export.Float}, {Name: "level", Type: export.Float},
	{Name: "estimator", Type: export.Text}, {Name: "samples", Type: export.Int}, {Name: "df", Type: export.Float},
	{Name: "p_value", Type: export.Float},
}

// values are those of the columns: texts, "" when absent, and numbers, NaN when
// absent.
func (f *finding) values() []any {
	return []any{
		f.section, f.item, f.counted, f.count, f.value, f.unit, f.lo, f.hi, f.level, f.estimator, f.samples, f.df, f.p,
	}
}

// addTo adds f to a batch as a row.
func (f *finding) addTo(b *export.Batch) {
	for i, v := range f.values() {
		col := &b.Cols[i]
		switch v := v.(type) {
		case string:
			if v == "" {
				col.AddAbsent()
			} else {
				col.AddText(v)
			}
		case float64:
			switch {
			case !isNumber(v):
				col.AddAbsent()
			case col.Type == export.Int:
				col.AddInt(int64(v))
			default:
				col.AddFloat(v)
			}
		}
	}
	b.Len++
}

// isNumber reports whether v is one that can be written.
func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
