package figure

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panel is a plot with what stands above it: a heading that says what it rests
// on, and a key. They have room of their own, so that they cover no data.
//
//	heading: what it rests on
//	-o- a line   ### a band        the key, in as many rows as it takes
//	  |
//	y |   data
//	  |
//	  +---------------
//	        x (unit)
//	      foot
//
// Panels that stand below each other have their data begin at one line.
type panel struct {
	heading string
	keys    []key
	plot    *plot.Plot
	x, y    string    // what its axes show, with the unit
	data    vg.Length // height of the plot with its axes
	foot    foot      // below it; nil: nothing
}

// foot is something that stands below a plot, as wide as its data.
type foot interface {
	height() vg.Length
	draw(c draw.Canvas)
}

// inner is the room for the data in a panel of this width: about, for its axes
// are marked by that. Labels of the upright axis are at most so wide.
func inner(width, labels vg.Length) vg.Length { return width - labels - 3*lineHeight }

// height returns how tall the panel is at this width.
func (p *panel) height(width vg.Length) vg.Length {
	h := p.data + p.top(width)
	if p.foot != nil {
		h += p.foot.height()
	}
	return h
}

// top returns how tall heading and key are together.
func (p *panel) top(width vg.Length) vg.Length {
	lines := len(wrap(p.heading, width)) + len(flow(p.keys, width))
	return vg.Length(lines)*lineHeight + 3
}

// draw draws the panel, its data beginning so far from the left or, when its own
// axis needs more, there.
func (p *panel) draw(c draw.Canvas, left vg.Length) {
	width := c.Max.X - c.Min.X
	y := c.Max.Y
	for _, s := range wrap(p.heading, width) {
		c.FillText(letters(draw.XLeft, draw.YTop), vg.Point{X: c.Min.X, Y: y}, s)
		y -= lineHeight
	}
	for _, row := range flow(p.keys, width) {
		row.draw(c, y)
		y -= lineHeight
	}
	area := draw.Crop(c, left-p.indent(c), 0, 0, y-3-c.Max.Y)
	if p.foot != nil {
		area.Min.Y += p.foot.height()
	}
	inside := p.frame(area)
	p.name(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: area.Min.X, Y: area.Min.Y}, Max: inside.Max,
	}}, inside.Rectangle)
	p.plot.Draw(p.ground(area))
	if p.foot != nil {
		p.foot.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: inside.Min.X, Y: c.Min.Y}, Max: vg.Point{X: inside.Max.X, Y: area.Min.Y},
		}})
	}
}

// name writes what the axes show: below the middle of one, beside that of the
// other. The library would do so, but on a logarithmic axis it reserves the room
// elsewhere.
func (p *panel) name(c draw.Canvas, inside vg.Rectangle) {
	middle := inside.Min.Add(inside.Max).Scale(0.5)
	c.FillText(letters(draw.XCenter, draw.YBottom), vg.Point{X: middle.X, Y: c.Min.Y}, p.x)
	upright := letters(draw.XCenter, draw.YTop)
	upright.Rotation = math.Pi / 2
	c.FillText(upright, vg.Point{X: c.Min.X, Y: middle.Y}, p.y)
}

// ground returns the part of a canvas for the plot: beside and above the names of
// its axes.
func (p *panel) ground(c draw.Canvas) draw.Canvas {
	left := vg.Length(0)
	if p.y != "" {
		left = lineHeight + 4
	}
	return draw.Crop(c, left, 0, lineHeight, 0)
}

// frame returns the part of a canvas for the data.
func (p *panel) frame(c draw.Canvas) draw.Canvas { return p.plot.DataCanvas(p.ground(c)) }

// indent returns how far from the left its data begins by itself.
func (p *panel) indent(c draw.Canvas) vg.Length { return p.frame(c).Min.X - c.Min.X }

// overhang returns how far the labels of its level axis reach to the left of its
// data, for which the library leaves no room.
func (p *panel) overhang(c draw.Canvas) (far vg.Length) {
	inside := p.frame(c)
	for _, m := range p.plot.X.Tick.Marker.Ticks(p.plot.X.Min, p.plot.X.Max) {
		far = max(far, widthOf(m.Label)/2-(inside.X(p.plot.X.Norm(m.Value))-inside.Min.X))
	}
	return far
}

// compose makes a figure of panels: below each other, or beside each other when
// that is asked for. Its height is what they need.
func compose(width Width, beside bool, panels ...*panel) *Figure {
	f := &Figure{width: vg.Length(width) * vg.Millimeter}
	room := f.width - 2*margin
	if beside {
		room = (room - gap*vg.Length(len(panels)-1)) / vg.Length(len(panels))
	}
	for _, p := range panels {
		tall := p.height(room) + 2*margin
		if beside {
			f.height = max(f.height, tall)
		} else {
			f.height += tall + gap - 2*margin
		}
	}
	if !beside {
		f.height += 2*margin - gap
	}
	at := vg.Point{X: margin, Y: f.height - margin} // the upper left corner of the next one
	for _, p := range panels {
		tall, aligned := p.height(room), panels
		if beside {
			aligned = []*panel{p}
		}
		end := vg.Point{X: at.X + room, Y: at.Y}
		f.parts = append(f.parts, part{
			at:   vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - tall}, Max: end},
			draw: func(c draw.Canvas) { p.draw(c, leftmost(c, aligned...)) },
		})
		if beside {
			at.X += room + gap
		} else {
			at.Y -= tall + gap
		}
	}
	return f
}

// gap is the room between panels.
const gap = vg.Length(12)

// leftmost returns how far from the left the data of all these panels can begin.
func leftmost(c draw.Canvas, panels ...*panel) (left vg.Length) {
	for _, p := range panels {
		left = max(left, p.indent(c), p.overhang(c))
	}
	return left
}
