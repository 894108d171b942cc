package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes is what estimators say of the size of a network, the more lookups they
// are given.
type Sizes struct {
	Estimators []Estimator // at most four, the one to rely on first
	Truth      float64     // how many nodes there are; 0: nobody knows
}

// Estimator is one way to estimate, by its name.
type Estimator struct {
	Name   string
	Points []Estimate // by rising numbers of lookups
}

// Estimate is what came out of the first so many lookups.
type Estimate struct {
	Lookups  int
	Nodes    float64
	Interval analysis.Interval // in nodes; Level 0: the estimator has none
}

// pens are the ways that lines are told apart: by colour, dashes and mark.
var pens = []struct {
	colour color.NRGBA
	dashes []vg.Length
	mark   draw.GlyphDrawer
}{
	{blue, nil, draw.CircleGlyph{}},
	{orange, []vg.Length{5, 2}, draw.PyramidGlyph{}},
	{purple, []vg.Length{1.5, 1.5}, draw.BoxGlyph{}},
	{green, []vg.Length{6, 2, 1.5, 2}, draw.CrossGlyph{}},
}

// NetworkSize draws estimates against the number of lookups, on a logarithmic
// axis, each with its interval as a band, and the truth, when it is known, as a
// dashed line. The intervals are those that it is given. The upright axis spans all
// estimates, and the intervals of the first estimator: wider ones of others, such as
// Student's t over two lookups, are cut off.
func NetworkSize(in Sizes, width Width) (*Figure, error) {
	points, err := width.points()
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	p := axes()
	across, upright := in.scales()
	room := inner(points-2*margin, widthOf("100,000"))
	tall := 0.62 * min(room, 260)
	across.on(&p.X, room, false)
	upright.on(&p.Y, tall, true)

	in.addBands(p)
	return compose(width, false, &panel{
		heading: "Size from " + count(in.lookups(), "lookup"),
		keys:    append(in.addTruth(p), in.addLines(p)...),
		plot:    p, x: "lookups", y: "estimated size (nodes)", data: tall + 3*lineHeight,
	}), nil
}

// addBands draws the intervals, those of the first estimator on top of the others.
// The edges of what lies below show through.
func (in Sizes) addBands(p *plot.Plot) {
	for i, e := range slices.Backward(in.Estimators) {
		if b, ok := e.band(i); ok {
			p.Add(b)
		}
	}
	for i, e := range in.Estimators {
		if b, ok := e.band(i); ok && i > 0 {
			b.shade = nil
			p.Add(b)
		}
	}
}

// addTruth draws the truth, if it is known, over the bands and under the lines.
func (in Sizes) addTruth(p *plot.Plot) []key {
	if in.Truth == 0 {
		return nil
	}
	style := line(black, 0.9, 3, 2)
	p.Add(curve{points: plotter.XYs{{X: p.X.Min, Y: in.Truth}, {X: p.X.Max, Y: in.Truth}}, line: style})
	return []key{{name: "truth: " + thousands(fmt.Sprintf("%.0f", in.Truth)), line: style}}
}

// addLines draws the estimates, and says of each line whose it is and what its band
// is.
func (in Sizes) addLines(p *plot.Plot) (keys []key) {
	for i, e := range in.Estimators {
		pen := pens[i]
		c := curve{points: e.line(), line: line(pen.colour, thickLine, pen.dashes...), mark: pen.mark}
		p.Add(c)
		k := key{name: plain(e.Name), line: c.line, mark: c.mark}
		if b, ok := e.band(i); ok {
			k.name += fmt.Sprintf(" (%s %% band)", brief(100*e.level()))
			k.shade = b.shade
		}
		keys = append(keys, k)
	}
	return keys
}

// check refuses what cannot be drawn.
func (in Sizes) check() error {
	switch n := len(in.Estimators); {
	case n == 0:
		return errors.New("no estimates to draw")
	case n > len(pens):
		return fmt.Errorf("%d estimators are too many for one figure: want at most %d", n, len(pens))
	}
	if err := finite("the truth", in.Truth); err != nil {
		return err
	}
	if in.Truth < 0 {
		return fmt.Errorf("a truth of %v nodes: want more than none, or 0 when it is unknown", in.Truth)
	}
	for _, e := range in.Estimators {
		if err := e.check(); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

// check refuses what cannot be drawn.
func (e Estimator) check() error {
	if len(e.Points) == 0 {
		return errors.New("no estimates to draw")
	}
	last := 0
	for _, p := range e.Points {
		if err := finite("an estimate", p.Nodes, p.Interval.Lo, p.Interval.Hi); err != nil {
			return err
		}
		if p.Lookups <= last || p.Nodes <= 0 {
			return fmt.Errorf("an estimate of %v nodes from %d lookups: want above 0 nodes, by rising numbers of lookups", p.Nodes, p.Lookups)
		}
		last = p.Lookups
	}
	return nil
}

// lookups is how many there are in all.
func (in Sizes) lookups() (most int) {
	for _, e := range in.Estimators {
		most = max(most, e.Points[len(e.Points)-1].Lookups)
	}
	return most
}

// scales returns the axes. The upright one is logarithmic when the largest number
// is ten times the smallest or more.
func (in Sizes) scales() (across, upright scale) {
	least, lo, hi := math.Inf(1), math.Inf(1), math.Inf(-1)
	take := func(v float64) {
		if v > 0 {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	take(in.Truth)
	for i, e := range in.Estimators {
		least = min(least, float64(e.Points[0].Lookups))
		for _, p := range e.Points {
			take(p.Nodes)
			if p.Interval.Level > 0 && i == 0 {
				take(p.Interval.Lo)
				take(p.Interval.Hi)
			}
		}
	}
	across = scale{min: least / 1.1, max: max(1.1*float64(in.lookups()), 2.2*least), log: true, whole: true}
	if hi/lo >= 10 {
		return across, scale{min: lo / 1.2, max: hi * 1.2, log: true}
	}
	room := max(0.06*(hi-lo), 0.02*hi)
	return across, scale{min: max(0, lo-room), max: hi + room}
}

// line returns the estimates as points.
func (e Estimator) line() (xys plotter.XYs) {
	for _, p := range e.Points {
		xys = append(xys, plotter.XY{X: float64(p.Lookups), Y: p.Nodes})
	}
	return xys
}

// level is the confidence of its intervals; 0 when it has none.
func (e Estimator) level() (level float64) {
	for _, p := range e.Points {
		level = max(level, p.Interval.Level)
	}
	return level
}

// band returns its intervals as those of the i-th estimator, if it has any. A
// single one is as wide as a mark.
func (e Estimator) band(i int) (b band, ok bool) {
	b = band{shade: tint(pens[i].colour, 0.28-0.04*float64(i)), edge: line(pens[i].colour, hairline, pens[i].dashes...)}
	for _, p := range e.Points {
		if p.Interval.Level > 0 {
			x := float64(p.Lookups)
			b.low, b.high = append(b.low, plotter.XY{X: x, Y: p.Interval.Lo}), append(b.high, plotter.XY{X: x, Y: p.Interval.Hi})
		}
	}
	if len(b.low) == 1 {
		lo, hi := b.low[0], b.high[0]
		b.low = plotter.XYs{{X: lo.X / 1.04, Y: lo.Y}, {X: lo.X * 1.04, Y: lo.Y}}
		b.high = plotter.XYs{{X: hi.X / 1.04, Y: hi.Y}, {X: hi.X * 1.04, Y: hi.Y}}
	}
	return b, len(b.low) > 0
}
