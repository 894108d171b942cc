package analysis

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Popularity is how often the names of content were asked for, get_peers and
// announce_peer alike. A node is asked for what lies near its ID, and for few names:
// this is popularity among those, as one place sees it.
type Popularity struct {
	Queries  int // that were about content
	Distinct int // names
	Top      []Popular
	Ranks    []RankCount // for a plot: some hundred at the most, in order
	TopShare Share       // of Queries: about the most popular hundredth of names, one at least; without interval
	Exponent Number      // of the power law of queries by name, see [PowerLaw]; Value NaN: there is none
	Zipf     Number      // the same as the exponent of ranks
}

// Popular is one name of content.
type Popular struct {
	Infohash kad.ID // or a hash of it, as it was kept
	Queries  Share  // without interval: the names were chosen by it
}

// RankCount is how many queries the name of a rank had.
type RankCount struct{ Rank, Queries int }

// content counts the names of content.
type content struct{ tallied[kad.ID] }

// popularity tells how often they were asked for.
func (c *content) popularity(top int) Popularity {
	p := Popularity{Queries: sum(c.counts), Distinct: len(c.counts)}
	p.Exponent = PowerLaw(c.counts, censusLevel)
	p.Zipf = p.Exponent.Zipf()
	if p.Distinct == 0 {
		p.TopShare = Share{Number: none()}
		return p
	}
	p.Top = c.most(top)
	sorted := descending(c.counts)
	p.TopShare = firstOf(sorted, (len(sorted)+99)/100)
	for _, rank := range ranks(len(sorted)) {
		p.Ranks = append(p.Ranks, RankCount{rank, sorted[rank-1]})
	}
	return p
}

// most returns the names that were asked for most; of those that were as often, the
// lower ones.
func (c *content) most(top int) []Popular {
	type name struct {
		n  int
		id kad.ID
	}
	names := make([]name, 0, len(c.counts))
	for id, number := range c.number {
		names = append(names, name{c.counts[number], id})
	}
	slices.SortFunc(names, func(a, b name) int { return cmp.Or(cmp.Compare(b.n, a.n), bytes.Compare(a.id[:], b.id[:])) })
	all := sum(c.counts)
	found := make([]Popular, min(top, len(names)))
	for i, one := range names[:len(found)] {
		s := Share{Number: none(), Count: float64(one.n), Of: float64(all)}
		s.Value, s.Samples = float64(one.n)/float64(all), all
		found[i] = Popular{one.id, s}
	}
	return found
}

// ranks returns those of n that a plot on logarithmic axes shows: the first ten, then
// some thirty of each decade, and the last.
func ranks(n int) (all []int) {
	last := 0
	for x := 1.0; int(x) < n; x = math.Max(x+1, x*math.Pow(10, 1.0/30)) {
		if r := int(x); r > last {
			all = append(all, r)
			last = r
		}
	}
	return append(all, n)
}
