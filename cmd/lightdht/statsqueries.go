package main

import (
	"math"
	"strings"
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
	return reportData(c, func(d *data) (*report, error) { return d.queryReport(c.Int("top")) })
}

// queryReport makes the report of the queries of data.
func (d *data) queryReport(top int) (*report, error) {
	lacks, err := d.lacksOfQueries()
	if err != nil {
		return nil, err
	}
	heard := &queryReading{data: d}
	traffic, err := analysis.CountQueries(heard.queries(), top)
	if err != nil {
		return nil, heard.advise(err)
	}
	r := &report{what: "queries"}
	d.tell(r)
	tellTraffic(r, traffic, heard, lacks)
	addTraffic(r, traffic, lacks)
	return r, nil
}

// tellTraffic says what was counted, and what was left out.
func tellTraffic(r *report, t *analysis.Traffic, heard *queryReading, lacks untold) {
	r.tell("counted", "%s%s", queriesText(t.Queries), askersText(t, lacks))
	if !t.First.IsZero() {
		r.tell("time", "%s", timeText(t, heard.shared()))
	}
	lacks.tellQueries(r)
	if t.Anonymous > 0 && !lacks.has("querier_id") {
		r.tell("no ID", "%s told none: not among those who asked by ID", queriesText(t.Anonymous))
	}
	if t.Nowhere > 0 && !lacks.has("ip") {
		r.tell("no address", "that of %s is not known: not among those who asked by address, and no intervals of shares of queries", queriesText(t.Nowhere))
	}
	if heard.passedOver > 0 {
		r.tell("left out", "%s by --family, --prefix, --run or --since", queriesText(heard.passedOver))
	}
	r.tell("intervals", "95 %%; of shares, over the addresses that asked, of the largest of many classes over all of them at once; of the rate, by t over hours, which takes hours for alike and independent. They are about chance alone: who asks depends on where a node is")
}

// askersText says how many asked: " from 3 IDs at 4 addresses".
func askersText(t *analysis.Traffic, lacks untold) (text string) {
	if !lacks.has("querier_id") {
		text += " from " + manyOf(float64(t.ByID.Distinct), "ID", "IDs")
	}
	if !lacks.has("ip") {
		text += " at " + manyOf(float64(t.ByAddress.Distinct), "address", "addresses")
	}
	return text
}

// timeText says from when to when queries came, and how long that is. Shared times
// are whole minutes.
func timeText(t *analysis.Traffic, shared bool) string {
	layout, unit := "2006-01-02 15:04:05", "second"
	if shared {
		layout, unit = "2006-01-02 15:04", "minute"
	}
	when := func(t time.Time) string { return t.UTC().Format(layout) }
	text := when(t.First) + " to " + when(t.Last) + " UTC, "
	switch seconds := t.Last.Unix() - t.First.Unix(); {
	case seconds > 100*365*24*3600: // more than a time.Duration may hold
		text += grouped(seconds/31_556_952) + " years: some clock was wrong"
	case shared && seconds == 0:
		text += "one minute"
	case shared:
		text += strings.TrimSuffix(t.Last.Sub(t.First).Round(time.Minute).String(), "0s")
	default:
		text += t.Last.Sub(t.First).Round(time.Second).String()
	}
	if shared {
		text += ": shared times are cut to the " + unit
	}
	return text
}

// queriesText counts queries in words.
func queriesText(n int) string { return manyOf(float64(n), "query", "queries") }

// addTraffic adds all tables.
func addTraffic(r *report, t *analysis.Traffic, lacks untold) {
	r.add("How many", "", rateFindings(t, lacks)...)
	r.add("Methods", "", classFindings("methods", &t.Methods)...)
	if !lacks.has("client") {
		r.add("Clients", "", classFindings("clients", &t.Clients)...)
	}
	if !lacks.has("ip") {
		r.add("Families", "", classFindings("families", &t.Families)...)
	}
	r.add("Queries of each who asked", "", append(askerFindings("id", &t.ByID), askerFindings("address", &t.ByAddress)...)...)
	if !lacks.has("infohash") {
		addContent(r, &t.Content)
	}
}

// rateFindings tells how many queries there were.
func rateFindings(t *analysis.Traffic, lacks untold) (rows []finding) {
	all := found("queries", "queries", math.NaN(), "")
	all.count = float64(t.Queries)
	rows = append(rows, all)
	if !math.IsNaN(t.Rate.Value) {
		rows = append(rows, numberFinding("queries", "queries an hour", "", t.Rate, ""))
	}
	if !lacks.has("read_only") {
		rows = append(rows, queryShare("queries", "marked read-only", "", t.ReadOnly))
	}
	return rows
}

// queryShare returns a finding of a share of queries, which rests on addresses if any
// is known.
func queryShare(section, item, counted string, s analysis.Share) finding {
	f := shareFinding(section, item, counted, s)
	if s.Samples == 0 {
		f.samples = math.NaN()
	}
	return f
}

// classFindings tells how queries spread over classes, and who sent any of each.
func classFindings(section string, c *analysis.QueryClasses) (rows []finding) {
	for _, class := range c.Classes {
		rows = append(rows, queryShare(section, class.Name, "query", class.Queries))
	}
	for _, class := range c.Classes {
		if class.Askers.Of == 0 {
			break // no address is known
		}
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
	r.add("Content", "The exponents are of a power law that was fitted to all infohashes: a fit, and no proof that they follow one.", rows...)
	var top []finding
	for _, one := range p.Top {
		top = append(top, shareFinding("infohashes", one.Infohash.String(), "", one.Queries))
	}
	r.add("Infohashes, the most popular", "as they were kept; what is the most popular was chosen by that, so that there are no intervals", top...)
}
