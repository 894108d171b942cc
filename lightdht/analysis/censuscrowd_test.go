package analysis

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// crowdTwin is what one of a few IDs at an address tells, by the slow way.
type crowdTwin struct {
	best          Contact
	beps          map[string]bool
	replies, sent int
}

// crowdsTwin returns the IDs by the address of the contact that stands for them.
func crowdsTwin(contacts []Contact) map[netip.Addr][]crowdTwin {
	at := map[netip.Addr][]crowdTwin{}
	for _, group := range groupTwin(contacts, func(c *Contact) kad.ID { return c.ID }) {
		one := crowdTwin{best: group[0], beps: map[string]bool{}}
		for _, c := range group {
			if standsFor(&c, &one.best) {
				one.best = c
			}
			for _, name := range splitBEPs(c.BEPs) {
				one.beps["BEP "+name] = true
			}
			one.replies += int(c.Replies)
			one.sent += int(c.Replies + c.Failures)
		}
		at[one.best.Addr.Addr()] = append(at[one.best.Addr.Addr()], one)
	}
	return at
}

func splitBEPs(text string) (names []string) {
	for _, name := range []string{"32", "33", "42", "51"} {
		for i := range len(text) - 1 {
			if text[i:i+2] == name {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// clustersOf yields, address by address, how many are so, of those that are counted.
func clustersOf(at map[netip.Addr][]crowdTwin, counts, so func(*crowdTwin) bool) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for _, ids := range at {
			part, whole := 0, 0
			for i := range ids {
				if counts(&ids[i]) {
					whole++
					if so(&ids[i]) {
						part++
					}
				}
			}
			if !yield(part, whole) {
				return
			}
		}
	}
}

// By ID a census has the intervals of shares over addresses.
func TestCensusByIDAgainstTwin(t *testing.T) {
	r, together6 := source(t, 73), 0
	for i := range 30 {
		contacts := contactsOf(r, 20+r.IntN(300))
		all := i%2 == 0
		c, err := TakeCensus(eachOf(contacts), nil, CensusOptions{All: all, Top: 1000})
		if err != nil {
			t.Fatal(err)
		}
		at := crowdsTwin(contacts)
		counts := func(o *crowdTwin) bool { return all || o.replies > 0 }
		check := func(what string, got Share, level float64, counts, so func(*crowdTwin) bool) {
			want := ClusteredShare(clustersOf(at, counts, so), level)
			if got.Value != want.Value || got.Interval.Lo != want.Interval.Lo || got.Interval.Hi != want.Interval.Hi {
				t.Fatalf("census %d, %s: %+v, want %+v", i, what, got, want)
			}
		}
		anyone := func(*crowdTwin) bool { return true }
		for _, class := range c.Section(States).Classes {
			check(class.Name, class.Shares[ByID], 0.95, anyone, func(o *crowdTwin) bool { return o.best.State == class.Name })
		}
		for _, class := range c.Section(Countries).Classes {
			s, k := class.Shares[ByID], 0
			if n, _ := fmt.Sscanf(s.Interval.Method, effectiveNumber+", simultaneous over %d classes", &k); n == 1 {
				check(class.Name, s, together(k).level(), counts, func(o *crowdTwin) bool { return o.best.Country == class.Name })
				together6 += k / 6
			}
		}
		for _, class := range c.Section(Extensions).Classes {
			if class.Name != NoneSeen {
				check(class.Name, class.Shares[ByID], 0.95, counts, func(o *crowdTwin) bool { return o.beps[class.Name] })
			}
		}
		check("answered", c.Asked.Nodes[ByID], 0.95, func(o *crowdTwin) bool { return o.sent > 0 }, func(o *crowdTwin) bool { return o.replies > 0 })
		checkQueries(t, at, c.Asked.Queries[ByID])
		checkMedian(t, at, counts, c.RTT.Quantiles[2].At[ByID])
	}
	if together6 < 30 { // there are six countries
		t.Errorf("%d intervals hold together over all countries", together6)
	}
}

func checkQueries(t *testing.T, at map[netip.Addr][]crowdTwin, got Share) {
	t.Helper()
	want := ClusteredShare(func(yield func(int, int) bool) {
		for _, ids := range at {
			replies, sent := 0, 0
			for _, id := range ids {
				replies += id.replies
				sent += id.sent
			}
			if !yield(replies, sent) {
				return
			}
		}
	}, 0.95)
	if got.Interval != want.Interval || got.Value != want.Value {
		t.Fatalf("of queries: %+v, want %+v", got, want)
	}
}

func checkMedian(t *testing.T, at map[netip.Addr][]crowdTwin, counts func(*crowdTwin) bool, got Number) {
	t.Helper()
	timed := func(o *crowdTwin) bool { return counts(o) && o.best.RTT > 0 }
	var trips []time.Duration
	for id := range flat(at) {
		if timed(id) {
			trips = append(trips, id.best.RTT)
		}
	}
	if len(trips) == 0 {
		return
	}
	slices.Sort(trips)
	median := trips[(len(trips)+1)/2-1]
	var r Ratio
	for part, whole := range clustersOf(at, timed, func(o *crowdTwin) bool { return float64(o.best.RTT) <= 1.001*float64(median) }) {
		if whole > 0 {
			r.Add(float64(part), float64(whole), 1)
		}
	}
	_, lo, hi := effectiveRanks(0.5, len(trips), r.worth(0.95), 0.95)
	if none := lo == 0 && hi > len(trips); none != (got.Interval.Level == 0) {
		t.Fatalf("median %+v, want rank %d to %d of %d", got, lo, hi, len(trips))
	} else if none {
		return
	}
	if lo > 0 && !close(got.Interval.Lo, float64(trips[lo-1])/1e3, 0.001) || hi <= len(trips) && !close(got.Interval.Hi, float64(trips[hi-1])/1e3, 0.001) ||
		lo == 0 && got.Interval.Lo != 0 || hi > len(trips) && !math.IsInf(got.Interval.Hi, 1) {
		t.Fatalf("median %+v, want rank %d to %d of %d, worth %v", got, lo, hi, len(trips), r.worth(0.95))
	}
}

func flat(at map[netip.Addr][]crowdTwin) iter.Seq[*crowdTwin] {
	return func(yield func(*crowdTwin) bool) {
		for _, ids := range at {
			for i := range ids {
				if !yield(&ids[i]) {
					return
				}
			}
		}
	}
}

// crowdedContacts draws addresses of which some have many IDs: all of one client, and
// about as far away. Of the truth, 30 % are LT, and the median is 100 ms.
func crowdedContacts(r *rand.Rand, addresses int) (all []Contact) {
	for i := range addresses {
		ids, client := 1, "UT"
		if r.Float64() < 0.03 {
			ids += r.IntN(60)
		}
		if r.Float64() < 0.3 {
			client = "LT"
		}
		trip := 100 * math.Exp(r.NormFloat64())
		for range ids {
			all = append(all, Contact{
				ID: randomID(r), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(1+len(all)%60000)),
				Client: client, Replies: 1, RTT: time.Duration(1e6 * trip),
			})
		}
	}
	return all
}

// Where some addresses have many IDs, intervals by ID hold the truth as often as they
// say; of as many independent IDs they would in a third of all.
func TestCensusOfCrowdsHoldsTheTruth(t *testing.T) {
	const seeds = 200
	r, shares, medians := source(t, 74), 0, 0
	for range seeds {
		c, err := TakeCensus(eachOf(crowdedContacts(r, 500)), nil, CensusOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, class := range c.Section(Clients).Classes {
			if i := class.Shares[ByID].Interval; class.Name == "LT" && i.Lo <= 0.3 && 0.3 <= i.Hi {
				shares++
			}
		}
		if i := c.RTT.Quantiles[2].At[ByID].Interval; i.Lo <= 1e5 && 1e5 <= i.Hi {
			medians++
		}
		if o := c.Over[len(c.Over)-1]; o.Over != Clients || o.HHI[ByID].Interval.Level != 0 || o.HHI[ByAddress].Interval.Level == 0 {
			t.Fatalf("over clients: %+v", o)
		}
	}
	least := 0.95 - 3.5*math.Sqrt(0.95*0.05/seeds)
	if s, m := float64(shares)/seeds, float64(medians)/seeds; s < least || m < least {
		t.Errorf("shares are held in %v, medians in %v", s, m)
	} else {
		t.Logf("shares are held in %v, medians in %v", s, m)
	}
}

// Of equal classes the interval of the largest holds the truth, too.
func TestCensusOfTheLargestHoldsTheTruth(t *testing.T) {
	const seeds = 200
	for _, k := range []int{20, 500, 60_000} {
		r, held, alone := source(t, uint64(75+k)), 0, 0
		for range seeds {
			counts := map[int]int{}
			for range 500 {
				counts[r.IntN(k)]++
			}
			sizes := slices.Collect(maps.Values(counts))
			largest, truth := slices.Max(sizes), 1/float64(k)
			if s := classesThereAre(sizes, 0).ofHits(largest, 500); s.Interval.Lo <= truth && truth <= s.Interval.Hi {
				held++
			}
			if i := ClopperPearson(largest, 500, 0.95); i.Lo <= truth && truth <= i.Hi {
				alone++
			}
		}
		if got := float64(held) / seeds; got < 0.95-3.5*math.Sqrt(0.95*0.05/seeds) {
			t.Errorf("%d classes: held in %v", k, got)
		} else {
			t.Logf("%d classes: held in %v, by itself in %v", k, got, float64(alone)/seeds)
		}
	}
}

// Classes that there are: those seen, when each was seen often; and no more than there
// can be.
func TestClassesThereAre(t *testing.T) {
	for _, c := range []struct {
		counts []int
		most   int
		want   together
	}{
		{nil, 0, 0}, {[]int{5, 0, 9}, 0, 2}, {[]int{1}, 0, 1}, {[]int{1, 1, 1, 2, 7}, 0, 5 + 2}, {slices.Repeat([]int{1}, 100), 256, 256},
	} {
		if got := classesThereAre(c.counts, c.most); got != c.want {
			t.Errorf("%v: %d, want %d", c.counts, got, c.want)
		}
	}
	i := together(20).ofHits(30, 200).Interval
	if want := ClopperPearson(30, 200, 1-0.05/20); i.Lo != want.Lo || i.Hi != want.Hi || i.Level != 0.95 || i.Method != fmt.Sprint("Clopper-Pearson, simultaneous over ", 20, " classes") {
		t.Errorf("%+v", i)
	}
}
