package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// queryRows hold the exponent of popularity, and shares of queries whose senders are
// not alike.
func queryRows(seeds int) (rows []row) {
	for _, c := range []struct {
		n     int
		truth float64
	}{{30, 2.5}, {300, 2}, {3000, 2.2}} {
		share := seeds
		if c.n > 1000 {
			share = max(seeds/8, 20)
		}
		name := fmt.Sprintf("%d infohashes, exponent %g", c.n, c.truth)
		found := overSeeds(name, share, func(r *rand.Rand) estimate {
			counts := make([]int, c.n)
			for i := range counts {
				counts[i] = drawPower(r, c.truth)
			}
			return against(analysis.PowerLaw(counts, 0.95), c.truth)
		})
		figures := []figure{coversAtLeast(held(found), 0.93)}
		if c.n > 100 { // of a few it is too steep by some percent, and of those of which all are asked for once there is none
			figures = slices.Insert(figures, 0, bias(ratios(found), 0.01))
		}
		rows = append(rows, row{"popularity, power law by likelihood", name, share, figures})
	}
	return append(rows, senderRow(seeds))
}

// drawPower draws from the power law x^-a by rejection (Devroye, Non-uniform random
// variate generation, 1986, section X.6.1).
func drawPower(r *rand.Rand, a float64) int {
	b := math.Pow(2, a-1)
	for {
		x := math.Floor(math.Pow(1-r.Float64(), -1/(a-1)))
		t := math.Pow(1+1/x, a-1)
		if x < 1<<52 && r.Float64()*x*(t-1)/(b-1) <= t/b {
			return int(x)
		}
	}
}

// senderRow holds the share of queries that a client sent, where some addresses send
// many and some few.
func senderRow(seeds int) row {
	const senders, truth = 200, 0.4
	found := overSeeds("senders", seeds, func(r *rand.Rand) estimate {
		var all []analysis.Query
		for i := range senders {
			client := "UT"
			if r.Float64() < truth {
				client = "LT"
			}
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881)
			for range 1 + int(r.ExpFloat64()*4) {
				all = append(all, analysis.Query{Node: kad.NodeInfo{Addr: addr}, Method: "ping", Client: client})
			}
		}
		t := must(analysis.CountQueries(func(yield func(*analysis.Query, error) bool) {
			for i := range all {
				if !yield(&all[i], nil) {
					return
				}
			}
		}, 0))
		for _, c := range t.Clients.Classes {
			if c.Name == "LT" {
				return against(c.Queries.Number, truth)
			}
		}
		return estimate{}
	})
	return row{"share of queries by client, ratio of sums", "200 addresses that send 1 to some 40, 40 % of them one client", seeds,
		[]figure{bias(ratios(found), 0.01), coversAtLeast(held(found), 0.93)}}
}
