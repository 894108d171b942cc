package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func init() {
	checks = append(checks, check{"idspread", func(seeds int) []row {
		rows := []row{depthRow(seeds, 320), depthRow(seeds, 5120), spreadRow(seeds), complianceRow(seeds)}
		return append(rows, estateRow(max(seeds/10, 20), 20_000, 300), estateRow(max(seeds/80, 5), 100_000, 3000))
	}})
}

// alarmsOf holds p-values to the levels of 5 and 1 %: that they are no more often
// at or below those than they say and, unless they may be fewer, no less often.
func alarmsOf(name string, ps []float64, fewer bool) (figures []figure) {
	for _, level := range []float64{0.05, 0.01} {
		alarms := make([]bool, len(ps))
		for i, p := range ps {
			alarms[i] = p <= level
		}
		f := falseAlarms(alarms, level)
		f.name = name + " " + f.name
		if fewer {
			f.lo = 0
		}
		figures = append(figures, f)
	}
	return figures
}

// depthRow holds the tests over zones to their level at the deepest depth that is
// tested by itself, at 5 IDs a zone.
func depthRow(seeds, n int) row {
	found := overSeeds(fmt.Sprint("ids by depth ", n), seeds, func(r *rand.Rand) [2]float64 {
		points := gathered(r, loners(n)).Points(analysis.OneNodePerAddress)
		depths := points.Depths()
		u := must(points.Uniformity(depths[len(depths)-1]))
		return [2]float64{u.ChiSquare.P, u.G.P}
	})
	chi := alarmsOf("chi-square,", column(found, func(p [2]float64) float64 { return p[0] }), false)
	g := alarmsOf("G,", column(found, func(p [2]float64) float64 { return p[1] }), false)
	return row{"IDs, deepest zones", fmt.Sprintf("%d random IDs, 5 in a zone", n), seeds, append(chi, g...)}
}

// spreadRow holds what stands beside the tests: dispersion, entropies, the median
// gap.
func spreadRow(seeds int) row {
	const n, depth = 1200, 7
	type measured struct {
		dispersion, gap bool    // its interval holds the truth
		score, second   float64 // of the entropy: in standard deviations of chance, and squared
		corrected       float64 // entropy over the truth
	}
	found := overSeeds("ids spread", seeds, func(r *rand.Rand) measured {
		points := gathered(r, loners(n)).Points(analysis.OneNodePerAddress)
		u, g := must(points.Uniformity(depth)), must(points.Gaps())
		z := (u.Entropy - u.NullEntropy) / u.NullEntropySD
		return measured{
			dispersion: u.DispersionInterval.Lo <= 1 && 1 <= u.DispersionInterval.Hi,
			gap:        g.MedianInterval.Lo <= math.Ln2 && math.Ln2 <= g.MedianInterval.Hi,
			score:      z, second: z * z, corrected: u.MillerMadow / depth,
		}
	})
	of := func(name string, f figure) figure { f.name = name + " " + f.name; return f }
	few := 3.5 / math.Sqrt(float64(seeds))
	score, _ := moments(column(found, func(m measured) float64 { return m.score }))
	second, _ := moments(column(found, func(m measured) float64 { return m.second }))
	return row{"IDs, dispersion, entropy and gaps", fmt.Sprintf("%d random IDs, %d bits", n, depth), seeds, []figure{
		of("dispersion's", covers(column(found, func(m measured) bool { return m.dispersion }))),
		of("median gap's", coversAtLeast(column(found, func(m measured) bool { return m.gap }), 0.95)),
		{"entropy off its mean by, in SD", score, few / 3.5, -few, few, true},
		{"its variance over that told", second, math.Sqrt2 * few / 3.5, 0.95 - 1.5*few, 1.05 + 1.5*few, false},
		of("corrected entropy", bias(column(found, func(m measured) float64 { return m.corrected }), 0.001)),
	}}
}

// complianceRow holds the interval of the share of nodes that BEP 42 allows.
func complianceRow(seeds int) row {
	const n, truth = 300, 0.7
	held := overSeeds("ids compliance", seeds, func(r *rand.Rand) bool {
		bound := func(r *rand.Rand, yield func(kad.ID, netip.Addr)) {
			for range n {
				ip, id := publicAddress(r), drawID(r)
				if r.Float64() < truth {
					id = kad.SecureID(ip, id)
				}
				yield(id, ip)
			}
		}
		of := gathered(r, bound).Compliance()[0].Interval
		return of.Lo <= truth && truth <= of.Hi
	})
	return row{"IDs, share that BEP 42 allows", fmt.Sprintf("%d nodes, 70 %% bound", n), seeds, []figure{coversAtLeast(held, 0.95-3.5*math.Sqrt(0.05*0.95/float64(seeds)))}}
}

// estates are n nodes in so many networks of /16, larger and smaller ones, each
// with an address of its own that its ID is bound to.
func estates(n, networks int) population {
	return func(r *rand.Rand, yield func(kad.ID, netip.Addr)) {
		at := make([]uint32, networks)
		for i := range at {
			at[i] = (0x0b00 + r.Uint32N(0x6000)) << 16
		}
		for range n {
			rank := int(float64(networks) * r.Float64() * r.Float64())
			a := at[rank] | r.Uint32N(1<<16)
			ip := netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
			yield(kad.SecureID(ip, drawID(r)), ip)
		}
	}
}

// estateRow holds what is said under BEP 42 to its level where addresses crowd in a
// few networks, and nobody attacks.
func estateRow(seeds, n, networks int) row {
	found := overSeeds(fmt.Sprint("ids of estates ", n), seeds, func(r *rand.Rand) idPs {
		s := gathered(r, estates(n, networks))
		points := s.Points(analysis.BoundByAddress)
		depths := points.Depths()
		u := must(points.Uniformity(depths[len(depths)-1]))
		return idPs{
			chi: u.ChiSquare.P, g: u.G.P, whole: must(points.Kolmogorov()).P, gaps: must(points.Gaps()).Moran.P,
			zone: len(must(s.Zones(analysis.BoundByAddress, 0.05)).Zones) > 0,
		}
	})
	figures := alarmsOf("chi-square,", column(found, func(f idPs) float64 { return f.chi }), true)
	figures = append(figures, alarmsOf("G,", column(found, func(f idPs) float64 { return f.g }), true)...)
	figures = append(figures, alarmsOf("Kolmogorov-Smirnov,", column(found, func(f idPs) float64 { return f.whole }), true)...)
	figures = append(figures, alarmsOf("gaps,", column(found, func(f idPs) float64 { return f.gaps }), true)...)
	zones := rate("samples with a false zone", column(found, func(f idPs) bool { return f.zone }))
	zones.hi = 0.05
	return row{"IDs by BEP 42, few networks", fmt.Sprintf("%d bound nodes in %d networks of /16", n, networks), seeds, append(figures, zones)}
}
