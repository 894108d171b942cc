package figure

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// IDs is how IDs lie in the space, beside what chance would do.
type IDs struct {
	Points int     // how many there are, all of them distinct
	Null   string  // what chance is taken to be: "one node per address"
	Strips []Strip // counts by prefix, one row for each
	Gaps   []Gap   // of the sorted gaps, ascending; some hundreds are enough; nil: they are not known
}

// Strip is how many points have each prefix of one length.
type Strip struct {
	Depth  int   // bits of the prefix, 1 to 10
	Counts []int // 2^Depth of them, in the order of the ID space
}

// Gap is one of the sorted gaps between neighbours, all in units of the mean gap.
type Gap struct {
	Expected float64 // its quantile of the exponential distribution of mean 1
	Observed float64
	Lo, Hi   float64 // 95 of 100 samples of chance have this gap in here
}

// deepest is the longest prefix that is drawn: more are finer than print.
const deepest = 10

// IDDistribution draws two panels. One shows for each length of prefix how many
// points more or fewer a zone has than the mean of E = N/m, m = 2^Depth, in
// standard deviations of chance, that is of the binomial distribution:
//
//	z = (count - E) / sqrt(E (1 - 1/m))
//
// The other is a quantile-quantile plot of the gaps between neighbours, both axes
// logarithmic: below the line on the left are points that crowd, above it on the
// right are holes. The panels stand beside each other where there is room. Without
// gaps there is the first one alone.
func IDDistribution(in IDs, width Width) (*Figure, error) {
	points, err := width.points()
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if len(in.Gaps) == 0 {
		return compose(width, false, in.heat()), nil
	}
	beside, room := points >= 140*vg.Millimeter, points-2*margin
	if beside {
		room = (room - gap) / 2
	}
	left, right := in.heat(), in.quantiles(room)
	if beside {
		left.data += right.height(room) - left.height(room)
	}
	return compose(width, beside, left, right), nil
}

// check refuses what cannot be drawn.
func (in IDs) check() error {
	if in.Points < 2 || len(in.Strips) == 0 {
		return errors.New("too few IDs to draw: want at least 2, that differ")
	}
	for _, s := range in.Strips {
		if err := s.check(in.Points); err != nil {
			return err
		}
	}
	some := len(in.Gaps) == 0
	last := Gap{}
	for _, g := range in.Gaps {
		if err := finite("a gap", g.Expected, g.Observed, g.Lo, g.Hi); err != nil {
			return err
		}
		if !(g.Expected > last.Expected && g.Observed >= last.Observed && g.Lo <= g.Hi) {
			return fmt.Errorf("the gaps do not rise at %v: want them sorted", g.Expected)
		}
		some = some || g.Observed > 0
		last = g
	}
	if !some {
		return errors.New("all gaps are 0: want IDs that differ")
	}
	return nil
}

// check refuses what cannot be drawn.
func (s Strip) check(points int) error {
	if s.Depth < 1 || s.Depth > deepest {
		return fmt.Errorf("prefixes of %d bits: want 1 to %d", s.Depth, deepest)
	}
	if len(s.Counts) != 1<<s.Depth {
		return fmt.Errorf("%d counts for prefixes of %d bits: want %d", len(s.Counts), s.Depth, 1<<s.Depth)
	}
	sum := 0
	for _, n := range s.Counts {
		if n < 0 {
			return fmt.Errorf("a count of %d among prefixes of %d bits: want none below 0", n, s.Depth)
		}
		sum += n
	}
	if sum != points {
		return fmt.Errorf("prefixes of %d bits count %d points: want all %d", s.Depth, sum, points)
	}
	return nil
}

// scores returns the strip in standard deviations.
func (s Strip) scores(points int) []float64 {
	zones := float64(len(s.Counts))
	mean := float64(points) / zones
	sd := math.Sqrt(mean * (1 - 1/zones))
	z := make([]float64, len(s.Counts))
	for i, n := range s.Counts {
		z[i] = (float64(n) - mean) / sd
	}
	return z
}

// rowHeight is how tall a strip is at least, with the room around it.
const rowHeight = vg.Length(15)

