package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func init() {
	checks = append(checks,
		check{"shares", shareRows}, check{"quantiles", quantileRows}, check{"runs", runRows},
		check{"concentration", concentrationRows}, check{"queries", queryRows},
		check{"crowds", crowdRows}, check{"picked", pickedRows})
}

// holds reports whether an interval holds the truth. One that there is not holds
// nothing.
func holds(i analysis.Interval, truth float64) bool {
	return i.Level > 0 && i.Lo <= truth && truth <= i.Hi
}

// against is what one seed gives: a number over the truth, and whether its interval
// holds that.
func against(n analysis.Number, truth float64) estimate {
	return estimate{n.Value / truth, holds(n.Interval, truth)}
}

// drawHits draws how many of n are so, each with the chance p: from gaps between
// them, which are few where p is small.
func drawHits(r *rand.Rand, n int, p float64) (hits int) {
	if p > 0.5 {
		return n - drawHits(r, n, 1-p)
	}
	for at := 0; ; hits++ {
		at += 1 + int(math.Log(1-r.Float64())/math.Log1p(-p))
		if at > n || at < 0 {
			return hits
		}
	}
}

// shareRows hold Clopper-Pearson intervals, from a few nodes to many.
func shareRows(seeds int) (rows []row) {
	for _, c := range []struct {
		n int
		p float64
	}{{1, 0.5}, {10, 0.1}, {100, 0.01}, {100, 0.5}, {1000, 0.9}, {10_000, 0.001}, {1_000_000, 0.0001}} {
		name := fmt.Sprintf("%s nodes, %.6g %% of them", count(c.n), 100*c.p)
		held := overSeeds("share "+name, seeds, func(r *rand.Rand) bool {
			return holds(analysis.ClopperPearson(drawHits(r, c.n, c.p), c.n, 0.95), c.p)
		})
		rows = append(rows, row{"share, Clopper-Pearson", name, seeds, []figure{coversAtLeast(held, 0.93)}})
	}
	return append(rows, ratioRow(seeds))
}

// ratioRow holds the share of queries that were answered, where each node answers with
// a chance of its own.
func ratioRow(seeds int) row {
	const nodes, truth = 300, 0.6
	found := overSeeds("ratio", seeds, func(r *rand.Rand) estimate {
		var ratio analysis.Ratio
		for range nodes {
			chance := []float64{0.95, 0.25}[r.IntN(2)] // 0.6 on average
			sent := 1 + r.IntN(30)
			ratio.Add(float64(drawHits(r, sent, chance)), float64(sent), 1)
		}
		return against(ratio.Share(0.95).Number, truth)
	})
	return row{"share of queries, ratio of sums", "300 nodes that answer 95 % or 25 % of theirs", seeds,
		[]figure{bias(ratios(found), 0.01), coversAtLeast(held(found), 0.93)}}
}

// count writes a number as people do.
func count(n int) string {
	if n >= 1e6 {
		return fmt.Sprintf("%d M", n/1e6)
	}
	return fmt.Sprint(n)
}

// normalQuantiles are those of the standard normal distribution that are looked at.
var normalQuantiles = map[float64]float64{0.5: 0, 0.9: 1.2815515655446004, 0.99: 2.3263478740408408}

// quantileRows hold intervals of quantiles of round trips, of which the logarithm is
// normal: of the values themselves, and as a census tells them, which keeps three
// digits.
func quantileRows(seeds int) (rows []row) {
	add := func(setting string, found []map[float64]bool) {
		for _, p := range []float64{0.5, 0.9, 0.99} {
			held := column(found, func(m map[float64]bool) bool { return m[p] })
			rows = append(rows, row{fmt.Sprintf("quantile %.6g %%, order statistics", 100*p), setting, len(held), []figure{coversAtLeast(held, 0.93)}})
		}
	}
	for _, n := range []int{20, 2000} {
		name := fmt.Sprintf("%d round trips, log-normal", n)
		add(name, overSeeds(name, seeds, func(r *rand.Rand) map[float64]bool { return heldRanks(drawTrips(r, n)) }))
	}
	const name = "200 round trips, log-normal, as a census tells them"
	add(name, overSeeds(name, max(seeds/4, 20), func(r *rand.Rand) map[float64]bool { return heldQuantiles(drawTrips(r, 200)) }))
	return rows
}

