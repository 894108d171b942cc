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

// sizes draw how many one address has.
type sizes struct {
	name string
	draw func(*rand.Rand) int
}

var (
	light = sizes{"1 to 8", func(r *rand.Rand) int { return 1 + r.IntN(8) }}
	heavy = sizes{"1 to 10,000, in a heavy tail", func(r *rand.Rand) int {
		return int(math.Min(1e4, math.Pow(1-r.Float64(), -1/1.2)))
	}}
	few = sizes{"1, or of 3 % of them up to 60", func(r *rand.Rand) int {
		if r.Float64() < 0.03 {
			return 1 + r.IntN(60)
		}
		return 1
	}}
)

// crowdRows hold shares of what comes in clusters, of which each is all of a class or
// not at all: there the interval is close to exact, where the class is not rare and
// no few clusters have most. Where clusters are mixed it is wider than need be.
func crowdRows(seeds int) (rows []row) {
	for _, c := range []struct {
		clusters int
		truth    float64
		of       sizes
		lo, hi   float64
	}{
		{3000, 0.3, few, 0.94, 0.97}, {3000, 0.01, few, 0.94, 1}, {300, 0.4, light, 0.94, 0.97},
		{200, 0.02, light, 0.94, 0.997}, {1000, 0.01, heavy, 0.94, 1}, {30, 0.3, heavy, 0.94, 1},
	} {
		name := fmt.Sprintf("%d addresses with %s, %.6g %% of them of a class", c.clusters, c.of.name, 100*c.truth)
		seeds := max(seeds*500/(500+c.clusters), 20)
		held := overSeeds("crowds "+name, seeds, func(r *rand.Rand) bool {
			return holds(analysis.ClusteredShare(func(yield func(int, int) bool) {
				for range c.clusters {
					whole, part := c.of.draw(r), 0
					if r.Float64() < c.truth {
						part = whole
					}
					if !yield(part, whole) {
						return
					}
				}
			}, 0.95).Interval, c.truth)
		})
		rows = append(rows, row{"share of clusters, effective number", name, seeds, []figure{coversAbout(held, c.lo, c.hi)}})
	}
	return append(rows, censusRows(max(seeds/12, 20))...)
}

// censusRows hold a census by ID where some addresses have many.
func censusRows(seeds int) (rows []row) {
	const addresses, truth = 1000, 0.3
	held := overSeeds("census of crowds", seeds, func(r *rand.Rand) (held [2]bool) {
		c := must(analysis.TakeCensus(crowded(r, addresses, truth), nil, analysis.CensusOptions{}))
		for _, state := range c.Section(analysis.States).Classes {
			held[0] = held[0] || state.Name == "good" && holds(state.Shares[analysis.ByID].Interval, truth)
		}
		for _, q := range c.RTT.Quantiles {
			held[1] = held[1] || q.P == 0.5 && holds(q.At[analysis.ByID].Interval, 1e5)
		}
		return held
	})
	name := fmt.Sprintf("%d addresses with %s, each of one kind", addresses, few.name)
	for i, what := range []string{"census by ID, a share of 30 %", "census by ID, median of round trips"} {
		one := column(held, func(h [2]bool) bool { return h[i] })
		rows = append(rows, row{what, name, seeds, []figure{coversAbout(one, 0.93, 0.99)}})
	}
	return rows
}

// crowded yields contacts at addresses of which some have many IDs, all alike.
func crowded(r *rand.Rand, addresses int, truth float64) func(func(*analysis.Contact, error) bool) {
	return func(yield func(*analysis.Contact, error) bool) {
		for i := range addresses {
			state, trip := "bad", drawTrips(r, 1)[0]
			if r.Float64() < truth {
				state = "good"
			}
			for port := range few.draw(r) {
				addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(1024+port))
				c := analysis.Contact{ID: randomID(r), Addr: addr, Replies: 1, State: state, RTT: max(trip, time.Microsecond)}
				if !yield(&c, nil) {
					return
				}
			}
		}
	}
}

// pickedRows hold the interval of the largest of equal classes, which was picked by
// that, of a census by address and of queries by client.
func pickedRows(seeds int) (rows []row) {
	seeds = max(seeds/8, 20)
	for _, c := range []struct {
		classes, n int
		hi         float64
	}{{20, 2000, 0.993}, {200, 2000, 0.995}, {5000, 2000, 1}, {5000, 200, 1}} {
		name := fmt.Sprintf("%d addresses in %d countries of one size", c.n, c.classes)
		held := overSeeds("picked "+name, seeds, func(r *rand.Rand) bool {
			census := must(analysis.TakeCensus(nodes(c.n, func(i int, one *analysis.Contact) {
				one.Country = fmt.Sprint(r.IntN(c.classes))
			}), nil, analysis.CensusOptions{Top: 1}))
			largest := census.Section(analysis.Countries).Classes[0]
			return holds(largest.Shares[analysis.ByAddress].Interval, 1/float64(c.classes))
		})
		rows = append(rows, row{"share of the largest, simultaneous", name, seeds, []figure{coversAbout(held, 0.94, c.hi)}})
	}
	return append(rows, pickedRow(seeds), boundedRow(seeds))
}

// boundedRow holds means over a few runs that differ much, which have no end where no
// number can be, and those of the Nakamoto coefficient none at all.
func boundedRow(seeds int) row {
	const runs, mean = 3, 40
	held := overSeeds("runs in a census", seeds, func(r *rand.Rand) bool {
		byRun := func(yield func(*analysis.Contact, error) bool) {
			for run := range runs {
				for c := range nodes(max(1, int(mean+0.5+15*r.NormFloat64())), func(i int, c *analysis.Contact) {
					c.Run, c.Country = fmt.Sprint(run), fmt.Sprint(i%5)
				}) {
					if !yield(c, nil) {
						return
					}
				}
			}
		}
		census := must(analysis.TakeCensus(nodes(100, func(_ int, c *analysis.Contact) { c.Country = "DE" }), byRun, analysis.CensusOptions{}))
		n := census.Totals[analysis.PerRun]
		none := census.Over[0].Nakamoto[analysis.PerRun].Interval.Level == 0
		return none && n.Interval.Lo >= 0 && holds(n.Interval, mean)
	})
	return row{"mean of runs in a census", "3 runs, 40 ± 15 contacts each", seeds, []figure{coversAbout(held, 0.91, 0.97)}}
}

// pickedRow is the same of clients of queries, whose senders send unlike many.
func pickedRow(seeds int) row {
	const classes, senders = 50, 400
	held := overSeeds("picked clients", seeds, func(r *rand.Rand) bool {
		t := must(analysis.CountQueries(func(yield func(*analysis.Query, error) bool) {
			for i := range senders {
				client := fmt.Sprint(r.IntN(classes))
				addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881)
				for range light.draw(r) {
					if !yield(&analysis.Query{Node: kad.NodeInfo{Addr: addr}, Method: "ping", Client: client}, nil) {
						return
					}
				}
			}
		}, 1))
		i := slices.IndexFunc(t.Clients.Classes, func(c analysis.QueryClass) bool { return c.Name != analysis.Other })
		return holds(t.Clients.Classes[i].Queries.Interval, 1.0/classes)
	})
	return row{"queries of the largest client, simultaneous", "400 addresses that send 1 to 8, 50 clients of one size", seeds,
		[]figure{coversAtLeast(held, 0.94)}}
}
