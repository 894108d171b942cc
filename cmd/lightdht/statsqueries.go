package main

import (
	"fmt"
	"math"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/urfave/cli/v2"
)

func statsQueriesCommand() *cli.Command {
	return &cli.Command{
		Name:  "queries",
		Usage: "what queries were received: by method, client and family, from whom, and what was asked for most",
		Description: "Counts the queries that the store has kept, or FILE (lightdht dump --what queries). The queries of one address\n" +
			"are not independent: intervals of shares of queries take each address for one that was drawn. Infohashes are\n" +
			"told as they were kept, which is as keyed hashes unless it was --raw.",
		ArgsUsage: "[FILE]",
		Flags: append(append(statsFlags(), filterFlags()...),
			&cli.IntFlag{Name: "top", Usage: "name the `N` largest of methods, clients and infohashes", Value: 10},
		),
		Action: statsQueries,
	}
}

func statsQueries(c *cli.Context) error {
	if c.Int("top") < 1 {
		return usagef("--top %d: want 1 or more", c.Int("top"))
	}
	w, err := readReporting(c)
	if err != nil {
		return err
	}
	d, err := openData(c)
	if err != nil {
		return err
	}
	defer d.close()
	heard := &queryReading{data: d}
	traffic, err := analysis.CountQueries(heard.queries(), c.Int("top"))
	if err != nil {
		return fmt.Errorf("%s: %w", d.name(), heard.advise(err))
	}
	r := &report{what: "queries"}
	d.tell(r)
	tellTraffic(r, traffic, heard)
	addTraffic(r, traffic)
	if err := w.write(c, r, d); err != nil {
		return err
	}
	return d.whether()
}

// tellTraffic says what was counted, and what was left out.
func tellTraffic(r *report, t *analysis.Traffic, heard *queryReading) {
	when := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
	r.tell("counted", "%s from %s IDs at %s addresses", queriesText(t.Queries), grouped(int64(t.ByID.Distinct)), grouped(int64(t.ByAddress.Distinct)))
	r.tell("time", "%s to %s UTC, %s", when(t.First), when(t.Last), t.Last.Sub(t.First).Round(time.Second))
	if t.Anonymous > 0 {
		r.tell("no ID", "%s told none: not among those who asked by ID", queriesText(t.Anonymous))
	}
	if heard.passedOver > 0 {
		r.tell("left out", "%s by --family, --prefix, --run or --since", queriesText(heard.passedOver))
	}
	r.tell("intervals", "95 %%, over the addresses that asked; they are about chance alone: who asks depends on where a node is")
}

// queriesText counts queries in words.
func queriesText(n int) string {
	if n == 1 {
		return "1 query"
	}
	return grouped(int64(n)) + " queries"
}

// addTraffic adds all tables.
func addTraffic(r *report, t *analysis.Traffic) {
	r.add("How many", "", rateFindings(t)...)
	r.add("Methods", "", classFindings("methods", &t.Methods)...)
	r.add("Clients", "", classFindings("clients", &t.Clients)...)
	r.add("Families", "", classFindings("families", &t.Families)...)
	r.add("Queries of each who asked", "", append(askerFindings("id", &t.ByID), askerFindings("address", &t.ByAddress)...)...)
	addContent(r, &t.Content)
}

// rateFindings tells how many queries there were.
func rateFindings(t *analysis.Traffic) (rows []finding) {
	all := found("queries", "queries", math.NaN(), "")
	all.count = float64(t.Queries)
	rows = append(rows, all)
	if !math.IsNaN(t.Rate.Value) {
		rows = append(rows, numberFinding("queries", "queries an hour", "", t.Rate, ""))
	}
	return append(rows, shareFinding("queries", "marked read-only", "", t.ReadOnly))
}

// classFindings tells how queries spread over classes, and who sent any of each.
func classFindings(section string, c *analysis.QueryClasses) (rows []finding) {
	for _, class := range c.Classes {
		rows = append(rows, shareFinding(section, class.Name, "query", class.Queries))
	}
	for _, class := range c.Classes {
		rows = append(rows, shareFinding(section, class.Name, "address", class.Askers))
	}
	return rows
}

// askerFindings tells how queries spread over those who asked.
func askerFindings(counted string, a *analysis.Askers) (rows []finding) {
	if a.Distinct == 0 {
		return nil
	}
	total := found("askers", "different", float64(a.Distinct), "")
	total.counted = counted
	rows = append(rows, total)
	for _, q := range a.Quantiles {
		rows = append(rows, numberFinding("askers", quantileName(q.P), counted, q.At, ""))
	}
	most := found("askers", "most", float64(a.Most), "")
	most.counted = counted
	top := shareFinding("askers", "of the ten busiest", counted, a.TopTen)
	return append(rows, most, top)
}

// addContent adds what was asked for.
func addContent(r *report, p *analysis.Popularity) {
	if p.Queries == 0 {
		r.tell("content", "no query was about content")
		return
	}
	number := func(item string, v float64) finding { return found("content", item, v, "") }
	rows := []finding{
		number("queries about content", float64(p.Queries)),
		number("different infohashes", float64(p.Distinct)),
		shareFinding("content", "of the most popular hundredth of them", "", p.TopShare),
	}
	if math.IsNaN(p.Exponent.Value) {
		r.tell("no exponent", "popularity has no power law yet: it takes ten infohashes, and one that was asked for twice")
	} else {
		rows = append(rows,
			numberFinding("content", "exponent of queries by infohash", "", p.Exponent, ""),
			numberFinding("content", "exponent of ranks (Zipf)", "", p.Zipf, ""))
	}
	r.add("Content", "", rows...)
	var top []finding
	for _, one := range p.Top {
		top = append(top, shareFinding("infohashes", one.Infohash.String(), "", one.Queries))
	}
	r.add("Infohashes, the most popular", "as they were kept; what is the most popular was chosen by that, so that there are no intervals", top...)
}