// drawTrips draws round trips, whose median is 100 ms.
func drawTrips(r *rand.Rand, n int) []time.Duration {
	trips := make([]time.Duration, n)
	for i := range trips {
		trips[i] = time.Duration(1e8 * math.Exp(0.8*r.NormFloat64()))
	}
	return trips
}

// heldRanks says which intervals hold the truth, of values in their order.
func heldRanks(trips []time.Duration) map[float64]bool {
	slices.Sort(trips)
	held := map[float64]bool{}
	for p, z := range normalQuantiles {
		truth := time.Duration(1e8 * math.Exp(0.8*z))
		_, lo, hi := analysis.QuantileRanks(p, len(trips), 0.95)
		held[p] = (lo == 0 || trips[lo-1] <= truth) && (hi > len(trips) || truth <= trips[hi-1])
	}
	return held
}

// heldQuantiles says which intervals of a census hold the truth.
func heldQuantiles(trips []time.Duration) map[float64]bool {
	nodes := nodes(len(trips), func(i int, c *analysis.Contact) { c.RTT = trips[i] })
	c := must(analysis.TakeCensus(nodes, nil, analysis.CensusOptions{}))
	held := map[float64]bool{}
	for _, q := range c.RTT.Quantiles {
		if z, ok := normalQuantiles[q.P]; ok {
			held[q.P] = holds(q.At[analysis.ByID].Interval, 1e5*math.Exp(0.8*z))
		}
	}
	return held
}

// nodes yields contacts that answered, each of another ID and address.
func nodes(n int, tell func(i int, c *analysis.Contact)) func(func(*analysis.Contact, error) bool) {
	return func(yield func(*analysis.Contact, error) bool) {
		for i := range n {
			four := [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}
			c := analysis.Contact{
				ID: kad.ID{byte(i >> 16), byte(i >> 8), byte(i)}, Addr: netip.AddrPortFrom(netip.AddrFrom4(four), 6881), Replies: 1,
			}
			if tell(i, &c); !yield(&c, nil) {
				return
			}
		}
	}
}

// runRows hold means over runs: of numbers that are normal, for which the interval is
// exact, and of shares that runs have.
func runRows(seeds int) (rows []row) {
	for _, n := range []int{2, 3, 10} {
		found := overSeeds(fmt.Sprint("runs ", n), seeds, func(r *rand.Rand) estimate {
			values := make([]float64, n)
			for i := range values {
				values[i] = 1e6 + 3e4*r.NormFloat64()
			}
			return against(analysis.Mean(values, 0.95), 1e6)
		})
		rows = append(rows, row{"mean of runs, Student's t", fmt.Sprintf("%d runs, each 1 M ± 3 %% contacts", n), seeds,
			[]figure{bias(ratios(found), 0.005), covers(held(found))}})
	}
	const runs, truth = 5, 0.3
	found := overSeeds("runs share", seeds, func(r *rand.Rand) estimate {
		values := make([]float64, runs)
		for i := range values {
			values[i] = float64(drawHits(r, 2000, truth)) / 2000
		}
		return against(analysis.Mean(values, 0.95), truth)
	})
	return append(rows, row{"mean of runs, Student's t", "5 runs, share of 30 % of 2000 contacts each", seeds,
		[]figure{bias(ratios(found), 0.005), coversAtLeast(held(found), 0.93)}})
}

// entities are sizes that are known, of which counts are drawn.
type entities struct{ shares, below []float64 }

// zipfian has k entities, the i-th of a size like i^-s.
func zipfian(k int, s float64) entities {
	e, total := entities{make([]float64, k), make([]float64, k)}, 0.0
	for i := range k {
		e.shares[i] = math.Pow(float64(i+1), -s)
		total += e.shares[i]
	}
	sum := 0.0
	for i := range k {
		e.shares[i] /= total
		sum += e.shares[i]
		e.below[i] = sum
	}
	return e
}

