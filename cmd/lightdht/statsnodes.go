package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/urfave/cli/v2"
)

func statsNodesCommand() *cli.Command {
	flags := append(append(statsFlags(), filterFlags()...), mmdbFlag(),
		&cli.StringFlag{Name: "state", Usage: "only nodes of `STATE`: good, questionable or bad, or several between commas"},
		&cli.BoolFlag{Name: "all", Usage: "count contacts that never answered, too"},
		&cli.IntFlag{Name: "top", Usage: "name the `N` largest of clients, versions, ports, networks, countries and systems", DefaultText: "10; of some fewer"},
	)
	return &cli.Command{
		Name:  "nodes",
		Usage: "what nodes there are: states, clients, ports, round trips, networks, countries, and how concentrated",
		Description: "Counts each ID once, each address once, and what a run sees on average, side by side, as shares depend on\n" +
			"that. By default of contacts that ever answered; states are those of all. An ID with several contacts counts\n" +
			"for the best of them: the one with the most answers. What is not known of a node is a class, \"unknown\".",
		ArgsUsage: "[FILE]",
		Flags:     flags,
		Action:    statsNodes,
	}
}

func statsNodes(c *cli.Context) error {
	options, err := censusOptions(c)
	if err != nil {
		return err
	}
	return reportData(c, func(d *data) (*report, error) { return d.nodeReport(c.Bool("all"), options) })
}

// nodeReport makes the report of the nodes of data.
func (d *data) nodeReport(all bool, options analysis.CensusOptions) (*report, error) {
	lacks, err := d.lacksOfCensus()
	if err != nil {
		return nil, err
	}
	options.All = options.All || lacks.has("replies") // to tell whether there are any
	census, err := d.census(options)
	if err == nil {
		err = lacks.refuse(all)
	}
	if err == nil {
		err = tooFew(census)
	}
	if err != nil {
		return nil, err
	}
	lacks.leaveOut(census)
	r := &report{what: "nodes"}
	d.tell(r)
	tellCensus(r, census, d.byRun(), lacks)
	lacks.tell(r, census, d.store != nil)
	r.tell("intervals", "95 %%; by ID, as if addresses were drawn; of the largest of many classes, over all of them at once; of means, by t over runs, which takes runs for alike and independent. They are about chance alone: what a run did not find is not in them")
	addCensus(r, census, lacks)
	return r, nil
}

// censusOptions reads what a census counts. Without --top all fits into two screens.
func censusOptions(c *cli.Context) (o analysis.CensusOptions, err error) {
	o = analysis.CensusOptions{All: c.Bool("all"), Top: c.Int("top")}
	switch {
	case !c.IsSet("top"):
		o.Tops = map[string]int{
			analysis.Versions: 5, analysis.Ports: 3, analysis.Nets8: 2, analysis.Nets16: 2, analysis.Nets32: 2,
			analysis.Countries: 5, analysis.Systems: 5,
		}
		o.Least = map[string]int{analysis.Ports: 2} // of the long tail of ports that one has none is frequent
	case o.Top < 1:
		err = usagef("--top %d: want 1 or more", o.Top)
	}
	return o, err
}

// census counts what there is.
func (d *data) census(o analysis.CensusOptions) (*analysis.Census, error) {
	if d.byRun() {
		return analysis.TakeCensus(d.contacts(), d.contactsByRun(), o)
	}
	return analysis.TakeCensus(d.contacts(), nil, o)
}

// tooFew returns an error when those counted are of one ID or address: there is then
// nothing of which a share could be.
func tooFew(c *analysis.Census) error {
	ids, addresses := c.Totals[analysis.ByID].Value, c.Totals[analysis.ByAddress].Value
	switch {
	case ids < 2 && addresses < 2:
		return errors.New("only one node is left to count: a census needs several, at several addresses")
	case ids < 2:
		return fmt.Errorf("all contacts counted, at %s addresses, have one and the same ID: a census needs several, and lightdht stats ids says what an ID at many addresses may be",
			quantity(addresses, ""))
	case addresses < 2:
		return fmt.Errorf("all %s IDs counted are at one and the same address: a census needs several, as one host may take any number of IDs", quantity(ids, ""))
	}
	return nil
}

