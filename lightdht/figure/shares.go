package figure

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Shares is how nodes divide among names, counted in one way or several.
type Shares struct {
	Of       string   // what divides, in the plural: "clients"
	Counted  []string // the ways of counting, at most three: "by ID", "by address", "per run"
	Samples  []int    // how many each way counted; empty: unknown
	Entities []Entity // in the order to be drawn, from the top
}

// Entity is one of the names with its share in each way of counting.
type Entity struct {
	Name   string
	Shares []Share
}

// Share is a part of all, 0 to 1, and its interval. NaN: it was not counted so.
type Share struct {
	Share    float64
	Interval analysis.Interval // Level 0: none
}

// fills are the colours of the ways of counting, from dark to light.
var fills = []color.NRGBA{blue, orange, yellow}

// most is how many entities have room on a page.
const most = 40

// Clients draws shares as bars that lie below each other, those of one entity
// together, with their intervals.
func Clients(in Shares, width Width) (*Figure, error) {
	points, err := width.points()
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	p := axes()
	names := in.names(points / 4)
	room := inner(points-2*margin, 0)
	for _, m := range names {
		room = min(room, inner(points-2*margin, widthOf(m.Label)))
	}
	scale{min: 0, max: in.top()}.on(&p.X, room, false)
	p.Y.Min, p.Y.Max = -0.5, float64(len(in.Entities))-0.5
	p.Y.Tick.Marker, p.Y.Tick.Length = names, 0
	var keys []key
	for i, counted := range in.Counted {
		p.Add(bars{in: in, way: i})
		keys = append(keys, key{name: in.way(i, counted), shade: fills[i], edge: black})
	}
	of := plain(in.Of)
	tall := vg.Length(len(in.Entities)) * (barHeight*vg.Length(len(in.Counted)) + 3)
	return compose(width, false, &panel{
		heading: fmt.Sprintf("Share of %s%s", of, in.levels()),
		keys:    keys, plot: p, x: "share (%)", data: tall + 3*lineHeight,
	}), nil
}

// barHeight is how tall a bar is with the room around it.
const barHeight = vg.Length(7)

// levels says what the whiskers are, if there are any.
func (in Shares) levels() string {
	for _, e := range in.Entities {
		for _, s := range e.Shares {
			if s.Interval.Level > 0 {
				return fmt.Sprintf(", with %s %% intervals", brief(100*s.Interval.Level))
			}
		}
	}
	return ""
}

// way names the i-th way of counting, and how many it counted.
func (in Shares) way(i int, counted string) string {
	if i < len(in.Samples) {
		return fmt.Sprintf("%s (%s)", plain(counted), thousands(fmt.Sprint(in.Samples[i])))
	}
	return plain(counted)
}

// names returns the marks of the upright axis. Long names are cut.
func (in Shares) names(width vg.Length) (marks plot.ConstantTicks) {
	for i, e := range in.Entities {
		marks = append(marks, plot.Tick{Value: in.place(i), Label: shorten(cmp.Or(plain(e.Name), "(no name)"), width)})
	}
	return marks
}

// place is where an entity stands on the upright axis, the first one at the top.
func (in Shares) place(i int) float64 { return float64(len(in.Entities) - 1 - i) }

// top returns how far the axis of shares goes, in percent.
func (in Shares) top() float64 {
	high := 0.0
	for _, e := range in.Entities {
		for _, s := range e.Shares {
			if !math.IsNaN(s.Share) {
				high = max(high, s.Share, s.Interval.Hi)
			}
		}
	}
	return min(102, max(104*high, 0.01))
}

// check refuses what cannot be drawn.
func (in Shares) check() error {
	switch {
	case len(in.Entities) == 0 || len(in.Counted) == 0:
		return errors.New("no shares to draw: nothing was counted")
	case len(in.Entities) > most:
		return fmt.Errorf("%d bars have no room in a figure: put all but %d together as others", len(in.Entities), most-1)
	case len(in.Counted) > len(fills):
		return fmt.Errorf("%d ways of counting are too many for one figure: want at most %d", len(in.Counted), len(fills))
	}
	for _, e := range in.Entities {
		if len(e.Shares) != len(in.Counted) {
			return fmt.Errorf("%s has %d shares, and was counted in %d ways", e.Name, len(e.Shares), len(in.Counted))
		}
		for _, s := range e.Shares {
			if err := s.check(e.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// check refuses what cannot be drawn.
func (s Share) check(name string) error {
	if math.IsNaN(s.Share) {
		return nil
	}
	if err := finite("the share of "+name, s.Share, s.Interval.Lo, s.Interval.Hi); err != nil {
		return err
	}
	if s.Share < 0 || s.Share > 1 {
		return fmt.Errorf("the share of %s is %v: want 0 to 1", name, s.Share)
	}
	return nil
}

// bars draws the shares of one way of counting.
type bars struct {
	in  Shares
	way int
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	n := float64(len(b.in.Counted))
	for i, e := range b.in.Entities {
		s := e.Shares[b.way]
		if math.IsNaN(s.Share) {
			continue
		}
		const all = 0.84 // of the room of an entity, taken by its bars
		middle := b.in.place(i) + all/2 - all*(float64(b.way)+0.5)/n
		half := 0.44 * all / n
		r := vg.Rectangle{
			Min: on(p, &c, plotter.XY{X: 0, Y: middle - half}),
			Max: on(p, &c, plotter.XY{X: 100 * s.Share, Y: middle + half}),
		}
		fill(c, r, fills[b.way])
		outline(c, r, black)
		if s.Interval.Level > 0 {
			lo, hi := plotter.XY{X: 100 * s.Interval.Lo, Y: middle}, plotter.XY{X: 100 * s.Interval.Hi, Y: middle}
			whisker(c, on(p, &c, lo), on(p, &c, hi), true, true)
		}
	}
	axis := c.Min.X - thinLine/2
	c.StrokeLine2(line(black, thinLine), axis, c.Min.Y, axis, c.Max.Y) // over the ends of whiskers
}
