package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
)

func init() { checks = append(checks, check{"network", networkRows}) }

// Each network is measured by package survey, through a real node, as in
// `lightdht stats size --live`.
const (
	networkSize    = 100_000
	networkLookups = 256
	networkShare   = 40 // seeds for which one network is made
	mostNetworks   = 100

	fewNetworks = 4 // that few seeds make: small ones, with few lookups
	fewNodes    = 10_000
	fewLookups  = 16
)

// world is a kind of network, and how it is measured.
type world struct {
	nodes   int     // that live
	dead    float64 // share of the contacts that answers name
	lost    float64 // share of our questions
	width   int     // of lookups
	lookups int
}

// sized is what one measurement of a world gives.
type sized struct {
	estimate
	ideal  float64 // what would have been estimated from the true closest, over the truth
	recall float64 // share of the true closest 8 that the lookups found
	told   float64 // the estimated recall
}

func networkRows(seeds int) (rows []row) {
	seeds, nodes, lookups := min(seeds/networkShare, mostNetworks), networkSize, networkLookups
	if seeds < 4*fewNetworks {
		seeds, nodes, lookups = fewNetworks, fewNodes, fewLookups
	}
	for _, w := range []world{
		{dead: 0, width: survey.DefaultWidth},
		{dead: 0.3, width: survey.DefaultWidth},
		{dead: 0.5, width: survey.DefaultWidth},
		{dead: 0.3, lost: 0.02, width: survey.DefaultWidth},
		{dead: 0.3, width: 8},
	} {
		w.nodes, w.lookups = nodes, lookups
		found := overSeeds("network "+w.String(), seeds, w.measure)
		rows = append(rows, row{"size, pooled, by lookups", w.String(), seeds, w.figures(found)})
	}
	return rows
}

// String says what the world is.
func (w world) String() string {
	s := fmt.Sprintf("%d lookups %d wide, %g k nodes, %g %% of contacts dead", w.lookups, w.width, float64(w.nodes)/1000, 100*w.dead)
	if w.lost > 0 {
		s += fmt.Sprintf(", %g %% of packets lost", 100*w.lost)
	}
	return s
}

// figures are those that a world is held to. Lookups that must miss nodes, being
// narrow or losing packets, are shown beside the others for how much that does;
// and for what a loss does, that the estimated recall makes up for it.
func (w world) figures(found []sized) []figure {
	all := ratios(column(found, func(s sized) estimate { return s.estimate }))
	hold := held(column(found, func(s sized) estimate { return s.estimate }))
	missed := named("of it by missed nodes", found, 0.005, func(s sized) float64 { return s.ratio/s.ideal - 1 })
	mended := named("which over recall is", found, 0.005, func(s sized) float64 { return s.ratio/s.ideal/s.told - 1 })
	told := named("estimated off by", found, 0.005, func(s sized) float64 { return s.told - s.recall })
	recall := named("recall", found, boundless, func(s sized) float64 { return s.recall })
	recall.signed = false
	switch {
	case w.width < survey.DefaultWidth:
		return []figure{bias(all, boundless), free(missed), rate("95 % intervals hold", hold), recall, free(told)}
	case w.lost > 0:
		return []figure{bias(all, boundless), free(missed), mended, recall, told}
	}
	// 2.5 % for 256 lookups, where it is 2.2 %, and two standard errors: a hundred
	// networks do not tell it better than to 0.16 %.
	spreads := spread(all, 0.4/math.Sqrt(float64(w.lookups)))
	spreads.hi += 2 * spreads.se
	return []figure{bias(all, 0.01), missed, spreads, covers(hold), recall, told}
}

// named is the mean of a number, which may be off by at most within.
func named(name string, found []sized, within float64, of func(sized) float64) figure {
	f := bias(column(found, of), within)
	f.name = name
	if f.value++; math.Abs(f.value) < 1e-12 { // the dust of adding up
		f.value = 0
	}
	return f
}

// boundless is how far a figure may be off that is shown only.
var boundless = math.Inf(1)

// free makes f one that is shown only.
func free(f figure) figure {
	f.lo, f.hi = -boundless, boundless
	return f
}

// measure makes a network and measures it.
func (w world) measure(r *rand.Rand) (s sized) {
	c := newCrowd(r.Uint64(), w.nodes, w.dead)
	inBubble(func() {
		node := must(lightdht.Listen("", lightdht.Config{
			ID: drawID(r), Network: lightdht.Private, Conn4: newSeat(c, w.lost), Bootstrap: c.entrances(),
			Upkeep: lightdht.UpkeepConfig{Off: true},
		}))
		defer node.Close()
		found := must(survey.Targets(context.Background(), node, survey.Random(r, w.lookups), survey.Config{Width: w.width}))
		s = c.judge(found)
	})
	return s
}

// inBubble runs f in a time of its own, which passes at once while all wait: a
// time-out of 5 s costs nothing. A bubble needs a testing.T; this one reports to
// nobody.
func inBubble(f func()) { synctest.Test(new(testing.T), func(*testing.T) { f() }) }

// judge compares what was found with the truth.
func (c *crowd) judge(found *survey.Found) sized {
	var spacings, ideal []analysis.Spacing
	for _, d := range found.Distances(kad.IPv4) {
		spacings = append(spacings, d.Spacing())
	}
	hits, k := 0, found.K
	for _, res := range found.Results {
		closest := nearest(c.living, res.Target, k)
		ideal = append(ideal, analysis.Spacing{K: k, Distance: res.Target.Distance(closest[k-1]).Fraction()})
		hits += common(survey.Closest(res, kad.IPv4, k), closest)
	}
	e, best := must(analysis.PooledSize(spacings, 0.95)), must(analysis.PooledSize(ideal, 0.95))
	truth := float64(len(c.living))
	return sized{
		estimate: estimate{e.N / truth, e.Lo <= truth && truth <= e.Hi},
		ideal:    best.N / truth,
		recall:   float64(hits) / float64(k*len(ideal)),
		told:     must(analysis.Recall(found.Pairs(kad.IPv4), 0.95)).Share,
	}
}

// common counts the IDs that are in both lists.
func common(a, b []kad.ID) (n int) {
	in := map[kad.ID]bool{}
	for _, id := range a {
		in[id] = true
	}
	for _, id := range b {
		if in[id] {
			n++
		}
	}
	return n
}
