package analysis

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func asked(queries []Query) iter.Seq2[*Query, error] {
	return func(yield func(*Query, error) bool) {
		var q Query
		for i := range queries {
			if q = queries[i]; !yield(&q, nil) {
				return
			}
		}
	}
}

// day is a point in time to count from: the begin of an hour.
var day = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func asker(i byte) kad.NodeInfo {
	return kad.NodeInfo{ID: kad.ID{i}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 6881)}
}

func TestQueriesByHand(t *testing.T) {
	six := kad.NodeInfo{Addr: netip.MustParseAddrPort("[2001:db8::1]:6881")} // tells no ID
	queries := []Query{
		{Time: day, Node: asker(1), Method: "ping", Client: "LT"},
		{Time: day.Add(time.Minute), Node: asker(1), Method: "get_peers", Client: "LT", Target: kad.ID{7}, Infohash: true},
		{Time: day.Add(30 * time.Minute), Node: asker(2), Method: "get_peers", Client: "UT", Target: kad.ID{7}, Infohash: true},
		{Time: day.Add(15 * time.Minute), Node: asker(1), Method: "get_peers", Client: "LT", Target: kad.ID{8}, Infohash: true, ReadOnly: true},
		{Time: day.Add(20 * time.Minute), Node: six, Method: "find_node", Target: kad.ID{9}},
	}
	l, err := CountQueries(asked(queries), 0)
	if err != nil {
		t.Fatal(err)
	}
	if l.Queries != 5 || l.First != day || l.Last != day.Add(30*time.Minute) || l.Rate.Value != 10 || l.Rate.Interval.Level != 0 || l.Anonymous != 1 {
		t.Errorf("%+v", l)
	}
	if l.ByID.Distinct != 2 || l.ByAddress.Distinct != 3 || l.ByAddress.Most != 3 || l.ByAddress.TopTen.Value != 1 || l.ByID.TopTen.Of != 4 {
		t.Errorf("askers: %+v, %+v", l.ByID, l.ByAddress)
	}
	if q := l.ByAddress.Quantiles[0].At; q.Value != 1 || q.Samples != 3 {
		t.Errorf("median: %+v", q)
	}
	var seen []string
	for _, c := range slices.Concat(l.Methods.Classes, l.Clients.Classes, l.Families.Classes) {
		seen = append(seen, fmt.Sprintf("%s %v/%v %v/%v", c.Name, c.Queries.Count, c.Queries.Of, c.Askers.Count, c.Askers.Of))
	}
	if got, want := strings.Join(seen, ", "), "get_peers 3/5 2/3, find_node 1/5 1/3, ping 1/5 1/3, "+
		"LT 3/5 1/3, UT 1/5 1/3, unknown 1/5 1/3, ipv4 4/5 2/3, ipv6 1/5 1/3"; got != want {
		t.Errorf("classes: %s\nwant %s", got, want)
	}
	if l.ReadOnly.Count != 1 || l.ReadOnly.Of != 5 || l.ReadOnly.Samples != 3 {
		t.Errorf("read-only: %+v", l.ReadOnly)
	}
	c := l.Content
	if c.Queries != 3 || c.Distinct != 2 || c.Top[0].Infohash != (kad.ID{7}) || c.Top[0].Queries.Count != 2 || c.TopShare.Count != 2 || !math.IsNaN(c.Exponent.Value) {
		t.Errorf("content: %+v", c)
	}
	if !slices.Equal(c.Ranks, []RankCount{{1, 2}, {2, 1}}) {
		t.Errorf("ranks: %v", c.Ranks)
	}
}

// A query of no known address counts as a query, and as no asker; one of no known time
// in no span of time.
func TestQueriesOfNobody(t *testing.T) {
	queries := []Query{{Time: day, Node: asker(1), Method: "ping", Client: "LT"}, {Method: "ping", Node: kad.NodeInfo{ID: kad.ID{1}}}, {Method: "get_peers"}}
	l, err := CountQueries(asked(queries), 0)
	if err != nil {
		t.Fatal(err)
	}
	if l.Queries != 3 || l.Nowhere != 2 || l.ByAddress.Distinct != 1 || l.ByID.Distinct != 1 || l.First != day || l.Last != day {
		t.Errorf("%+v", l)
	}
	ping := l.Methods.Classes[0]
	if q, a := ping.Queries, ping.Askers; q.Count != 2 || q.Of != 3 || q.Value != 2.0/3 || q.Interval.Level != 0 || a.Count != 1 || a.Of != 1 {
		t.Errorf("ping: %+v", ping)
	}
	if c := l.Methods.Classes[1]; c.Queries.Count != 1 || c.Askers.Count != 0 || c.Askers.Of != 1 {
		t.Errorf("get_peers: %+v", c)
	}
	l, err = CountQueries(asked(queries[1:]), 0)
	if err != nil || !l.First.IsZero() || l.ByAddress.Distinct != 0 || !math.IsNaN(l.Rate.Value) || !math.IsNaN(l.Methods.Classes[0].Askers.Value) || l.Methods.Classes[0].Queries.Value != 0.5 {
		t.Errorf("%+v, %v", l, err)
	}
}

