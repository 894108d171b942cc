package main

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/urfave/cli/v2"
)

func lookupCommand() *cli.Command {
	return &cli.Command{
		Name:      "lookup",
		Usage:     "find the nodes closest to IDs, and estimate the network's size from them",
		ArgsUsage: "ID… (40 hex; - reads lines from stdin)",
		Description: "Prints the closest nodes that answered for each ID, nearest first: ID, address, shared bits, round trip, hop.\n" +
			"The estimate pools all lookups; it holds for targets chosen at random, so give many: --random 64. Where contacts\n" +
			"are dead such narrow lookups miss close nodes and it is low: lightdht stats size --live looks wider.",
		Flags: append(append(commonFlags(), lookupFlags()...), formatFlag("text"),
			countFlag("random", "look up `N` random IDs besides, drawn from --seed"),
		),
		Action: lookup,
	}
}

// closestColumns are the columns of a node that a lookup found closest.
var closestColumns = []string{"target", "rank", "id", "ip", "port", "common_bits", "rtt_us", "hop"}

func lookup(c *cli.Context) (err error) {
	cfg, err := lookupConfig(c)
	if err != nil {
		return err
	}
	targets, err := lookupTargets(c)
	if err != nil {
		return err
	}
	s, err := open(c, closestColumns)
	if err != nil {
		return err
	}
	defer s.end(&err)
	sizes := spacings{}
	done := func(res *lightdht.LookupResult) error {
		s.say("%s: %s", res.Target, summary(res))
		sizes.add(res)
		return printClosest(s.out, res, len(targets) > 1)
	}
	if err := (lookups{ids: targets, drawn: countOf(c, "random"), cfg: cfg, why: "lookup", done: done}).run(c, s); err != nil {
		return err
	}
	s.sayEstimates(sizes)
	return s.out.close()
}

// maxRandom is how many random targets there may be: they are drawn at once.
const maxRandom = 1_000_000

// lookupTargets reads the arguments and draws random targets.
func lookupTargets(c *cli.Context) ([]kad.ID, error) {
	n := countOf(c, "random")
	if n == 0 && c.NArg() == 0 {
		return nil, usagef("name an ID, - to read them from stdin, or --random N: see lightdht lookup --help")
	}
	if n > maxRandom {
		return nil, usagef("--random %d: want at most %d", n, maxRandom)
	}
	var targets []kad.ID
	if n == 0 || c.NArg() > 0 {
		var err error
		if targets, err = infohashes(c, parseTarget); err != nil {
			return nil, err
		}
	}
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(c.Uint64("seed") >> (8 * i))
	}
	rng := rand.NewChaCha8(seed)
	for range n {
		var id kad.ID
		rng.Read(id[:])
		targets = append(targets, id)
	}
	return targets, nil
}

// parseTarget reads an ID; an infohash in any form is one too.
func parseTarget(s string) (kad.ID, error) {
	id, err := lightdht.ParseInfohash(s)
	if err != nil {
		return kad.ParseID(s)
	}
	return id, nil
}

// printClosest prints the nodes that a lookup found closest; lines of text name
// the target when there are several.
func printClosest(out *rows, res *lightdht.LookupResult, several bool) error {
	for i, a := range res.Closest {
		bits := kad.CommonPrefixLen(res.Target, a.ID)
		err := out.addOr(under(res.Target, several, a.ID, a.Addr, bits, round(a.RTT), a.Hop),
			res.Target, i+1, a.ID, a.Addr.Addr(), a.Addr.Port(), bits, a.RTT.Microseconds(), a.Hop)
		if err != nil {
			return err
		}
	}
	return nil
}

// spacings is what lookups say about the size of the network of each family.
type spacings map[kad.Family][]analysis.Spacing

// add notes how far the last of the closest nodes of each family is.
func (s spacings) add(res *lightdht.LookupResult) {
	last := map[kad.Family]analysis.Spacing{}
	for _, a := range res.Closest {
		f := kad.FamilyOf(a.Addr.Addr())
		last[f] = analysis.Spacing{K: last[f].K + 1, Distance: res.Target.Distance(a.ID).Fraction()}
	}
	for f, spacing := range last {
		s[f] = append(s[f], spacing)
	}
}

// sayEstimates tells, and keeps, how large the network of each family is, or
// tells why that cannot be said.
func (s *session) sayEstimates(all spacings) {
	for _, f := range []kad.Family{kad.IPv4, kad.IPv6} {
		if len(all[f]) == 0 {
			continue
		}
		est, err := analysis.PooledSize(all[f], 0.95)
		if overlap := errors.Is(err, analysis.ErrOverlap); err == nil || overlap {
			s.keeper.Record(estimateRow(f, est, all[f], !overlap, time.Now()))
		}
		switch {
		case errors.Is(err, analysis.ErrOverlap):
			s.say("network size (%s): about %.0f, without an interval: %s; this node has heard of %d", f, est.N, oneLine(err), s.node.Table(f).Len())
		case err != nil:
			s.say("network size (%s): %s", f, oneLine(err))
		default:
			s.say("network size (%s): %s", f, est)
		}
	}
}

// estimateRow returns the row of an estimate, with its interval if that holds.
func estimateRow(f kad.Family, est analysis.SizeEstimate, of []analysis.Spacing, interval bool, now time.Time) *record.Estimate {
	row := record.Estimate{
		Time: now, What: "size", Method: est.Method, Family: f, K: of[0].K, Samples: est.Lookups,
		Value: est.N, Lo: est.Lo, Hi: est.Hi, Level: est.Confidence, Recall: math.NaN(),
	}
	if !interval {
		row.Lo, row.Hi, row.Level = math.NaN(), math.NaN(), 0
	}
	for _, spacing := range of {
		if spacing.K != row.K {
			row.K = 0
		}
	}
	return &row
}
