package figure

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Measures of the style, in points.
const (
	textSize   = vg.Length(8)
	lineHeight = vg.Length(10)
	hairline   = vg.Length(0.35) // grid
	thinLine   = vg.Length(0.5)  // axes, edges of bands
	thickLine  = vg.Length(1.1)  // data
	markSize   = vg.Length(2)    // radius of a mark
	margin     = vg.Length(3)    // around a figure
)

// Colours: those of Okabe and Ito (Color universal design, 2008), ordered so that
// neighbours differ in lightness too.
var (
	white  = color.NRGBA{255, 255, 255, 255}
	black  = color.NRGBA{0, 0, 0, 255}
	grid   = color.NRGBA{218, 218, 218, 255}
	blue   = color.NRGBA{0, 114, 178, 255}
	orange = color.NRGBA{230, 159, 0, 255}
	yellow = color.NRGBA{240, 228, 66, 255}
	purple = color.NRGBA{204, 121, 167, 255}
	green  = color.NRGBA{0, 158, 115, 255}
)

// tint mixes a colour with white: a share of 1 leaves it as it is. Nothing is
// translucent, because print and PDF viewers differ in that.
func tint(c color.NRGBA, share float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(255 - share*float64(255-v) + 0.5) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// line returns a style of lines.
func line(c color.Color, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: dashes}
}

// face is the one font of all figures. A single one, because a PDF lists several
// in no fixed order.
var face = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}

// letters returns the style of text that stands so to its point.
func letters(x draw.XAlignment, y draw.YAlignment) text.Style {
	return text.Style{Color: black, Font: face, XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler}
}

// widthOf returns how wide a text is.
func widthOf(s string) vg.Length { return letters(draw.XLeft, draw.YTop).Width(s) }

// plain returns s with what the PDF's font does not have, or nobody can see, as
// question marks.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// wrap breaks a text between words so that each line fits. A word that is wider
// stays whole.
func wrap(s string, width vg.Length) (lines []string) {
	for _, word := range strings.Fields(s) {
		last := len(lines) - 1
		if last >= 0 && widthOf(lines[last]+" "+word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// shorten cuts a text that is too wide, and shows that by dots.
func shorten(s string, width vg.Length) string {
	if widthOf(s) <= width {
		return s
	}
	for len(s) > 1 && widthOf(s+"...") > width {
		s = s[:len(s)-1]
	}
	return s + "..."
}

// fill fills a rectangle.
func fill(c draw.Canvas, r vg.Rectangle, with color.Color) {
	c.SetColor(with)
	c.Fill(r.Path())
}

// axes returns a plot in the style, with a grid under what is drawn. Its axes are
// named by the panel that it is in.
func axes() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Padding = 0
		a.Width = thinLine
		a.Label.TextStyle.Font = face // by whose space the library keeps labels off
		a.Tick.Label.Font = face
		a.Tick.Width = thinLine
		a.Tick.Length = 3
	}
	g := plotter.NewGrid()
	g.Horizontal, g.Vertical = line(grid, hairline), line(grid, hairline)
	p.Add(g)
	return p
}

// scale is what an axis spans, and how.
type scale struct {
	min, max float64
	log      bool
	whole    bool // nothing lies between whole numbers
}

// on gives an axis this scale, with labels as dense as fits its length.
func (s scale) on(a *plot.Axis, length vg.Length, upright bool) {
	a.Min, a.Max = s.min, s.max
	if s.log {
		a.Scale = plot.LogScale{}
	}
	a.Tick.Marker = ticker{scale: s, length: length, upright: upright}
}
