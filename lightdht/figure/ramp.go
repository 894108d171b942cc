package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ramp is a scale of colours from -limit to limit, and draws itself as a bar with
// its unit.
type ramp struct {
	limit   float64
	clipped bool // there is more beyond
}

// rampFor returns the ramp for scores up to so many standard deviations: to 4,
// which chance hardly ever reaches, or to 8 and what is beyond.
func rampFor(most float64) ramp {
	if most <= 4 {
		return ramp{limit: 4}
	}
	return ramp{limit: 8, clipped: most > 8}
}

// steps is how many colours there are; one of them is for what is about even.
const steps = 33

// stops are colours from few to many: from light to dark all the way, so that a
// grey copy has the same order, and over grey in the middle, so that blue and
// yellow tell more from fewer. They are those of cividis (Nuñez, Anderton and
// Renslow, PLoS ONE 13, 2018) backwards.
var stops = []color.NRGBA{
	{254, 232, 56, 255}, {200, 184, 102, 255}, {148, 142, 119, 255}, {102, 105, 112, 255}, {53, 69, 108, 255}, {0, 34, 78, 255},
}

// step returns which of the colours a score has.
func (r ramp) step(z float64) int {
	share := (max(-r.limit, min(r.limit, z)) + r.limit) / (2 * r.limit)
	return int(math.Round(share * (steps - 1)))
}

// colour returns a colour of the ramp.
func (r ramp) colour(step int) color.NRGBA {
	at := float64(step) / (steps - 1) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (at-float64(i))*(float64(b)-float64(a)) + 0.5) }
	a, b := stops[i], stops[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// height implements foot.
func (r ramp) height() vg.Length { return 3.4 * lineHeight }

// draw implements foot: the bar, its numbers below, its unit below them.
func (r ramp) draw(c draw.Canvas) {
	top := c.Max.Y - 0.5*lineHeight
	bar := vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: top - 0.6*lineHeight}, Max: vg.Point{X: c.Max.X, Y: top}}
	for i := range steps {
		r := bar
		r.Min.X += (bar.Max.X - bar.Min.X) * vg.Length(i) / steps
		fill(c, r, ramp.colour(ramp{}, i))
	}
	outline(c, bar, black)
	for i := -2; i <= 2; i++ {
		label := brief(r.limit * float64(i) / 2)
		if r.clipped && i == -2 || r.clipped && i == 2 {
			label = map[int]string{-2: "<= ", 2: ">= "}[i] + label
		}
		x := (bar.Min.X + bar.Max.X) / 2
		x += (bar.Max.X - bar.Min.X) * vg.Length(i) / 4 * (steps - 1) / steps
		c.StrokeLine2(line(black, thinLine), x, bar.Min.Y, x, bar.Min.Y-2)
		align := draw.XCenter
		if i == 2 {
			align, x = draw.XRight, bar.Max.X
		} else if i == -2 {
			align, x = draw.XLeft, bar.Min.X
		}
		c.FillText(letters(align, draw.YTop), vg.Point{X: x, Y: bar.Min.Y - 2}, label)
	}
	style := letters(draw.XCenter, draw.YTop)
	c.FillText(style, vg.Point{X: (bar.Min.X + bar.Max.X) / 2, Y: bar.Min.Y - 2 - lineHeight}, "z-score (standard deviations)")
}
