package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// testFinding returns a finding of a test.
func testFinding(item string, v *idVerdict, t analysis.Test) finding {
	f := found("uniformity", item, t.Statistic, "")
	f.counted, f.estimator, f.samples, f.df, f.p = v.counted(), t.Name, float64(v.points), t.DF, t.P
	return f
}

// addUniformity adds the tests: over the whole space, over zones of each depth, over
// gaps.
func addUniformity(r *report, verdicts []idVerdict) {
	var rows []finding
	for i := range verdicts {
		v := &verdicts[i]
		if v.refused != nil {
			continue
		}
		if v.ordered {
			rows = append(rows, testFinding("whole space", v, v.whole))
		}
		for _, u := range v.depths {
			rows = append(rows, testFinding(some(u.Depth, "bit"), v, u.ChiSquare))
		}
		for _, u := range v.depths {
			rows = append(rows, testFinding(some(u.Depth, "bit")+", G", v, u.G))
		}
		if v.ordered {
			rows = append(rows, testFinding("gaps", v, v.gaps.Moran))
		}
		for _, u := range v.depths[len(v.depths)-1:] {
			f := found("uniformity", some(u.Depth, "bit")+", dispersion", u.Dispersion, "")
			f.counted, f.samples = v.counted(), float64(v.points)
			rows = append(rows, f.within(u.DispersionInterval))
		}
	}
	r.add("Uniform?", "p: how often chance makes a number as large, each by itself: of 20 tests one is below 0.05 by chance.\n"+
		"Where there is df, p is that of chi-square. Dispersion: variance over mean of the zones' counts, 1 by chance.", rows...)
}

// spreadFinding returns a finding of how IDs are spread.
func spreadFinding(section, item string, v *idVerdict, value float64, unit string) finding {
	f := found(section, item, value, unit)
	f.counted, f.estimator, f.samples = v.counted(), "as counted", float64(v.points)
	return f
}

// byChance returns f as what uniform points would have, and 95 % of them do.
func (f finding) byChance(lo, hi float64) finding {
	return f.within(analysis.Interval{Lo: lo, Hi: hi, Level: 0.95, Method: "uniform points"})
}

// addEntropy adds entropies of the deepest zones.
func addEntropy(r *report, verdicts []idVerdict) {
	var rows []finding
	for i := range verdicts {
		v := &verdicts[i]
		if v.refused != nil {
			continue
		}
		for _, u := range v.depths[len(v.depths)-1:] {
			row := func(item string, value float64) finding {
				return spreadFinding("entropy", some(u.Depth, "bit")+item, v, value, "bits")
			}
			corrected := row(", corrected", u.MillerMadow)
			corrected.estimator = "Miller-Madow"
			rows = append(rows, row("", u.Entropy), corrected,
				row(", by chance", u.NullEntropy).byChance(u.NullEntropy-1.96*u.NullEntropySD, u.NullEntropy+1.96*u.NullEntropySD))
		}
	}
	r.add("Entropy", "Of the zone that an ID is in. By chance: as counted, with what 95 % of uniform samples have.", rows...)
}

// addGaps adds the least, the median and the greatest gap, with what chance makes
// of them.
func addGaps(r *report, verdicts []idVerdict) {
	var rows []finding
	for i := range verdicts {
		v := &verdicts[i]
		if v.refused != nil || !v.ordered {
			continue
		}
		row := func(item string, value float64) finding { return spreadFinding("gaps", item, v, value, "mean gaps") }
		q := v.gaps.Quantiles
		least, greatest := q[0], q[len(q)-1]
		middle := row("median, by chance", math.Ln2)
		middle.estimator = "uniform points"
		rows = append(rows,
			row("least", v.gaps.Least), row("least, by chance", least.Expected).byChance(least.Lo, least.Hi),
			row("median", v.gaps.Median).within(v.gaps.MedianInterval), middle,
			row("greatest", v.gaps.Greatest), row("greatest, by chance", greatest.Expected).byChance(greatest.Lo, greatest.Hi))
	}
	r.add("Gaps between neighbours", "By chance: the median; of least and greatest about the likeliest, and what 95 % of uniform samples have.\n"+
		"The interval of the median is conservative: it holds in 99 %.", rows...)
}

// addZones adds the crowded zones under one null hypothesis, clearest first.
func addZones(r *report, v *idVerdict, top int) {
	if v.refused != nil {
		return
	}
	zones := slices.Clone(v.scan.Zones)
	slices.SortStableFunc(zones, func(a, b analysis.Zone) int { return cmp.Compare(a.P, b.P) })
	title := "Crowded zones, " + v.null.String()
	how := "Page's CUSUM"
	if !v.ordered {
		how = "zones of one prefix"
	}
	note := fmt.Sprintf("%s at depths 1 to %d, binomial tail, Bonferroni over stretches and depths, Benjamini-Hochberg over zones at %.6g %%",
		how, v.scan.Deepest, 100*v.scan.Level)
	all := found("zones "+v.counted(), "all", math.NaN(), "")
	all.counted, all.count, all.samples, all.estimator = "found", float64(len(zones)), float64(v.points), v.zoneEstimator()
	rows := []finding{all}
	if len(zones) > top {
		title = fmt.Sprintf("%s: the %d clearest of %d", title, top, len(zones))
		zones = zones[:top]
	}
	for _, z := range zones {
		rows = append(rows, zoneFindings(v, z)...)
	}
	r.add(title, note, rows...)
}