// A clock that was centuries off makes no rate.
func TestQueriesOfTheYear9999(t *testing.T) {
	l, err := CountQueries(asked([]Query{{Time: day, Node: asker(1)}, {Time: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Node: asker(1)}}), 0)
	if err != nil || !math.IsNaN(l.Rate.Value) || l.Last.Year() != 9999 {
		t.Errorf("%+v, %v", l, err)
	}
}

// With none that is read-only, that share is 0 and has an interval.
func TestQueriesWithoutMark(t *testing.T) {
	l, err := CountQueries(asked([]Query{{Time: day, Node: asker(1), Method: "ping"}}), 0)
	if err != nil || l.ReadOnly.Value != 0 || l.ReadOnly.Interval != ClopperPearson(0, 1, 0.95) || !math.IsNaN(l.Rate.Value) {
		t.Errorf("%+v, %v", l, err)
	}
	if !math.IsNaN(l.Content.TopShare.Value) || l.Content.Distinct != 0 || l.Content.Top != nil {
		t.Errorf("content: %+v", l.Content)
	}
}

// The rate is the mean of the whole hours between the first and the last query, those
// without queries among them.
func TestQueriesRate(t *testing.T) {
	var queries []Query
	for i, n := range []int{1, 4, 0, 2, 1} { // the first and the last hour are not whole
		for range n {
			queries = append(queries, Query{Time: day.Add(time.Duration(i)*time.Hour + 10*time.Minute), Node: asker(1)})
		}
	}
	l, err := CountQueries(asked(queries), 0)
	want := Mean([]float64{4, 0, 2}, 0.95).within(0, math.Inf(1))
	want.Interval.Method = "Student's t over hours"
	if err != nil || l.Rate != want {
		t.Errorf("%+v, want %+v, %v", l.Rate, want, err)
	}
}

// The order in which queries come makes no difference, and the classes add up.
func TestQueriesInAnyOrder(t *testing.T) {
	r := source(t, 80)
	queries := make([]Query, 3000)
	for i := range queries {
		queries[i] = Query{
			Time: day.Add(time.Duration(r.IntN(1e6)) * time.Millisecond), Node: asker(byte(r.IntN(40))), Client: someClients[r.IntN(5)],
			Method: []string{"ping", "find_node", "get_peers", "vote", "x", "y"}[r.IntN(6)], Infohash: r.IntN(2) == 0,
		}
		if queries[i].Infohash {
			queries[i].Target = kad.ID{byte(drawPower(r, 2)), byte(drawPower(r, 3))}
		}
	}
	first := ""
	for range 5 {
		l, err := CountQueries(asked(queries), 3)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%+v", *l); first == "" {
			first = text
		} else if text != first {
			t.Fatalf("another order, another count:\n%s\n%s", first, text)
		}
		total := 0.0
		for _, c := range l.Methods.Classes {
			total += c.Queries.Value
		}
		if len(l.Methods.Classes) != 4 || !close(total, 1, 1e-9) || l.Methods.Distinct != 6 {
			t.Errorf("methods: %+v", l.Methods)
		}
		if l.Content.Exponent.Interval.Level != 0.95 {
			t.Errorf("exponent: %+v", l.Content.Exponent)
		}
		r.Shuffle(len(queries), func(i, j int) { queries[i], queries[j] = queries[j], queries[i] })
	}
}

// One who asks a thousand times is one asker: the interval of a share of queries is
// about as wide as that of as many askers, and not of as many queries.
func TestQueriesOfOneAreNotIndependent(t *testing.T) {
	const seeds, truth = 400, 0.5
	r, held := source(t, 81), 0
	for range seeds {
		var queries []Query
		for i := range 60 {
			client := []string{"LT", "UT"}[r.IntN(2)]
			for range 1 + r.IntN(50) {
				queries = append(queries, Query{Time: day, Node: asker(byte(i)), Client: client})
			}
		}
		l, err := CountQueries(asked(queries), 0)
		if err != nil {
			t.Fatal(err)
		}
		if i := l.Clients.Classes[0].Queries.Interval; i.Lo <= truth && truth <= i.Hi {
			held++
		}
	}
	if got := float64(held) / seeds; got < 0.95-3.5*math.Sqrt(0.95*0.05/seeds) {
		t.Errorf("held in %v", got)
	}
}

