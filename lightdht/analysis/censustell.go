package analysis

import (
	"cmp"
	"math"
	"slices"
)

// tallies are all that was counted, in the three ways.
type tallies struct {
	*dictionary
	all     [2]*headcount // ByID and ByAddress
	runs    []*headcount
	options CensusOptions
	ranked  [2]ranked // round trips
	bounds  []uint32  // of those by ID: at their quantiles, in microseconds
	within  []int     // how many do not exceed these
	crowds  *crowds
}

// rank puts round trips in order.
func (t *tallies) rank() {
	for by, h := range t.all {
		t.ranked[by] = rank(h.trips.bars())
	}
	t.bounds, t.within = t.ranked[ByID].upTo(quantiles)
}

// tell fills a census in.
func (t *tallies) tell(c *Census) {
	c.Runs = len(t.runs)
	c.Totals = t.numbers(func(h *headcount) float64 { return float64(h.total) })
	for i := range sections {
		if t.any(func(h *headcount) int { return h.of[i] }) {
			c.Sections = append(c.Sections, t.section(i))
		}
	}
	c.Asked = t.replies()
	c.RTT = t.roundTrips()
	for _, i := range []int{inSystems, inCountries, inNets16, inClients} {
		if t.all[ByAddress].distinct(i) > 0 {
			c.Over = append(c.Over, t.concentration(i))
		}
	}
}

// numbers returns what a function makes of IDs, of addresses, and of runs on average;
// the first two without intervals.
func (t *tallies) numbers(of func(*headcount) float64) (all [Countings]Number) {
	for by, h := range t.all {
		all[by] = Number{Value: of(h), Samples: h.total}
	}
	all[PerRun] = t.mean(of)
	return all
}

// mean returns the mean of runs, of those that have one, which is of nothing below 0.
func (t *tallies) mean(of func(*headcount) float64) Number {
	return t.meanAt(of, censusLevel)
}

func (t *tallies) meanAt(of func(*headcount) float64, level float64) Number {
	var values []float64
	for _, h := range t.runs {
		if v := of(h); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values) // so that the order of runs makes no difference, not even to the last digit
	return Mean(values, level).within(0, math.Inf(1))
}

// shares returns the share of a class in a section, in the three ways.
func (t *tallies) shares(section int, class uint32, k together) (all [Countings]Share) {
	part := func(h *headcount) int { return h.part(section, class) }
	whole := func(h *headcount) int { return h.whole(section) }
	byID, byAddress := t.all[ByID], t.all[ByAddress]
	all[ByAddress] = k.ofHits(part(byAddress), whole(byAddress))
	r := t.crowds.of[section].ratio(class, part(byID), whole(byID))
	all[ByID] = k.ofRatio(&r)
	all[ByID].Samples = whole(byID)
	all[PerRun] = t.meanShare(
		func(h *headcount) float64 { return float64(part(h)) },
		func(h *headcount) float64 { return float64(whole(h)) }, k)
	return all
}

// rest returns the share of what is in none of the classes named, without intervals:
// it is small because they are large.
func (t *tallies) rest(part, whole func(*headcount) int) (all [Countings]Share) {
	for by, h := range t.all {
		all[by] = shareWithout(float64(part(h)), float64(whole(h)), whole(h))
	}
	all[PerRun] = t.meanShare(
		func(h *headcount) float64 { return float64(part(h)) },
		func(h *headcount) float64 { return float64(whole(h)) }, 0)
	all[PerRun].Interval = Interval{}
	return all
}

// meanShare returns the mean of the shares that runs have.
func (t *tallies) meanShare(part, whole func(*headcount) float64, k together) Share {
	share := t.meanAt(func(h *headcount) float64 {
		if whole(h) == 0 {
			return math.NaN()
		}
		return part(h) / whole(h)
	}, k.level()).within(0, 1)
	share.Interval = k.mark(share.Interval)
	return Share{Number: share, Count: t.mean(part).Value, Of: t.mean(whole).Value}
}

// section tells how those counted spread over the classes of a section.
func (t *tallies) section(i int) Section {
	s := Section{Name: sectionNames[i]}
	s.Distinct = t.numbers(func(h *headcount) float64 { return float64(h.distinct(i)) })
	named, k := t.named(i), t.together(i)
	for _, key := range named {
		s.Classes = append(s.Classes, Class{t.name(i, key), t.shares(i, key, k)})
	}
	unknown := func(h *headcount) int { return h.part(i, 0) }
	others := func(h *headcount) int {
		n := h.whole(i) - unknown(h)
		for _, key := range named {
			n -= h.part(i, key)
		}
		return n
	}
	if i != inExtensions && t.any(others) {
		whole := func(h *headcount) int { return h.whole(i) }
		s.Classes = append(s.Classes, Class{Other, t.rest(others, whole)})
	}
	if t.any(unknown) {
		s.Classes = append(s.Classes, Class{t.name(i, 0), t.shares(i, 0, 0)})
	}
	return s
}

// fixed reports whether the classes of a section are what they are, whatever is
// found, and not the largest of many.
func fixed(section int) bool {
	switch section {
	case inStates, inFamilies, inPortRanges, inExtensions:
		return true
	}
	return false
}

// together is over how many classes of a section intervals hold together: over those
// that there are, as addresses tell.
func (t *tallies) together(section int) together {
	if fixed(section) {
		return 0
	}
	most := map[int]int{inPorts: math.MaxUint16, inNets8: 1 << 8, inNets16: 1 << 16}[section]
	return max(classesThereAre(t.all[ByAddress].known(section), most), together(t.all[ByID].distinct(section)))
}

