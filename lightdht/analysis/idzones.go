package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Zone is a run of neighbouring prefixes that holds more points than chance puts
// there.
type Zone struct {
	Depth       int        // bits of the prefixes
	First, Last kad.Prefix // the run, both included
	Observed    int        // points in it: IDs, or cells (under BoundByAddress, up to depth 21)
	Expected    float64    // points that chance puts there
	P           float64    // adjusted for all zones of all depths
	IDs         int        // distinct IDs in it
	Addresses   int        // distinct IP addresses behind those
}

// Ratio returns how many times as many as expected there are.
func (z Zone) Ratio() float64 { return float64(z.Observed) / z.Expected }

// Scan is the outcome of a search for crowded zones.
type Scan struct {
	Null       Null
	Level      float64 // expected share of false ones among the zones found
	Points     int     // IDs or cells searched
	Deepest    int     // bits of the deepest zones searched
	Candidates int     // zones with p below 1, among which P is adjusted
	Zones      []Zone  // in the order of the ID space; they do not overlap
}

// deepestZones is how deep zones are sought: of ten million random IDs any two share
// this much with a chance of 3 in a million.
const deepestZones = 64

// candidate is a stretch of one depth that may be too full.
type candidate struct {
	depth int
	stretch
	expected float64
	logP     float64 // ln of p, as in Zones
}

// from and to are the first and the last of the 2^64 leading parts of IDs in it.
func (c *candidate) from() uint64 { return c.first << (64 - c.depth) }
func (c *candidate) to() uint64   { return c.last<<(64-c.depth) | (1<<(64-c.depth) - 1) }

// Zones searches the depths from 1 to 64 for zones that hold more points than
// null lets chance put there: floods, and sybils around a target.
//
// At each depth b, Page's cumulative sum over the 2^b bins picks the stretches
// that are too full. With O of N points in a stretch of l bins,
//
//	p = P(Binomial(N, l/2^b) >= O) · 2^b · l(l+1) · 64
//
// which is Bonferroni's correction over all stretches of all depths, with weights:
// there are at most 2^b stretches of each length, the 1/(l(l+1)) of all lengths add up to
// 1, and there are 64 depths. So uniform points have a stretch with p <= x in at most
// a share x of samples, however it was picked. Of those that overlap, the one with the
// least p is kept; p of those kept is adjusted after Benjamini and Hochberg (1995, Journal
// of the Royal Statistical Society B 57), so that of the zones found a share of level
// is false on average.
//
// Under BoundByAddress the points are cells down to depth 21. Deeper, where cells
// end, the number n of IDs in each zone of 21 bits is taken as given, and they are
// uniform inside it:
//
//	p = P(Binomial(n, l/2^(b-21)) >= O) · M · 2^(b-21) · l(l+1) · 64
//
// with M the zones of 21 bits that have two IDs or more. Crowds that BEP 42 allows,
// many IDs of one address in its zones of 21 bits, are no crowds therefore.
//
// Of pseudonyms, which do not tell what lies beside what, stretches of one bin are
// all that is searched, each a zone of one prefix, with p as above: a crowd around
// a border is found in halves there, or not at all.
//
// A sample of a zone is searched as if that were the whole space, 64 bits deeper
// than its prefix. It takes 20 points or more.
func (s *IDSample) Zones(null Null, level float64) (Scan, error) {
	if !(level > 0 && level < 1) {
		return Scan{}, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	points := s.Points(null)
	if err := points.enough(); err != nil {
		return Scan{}, err
	}
	scan := Scan{Null: null, Level: level, Points: len(points), Deepest: s.options.Zone.Bits() + deepestZones}
	found := clearest(s.candidates(null, points))
	scan.Candidates = len(found)
	found = adjusted(found, level)
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.from(), b.from()) })
	for _, c := range found {
		scan.Zones = append(scan.Zones, s.zone(c))
	}
	return scan, nil
}

// candidates returns those of all depths, counted from the sample's own zone on.
func (s *IDSample) candidates(null Null, points IDPoints) (found []candidate) {
	deepest, bound := deepestZones, max(boundBits-s.options.Zone.Bits(), 0)
	if null == BoundByAddress {
		deepest = bound
	}
	keys := leadingKeys(points)
	for depth := 1; depth <= deepest; depth++ {
		all := binFamily{n: len(keys), depth: depth, bins: math.Ldexp(1, depth), families: 1, alone: s.options.Hidden}.prepare()
		found = all.search(found, keys)
	}
	if null == BoundByAddress {
		found = appendInner(found, leadingKeys(s.Points(OneNodePerAddress)), bound, s.options.Hidden)
	}
	return found
}

// leadingKeys returns the first 64 bits of the points.
func leadingKeys(points IDPoints) []uint64 {
	keys := make([]uint64, len(points))
	for i, id := range points {
		keys[i] = leading(id, 64)
	}
	return keys
}

// clearest drops each candidate that overlaps a clearer one, and returns the
// others, clearest first.
func clearest(found []candidate) (kept []candidate) {
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.logP, b.logP) })
	var taken []candidate // those kept, in the order of the space
	for _, c := range found {
		at := sort.Search(len(taken), func(i int) bool { return taken[i].to() >= c.from() })
		if at == len(taken) || taken[at].from() > c.to() {
			taken = slices.Insert(taken, at, c)
			kept = append(kept, c)
		}
	}
	return kept
}

// adjusted returns those whose p, adjusted after Benjamini and Hochberg, is at
// most level. They come and go clearest first.
func adjusted(found []candidate, level float64) []candidate {
	least, m := 0.0, float64(len(found))
	for i := len(found) - 1; i >= 0; i-- {
		least = min(least, found[i].logP+math.Log(m/float64(i+1)))
		found[i].logP = least
	}
	end := sort.Search(len(found), func(i int) bool { return found[i].logP > math.Log(level) })
	return found[:end]
}

// zone returns a candidate as it is told, with who is behind it.
func (s *IDSample) zone(c candidate) Zone {
	of := s.options.Zone
	z := Zone{
		Depth: of.Bits() + c.depth, First: zonePrefix(of, c.from(), c.depth), Last: zonePrefix(of, c.to(), c.depth),
		Observed: c.observed, Expected: c.expected, P: math.Exp(c.logP),
	}
	begin := sort.Search(len(s.records), func(i int) bool { return s.records[i].id.Compare(z.First.First()) >= 0 })
	end := sort.Search(len(s.records), func(i int) bool { return s.records[i].id.Compare(z.Last.Last()) > 0 })
	addresses := map[[16]byte]struct{}{}
	for run := range runsOfIDs(s.records[begin:end]) {
		z.IDs++
		for i := range run {
			addresses[run[i].ip] = struct{}{}
		}
	}
	z.Addresses = len(addresses)
	return z
}

// zonePrefix returns the prefix of a zone inside another: its bits, then the first
// depth bits of key.
func zonePrefix(of kad.Prefix, key uint64, depth int) kad.Prefix {
	for i := range depth {
		of = of.Child(int(key >> (63 - i) & 1))
	}
	return of
}
