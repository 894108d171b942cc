package main

import (
	"fmt"
	"math"

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
	options := analysis.CensusOptions{All: c.Bool("all"), Top: c.Int("top")}
	if c.IsSet("top") && options.Top < 1 {
		return usagef("--top %d: want 1 or more", options.Top)
	}
	if !c.IsSet("top") { // all in two screens
		options.Tops = map[string]int{
			analysis.Versions: 5, analysis.Ports: 5, analysis.Nets8: 3, analysis.Nets16: 3, analysis.Nets32: 3,
			analysis.Countries: 5, analysis.Systems: 5,
		}
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
	census, err := d.census(options)
	if err != nil {
		return fmt.Errorf("%s: %w", d.name(), err)
	}
	r := &report{what: "nodes"}
	d.tell(r)
	tellCensus(r, census, d.byRun())
	addCensus(r, census)
	if err := w.write(c, r, d); err != nil {
		return err
	}
	return d.whether()
}

// census counts what there is.
func (d *data) census(o analysis.CensusOptions) (*analysis.Census, error) {
	if d.byRun() {
		return analysis.TakeCensus(d.contacts(), d.contactsByRun(), o)
	}
	return analysis.TakeCensus(d.contacts(), nil, o)
}

// tellCensus says what was counted, and what was left out.
func tellCensus(r *report, c *analysis.Census, byRun bool) {
	total := func(by analysis.Counting) string { return quantity(c.Totals[by].Value, "") }
	r.tell("counted", "%s IDs, %s addresses; of %s, %s answered",
		total(analysis.ByID), total(analysis.ByAddress), some(c.Contacts, "contact"), grouped(int64(c.Answered)))
	if c.LeftOut > 0 {
		r.tell("left out", "%s never answered: counted among states alone; --all counts them everywhere", some(c.LeftOut, "contact"))
	}
	if byRun {
		r.tell("runs", "%s", runsText(c))
	} else {
		r.tell("runs", "no mean of runs: the file has no rows by run, which lightdht dump --per-run writes")
	}
	r.tell("intervals", "95 %%; they are about chance alone: what a run did not find is not in them")
}

// runsText says how many runs there are, and what they see.
func runsText(c *analysis.Census) string {
	n := c.Totals[analysis.PerRun]
	text := fmt.Sprintf("%s, with %s contacts each on average", some(c.Runs, "run"), quantity(n.Value, ""))
	if n.Interval.Level == 0 {
		return text + "; intervals of means need two"
	}
	return text + fmt.Sprintf(" (%s to %s)", quantity(n.Interval.Lo, ""), quantity(n.Interval.Hi, ""))
}

// addCensus adds all tables.
func addCensus(r *report, c *analysis.Census) {
	for _, s := range c.Sections {
		r.add(sectionTitle(&s), "", sectionFindings(&s, c.Runs > 0)...)
		if s.Name == analysis.States {
			r.add("Answers", "", answerFindings(c)...)
			r.add("Round trips", "", tripFindings(c)...)
		}
	}
	r.add("Concentration", "HHI: the chance that two are of one; Nakamoto: the fewest that have more than half.", concentrationFindings(c)...)
}

// countings are those that there is anything of.
func countings(runs bool) []analysis.Counting {
	all := []analysis.Counting{analysis.ByID, analysis.ByAddress}
	if runs {
		all = append(all, analysis.PerRun)
	}
	return all
}

// sectionTitle names a section, and how many classes there are.
func sectionTitle(s *analysis.Section) string {
	title := map[string]string{
		analysis.Nets8: "IPv4 networks /8", analysis.Nets16: "IPv4 networks /16", analysis.Nets32: "IPv6 networks /32",
		analysis.Systems: "autonomous systems", analysis.Extensions: "extensions seen in use",
	}[s.Name]
	if title == "" {
		title = s.Name
	}
	if n := s.Distinct[analysis.ByAddress].Value; int(n) > len(s.Classes) {
		title += fmt.Sprintf(", the most frequent of %s", grouped(int64(n)))
	}
	return title
}

func sectionFindings(s *analysis.Section, runs bool) (rows []finding) {
	for _, by := range countings(runs) {
		for _, class := range s.Classes {
			rows = append(rows, shareFinding(s.Name, class.Name, by.String(), class.Shares[by]))
		}
	}
	return rows
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
func answerFindings(c *analysis.Census) (rows []finding) {
	for _, by := range countings(c.Runs > 0) {
		if c.Asked.Nodes[by].Of > 0 {
			rows = append(rows,
				shareFinding("answers", "of those asked", by.String(), c.Asked.Nodes[by]),
				shareFinding("answers", "of queries to them", by.String(), c.Asked.Queries[by]))
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

// concentrationFindings tells how unevenly those counted spread.
func concentrationFindings(c *analysis.Census) (rows []finding) {
	for _, by := range countings(c.Runs > 0) {
		for _, o := range c.Over {
			rows = append(rows,
				numberFinding("concentration", o.Over+", Gini", by.String(), o.Gini[by], ""),
				numberFinding("concentration", o.Over+", HHI", by.String(), o.HHI[by], ""),
				numberFinding("concentration", o.Over+", Nakamoto", by.String(), o.Nakamoto[by], ""))
			if n := o.Unknown[by].Value; n > 0 {
				f := found("concentration", o.Over+", left out: unknown", math.NaN(), "")
				f.counted, f.count = by.String(), n
				rows = append(rows, f)
			}
		}
	}
	return rows
}
