package figure

import (
	"image/color"
	"math"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// on returns where a point of the data stands on paper. What is off its axis
// stands at its end.
func on(p *plot.Plot, c *draw.Canvas, at plotter.XY) vg.Point {
	return vg.Point{X: c.X(p.X.Norm(within(p.X, at.X))), Y: c.Y(p.Y.Norm(within(p.Y, at.Y)))}
}

// within returns v, or the end of the axis that it is beyond.
func within(a plot.Axis, v float64) float64 { return math.Min(a.Max, math.Max(a.Min, v)) }

// placed returns where points stand on paper.
func placed(p *plot.Plot, c *draw.Canvas, xys plotter.XYs) []vg.Point {
	pts := make([]vg.Point, len(xys))
	for i, at := range xys {
		pts[i] = on(p, c, at)
	}
	return pts
}

// curve is a line through points, with marks at them or not.
type curve struct {
	points plotter.XYs
	line   draw.LineStyle
	mark   draw.GlyphDrawer // nil: none
	radius vg.Length        // of a mark; 0: markSize
}

// Plot implements plot.Plotter.
func (l curve) Plot(c draw.Canvas, p *plot.Plot) {
	pts := placed(p, &c, l.points)
	if l.line.Width > 0 {
		c.StrokeLines(l.line, pts)
	}
	if l.mark == nil {
		return
	}
	style := draw.GlyphStyle{Color: l.line.Color, Radius: markSize, Shape: l.mark}
	if l.radius > 0 {
		style.Radius = l.radius
	}
	for _, at := range pts {
		c.DrawGlyph(style, at)
	}
}

// band is the area between two lines, and the lines. What is off the axes is cut
// off.
type band struct {
	low, high plotter.XYs
	shade     color.Color // nil: only the lines
	edge      draw.LineStyle
}

// Plot implements plot.Plotter.
func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	low, high := beyond(p, &c, b.low), beyond(p, &c, b.high)
	if b.shade != nil && len(low) > 1 {
		around := append([]vg.Point{}, low...)
		for i := len(high) - 1; i >= 0; i-- {
			around = append(around, high[i])
		}
		c.FillPolygon(b.shade, c.ClipPolygonXY(around))
	}
	if b.edge.Width > 0 {
		c.StrokeLines(b.edge, c.ClipLinesXY(low, high)...)
	}
}

// beyond is placed for points that may be off the axes. On a logarithmic one what
// is not above 0 is a thousand times below its end.
func beyond(p *plot.Plot, c *draw.Canvas, xys plotter.XYs) []vg.Point {
	pts := make([]vg.Point, len(xys))
	for i, at := range xys {
		pts[i] = vg.Point{X: c.X(p.X.Norm(above(p.X, at.X))), Y: c.Y(p.Y.Norm(above(p.Y, at.Y)))}
	}
	return pts
}

// above returns v, or what stands for it on a logarithmic axis when it has no place
// there.
func above(a plot.Axis, v float64) float64 {
	if _, log := a.Scale.(plot.LogScale); log && v <= 0 {
		return a.Min / 1000
	}
	return v
}

// spot is one mark, with an interval as a bar.
type spot struct {
	at     plotter.XY
	mark   draw.GlyphDrawer
	colour color.Color
	across analysis.Interval // along the level axis; Level 0: none
}

// Plot implements plot.Plotter.
func (s spot) Plot(c draw.Canvas, p *plot.Plot) {
	if s.across.Level > 0 {
		lo, hi := on(p, &c, plotter.XY{X: s.across.Lo, Y: s.at.Y}), on(p, &c, plotter.XY{X: s.across.Hi, Y: s.at.Y})
		whisker(c, lo, hi, s.across.Lo >= p.X.Min, s.across.Hi <= p.X.Max)
	}
	if s.mark != nil {
		c.DrawGlyph(draw.GlyphStyle{Color: s.colour, Radius: markSize, Shape: s.mark}, on(p, &c, s.at))
	}
}

// whisker draws a level bar between two points, black on white so that it is seen
// on any ground, and a stop at either end that is one.
func whisker(c draw.Canvas, a, b vg.Point, begins, ends bool) {
	up := vg.Point{Y: 1.6}
	lines := [][]vg.Point{{a, b}}
	if begins {
		lines = append(lines, []vg.Point{a.Add(up), a.Sub(up)})
	}
	if ends {
		lines = append(lines, []vg.Point{b.Add(up), b.Sub(up)})
	}
	if b.X-a.X > 2 { // else the white would be all that is seen
		c.StrokeLines(line(white, 1.7), lines...)
	}
	c.StrokeLines(line(black, 0.7), lines...)
}
