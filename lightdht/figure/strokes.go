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

// band is the area between two lines, and the lines.
type band struct {
	low, high plotter.XYs
	shade     color.Color // nil: only the lines
	edge      draw.LineStyle
}

// Plot implements plot.Plotter.
func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	low, high := placed(p, &c, b.low), placed(p, &c, b.high)
	if b.shade != nil && len(low) > 1 {
		around := append([]vg.Point{}, low...)
		for i := len(high) - 1; i >= 0; i-- {
			around = append(around, high[i])
		}
		c.FillPolygon(b.shade, around)
	}
	if b.edge.Width > 0 {
		c.StrokeLines(b.edge, low)
		c.StrokeLines(b.edge, high)
	}
}

// spot is one mark, with intervals along the axes as bars.
type spot struct {
	at     plotter.XY
	mark   draw.GlyphDrawer
	colour color.Color
	across analysis.Interval // along the level axis; Level 0: none
	along  analysis.Interval // along the upright axis
}

// Plot implements plot.Plotter.
func (s spot) Plot(c draw.Canvas, p *plot.Plot) {
	if s.across.Level > 0 {
		lo, hi := on(p, &c, plotter.XY{X: s.across.Lo, Y: s.at.Y}), on(p, &c, plotter.XY{X: s.across.Hi, Y: s.at.Y})
		whisker(c, lo, hi)
	}
	if s.along.Level > 0 {
		lo, hi := on(p, &c, plotter.XY{X: s.at.X, Y: s.along.Lo}), on(p, &c, plotter.XY{X: s.at.X, Y: s.along.Hi})
		whisker(c, lo, hi)
	}
	if s.mark != nil {
		c.DrawGlyph(draw.GlyphStyle{Color: s.colour, Radius: markSize, Shape: s.mark}, on(p, &c, s.at))
	}
}

// whisker draws a bar between two points with its ends across, black on white so
// that it is seen on any ground.
func whisker(c draw.Canvas, a, b vg.Point) {
	end := vg.Point{X: 0, Y: 1.6}
	if a.X == b.X && a.Y != b.Y {
		end = vg.Point{X: 1.6, Y: 0}
	}
	for _, style := range []draw.LineStyle{line(white, 1.7), line(black, 0.7)} {
		c.StrokeLines(style, []vg.Point{a, b}, []vg.Point{a.Add(end), a.Sub(end)}, []vg.Point{b.Add(end), b.Sub(end)})
	}
}
