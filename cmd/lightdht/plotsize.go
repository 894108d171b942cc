package main

import (
	"errors"
	"math"

	"github.com/lightdht/lightdht/lightdht/analysis"
	figures "github.com/lightdht/lightdht/lightdht/figure" // figure is one of bench
	"github.com/urfave/cli/v2"
)

func plotSizeCommand() *cli.Command {
	return &cli.Command{
		Name:      "size",
		Usage:     "the size of the network against the number of lookups, by each estimator",
		ArgsUsage: "[FILE]",
		Description: "Takes the lookups of random targets that the store has kept, or FILE (lightdht dump --what lookups), and draws what\n" +
			"the latest, the latest two and so on say, with intervals as bands, as long as they name no more than half of the\n" +
			"network together. The numbers at N lookups: lightdht stats size --format csv --lookups N.",
		Flags:  plotFlags(&cli.Float64Flag{Name: "truth", Usage: "draw a line at `NODES`, the size that is known", DefaultText: "that of a test network"}),
		Action: plotAction(drawSize),
	}
}

// drawSize draws one network, IPv4 first: two sizes on one axis would be compared,
// and they are of different things.
func drawSize(c *cli.Context, d *data, p *plotting) (*figures.Figure, error) {
	if truth := c.Float64("truth"); c.IsSet("truth") && !(truth >= 1 && truth < math.MaxInt64) {
		return nil, usagef("--truth %v: want a number of nodes", truth)
	}
	samples, err := d.sample(math.MaxInt)
	if err != nil {
		return nil, err
	}
	s := samples[0]
	if len(samples) > 1 {
		p.tell("drawn: %s; for the other network give --family %s", s.family, samples[1].family)
	}
	left, err := s.bear()
	if err != nil {
		return nil, err
	}
	if left > 0 {
		p.tell("left out: %s, all but the latest %d, as more name over half of the network together", some(left, "lookup"), len(s.distances))
	}
	in, err := growing(s.distances)
	if err != nil {
		return nil, err
	}
	if in.Truth = c.Float64("truth"); !c.IsSet("truth") && s.truth != nil {
		in.Truth = float64(*s.truth)
	}
	return figures.NetworkSize(in, p.width)
}

// bear leaves the latest lookups that the network bears, and returns how many it
// leaves out.
func (s *sampled) bear() (left int, err error) {
	all := len(s.distances)
	sizes, err := analysis.Sizes(s.distances, confidence)
	if !errors.Is(err, analysis.ErrOverlap) {
		return 0, err
	}
	borne := analysis.LookupsBorne(sizes.Pooled.N, s.k)
	if borne == 0 {
		return 0, overlapping(sizes.Pooled.N, all, s.k)
	}
	left = all - min(borne, all)
	s.distances = s.distances[left:]
	return left, nil
}

// growing returns what each estimator says of the latest lookups, the last ones, of
// more and more of them. That few of them may seem to overlap is chance, as all do not.
func growing(lookups []analysis.Distances) (in figures.Sizes, err error) {
	byName := map[string]int{}
	all := len(lookups)
	for n := 1; ; n = min(max(n+1, n*3/2), all) {
		sizes, err := analysis.Sizes(lookups[all-n:], confidence)
		if err != nil && !errors.Is(err, analysis.ErrOverlap) {
			return in, err
		}
		for _, e := range append([]analysis.SizeEstimate{sizes.Pooled}, sizes.Others...) {
			at, known := byName[e.Method]
			if !known {
				at = len(in.Estimators)
				byName[e.Method] = at
				in.Estimators = append(in.Estimators, figures.Estimator{Name: e.Method})
			}
			of := &in.Estimators[at]
			of.Points = append(of.Points, figures.Estimate{Lookups: n, Nodes: e.N, Interval: e.Interval()})
		}
		if n == all {
			return in, nil
		}
	}
}
