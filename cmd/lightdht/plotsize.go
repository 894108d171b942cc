package main

import (
	"errors"
	"fmt"
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
			"the first, the first two and so on say, with intervals as bands. Lookups that together name more than half of the\n" +
			"network overlap and are left out. The numbers at the right end: lightdht stats size --format csv --lookups N.",
		Flags:  plotFlags(&cli.Float64Flag{Name: "truth", Usage: "draw a line at `NODES`, the size that is known"}),
		Action: plotAction(drawSize),
	}
}

func drawSize(c *cli.Context, d *data, width figures.Width) (*figures.Figure, error) {
	if truth := c.Float64("truth"); c.IsSet("truth") && !(truth >= 1 && truth < math.MaxInt64) {
		return nil, usagef("--truth %v: want a number of nodes", truth)
	}
	samples, err := d.sample()
	if err != nil {
		return nil, err
	}
	s := samples[0]
	if len(samples) > 1 {
		fmt.Fprintf(c.App.ErrWriter, "drawn: %s; for the other network give --family %s\n", s.family, samples[1].family)
	}
	in, used, err := growing(s)
	if err != nil {
		return nil, err
	}
	if left := len(s.distances) - used; left > 0 {
		fmt.Fprintf(c.App.ErrWriter, "left out: %s beyond %d, which together name more than half of the network\n", some(left, "lookup"), used)
	}
	in.Truth = c.Float64("truth")
	return figures.NetworkSize(in, width)
}

// growing returns what each estimator says of the first lookups, of more and more
// of them, and how many are used: those that do not overlap.
func growing(s *sampled) (in figures.Sizes, used int, err error) {
	byName := map[string]*figures.Estimator{}
	var names []string
	all := len(s.distances)
	for n := 1; n <= all && n > used; n = min(max(n+1, n*3/2), all) {
		sizes, err := analysis.Sizes(s.distances[:n], confidence)
		if errors.Is(err, analysis.ErrOverlap) {
			if used == 0 {
				return in, 0, overlapping(sizes.Pooled.N, n, s.k)
			}
			break
		} else if err != nil {
			return in, 0, err
		}
		used = n
		for _, e := range append([]analysis.SizeEstimate{sizes.Pooled}, sizes.Others...) {
			if byName[e.Method] == nil {
				byName[e.Method] = &figures.Estimator{Name: e.Method}
				names = append(names, e.Method)
			}
			byName[e.Method].Points = append(byName[e.Method].Points, figures.Estimate{Lookups: n, Nodes: e.N, Interval: e.Interval()})
		}
	}
	for _, name := range names {
		in.Estimators = append(in.Estimators, *byName[name])
	}
	return in, used, nil
}