// heat returns the panel of counts by prefix.
func (in IDs) heat() *panel {
	p := axes()
	p.X.Min, p.X.Max = 0, 16
	var digits, depths plot.ConstantTicks
	for i := 0; i <= 16; i++ {
		t := plot.Tick{Value: float64(i)}
		if i%2 == 0 && i < 16 {
			t.Label = fmt.Sprintf("%x", i)
		}
		digits = append(digits, t)
	}
	most := 0.0
	h := heat{}
	for i, s := range in.Strips {
		depths = append(depths, plot.Tick{Value: float64(len(in.Strips) - 1 - i), Label: fmt.Sprint(s.Depth)})
		h.rows = append(h.rows, s.scores(in.Points))
		for _, z := range h.rows[i] {
			most = max(most, math.Abs(z))
		}
	}
	h.ramp = rampFor(most)
	p.Y.Min, p.Y.Max = -0.5, float64(len(in.Strips))-0.5
	p.X.Tick.Marker, p.Y.Tick.Marker = digits, depths
	p.Y.Tick.Length = 0
	p.Add(h)
	return &panel{
		heading: fmt.Sprintf("Zones of the ID space: %s, null: %s", count(in.Points, "point"), plain(in.Null)),
		plot:    p, x: "first hex digit of the ID", y: "prefix (bits)", data: max(vg.Length(len(in.Strips))*rowHeight, 50) + 3*lineHeight, foot: h.ramp,
	}
}

// heat draws scores as rows of colours.
type heat struct {
	rows [][]float64
	ramp ramp
}

// Plot implements plot.Plotter. Cells of one colour are painted in one, and a
// little under the next, so that no seams show between them.
func (h heat) Plot(c draw.Canvas, p *plot.Plot) {
	for i, row := range h.rows {
		middle := float64(len(h.rows) - 1 - i)
		for from := 0; from < len(row); {
			to := from + 1
			for to < len(row) && h.ramp.step(row[to]) == h.ramp.step(row[from]) {
				to++
			}
			cell := 16 / float64(len(row))
			r := vg.Rectangle{
				Min: on(p, &c, plotter.XY{X: cell * float64(from), Y: middle - 0.42}),
				Max: on(p, &c, plotter.XY{X: cell * float64(to), Y: middle + 0.42}),
			}
			r.Max.X = min(r.Max.X+0.3, c.Max.X)
			fill(c, r, h.ramp.colour(h.ramp.step(row[from])))
			from = to
		}
	}
}

// quantiles returns the panel of gaps.
func (in IDs) quantiles(width vg.Length) *panel {
	p := axes()
	first, last := in.Gaps[0], in.Gaps[len(in.Gaps)-1]
	across := scale{min: first.Expected / 1.2, max: last.Expected * 1.2, log: true}
	upright := across
	var observed, low, high plotter.XYs
	for _, g := range in.Gaps {
		for _, v := range []float64{g.Observed, g.Lo, g.Hi} {
			if v > 0 {
				upright.min, upright.max = min(upright.min, v/1.2), max(upright.max, v*1.2)
			}
		}
		observed = append(observed, plotter.XY{X: g.Expected, Y: g.Observed})
		low, high = append(low, plotter.XY{X: g.Expected, Y: g.Lo}), append(high, plotter.XY{X: g.Expected, Y: g.Hi})
	}
	room := inner(width, widthOf("0.0001"))
	tall := 0.8 * room
	across.on(&p.X, room, false)
	upright.on(&p.Y, tall, true)
	even := curve{points: plotter.XYs{{X: across.min, Y: across.min}, {X: across.max, Y: across.max}}, line: line(black, 0.9, 3, 2)}
	gaps := curve{points: observed, line: draw.LineStyle{Color: blue}, mark: draw.CircleGlyph{}, radius: 1.2}
	around := band{low: low, high: high, shade: tint(orange, 0.35), edge: line(orange, hairline)}
	p.Add(around, even, gaps)
	return &panel{
		heading: "Gaps between neighbours",
		keys: []key{
			{name: "observed", line: draw.LineStyle{Color: blue}, mark: draw.CircleGlyph{}},
			{name: "chance", line: even.line},
			{name: "its 95 % band, at each gap", shade: around.shade, edge: orange},
		},
		plot: p, x: "gap expected (mean gaps)", y: "gap observed (mean gaps)", data: tall + 3*lineHeight,
	}
}
