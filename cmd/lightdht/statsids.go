package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

func statsIDsCommand() *cli.Command {
	flags := append(append(statsFlags(), filterFlags()...),
		&cli.IntSliceFlag{Name: "depth", Usage: "test by the first `BITS` of IDs, 1 to 20 (repeatable)", DefaultText: "4, 8, 12, 16, 20, as far as 5 IDs a zone go"},
		&cli.BoolFlag{Name: "all", Usage: "count contacts that never answered, too"},
		&cli.IntFlag{Name: "top", Usage: "name the `N` clearest zones, commonest clients and largest holders", DefaultText: "10, 5 and 3"},
	)
	return &cli.Command{
		Name:  "ids",
		Usage: "how IDs are spread: uniform or not, crowded zones, BEP 42, how many IDs an address has",
		Description: "Tests whether IDs are spread as chance would have it, and names the zones that are too crowded: floods,\n" +
			"and sybils around a target. Two notions of chance stand side by side. One node per address: each ID is a random\n" +
			"point. BEP 42: the nodes of one address (IPv6: of one /64) share 8 prefixes of 21 bits, so those of one address in\n" +
			"one such prefix count once, as a cell; a crowd behind a VPN then is none. What stands out in both wants a look.\n" +
			"Contacts that lookups alone came by are not tested: they crowd around the targets.",
		ArgsUsage: "[FILE]",
		Flags:     flags,
		Action:    statsIDs,
	}
}

// idTops is how many of what is named.
type idTops struct{ zones, clients, holders int }

func statsIDs(c *cli.Context) error {
	tops := idTops{10, 5, 3}
	if n := c.Int("top"); c.IsSet("top") && n < 1 {
		return usagef("--top %d: want 1 or more", n)
	} else if c.IsSet("top") {
		tops = idTops{n, n, n}
	}
	for _, depth := range c.IntSlice("depth") {
		if depth < 1 || depth > 20 {
			return usagef("--depth %d: want 1 to 20 bits", depth)
		}
	}
	return reportData(c, func(d *data) (*report, error) { return d.idReport(c.Bool("all"), c.IntSlice("depth"), tops) })
}

// idReport makes the report of the IDs of data.
func (d *data) idReport(all bool, depths []int, tops idTops) (*report, error) {
	options, err := d.idOptions(all)
	if err != nil {
		return nil, err
	}
	sample, err := analysis.GatherIDs(d.contacts(), options)
	if err != nil {
		return nil, err
	}
	r := &report{what: "ids"}
	d.tell(r)
	tellIDs(r, sample)
	if d.file != "" && d.manifest == nil {
		r.tell("unknown", "whether lookups of some targets alone found these contacts, which crowd around those: there is no manifest")
	}
	if d.crowded() {
		r.tell("refused", "%s", lookupsCrowd)
	} else if err := addSpread(r, sample, options, depths, tops.zones); err != nil {
		return nil, err
	}
	if options.Unjudged {
		r.tell("bep 42", "unknown: %s", unjudged)
	}
	addCompliance(r, sample, options.Hidden, tops.clients)
	addMultiplicities(r, sample, tops.holders)
	return r, nil
}

// unjudged is why nobody knows which IDs BEP 42 allows.
const unjudged = "addresses are pseudonyms, and there is no column bep42_ok"

// idOptions returns how IDs are to be read.
func (d *data) idOptions(all bool) (o analysis.IDOptions, err error) {
	if err := d.answers(all); err != nil {
		return o, err
	}
	o = analysis.IDOptions{All: all, Zone: d.zone(), Hidden: d.shared()}
	if o.Hidden {
		lacking, err := d.lacks(export.Contacts, "bep42_ok")
		if err != nil {
			return o, err
		}
		o.Unjudged = len(lacking) > 0
	}
	return o, nil
}

// answers refuses to tell who answered where that is not known.
func (d *data) answers(all bool) error {
	if all {
		return nil
	}
	lacking, err := d.lacks(export.Contacts, "replies")
	if err != nil {
		return err
	}
	return untold(lacking).refuse(all)
}

// lookupsCrowd is why IDs are not judged that lookups alone came by.
const lookupsCrowd = "the contacts come from lookups of some targets, around which they crowd: " +
	"look around first (lightdht dump --live --for 10m, or lightdht node)"

// crowded reports whether the contacts are those that lookups of targets came by:
// all the runs that count are of commands that do nothing else.
func (d *data) crowded() bool {
	aims := []string{"lookup", "probe", "announce", "ping", "scrape", "size", "sybil"}
	var runs []*dataset.Manifest
	if d.store != nil {
		infos, err := d.store.Runs()
		if err != nil {
			return false // reading tells it
		}
		for i := range infos {
			if d.source.Filter.Picks(infos[i].ID) {
				runs = append(runs, infos[i].Manifest)
			}
		}
	} else if d.manifest != nil {
		for i := range d.manifest.Runs {
			if d.source.Filter.Picks(d.manifest.Runs[i].Run) {
				runs = append(runs, &d.manifest.Runs[i])
			}
		}
	}
	other := func(m *dataset.Manifest) bool { return m == nil || !slices.Contains(aims, m.Command) }
	return len(runs) > 0 && !slices.ContainsFunc(runs, other)
}

