package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// row is one line of the table: an estimator or a test in one setting.
type row struct {
	what    string // "size, pooled"
	setting string // "64 lookups of 8 in 10 M nodes"
	seeds   int    // how many networks were drawn
	figures []figure
}

// figure is one measured number and the reach it is held to.
type figure struct {
	name   string  // "bias"
	value  float64 // a share: 0.01 is printed as 1 %
	se     float64 // its standard error over the seeds
	lo, hi float64 // the least and the most that it may be; infinite: any
	signed bool    // print a + before what is above 0
}

// bias is the mean of estimates over the truth, less 1; it may be off by at most
// `within`, infinite for what is shown only.
func bias(ratios []float64, within float64) figure {
	mean, sd := moments(ratios)
	return figure{"bias", mean - 1, sd / math.Sqrt(float64(len(ratios))), -within, within, true}
}

// spread is the standard deviation of estimates over the truth, at most `most`.
func spread(ratios []float64, most float64) figure {
	_, sd := moments(ratios)
	return figure{"SD", sd, sd / math.Sqrt(2*float64(len(ratios))), math.Inf(-1), most, false}
}

// covers is the share of exact intervals of 95 % that hold the truth: within 3.5
// standard errors of that.
func covers(held []bool) figure {
	se := math.Sqrt(0.95 * 0.05 / float64(len(held)))
	return figure{"95 % intervals hold", share(held), se, 0.95 - 3.5*se, min(1, 0.95+3.5*se), false}
}

// coversAtLeast is the same of conservative or approximate intervals.
func coversAtLeast(held []bool, least float64) figure {
	f := rate("95 % intervals hold", held)
	f.lo = least
	return f
}

// coversAbout is the same of intervals that are conservative by little where they are
// looked at, or approximate: too wide is as wrong as too narrow.
func coversAbout(held []bool, least, most float64) figure {
	f := coversAtLeast(held, least)
	f.hi = most
	f.se = max(f.se, math.Sqrt(most*(1-most)/float64(len(held)))) // of a few that all hold, that of the most
	return f
}

// misses is how often exact intervals of 95 % lie on one side of the truth: 2.5 %
// within 3.5 standard errors. Two ends that are wrong can make up for each other in
// how often the interval holds.
func misses(side string, missed []bool) figure {
	f := falseAlarms(missed, 0.025)
	f.name = "lie " + side
	return f
}

// falseAlarms is how often a test at a level finds what is not there: at that level
// within 3.5 standard errors.
func falseAlarms(alarms []bool, level float64) figure {
	se := math.Sqrt(level * (1 - level) / float64(len(alarms)))
	name := fmt.Sprintf("false alarms at %g %%:", 100*level)
	return figure{name, share(alarms), se, max(0, level-3.5*se), level + 3.5*se, false}
}

// finds is how often a test finds what is there, named by what, at least `least`;
// infinite for what is shown only.
func finds(what string, alarms []bool, least float64) figure {
	f := rate("finds "+what, alarms)
	if least == 1 {
		f.hi = 1
	}
	if !math.IsInf(least, 0) {
		f.lo = least
	}
	return f
}

// rate is a share that is held to nothing.
func rate(name string, hits []bool) figure {
	p := share(hits)
	return figure{name, p, math.Sqrt(p * (1 - p) / float64(len(hits))), math.Inf(-1), math.Inf(1), false}
}

// ok says whether the figure is within its reach, or misses it by no more than
// slack standard errors.
func (f figure) ok(slack float64) bool {
	return f.value >= f.lo-slack*f.se && f.value <= f.hi+slack*f.se
}

func (f figure) String() string {
	if f.signed {
		return fmt.Sprintf("%s %+.3g %%", f.name, 100*f.value)
	}
	return fmt.Sprintf("%s %.3g %%", f.name, 100*f.value)
}

// reach says what the figure is held to, "" for nothing.
func (f figure) reach() string {
	switch {
	case math.IsInf(f.lo, -1) && math.IsInf(f.hi, 1):
		return ""
	case f.lo == f.hi:
		return fmt.Sprintf("%s %.3g %%", f.name, 100*f.lo)
	case math.IsInf(f.lo, -1):
		return fmt.Sprintf("%s ≤ %.3g %%", f.name, 100*f.hi)
	case math.IsInf(f.hi, 1):
		return fmt.Sprintf("%s ≥ %.3g %%", f.name, 100*f.lo)
	case f.lo == -f.hi:
		return fmt.Sprintf("%s ±%.3g %%", f.name, 100*f.hi)
	}
	return fmt.Sprintf("%s %.3g to %.3g %%", f.name, 100*f.lo, 100*f.hi)
}

// measured and reach join those of the figures.
func (r row) measured() string { return r.join(figure.String) }
func (r row) reach() string    { return r.join(figure.reach) }

func (r row) join(of func(figure) string) string {
	var parts []string
	for _, f := range r.figures {
		if text := of(f); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

var heading = []string{"Estimator or test", "Known truth", "Seeds", "Measured", "Held to"}

func (r row) cells() []string {
	return []string{r.what, r.setting, fmt.Sprint(r.seeds), r.measured(), r.reach()}
}

// each returns the cells of every row.
func each(rows []row) (cells [][]string) {
	for _, r := range rows {
		cells = append(cells, r.cells())
	}
	return cells
}

func printMarkdown(w io.Writer, rows [][]string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|---|---|--:|---|---|\n", strings.Join(heading, " | "))
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r, " | "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printText(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(heading, "\t"))
	for _, r := range rows {
		fmt.Fprintln(table, strings.Join(r, "\t"))
	}
	return table.Flush()
}

func share(hits []bool) float64 {
	n := 0
	for _, hit := range hits {
		if hit {
			n++
		}
	}
	return float64(n) / float64(len(hits))
}

// moments are mean and standard deviation.
func moments(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean) / float64(len(xs)-1)
	}
	return mean, math.Sqrt(sd)
}