// zoneEstimator is how zones are found, in short.
func (v *idVerdict) zoneEstimator() string {
	if !v.ordered {
		return "one prefix, Benjamini-Hochberg"
	}
	return "CUSUM, Benjamini-Hochberg"
}

// zoneFindings are what was found in a zone, what chance puts there, and how many
// addresses are behind it.
func zoneFindings(v *idVerdict, z analysis.Zone) []finding {
	item := z.First.String()
	if z.First != z.Last {
		item += " to " + z.Last.String()
	}
	all := found("zones "+v.counted(), item, z.Ratio(), "times")
	all.counted, all.count, all.p, all.samples, all.estimator = "found", float64(z.Observed), z.P, float64(v.points), v.zoneEstimator()
	chance, addresses := found(all.section, item, math.NaN(), ""), found(all.section, item, math.NaN(), "")
	chance.counted, chance.count = "chance", z.Expected
	addresses.counted, addresses.count = "addresses", float64(z.Addresses)
	return []finding{all, chance, addresses}
}

// addCompliance adds who keeps BEP 42: families, and the commonest clients of each.
func addCompliance(r *report, s *analysis.IDSample, hidden bool, top int) {
	var rows []finding
	clients := map[kad.Family]int{}
	exempt := 0
	for _, c := range s.Compliance() {
		item := c.Family.String()
		if c.Total {
			exempt += c.Exempt
		} else if clients[c.Family]++; clients[c.Family] > top {
			continue
		} else {
			item += " " + orText(c.Client, "unknown")
		}
		f := found("bep 42", item, math.NaN(), "share").within(c.Interval)
		f.count, f.samples = float64(c.Secure), float64(c.Nodes)
		if c.Nodes > 0 {
			f.value = c.Share()
		} else {
			continue
		}
		rows = append(rows, f)
	}
	if len(rows) > 0 {
		rows = append(rows, found("bep 42", "random IDs, by chance", analysis.ChanceSecure, "share"))
	}
	if exempt > 0 {
		f := found("bep 42", "exempt: local addresses", math.NaN(), "")
		f.count = float64(exempt)
		rows = append(rows, f)
	}
	note := "Counted: pairs of ID and IP address, each by itself, also where many are at one address."
	if hidden {
		note += " Of pseudonyms, local addresses cannot be told apart: they may have any ID, and count as allowed."
	}
	r.add("IDs that BEP 42 allows at their address", note, rows...)
}

// addMultiplicities adds how many IDs an address has, and so on.
func addMultiplicities(r *report, s *analysis.IDSample, top int) {
	var powers, quantiles []finding
	all := s.Multiplicities()
	for _, m := range all {
		of := m.Of + " per " + m.Per
		for _, p := range m.Powers {
			if p.Holders == 0 {
				continue
			}
			f := found("multiplicity", powerText(p), float64(p.Holders)/float64(m.Holders), "share")
			f.counted, f.count, f.samples = of, float64(p.Holders), float64(m.Holders)
			powers = append(powers, f)
		}
		for _, q := range []struct {
			item  string
			value float64
		}{{"mean", m.Mean}, {"median", float64(m.Median)}, {"90 % have at most", float64(m.P90)}, {"99 % have at most", float64(m.P99)}, {"most", float64(m.Most)}} {
			f := found("multiplicity quantiles", q.item, q.value, "")
			f.counted, f.samples = of, float64(m.Holders)
			quantiles = append(quantiles, f)
		}
	}
	slices.SortStableFunc(powers, func(a, b finding) int { return cmp.Compare(leastOf(a.item), leastOf(b.item)) })
	r.add("How many each has", "A full count of the sample, not an estimate: no intervals.", powers...)
	r.add("The same in quantiles", "", quantiles...)
	for _, m := range all {
		addLargest(r, m, top)
	}
}

// powerText names a range of counts: "1", "2", "3-4".
func powerText(p analysis.Power) string {
	if p.From == p.To {
		return strconv.Itoa(p.To)
	}
	return fmt.Sprintf("%d-%d", p.From, p.To)
}

// leastOf returns the first number of a range of counts.
func leastOf(item string) int {
	first, _, _ := strings.Cut(item, "-")
	n, _ := strconv.Atoi(first)
	return n
}

// addLargest adds the holders with most, if any has more than one.
func addLargest(r *report, m analysis.Multiplicity, top int) {
	var rows []finding
	for _, h := range m.Largest[:min(top, len(m.Largest))] {
		if h.Count > 1 {
			f := found("most "+m.Of+" per "+m.Per, h.Name, math.NaN(), "")
			f.count = float64(h.Count)
			rows = append(rows, f)
		}
	}
	r.add("Most "+m.Of+" per "+m.Per, "", rows...)
}