// addSpread adds what the tests say of how IDs are spread, at the depths named; at
// those that the sample bears when none is.
func addSpread(r *report, sample *analysis.IDSample, o analysis.IDOptions, depths []int, top int) (err error) {
	if len(depths) == 0 { // the same for both: those that cells bear, of which there are fewer
		depths = sample.Points(analysis.BoundByAddress).Depths()
	}
	verdicts := make([]idVerdict, len(analysis.Nulls))
	for i, null := range analysis.Nulls {
		if null == analysis.BoundByAddress && o.Unjudged {
			verdicts[i] = idVerdict{null: null, refused: errors.New(unjudged)}
			continue
		}
		if verdicts[i], err = judgeIDs(sample, null, depths, !o.Hidden); err != nil && null == analysis.OneNodePerAddress {
			return err
		}
		verdicts[i].refused = err
	}
	tellChances(r, verdicts, o.Hidden)
	addUniformity(r, verdicts)
	addEntropy(r, verdicts)
	addGaps(r, verdicts)
	for _, v := range verdicts {
		addZones(r, &v, top)
	}
	return nil
}

// zone returns the zone that all IDs of data are of: the one asked for, or the
// one that a file was dumped of.
func (d *data) zone() kad.Prefix {
	zone := d.source.Filter.Prefix
	if d.manifest != nil {
		if of, err := kad.ParsePrefix(d.manifest.Filter["prefix"]); err == nil && of.Bits() > zone.Bits() {
			zone = of
		}
	}
	return zone
}

// idVerdict is what the tests say under one null hypothesis.
type idVerdict struct {
	null    analysis.Null
	points  int
	ordered bool // the IDs have an order: they are no pseudonyms
	whole   analysis.Test
	gaps    analysis.GapTest
	depths  []analysis.Uniformity
	scan    analysis.Scan
	refused error // what is missing for any of it
}

// judgeIDs runs all tests under one null hypothesis, at the depths named; at those
// that the sample bears when none is. Those of order take IDs that have one.
func judgeIDs(sample *analysis.IDSample, null analysis.Null, depths []int, ordered bool) (v idVerdict, err error) {
	points := sample.Points(null)
	v = idVerdict{null: null, points: len(points), ordered: ordered}
	if ordered {
		if v.whole, err = points.Kolmogorov(); err != nil {
			return v, err
		}
		if v.gaps, err = points.Gaps(); err != nil {
			return v, err
		}
	}
	if len(depths) == 0 {
		depths = points.Depths()
	}
	for _, depth := range depths {
		u, err := points.Uniformity(depth)
		if err != nil {
			return v, err
		}
		v.depths = append(v.depths, u)
	}
	v.scan, err = sample.Zones(null, 0.05)
	return v, err
}

// tellIDs says what was counted, and what was left out.
func tellIDs(r *report, s *analysis.IDSample) {
	r.tell("counted", "%s IDs at %s addresses, in %s", grouped(int64(s.IDs)), grouped(int64(s.Addresses)), contactsText(s.Contacts))
	if s.Silent > 0 {
		r.tell("left out", "%s that never answered: --all counts them", contactsText(s.Silent))
	}
}

// tellChances says which notions of chance there are, and what they take for granted.
func tellChances(r *report, verdicts []idVerdict, hidden bool) {
	for i, v := range verdicts {
		what := fmt.Sprintf("one node per address: each of %s IDs is a random point", grouped(int64(v.points)))
		switch {
		case v.null == analysis.BoundByAddress && v.points == 0:
			what = "BEP 42: not tested"
		case v.null == analysis.BoundByAddress:
			what = fmt.Sprintf("BEP 42: the allowed IDs of one address that share 21 bits are one cell: each of %s cells is a random point", grouped(int64(v.points)))
		}
		if v.refused != nil {
			what += "; " + v.refused.Error()
		}
		r.tell(fmt.Sprintf("chance %d", i+1), "%s", what)
	}
	if hidden {
		r.tell("order", "%s: the whole space and gaps are not tested, and crowded zones are sought only where they are one prefix", unordered)
	}
	r.tell("caution", "all nodes, or a random part of them, are taken to be here: lookups of a few targets find the crowd around those; "+
		"BEP 42 puts nodes of few networks, or at consecutive addresses, into patterns that may look like a crowd")
}

// unordered is what pseudonyms do to the order of IDs.
const unordered = "pseudonyms do not keep that of IDs"

// counted names a null hypothesis as rows do.
func (v *idVerdict) counted() string {
	if v.null == analysis.BoundByAddress {
		return "bep42"
	}
	return "one-per-address"
}