// tellCensus says what was counted, and what was left out.
func tellCensus(r *report, c *analysis.Census, byRun bool, lacks untold) {
	total := func(by analysis.Counting, one, more string) string { return manyOf(c.Totals[by].Value, one, more) }
	counted := fmt.Sprintf("%s, %s; of %s", total(analysis.ByID, "ID", "IDs"), total(analysis.ByAddress, "address", "addresses"), contactsText(c.Contacts))
	if !lacks.has("replies") {
		counted += fmt.Sprintf(", %s answered", grouped(int64(c.Answered)))
	}
	r.tell("counted", "%s", counted)
	if c.LeftOut > 0 {
		r.tell("left out", "%s never answered: counted among states alone; --all counts them everywhere", contactsText(c.LeftOut))
	}
	if byRun {
		r.tell("runs", "%s", runsText(c))
	} else {
		r.tell("runs", "no mean of runs: the file has no rows by run, which lightdht dump --per-run writes")
	}
}

// manyOf counts in words.
func manyOf(n float64, one, more string) string {
	if n == 1 {
		more = one
	}
	return quantity(n, "") + " " + more
}

// contactsText counts contacts in words.
func contactsText(n int) string { return manyOf(float64(n), "contact", "contacts") }

// runsText says how many runs there are, and what they see.
func runsText(c *analysis.Census) string {
	n := c.Totals[analysis.PerRun]
	text := fmt.Sprintf("%s, with %s each on average", some(c.Runs, "run"), manyOf(n.Value, "contact", "contacts"))
	if n.Interval.Level == 0 {
		return text + "; intervals of means need two"
	}
	return text + fmt.Sprintf(" (%s to %s)", quantity(n.Interval.Lo, ""), quantity(n.Interval.Hi, ""))
}

// addCensus adds all tables. Sections that are alike stand in one, so that there are
// few.
func addCensus(r *report, c *analysis.Census, lacks untold) {
	rows := func(names ...string) (all []finding) {
		for _, by := range countings(c.Runs > 0) {
			for _, name := range names {
				if s := c.Section(name); s != nil {
					all = append(all, sectionFindings(s, by)...)
				}
			}
		}
		return all
	}
	r.add("States, and who answered", "", append(rows(analysis.States), answerFindings(c, lacks)...)...)
	if !lacks.has("rtt_us") {
		r.add("Round trips", "Of the last answer of each. Where they are too few for both ends of an interval it has one, or there is none.", tripFindings(c)...)
	}
	r.add("Families, and extensions seen in use", "", rows(analysis.Families, analysis.Extensions)...)
	r.add("Clients", frequent(c, analysis.Clients), rows(analysis.Clients)...)
	r.add("Versions", frequent(c, analysis.Versions), rows(analysis.Versions)...)
	r.add("Ports, by range", "", rows(analysis.PortRanges)...)
	r.add("Ports, one by one", frequent(c, analysis.Ports), rows(analysis.Ports)...)
	r.add("Networks", frequent(c, analysis.Nets8, analysis.Nets16, analysis.Nets32), rows(analysis.Nets8, analysis.Nets16, analysis.Nets32)...)
	for _, name := range []string{analysis.Countries, analysis.Systems} {
		if located(c, name) {
			r.add(sectionTitle(name), frequent(c, name), rows(name)...)
		}
	}
	r.add("How many, and how concentrated", concentrationNote, concentrationFindings(c)...)
}

// concentrationNote says how to read what is told of concentration.
const concentrationNote = "Over those that are known. HHI: the chance that two are of one. Nakamoto: the fewest that have more than half.\n" +
	"Gini: of those found, which chance makes too high where few are of each; without interval where that may be half of it."

// located reports whether there is a section in which anything is known.
func located(c *analysis.Census, name string) bool {
	s := c.Section(name)
	return s != nil && s.Distinct[analysis.ByID].Value+s.Distinct[analysis.ByAddress].Value > 0
}

// countings are those that there is anything of.
func countings(runs bool) []analysis.Counting {
	all := []analysis.Counting{analysis.ByID, analysis.ByAddress}
	if runs {
		all = append(all, analysis.PerRun)
	}
	return all
}

