package figure

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// key is an entry of a key: a sample of what is drawn, and what it stands for.
type key struct {
	name  string
	line  draw.LineStyle // no width: none
	mark  draw.GlyphDrawer
	shade color.Color // of a box; nil: none
	edge  color.Color // around the box; nil: none
}

// row is a line of keys with the place where each begins.
type row struct {
	keys []key
	at   []vg.Length
}

// sample is how wide the sample of a key is.
const sample = vg.Length(18)

// width returns how wide the key is with the room behind it.
func (k key) width() vg.Length { return sample + 3 + widthOf(k.name) + textSize }

// flow puts keys into rows, as many into each as fit.
func flow(keys []key, width vg.Length) (rows []row) {
	x := width
	for _, k := range keys {
		if len(rows) == 0 || x+k.width()-textSize > width {
			rows = append(rows, row{})
			x = 0
		}
		r := &rows[len(rows)-1]
		r.keys, r.at = append(r.keys, k), append(r.at, x)
		x += k.width()
	}
	return rows
}

// draw draws a row of keys whose top is at y.
func (r row) draw(c draw.Canvas, y vg.Length) {
	for i, k := range r.keys {
		x := c.Min.X + r.at[i]
		k.draw(c, vg.Rectangle{Min: vg.Point{X: x, Y: y - textSize - 0.5}, Max: vg.Point{X: x + sample, Y: y - 2}})
		name := shorten(k.name, c.Max.X-x-sample-3)
		c.FillText(letters(draw.XLeft, draw.YTop), vg.Point{X: x + sample + 3, Y: y}, name)
	}
}

// draw draws the sample of a key.
func (k key) draw(c draw.Canvas, r vg.Rectangle) {
	if k.shade != nil {
		fill(c, r, k.shade)
	}
	if k.edge != nil {
		outline(c, r, k.edge)
	}
	y := (r.Min.Y + r.Max.Y) / 2
	if k.line.Width > 0 {
		c.StrokeLine2(k.line, r.Min.X, y, r.Max.X, y)
	}
	if k.mark != nil {
		c.DrawGlyph(draw.GlyphStyle{Color: k.colour(), Radius: markSize, Shape: k.mark}, vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: y})
	}
}

// colour is that of the marks: of the line, or black.
func (k key) colour() color.Color {
	if k.line.Color != nil {
		return k.line.Color
	}
	return black
}

// outline draws the edge of a rectangle.
func outline(c draw.Canvas, r vg.Rectangle, with color.Color) {
	c.SetLineStyle(line(with, thinLine))
	c.Stroke(r.Path())
}
