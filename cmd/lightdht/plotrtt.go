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
			"its quantiles of 50, 90 and 99 %. The numbers: lightdht stats nodes --format csv.",
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
	lacking, err := d.lacks(export.Contacts, "rtt_us")
	if err == nil && len(lacking) > 0 {
		err = errors.New(noColumn("rtt_us"))
	}
	if err != nil {
		return nil, err
	}
	census, err := analysis.TakeCensus(d.contacts(), nil, analysis.CensusOptions{All: true, Top: 1}) // who has a round trip has answered
	if err != nil {
		return nil, err
	}
	in := tripsOf(&census.RTT, way)
	if in.Samples == 0 {
		return nil, errors.New("no round trip of any contact is known")
	}
	return figures.RoundTrips(in, p.width)
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
