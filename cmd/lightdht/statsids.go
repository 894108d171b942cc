package main

import (
	"fmt"
	"strings"

	"github.com/lightdht/lightdht/lightdht/analysis"
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
			"one such prefix count once, as a cell; a crowd behind a VPN then is none. What stands out in both wants a look.",
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
	w, err := readReporting(c)
	if err != nil {
		return err
	}
	d, err := openData(c)
	if err != nil {
		return err
	}
	defer d.close()
	r, err := d.idReport(c.Bool("all"), c.IntSlice("depth"), tops)
	if err != nil && !strings.HasPrefix(err.Error(), d.name()) { // as those of reading do
		return fmt.Errorf("%s: %w", d.name(), err)
	} else if err != nil {
		return err
	}
	if err := w.write(c, r, d); err != nil {
		return err
	}
	return d.whether()
}

// idReport makes the report of the IDs of data.
func (d *data) idReport(all bool, depths []int, tops idTops) (*report, error) {
	sample, err := analysis.GatherIDs(d.contacts(), analysis.IDOptions{All: all, Zone: d.zone(), Hidden: d.shared()})
	if err != nil {
		return nil, err
	}
	if len(depths) == 0 { // the same for both: those that cells bear, of which there are fewer
		depths = sample.Points(analysis.BoundByAddress).Depths()
	}
	verdicts := make([]idVerdict, len(analysis.Nulls))
	for i, null := range analysis.Nulls {
		if verdicts[i], err = judgeIDs(sample, null, depths); err != nil && null == analysis.OneNodePerAddress {
			return nil, err
		}
		verdicts[i].refused = err
	}
	r := &report{what: "ids"}
	d.tell(r)
	tellIDs(r, sample, verdicts)
	addUniformity(r, verdicts)
	addEntropy(r, verdicts)
	addGaps(r, verdicts)
	for _, v := range verdicts {
		addZones(r, &v, tops.zones)
	}
	addCompliance(r, sample, tops.clients)
	addMultiplicities(r, sample, tops.holders)
	return r, nil
}

// zone returns the zone that all IDs of data are of: the one asked for, or the
// one that a file was dumped of.
func (d *data) zone() kad.Prefix {
	zone := d.source.Filter.Prefix
	if d.manifest != nil && !d.shared() {
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
	whole   analysis.Test
	gaps    analysis.GapTest
	depths  []analysis.Uniformity
	scan    analysis.Scan
	refused error // what is missing for any of it
}

// judgeIDs runs all tests under one null hypothesis, at the depths named; at those
// that the sample bears when none is.
func judgeIDs(sample *analysis.IDSample, null analysis.Null, depths []int) (v idVerdict, err error) {
	points := sample.Points(null)
	v = idVerdict{null: null, points: len(points)}
	if v.whole, err = points.Kolmogorov(); err != nil {
		return v, err
	}
	if v.gaps, err = points.Gaps(); err != nil {
		return v, err
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

// tellIDs says what was counted, under which notions of chance, and what was left
// out.
func tellIDs(r *report, s *analysis.IDSample, verdicts []idVerdict) {
	r.tell("counted", "%s IDs at %s addresses, in %s contacts", grouped(int64(s.IDs)), grouped(int64(s.Addresses)), grouped(int64(s.Contacts)))
	if s.Silent > 0 {
		r.tell("left out", "%s contacts that never answered: --all counts them", grouped(int64(s.Silent)))
	}
	for i, v := range verdicts {
		what := fmt.Sprintf("one node per address: each of %s IDs is a random point", grouped(int64(v.points)))
		if v.null == analysis.BoundByAddress {
			what = fmt.Sprintf("BEP 42: the IDs of one address that share 21 bits are one cell: each of %s cells is a random point", grouped(int64(v.points)))
		}
		if v.refused != nil {
			what += "; " + v.refused.Error()
		}
		r.tell(fmt.Sprintf("chance %d", i+1), "%s", what)
	}
	r.tell("caution", "all nodes, or a random part of them, are taken to be here: lookups of a few targets find the crowd around those")
}

// counted names a null hypothesis as rows do.
func (v *idVerdict) counted() string {
	if v.null == analysis.BoundByAddress {
		return "bep42"
	}
	return "one-per-address"
}
