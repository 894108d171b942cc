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
	P           float64    // adjusted for all zones of all depths that could have been found
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
	Deepest    int     // bits: depths 1 to Deepest were searched
	Candidates int     // how many hypotheses P is adjusted for
	Zones      []Zone  // in the order of the ID space; they do not overlap
}

// deepestZones is how deep zones are sought: pairs of IDs that share this much are
// one in 10^5 among ten million by chance.
const deepestZones = 64

// candidate is a stretch of one depth that may be too full.
type candidate struct {
	depth int
	stretch
	expected float64
	logP     float64 // ln of p, adjusted for the stretches of its depth and then for all
}

// from and to are the first and the last of the 2^64 leading parts of IDs in it.
func (c *candidate) from() uint64 { return c.first << (64 - c.depth) }
func (c *candidate) to() uint64   { return c.last<<(64-c.depth) | (1<<(64-c.depth) - 1) }

// Zones searches all depths from 1 to 64 for zones that hold more points than
// null lets chance put there: floods, and sybils around a target.
//
// At each depth b, Page's cumulative sum over the 2^b bins picks the stretches that
// are too full. With O of N points in a stretch of l bins,
//
//	p = P(Binomial(N, l/2^b) >= O) · 2^b · l(l+1)
//
// which is Bonferroni's correction over all stretches of that depth with the
// weights 1/(l(l+1)) 2^-b: there are at most 2^b of each length, and the weights add up
// to less than 1, so that some stretch of a depth has p <= x in at most a share x of uniform
// samples, however they were picked. Then p is adjusted over the candidates of all
// depths, one at least for each depth, after Benjamini and Hochberg (1995): of the
// zones found, a share of level is false on average. Of zones that overlap the one
// with the least p is told.
//
// Under BoundByAddress the points are cells down to depth 21. Deeper, where the cells
// end, the count of each zone of 21 bits is taken as given, and its n IDs are uniform
// in it: p = P(Binomial(n, l/2^(b-21)) >= O) · M 2^(b-21) · l(l+1) with M the number of such
// zones of at least two IDs. Crowds that BEP 42 allows by themselves, many IDs of one
// address in one zone of 21 bits, are therefore none.
//
// Depths deeper than the gaps between IDs cost nothing but the keys: empty bins are not
// visited. Fewer than 20 points are an error.
func (s *IDSample) Zones(null Null, level float64) (Scan, error) {
	if !(level > 0 && level < 1) {
		return Scan{}, fmt.Errorf("level %v is not between 0 and 1", level)
	}
	points := s.Points(null)
	if err := points.enough(); err != nil {
		return Scan{}, err
	}
	scan := Scan{Null: null, Level: level, Points: len(points), Deepest: deepestZones}
	found := s.candidates(null, points)
	for depth := 1; depth <= deepestZones; depth++ {
		of := 0
		for i := range found {
			if found[i].depth == depth {
				of++
			}
		}
		scan.Candidates += max(of, 1)
	}
	for _, c := range clearest(adjusted(found, scan.Candidates, level)) {
		scan.Zones = append(scan.Zones, s.zone(c))
	}
	return scan, nil
}

// candidates returns those of all depths.
func (s *IDSample) candidates(null Null, points IDPoints) (found []candidate) {
	deepest := deepestZones
	if null == BoundByAddress {
		deepest = boundBits
	}
	keys := leadingKeys(points)
	for depth := 1; depth <= deepest; depth++ {
		all := binFamily{n: len(keys), depth: depth, bins: math.Ldexp(1, depth), families: 1}.prepare()
		found = all.search(found, keys)
	}
	if null == BoundByAddress {
		found = appendInner(found, leadingKeys(s.Points(OneNodePerAddress)))
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

// adjusted returns those whose p, adjusted for m hypotheses after Benjamini and
// Hochberg, is at most level, clearest first.
func adjusted(found []candidate, m int, level float64) []candidate {
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.logP, b.logP) })
	least := 0.0
	for i := len(found) - 1; i >= 0; i-- {
		least = min(least, found[i].logP+math.Log(float64(m)/float64(i+1)))
		found[i].logP = least
	}
	end := sort.Search(len(found), func(i int) bool { return found[i].logP > math.Log(level) })
	return found[:end]
}

// clearest drops each candidate that overlaps a clearer one, and returns the
// others in the order of the space.
func clearest(found []candidate) []candidate {
	var kept []candidate
	for _, c := range found {
		at := sort.Search(len(kept), func(i int) bool { return kept[i].to() >= c.from() })
		if at == len(kept) || kept[at].from() > c.to() {
			kept = slices.Insert(kept, at, c)
		}
	}
	return kept
}

// zone returns a candidate as it is told, with who is behind it.
func (s *IDSample) zone(c candidate) Zone {
	z := Zone{
		Depth: c.depth, First: zonePrefix(c.from(), c.depth), Last: zonePrefix(c.to(), c.depth),
		Observed: c.observed, Expected: c.expected, P: math.Exp(c.logP),
	}
	begin := sort.Search(len(s.records), func(i int) bool { return leading(s.records[i].id, 64) >= c.from() })
	end := sort.Search(len(s.records), func(i int) bool { return leading(s.records[i].id, 64) > c.to() })
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

// zonePrefix returns the prefix of depth bits that begins with those of key.
func zonePrefix(key uint64, depth int) kad.Prefix {
	var id kad.ID
	for i := range 8 {
		id[i] = byte(key >> (56 - 8*i))
	}
	return id.Prefix(depth)
}
