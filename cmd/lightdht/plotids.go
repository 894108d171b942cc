package main

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/lightdht/lightdht/lightdht/analysis"
	figures "github.com/lightdht/lightdht/lightdht/figure" // figure is one of bench
	"github.com/urfave/cli/v2"
)

// nulls are the null hypotheses by the names that flags have for them.
var nulls = map[string]analysis.Null{"one-per-address": analysis.OneNodePerAddress, "bep42": analysis.BoundByAddress}

func plotIDsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ids",
		Usage:     "how IDs are spread: counts by prefix, and gaps between neighbours, beside chance",
		ArgsUsage: "[FILE]",
		Description: "Draws, for prefixes of up to 8 bits, how many IDs more or fewer a zone has than its share, in standard\n" +
			"deviations; and the gaps between neighbouring IDs against those of chance, with the band of 95 %. With --null bep42\n" +
			"the IDs of one address that share 21 bits count once, if BEP 42 allows them. Of pseudonyms there are no gaps. The numbers: lightdht stats ids --format csv.",
		Flags: plotFlags(allFlag(),
			&cli.StringFlag{Name: "null", Usage: "what chance is taken to be: `NULL` is one-per-address or bep42", Value: "one-per-address"}),
		Action: plotAction(drawIDs),
	}
}

// drawIDs draws zones at every second depth from the finest that the IDs bear, and
// the gaps that analysis picks.
func drawIDs(c *cli.Context, d *data, p *plotting) (*figures.Figure, error) {
	name, err := oneOf(c, "null", []string{"one-per-address", "bep42"})
	if err != nil {
		return nil, err
	}
	if err := wholeSpace(c, d); err != nil {
		return nil, err
	}
	if d.crowded() {
		return nil, errors.New(lookupsCrowd)
	}
	options, err := d.idOptions(c.Bool("all"))
	if err != nil {
		return nil, err
	}
	if options.Unjudged && nulls[name] == analysis.BoundByAddress {
		return nil, fmt.Errorf("--null bep42 takes to know which IDs fit their addresses: %s", unjudged)
	}
	sample, err := analysis.GatherIDs(d.contacts(), options)
	if err != nil {
		return nil, err
	}
	points := sample.Points(nulls[name])
	gaps, err := points.Gaps()
	if err != nil {
		return nil, err
	}
	if sample.Silent > 0 {
		p.tell("left out: %s that never answered", contactsText(sample.Silent))
	}
	if options.Hidden {
		p.tell("left out: gaps between neighbours; zones are not in their order: %s", unordered)
		gaps.Quantiles = nil
	}
	in := figures.IDs{Points: len(points), Null: nulls[name].String()}
	deepest := min(bits.Len(uint(len(points)/leastInZone))-1, deepestStrip)
	for depth := 2 - deepest%2; depth <= deepest; depth += 2 {
		in.Strips = append(in.Strips, figures.Strip{Depth: depth, Counts: points.Histogram(depth)})
	}
	for _, q := range gaps.Quantiles {
		in.Gaps = append(in.Gaps, figures.Gap{Expected: q.Expected, Observed: q.Observed, Lo: q.Lo, Hi: q.Hi})
	}
	return figures.IDDistribution(in, p.width)
}

// wholeSpace refuses IDs that were chosen by their prefix: they are all in one zone
// because somebody asked for that zone.
func wholeSpace(c *cli.Context, d *data) error {
	if c.IsSet("prefix") {
		return usagef("--prefix: how IDs are spread is about all of the ID space: leave it out")
	}
	if d.manifest != nil && d.manifest.Filter["prefix"] != "" {
		return fmt.Errorf("only IDs of prefix %s were dumped, and how IDs are spread is about all of the space: dump them without --prefix",
			d.manifest.Filter["prefix"])
	}
	return nil
}

const (
	leastInZone  = 5 // how many IDs chance must put into a zone for its z-score to mean what it says
	deepestStrip = 8 // bits of the finest zones that are drawn
)