func (e entities) draw(r *rand.Rand, n int) []int {
	counts := make([]int, len(e.shares))
	for range n {
		i, _ := slices.BinarySearch(e.below, r.Float64())
		counts[min(i, len(counts)-1)]++
	}
	return counts
}

func (e entities) hhi() (h float64) {
	for _, p := range e.shares {
		h += p * p
	}
	return h
}

// gini is the coefficient of the sizes, which fall.
func (e entities) gini() (g float64) {
	k := float64(len(e.shares))
	for i, p := range e.shares {
		g += 2 * (k - float64(i)) * p / k
	}
	return g - (k+1)/k
}

// stepped has entities of a few sizes only: equal ones of each.
func stepped(each int, sizes ...float64) (e entities) {
	total, sum := 0.0, 0.0
	for _, size := range sizes {
		total += size * float64(each)
	}
	for i := range each * len(sizes) {
		e.shares = append(e.shares, sizes[i/each]/total)
		sum += e.shares[i]
		e.below = append(e.below, sum)
	}
	return e
}

// concentrationRows hold Gini coefficients and Herfindahl-Hirschman indexes. The
// coefficient is too high by what chance adds, which its interval takes in.
func concentrationRows(seeds int) (rows []row) {
	for _, c := range []struct {
		entities
		n    int
		high float64 // how much too high chance may make the coefficient
		name string
	}{
		{zipfian(5, 1), 300, 0.02, "300 nodes in 5 networks, the i-th like i^-1"},
		{zipfian(40, 1), 3000, 0.02, "3000 nodes in 40 networks, the i-th like i^-1"},
		{zipfian(300, 0.7), 30_000, 0.02, "30000 nodes in 300 networks, the i-th like i^-0.7"},
		{stepped(10, 4, 2, 1), 3000, 0.1, "3000 nodes in 30 networks, ten each of sizes like 4, 2, 1"},
		{stepped(100, 9, 3, 1), 5000, 0.1, "5000 nodes in 300 networks, a hundred each of sizes like 9, 3, 1"},
	} {
		found := overSeeds("concentration "+c.name, seeds, func(r *rand.Rand) [2]estimate {
			counts := c.draw(r, c.n)
			return [2]estimate{against(analysis.HHI(counts, 0.95), c.hhi()), against(analysis.Gini(counts, 0.95), c.gini())}
		})
		for i, what := range []string{"HHI, unbiased", "Gini, by ranks"} {
			one := column(found, func(f [2]estimate) estimate { return f[i] })
			rows = append(rows, row{what, c.name, seeds, []figure{bias(ratios(one), []float64{0.01, c.high}[i]), coversAtLeast(held(one), 0.93)}})
		}
	}
	return append(rows, equalRow(seeds), singlesRow(seeds))
}

// equalRow shows that of networks of one size there is no interval of the Gini
// coefficient, as chance alone makes it.
func equalRow(seeds int) row {
	found := overSeeds("equal networks", seeds, func(r *rand.Rand) bool {
		return analysis.Gini(zipfian(100, 0).draw(r, 5000), 0.95).Interval.Level == 0
	})
	return row{"Gini, by ranks", "5000 nodes in 100 networks of one size, where it is 0", seeds, []figure{finds("that chance made it", found, 0.9)}}
}

// singlesRow holds the index where hardly two are of one entity, and one entity has
// nearly all of the index.
func singlesRow(seeds int) row {
	const n, largest = 200, 0.012
	found := overSeeds("singles", seeds, func(r *rand.Rand) bool {
		counts := []int{drawHits(r, n, largest)}
		for range n - counts[0] {
			counts = append(counts, 1)
		}
		return holds(analysis.HHI(counts, 0.95).Interval, largest*largest)
	})
	return row{"HHI, unbiased", "200 nodes, each in a network of its own but for 1.2 % of them", seeds, []figure{coversAtLeast(found, 0.93)}}
}
