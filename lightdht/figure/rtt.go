package figure

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// RTTs is a distribution of round trips.
type RTTs struct {
	Of        string     // what has one each: "ID", "address"; "": "contact"
	Samples   int        // how many there are
	Worth     float64    // how many independent ones tell as much, Samples at most; 0: not known, and there is no band
	Steps     []Step     // the distribution, ascending; the last one is at 1
	Quantiles []Quantile // to be marked
}

// Step says which share of the round trips was at most so long.
type Step struct {
	Millis float64 // above 0
	Share  float64 // 0 to 1
}

// Quantile is the time that a share of all round trips took at most.
type Quantile struct {
	Share    float64 // 0.5 for the median
	Millis   float64
	Interval analysis.Interval // in milliseconds, open where an end is infinite or not above 0; Level 0: none
}

// quantileMarks are the shapes by which quantiles are told apart.
var quantileMarks = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.CrossGlyph{}}

// RoundTrips draws the cumulative distribution of round trips over a logarithmic
// axis, with the band that holds all of the true distribution at once in 95 % of
// samples: a share of eps above and below, where
//
//	eps = sqrt(ln(2/0.05) / (2 n))
//
// (Dvoretzky, Kiefer and Wolfowitz 1956, with the constant of Massart, Ann.
// Probab. 18, 1990). It takes n samples for independent: n is their worth, which
// the key says where it is less than all of them. Without it there is no band.
// Quantiles are marked, with their interval as a bar.
func RoundTrips(in RTTs, width Width) (*Figure, error) {
	points, err := width.points()
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	of := cmp.Or(plain(in.Of), "contact")
	first, last := in.Steps[0].Millis, in.Steps[len(in.Steps)-1].Millis
	p := axes()
	room := inner(points-2*margin, widthOf("100"))
	tall := 0.62 * min(room, 260)
	scale{min: first / 1.25, max: last * 1.25, log: true}.on(&p.X, room, false)
	scale{min: 0, max: 100}.on(&p.Y, tall, true)
	keys := []key{{name: "measured", line: line(blue, thickLine)}}
	if in.Worth > 0 {
		eps := dkw(in.Worth)
		low, high := in.stairs(-eps, p), in.stairs(eps, p)
		p.Add(band{low: low, high: high, shade: tint(blue, 0.25), edge: line(tint(blue, 0.5), hairline)})
		keys = append(keys, key{name: in.bandName(), shade: tint(blue, 0.25)})
	}
	p.Add(curve{points: in.stairs(0, p), line: line(blue, thickLine)})
	for i, q := range in.Quantiles {
		mark := quantileMarks[i%len(quantileMarks)]
		p.Add(spot{at: plotter.XY{X: q.Millis, Y: 100 * q.Share}, mark: mark, colour: black, across: q.Interval})
		keys = append(keys, key{name: q.String(), mark: mark})
	}
	return compose(width, false, &panel{
		heading: "Round trips: " + count(in.Samples, of),
		keys:    keys, plot: p, x: "round trip (ms)", y: fmt.Sprintf("share of %s (%%)", plural(of)), data: tall + 3*lineHeight,
	}), nil
}

// dkw is half the height of the 95 % band around the distribution of n samples that
// are independent.
func dkw(n float64) float64 { return math.Sqrt(math.Log(2/0.05) / (2 * n)) }

// bandName is what the key calls the band.
func (in RTTs) bandName() string {
	if in.Worth == float64(in.Samples) {
		return "95 % band (DKW)"
	}
	return fmt.Sprintf("95 %% band (DKW, as of %s independent)", thousands(strconv.Itoa(int(in.Worth))))
}

// check refuses what cannot be drawn.
func (in RTTs) check() error {
	if in.Samples < 1 || len(in.Steps) == 0 {
		return errors.New("no round trips to draw: none of the contacts has one")
	}
	if !(in.Worth == 0 || in.Worth >= 1 && in.Worth <= float64(in.Samples)) {
		return fmt.Errorf("%d round trips are worth %v independent ones: want 1 to %d, or 0 for no band", in.Samples, in.Worth, in.Samples)
	}
	last := Step{}
	for _, s := range in.Steps {
		if err := finite("a round trip", s.Millis, s.Share); err != nil {
			return err
		}
		if !(s.Millis > last.Millis && s.Share >= last.Share && s.Share <= 1) {
			return fmt.Errorf("the distribution of round trips does not rise at %v ms: want times above 0 in their order, and shares to 1", s.Millis)
		}
		last = s
	}
	for _, q := range in.Quantiles {
		if err := finite("a quantile", q.Share, q.Millis); err != nil {
			return err
		}
		if math.IsNaN(q.Interval.Lo) || math.IsNaN(q.Interval.Hi) {
			return fmt.Errorf("the interval of the quantile of %v ms is none: want two times, of which one may be infinite", q.Millis)
		}
		if !(q.Millis > 0 && q.Share >= 0 && q.Share <= 1) {
			return fmt.Errorf("the quantile of a share of %v is %v ms: want a share from 0 to 1, and a time above 0", q.Share, q.Millis)
		}
	}
	return nil
}

// stairs returns the distribution as a line that goes up where it steps, moved up
// by a share, over the whole axis.
func (in RTTs) stairs(by float64, p *plot.Plot) plotter.XYs {
	level := func(share float64) float64 { return 100 * min(1, max(0, share+by)) }
	xys := plotter.XYs{{X: p.X.Min, Y: level(0)}}
	for _, s := range in.Steps {
		xys = append(xys, plotter.XY{X: s.Millis, Y: xys[len(xys)-1].Y}, plotter.XY{X: s.Millis, Y: level(s.Share)})
	}
	return append(xys, plotter.XY{X: p.X.Max, Y: xys[len(xys)-1].Y})
}

// String returns the quantile as its key says it.
func (q Quantile) String() string {
	s := fmt.Sprintf("%s %%: %s ms", brief(100*q.Share), brief(q.Millis))
	lo, hi := q.Interval.Lo > 0, !math.IsInf(q.Interval.Hi, 1)
	switch {
	case q.Interval.Level == 0 || !lo && !hi:
		return s
	case !lo:
		return s + " (at most " + brief(q.Interval.Hi) + ")"
	case !hi:
		return s + " (at least " + brief(q.Interval.Lo) + ")"
	}
	return s + " (" + brief(q.Interval.Lo) + " to " + brief(q.Interval.Hi) + ")"
}