// Clients are picked by size, so that theirs hold together, and what is left has none;
// families are what they are.
func TestQueriesOfPickedClasses(t *testing.T) {
	var queries []Query
	for i := range 60 {
		for range 1 + i%2 {
			queries = append(queries, Query{Time: day, Node: asker(byte(i)), Method: "ping", Client: fmt.Sprint("c", i%6)})
		}
	}
	l, err := CountQueries(asked(queries), 4)
	if err != nil {
		t.Fatal(err)
	}
	var r Ratio
	r.Add(2, 2, 10)
	r.Add(0, 1, 30)
	r.Add(0, 2, 20)
	want, first := r.Share(1-0.05/6).Interval, l.Clients.Classes[0]
	if i := first.Queries.Interval; i.Lo != want.Lo || i.Hi != want.Hi || i.Level != 0.95 || i.Method != effectiveNumber+", simultaneous over 6 classes" {
		t.Errorf("%s: %+v, want %+v", first.Name, i, want)
	}
	if i := first.Askers.Interval; i != together(6).ofHits(10, 60).Interval {
		t.Errorf("%s by address: %+v", first.Name, i)
	}
	if o := l.Clients.Classes[4]; o.Name != Other || o.Queries.Interval.Level != 0 || o.Askers.Interval.Level != 0 || !close(o.Queries.Value, 2.0/9, 1e-12) {
		t.Errorf("%+v", o)
	}
	if i := l.Families.Classes[0].Askers.Interval; i != ClopperPearson(60, 60, 0.95) {
		t.Errorf("families: %+v", i)
	}
}

// The IDs of one address ask alike: an interval of a quantile by ID holds the truth,
// which is 10, as often as it says.
func TestQueriesOfCrowdedIDs(t *testing.T) {
	const seeds = 200
	r, byID, byAddress := source(t, 82), 0, 0
	for range seeds {
		var queries []Query
		next := 0
		for i := range 200 {
			many := r.IntN(20) // below 10 as often as not
			for range 1 + r.IntN(2)*r.IntN(20) {
				next++
				node := asker(byte(i))
				node.ID = kad.ID{byte(next >> 8), byte(next)}
				for range 1 + many {
					queries = append(queries, Query{Time: day, Node: node})
				}
			}
		}
		l, err := CountQueries(asked(queries), 0)
		if err != nil {
			t.Fatal(err)
		}
		if i := l.ByID.Quantiles[0].At.Interval; i.Lo <= 10 && 10 <= i.Hi {
			byID++
		}
		if i := l.ByAddress.Quantiles[0].At; i.Interval.Method == orderStatistics {
			byAddress++
		}
	}
	if got := float64(byID) / seeds; got < 0.95-3.5*math.Sqrt(0.95*0.05/seeds) || byAddress != seeds {
		t.Errorf("held in %v; by address %d of %d times", got, byAddress, seeds)
	}
}

func TestQueriesRefuse(t *testing.T) {
	if l, err := CountQueries(asked(nil), 0); l != nil || err == nil || err.Error() != "no queries to count" {
		t.Errorf("%v, %v", l, err)
	}
	broken := errors.New("it broke")
	if l, err := CountQueries(func(yield func(*Query, error) bool) { yield(nil, broken) }, 0); l != nil || !errors.Is(err, broken) {
		t.Errorf("%v, %v", l, err)
	}
}

// The ranks of a plot are in order, each once, and end with the last.
func TestRanks(t *testing.T) {
	for _, n := range []int{1, 2, 9, 10, 11, 100, 12345, 1e7} {
		all := ranks(n)
		if all[0] != 1 || all[len(all)-1] != n || len(all) > 300 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Errorf("of %d: %v", n, all)
		}
	}
}

// BenchmarkQueries counts a million queries of a hundred thousand askers.
func BenchmarkQueries(b *testing.B) {
	r := source(b, 1)
	queries := make([]Query, 1e6)
	for i := range queries {
		n := asker(byte(i))
		x := uint32(drawPower(r, 2)) % 100_000
		n.ID = kad.ID{byte(x), byte(x >> 8), byte(x >> 16)}
		n.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(x), byte(x >> 8), byte(x >> 16)}), 6881)
		queries[i] = Query{Time: day, Node: n, Method: "get_peers", Client: "LT", Infohash: true, Target: randomID(r)}
	}
	for b.Loop() {
		if _, err := CountQueries(asked(queries), 10); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(queries))/b.Elapsed().Seconds(), "queries/s")
}
