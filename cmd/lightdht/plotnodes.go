package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/lightdht/lightdht/lightdht/analysis"
	figures "github.com/lightdht/lightdht/lightdht/figure" // figure is one of bench
	"github.com/urfave/cli/v2"
)

// plotted are the sections of a census that can be drawn.
var plotted = []string{
	analysis.Clients, analysis.Versions, analysis.Families, analysis.Ports, analysis.Extensions, analysis.Countries, analysis.Systems,
}

func plotNodesCommand() *cli.Command {
	return &cli.Command{
		Name:      "nodes",
		Usage:     "clients, or what else nodes consist of, counted by ID, by address and per run",
		ArgsUsage: "[FILE]",
		Description: "Draws the shares as bars with their intervals, the largest by ID first, then all others together, then those of\n" +
			"whom it is not known. The numbers: lightdht stats nodes --format csv.",
		Flags: plotFlags(allFlag(), mmdbFlag(),
			&cli.StringFlag{Name: "of", Usage: "shares of `WHAT`: " + join(plotted), Value: analysis.Clients},
			&cli.IntFlag{Name: "top", Usage: "name the `N` largest", Value: 8, DefaultText: "8 that have two IDs or more"}),
		Action: plotAction(drawNodes),
	}
}

// drawNodes draws the shares of one section of a census. Per run is left out where
// the data does not say which run saw whom.
func drawNodes(c *cli.Context, d *data, p *plotting) (*figures.Figure, error) {
	of, err := oneOf(c, "of", plotted)
	if err != nil {
		return nil, err
	}
	const most = 38 // beside others and unknown
	top := c.Int("top")
	if top < 1 || top > most {
		return nil, usagef("--top %d: want 1 to %d", top, most)
	}
	if err := d.answers(c.Bool("all")); err != nil {
		return nil, err
	}
	census, err := d.census(analysis.CensusOptions{All: c.Bool("all"), Top: top})
	if err == nil {
		err = tooFew(census)
	}
	if err != nil {
		return nil, err
	}
	named := of != analysis.Families && of != analysis.Extensions // of which all are
	if section := census.Section(of); section != nil && named && !c.IsSet("top") {
		if census, err = p.common(d, census, section, c.Bool("all")); err != nil {
			return nil, err
		}
	}
	if census.LeftOut > 0 {
		p.tell("left out: %s that never answered", contactsText(census.LeftOut))
	}
	section := census.Section(of)
	if section == nil || section.Distinct[analysis.ByID].Value == 0 {
		missing := ""
		if of == analysis.Countries || of == analysis.Systems {
			missing = ": name a database with --mmdb FILE"
		}
		return nil, fmt.Errorf("no %s are known%s", of, missing)
	}
	return figures.Clients(sharesOf(census, section), p.width)
}

// common returns a census in which the classes of a section that have one ID each
// are among the others: bars of one show nothing beside each other. One alone stays.
func (p *plotting) common(d *data, census *analysis.Census, s *analysis.Section, all bool) (*analysis.Census, error) {
	common, single := 0, 0
	for _, class := range s.Classes {
		switch {
		case class.Name == analysis.Other || class.Name == analysis.Unknown:
		case class.Shares[analysis.ByID].Count > 1:
			common++
		default:
			single++
		}
	}
	switch {
	case single < 2:
		return census, nil
	case common == 0:
		return nil, fmt.Errorf("%s have one ID each, all of them: bars would show nothing: --top N draws N of them anyway", s.Name)
	}
	p.tell("among others: %s that have one ID each: --top N names them", s.Name)
	return d.census(analysis.CensusOptions{All: all, Top: common})
}

// sharesOf returns a section as it is drawn, its classes in the order of the census:
// the largest by ID, others, unknown. Per run it is of how many on average.
func sharesOf(census *analysis.Census, s *analysis.Section) figures.Shares {
	in := figures.Shares{Of: s.Name}
	ways := []analysis.Counting{analysis.ByID, analysis.ByAddress}
	if census.Runs > 0 {
		ways = append(ways, analysis.PerRun)
	}
	for _, way := range ways {
		in.Counted = append(in.Counted, strings.Replace("by "+wayName(way), "by run", "per run", 1))
		in.Samples = append(in.Samples, int(math.Round(s.Classes[0].Shares[way].Of)))
	}
	for _, class := range s.Classes {
		e := figures.Entity{Name: class.Name}
		for _, way := range ways {
			n := class.Shares[way]
			e.Shares = append(e.Shares, figures.Share{Share: n.Value, Interval: n.Interval})
		}
		in.Entities = append(in.Entities, e)
	}
	return in
}

// wayName is what a counting counts, for people.
func wayName(way analysis.Counting) string {
	if way == analysis.ByID {
		return "ID"
	}
	return way.String()
}