// any reports whether there are any of something, in any of the countings.
func (t *tallies) any(of func(*headcount) int) bool {
	some := func(h *headcount) bool { return of(h) > 0 }
	return slices.ContainsFunc(t.all[:], some) || slices.ContainsFunc(t.runs, some)
}

// named returns the classes of a section that are named: the largest by ID, and of
// those of the same size by address, those of the same size in the order of their
// names. Where there are but a few, all.
func (t *tallies) named(section int) []uint32 {
	byID, byAddress := &t.all[ByID].classes[section], &t.all[ByAddress].classes[section]
	var all []uint32
	for key := range byID.known {
		all = append(all, key)
	}
	for key := range byAddress.known {
		if byID.of(key) == 0 {
			all = append(all, key)
		}
	}
	if least := t.options.Least[sectionNames[section]]; least > 1 {
		all = slices.DeleteFunc(all, func(key uint32) bool { return max(byID.of(key), byAddress.of(key)) < least })
	}
	size := func(a, b uint32) int {
		return cmp.Or(cmp.Compare(byID.of(b), byID.of(a)), cmp.Compare(byAddress.of(b), byAddress.of(a)))
	}
	slices.SortFunc(all, size)
	top := t.top(section, len(all))
	if top < len(all) { // of tens of thousands only those that may be among the largest need their names
		all = all[:top+countWhile(all[top:], func(key uint32) bool { return size(key, all[top-1]) == 0 })]
	}
	names := make(map[uint32]string, len(all))
	for _, key := range all {
		names[key] = t.name(section, key)
	}
	byName := func(a, b uint32) int { return cmp.Compare(names[a], names[b]) }
	switch section {
	case inPortRanges:
		slices.Sort(all)
	case inExtensions:
		slices.SortFunc(all, byName)
	default:
		slices.SortFunc(all, func(a, b uint32) int { return cmp.Or(size(a, b), byName(a, b)) })
	}
	return all[:top]
}

// top is how many of so many classes of a section are named.
func (t *tallies) top(section, all int) int {
	if fixed(section) {
		return all
	}
	top := t.options.Top
	if n := t.options.Tops[sectionNames[section]]; n > 0 {
		top = n
	}
	if top <= 0 {
		top = 10
	}
	return min(top, all)
}

// countWhile returns how many of the first are so.
func countWhile[T any](all []T, so func(T) bool) int {
	for i, v := range all {
		if !so(v) {
			return i
		}
	}
	return len(all)
}

// replies tells how many answered, and how many queries were answered.
func (t *tallies) replies() (r Replies) {
	r.Nodes = t.shares(inAsked, 1, 0)
	queries := t.all[ByID].queries
	queries.join(&t.crowds.queries)
	r.Queries[ByID] = queries.Share(censusLevel)
	r.Queries[ByID].Samples = t.all[ByID].asked
	r.Queries[ByAddress] = t.all[ByAddress].queries.Share(censusLevel)
	r.Queries[PerRun] = t.meanShare(func(h *headcount) float64 { return h.queries.y }, func(h *headcount) float64 { return h.queries.x }, 0)
	return r
}

// roundTrips tells how long answers took.
func (t *tallies) roundTrips() (r RoundTrips) {
	for by, h := range t.all {
		r.Bars[by], r.Unknown[by] = t.ranked[by].bars, h.untimed
	}
	timed := t.ranked[ByID].len()
	byID := t.ranked[ByID].quantiles(quantiles, func(i int) float64 {
		r := t.crowds.of[inTimed].ratio(uint32(i), t.within[i], timed)
		return r.worth(censusLevel)
	})
	byAddress := t.ranked[ByAddress].quantiles(quantiles, nil)
	inRuns := make([][]Number, len(t.runs))
	for i, h := range t.runs {
		r.Unknown[PerRun] += h.untimed
		inRuns[i] = rank(h.trips.bars()).quantiles(quantiles, nil)
	}
	for i, p := range quantiles {
		q := Quantile{P: p}
		q.At[ByID], q.At[ByAddress] = byID[i], byAddress[i]
		q.At[PerRun] = meanOf(inRuns, i).within(0, math.Inf(1))
		r.Quantiles = append(r.Quantiles, q)
	}
	return r
}

// meanOf returns the mean of the i-th number of those that have one.
func meanOf(rows [][]Number, i int) Number {
	var values []float64
	for _, row := range rows {
		if !math.IsNaN(row[i].Value) {
			values = append(values, row[i].Value)
		}
	}
	slices.Sort(values)
	return Mean(values, censusLevel)
}

// concentration tells how unevenly those counted spread over the classes of a
// section that are known.
func (t *tallies) concentration(i int) Concentration {
	c := Concentration{Over: sectionNames[i]}
	c.Unknown = t.numbers(func(h *headcount) float64 { return float64(h.classes[i].of(0)) })
	of := func(index func([]int, float64) Number) (all [Countings]Number) {
		for by, h := range t.all {
			all[by] = index(h.known(i), censusLevel)
		}
		all[PerRun] = t.mean(func(h *headcount) float64 { return index(h.known(i), censusLevel).Value }).within(0, 1)
		return all
	}
	c.Gini, c.HHI = of(Gini), of(HHI)
	if t.crowds.of[i].fewer > 0 { // both take what is counted for independent
		c.Gini[ByID].Interval, c.HHI[ByID].Interval = Interval{}, Interval{}
	}
	c.Nakamoto = t.numbers(func(h *headcount) float64 {
		if h.distinct(i) == 0 {
			return math.NaN()
		}
		return float64(Nakamoto(h.known(i)))
	})
	for by, h := range t.all {
		c.Nakamoto[by].Samples = sum(h.known(i))
	}
	c.Nakamoto[PerRun].Interval = Interval{} // it jumps by whole entities, in a run as in all
	return c
}
