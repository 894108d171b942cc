package main

import (
	"errors"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/export"
	figures "github.com/lightdht/lightdht/lightdht/figure" // figure is one of bench
	"github.com/urfave/cli/v2"
)

func plotRTTCommand() *cli.Command {
	return &cli.Command{
		Name:      "rtt",
		Usage:     "the distribution of round trips, of each node its last",
		ArgsUsage: "[FILE]",
		Description: "Draws the cumulative distribution over milliseconds with the band of 95 % (Dvoretzky, Kiefer and Wolfowitz), and\n" +
			"its quantiles of 50, 90 and 99 %. As the IDs of one address are not independent, the band is that of fewer where\n" +
			"addresses have several. The numbers: lightdht stats nodes --format csv.",
		Flags:  plotFlags(&cli.StringFlag{Name: "counted", Usage: "each `THING` once: id or address", Value: "id"}),
		Action: plotAction(drawRTT),
	}
}

// drawRTT draws one counting: two distributions that differ by a few contacts would
// hide each other.
func drawRTT(c *cli.Context, d *data, p *plotting) (*figures.Figure, error) {
	counted, err := oneOf(c, "counted", []string{"id", "address"})
	if err != nil {
		return nil, err
	}
	way := analysis.ByID
	if counted == "address" {
		way = analysis.ByAddress
	}
	found, err := d.lacks(export.Contacts, "rtt_us", "replies")
	lacks := untold(found)
	if err == nil && lacks.has("rtt_us") {
		err = errors.New(noColumn("rtt_us"))
	}
	if err != nil {
		return nil, err
	}
	census, worth, err := d.timed(lacks.has("replies"))
	if err != nil {
		return nil, err
	}
	if census.LeftOut > 0 {
		p.tell("left out: %s that never answered", contactsText(census.LeftOut))
	}
	in := tripsOf(&census.RTT, way)
	if in.Samples == 0 { // of addresses that are known
		return nil, errors.New(noTrips)
	}
	switch {
	case way == analysis.ByID:
		in.Worth = worth
	case in.Samples > 1:
		in.Worth = float64(in.Samples)
	}
	return figures.RoundTrips(in, p.width)
}

// noTrips is why there is nothing to draw.
const noTrips = "no round trip of any contact is known"

// timed counts the contacts that answered, or all where that is not known: who has a
// round trip has answered. It returns how many independent IDs those that have one
// are worth, too, and refuses what a census refuses.
func (d *data) timed(all bool) (census *analysis.Census, worth float64, err error) {
	var at tripPlaces
	census, err = analysis.TakeCensus(at.noting(d.contacts(), all), nil, analysis.CensusOptions{All: all, Top: 1})
	switch {
	case err != nil && at.silent():
		return nil, 0, errors.New(noTrips + ": none of them ever answered")
	case err != nil:
		return nil, 0, err
	case len(census.RTT.Bars[analysis.ByID]) == 0:
		return nil, 0, errors.New(noTrips)
	}
	return census, at.worth(), tooFew(census)
}

// tripsOf returns round trips in milliseconds as they are drawn. All of a bar, a
// percent wide or less, stand at its end, where that many are known to be below.
func tripsOf(r *analysis.RoundTrips, way analysis.Counting) figures.RTTs {
	in := figures.RTTs{Of: wayName(way)}
	for _, b := range r.Bars[way] {
		in.Samples += int(b.Count)
	}
	sum := 0
	for _, b := range r.Bars[way] {
		sum += int(b.Count)
		in.Steps = append(in.Steps, figures.Step{Millis: float64(b.To) / 1e6, Share: float64(sum) / float64(in.Samples)})
	}
	for _, q := range r.Quantiles {
		at := q.At[way]
		if q.P != 0.5 && q.P != 0.9 && q.P != 0.99 || !isNumber(at.Value) {
			continue
		}
		i := at.Interval
		i.Lo, i.Hi = i.Lo/1000, i.Hi/1000
		in.Quantiles = append(in.Quantiles, figures.Quantile{Share: q.P, Millis: at.Value / 1000, Interval: i})
	}
	return in
}