// sectionTitle names a section for people.
func sectionTitle(name string) string {
	if name == analysis.Systems {
		return "Autonomous systems"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// frequent says of how many classes those of a table are the most frequent; "" when
// they are all.
func frequent(c *analysis.Census, names ...string) string {
	var of []string
	for _, name := range names {
		s := c.Section(name)
		if s == nil {
			continue
		}
		named := 0
		for _, class := range s.Classes {
			if class.Name != analysis.Other && class.Name != analysis.Unknown {
				named++
			}
		}
		n := max(s.Distinct[analysis.ByID].Value, s.Distinct[analysis.ByAddress].Value)
		if named == 0 && n > 0 {
			return manyOf(n, "one", "different ones") + ", each of which one node has; --top N names some"
		}
		if int(n) > named {
			of = append(of, fmt.Sprintf("%s %s", grouped(int64(n)), strings.ToLower(name)))
		}
	}
	if len(of) == 0 {
		return ""
	}
	return "The most frequent of " + strings.Join(of, ", ") + "; --top N names more"
}

func sectionFindings(s *analysis.Section, by analysis.Counting) (rows []finding) {
	for _, class := range s.Classes {
		rows = append(rows, shareFinding(s.Name, className(s.Name, class.Name), by.String(), class.Shares[by]))
	}
	return rows
}

// className names a class so that no other one in its table has the same name.
func className(section, class string) string {
	rest := class == analysis.Other || class == analysis.Unknown
	switch {
	case section == analysis.States && class == analysis.Unknown:
		return "state unknown"
	case section == analysis.Families && class == analysis.Unknown:
		return "family unknown"
	case section == analysis.Extensions && class == analysis.Other:
		return "other extensions"
	case (section == analysis.Ports || section == analysis.PortRanges) && class == analysis.Unknown:
		return "no port"
	case section == analysis.Ports && rest:
		return "other ports"
	case section == analysis.PortRanges && class == "6881":
		return "6881, the default"
	case (section == analysis.Nets8 || section == analysis.Nets16 || section == analysis.Nets32) && rest:
		return class + " " + section
	}
	return class
}

// shareFinding returns a finding of a share.
func shareFinding(section, item, counted string, s analysis.Share) finding {
	f := numberFinding(section, item, counted, s.Number, "share")
	f.count = s.Count
	return f
}

// numberFinding returns a finding of a number.
func numberFinding(section, item, counted string, n analysis.Number, unit string) finding {
	f := found(section, item, n.Value, unit).within(n.Interval)
	f.counted, f.samples = counted, float64(n.Samples)
	return f
}

// answerFindings tells how many of those asked answered.
func answerFindings(c *analysis.Census, lacks untold) (rows []finding) {
	if lacks.has("unanswered") || lacks.has("replies") {
		return nil
	}
	for _, by := range countings(c.Runs > 0) {
		if c.Asked.Nodes[by].Of > 0 {
			rows = append(rows,
				shareFinding("answers", "answered, of those asked", by.String(), c.Asked.Nodes[by]),
				shareFinding("answers", "answered, of queries sent", by.String(), c.Asked.Queries[by]))
		}
	}
	return rows
}

// tripFindings tells how long answers took.
func tripFindings(c *analysis.Census) (rows []finding) {
	for _, by := range countings(c.Runs > 0) {
		for _, q := range c.RTT.Quantiles {
			if n := q.At[by]; !math.IsNaN(n.Value) {
				rows = append(rows, numberFinding("round trips", quantileName(q.P), by.String(), n, "us"))
			}
		}
		if n := c.RTT.Unknown[by]; n > 0 {
			f := found("round trips", analysis.Unknown, math.NaN(), "")
			f.counted, f.count = by.String(), float64(n)
			rows = append(rows, f)
		}
	}
	return rows
}

// quantileName names a quantile: "median", "90 %".
func quantileName(p float64) string {
	if p == 0.5 {
		return "median"
	}
	return fmt.Sprintf("%.6g %%", 100*p)
}

// concentrationFindings tells how many there are, and how unevenly they spread.
func concentrationFindings(c *analysis.Census) (rows []finding) {
	for _, by := range countings(c.Runs > 0) {
		add := func(item string, n [analysis.Countings]analysis.Number, unit string) {
			if !math.IsNaN(n[by].Value) {
				rows = append(rows, numberFinding("concentration", item, by.String(), n[by], unit))
			}
		}
		add("counted", c.Totals, "")
		for _, o := range c.Over {
			add(o.Over, c.Section(o.Over).Distinct, "")
			add(o.Over+", Gini", o.Gini, "")
			add(o.Over+", HHI", o.HHI, "")
			add(o.Over+", Nakamoto", o.Nakamoto, "")
		}
	}
	return rows
}
