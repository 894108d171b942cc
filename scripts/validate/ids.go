package main

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

func init() { checks = append(checks, check{"ids", idRows}) }

// idRows hold the tests of IDs against networks without an attack, and the search
// for crowded zones against attacks that are known.
func idRows(seeds int) []row {
	rows := append(cleanIDRows(seeds, analysis.OneNodePerAddress), cleanIDRows(seeds, analysis.BoundByAddress)...)
	return append(rows, attackRows(seeds)...)
}

// population is some of the nodes of a network: it draws them.
type population func(r *rand.Rand, yield func(kad.ID, netip.Addr))

// gathered returns the sample of the nodes of all populations.
func gathered(r *rand.Rand, all ...population) *analysis.IDSample {
	contacts := iter.Seq2[*analysis.Contact, error](func(yield func(*analysis.Contact, error) bool) {
		for _, c := range all {
			c(r, func(id kad.ID, ip netip.Addr) {
				yield(&analysis.Contact{ID: id, Addr: netip.AddrPortFrom(ip, 6881), Replies: 1, Secure: kad.IsSecureID(id, ip)}, nil)
			})
		}
	})
	return must(analysis.GatherIDs(contacts, analysis.IDOptions{}))
}

// publicAddress draws an IPv4 address that is none of a private network.
func publicAddress(r *rand.Rand) netip.Addr {
	n := 0x0b000000 + r.Uint32N(0x60000000)
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// loners are n nodes at addresses of their own: every other one has an ID that
// is bound to it.
func loners(n int) population {
	return func(r *rand.Rand, yield func(kad.ID, netip.Addr)) {
		for i := range n {
			ip, id := publicAddress(r), drawID(r)
			if i%2 == 0 {
				id = kad.SecureID(ip, id)
			}
			yield(id, ip)
		}
	}
}

// households are n addresses of 1 to most nodes each, whose IDs are bound to them.
func households(n, most int) population {
	return func(r *rand.Rand, yield func(kad.ID, netip.Addr)) {
		for range n {
			ip := publicAddress(r)
			for range 1 + r.IntN(most) {
				yield(kad.SecureID(ip, drawID(r)), ip)
			}
		}
	}
}

// vpn is one address of n nodes, whose IDs are bound to it.
func vpn(n int) population {
	return func(r *rand.Rand, yield func(kad.ID, netip.Addr)) {
		ip := publicAddress(r)
		for range n {
			yield(kad.SecureID(ip, drawID(r)), ip)
		}
	}
}

// sybils are n nodes in one zone of so many bits, all of one address or each of
// its own. Where is set to the zone.
func sybils(n, bits int, oneAddress bool, where *kad.Prefix) population {
	return func(r *rand.Rand, yield func(kad.ID, netip.Addr)) {
		zone, ip := drawID(r).Prefix(bits), publicAddress(r)
		*where = zone
		for range n {
			if !oneAddress {
				ip = publicAddress(r)
			}
			yield(zone.Fill(drawID(r)), ip)
		}
	}
}

// idPs are p-values of one sample, and whether a zone was found in it.
type idPs struct {
	chi, g, whole, gaps float64
	zone                bool
}

// cleanIDRows hold the tests to their level in networks without an attack.
func cleanIDRows(seeds int, null analysis.Null) []row {
	const n, depth = 1200, 7
	who, setting := []population{loners(n)}, fmt.Sprintf("%d random IDs", n)
	if null == analysis.BoundByAddress {
		who, setting = []population{loners(n / 2), households(n/3, 3)}, fmt.Sprintf("%d addresses, some of 2 or 3 bound IDs", n/2+n/3)
	}
	found := overSeeds("ids "+null.String(), seeds, func(r *rand.Rand) idPs {
		s := gathered(r, who...)
		points := s.Points(null)
		u := must(points.Uniformity(depth))
		return idPs{
			chi: u.ChiSquare.P, g: u.G.P, whole: must(points.Kolmogorov()).P, gaps: must(points.Gaps()).Moran.P,
			zone: len(must(s.Zones(null, 0.05)).Zones) > 0,
		}
	})
	test := func(name string, p func(idPs) float64) row {
		alarms := func(level float64) figure {
			f := falseAlarms(column(found, func(f idPs) bool { return p(f) <= level }), level)
			if null == analysis.BoundByAddress {
				f.lo = 0 // the 8 prefixes of an address are more even than chance
			}
			return f
		}
		return row{"IDs, " + name + ", " + null.String(), setting, seeds, []figure{alarms(0.05), alarms(0.01)}}
	}
	zones := rate("samples with a false zone", column(found, func(f idPs) bool { return f.zone }))
	zones.hi = 0.05
	return []row{
		test("chi-square", func(f idPs) float64 { return f.chi }),
		test("G", func(f idPs) float64 { return f.g }),
		test("Kolmogorov-Smirnov", func(f idPs) float64 { return f.whole }),
		test("gaps (Moran)", func(f idPs) float64 { return f.gaps }),
		{"IDs, crowded zones, " + null.String(), setting, seeds, []figure{zones}},
	}
}

// idAttack is a crowd among honest nodes, and how often its zone is to be found
// under each null hypothesis; 0 says that it is to be found in 5 % at most.
type idAttack struct {
	name         string
	honest       int
	crowd        func(where *kad.Prefix) population
	plain, cells float64
	shareOfSeeds int // one in so many seeds is enough
}

// attackRows hold the search for zones to attacks.
func attackRows(seeds int) (rows []row) {
	for _, a := range []idAttack{
		{"VPN of 5,000 bound IDs", 100_000, func(*kad.Prefix) population { return vpn(5000) }, 1, 0, 80},
		{"200 sybils in 14 bits", 100_000, func(z *kad.Prefix) population { return sybils(200, 14, false, z) }, 1, 1, 80},
		{"64 sybils of one address in 30 bits", 100_000, func(z *kad.Prefix) population { return sybils(64, 30, true, z) }, 1, 1, 80},
		{"8 sybils in 24 bits", 200_000, func(z *kad.Prefix) population { return sybils(8, 24, false, z) }, 0.95, 0.9, 80},
		{"8 sybils in 22 bits", 200_000, func(z *kad.Prefix) population { return sybils(8, 22, false, z) }, 0.9, 0.85, 80},
		{"300 not allowed of one address in 21 bits", 20_000, func(z *kad.Prefix) population { return sybils(300, 21, true, z) }, 1, 1, 80},
		{"40 sybils in 9 bits", 2_000, func(z *kad.Prefix) population { return sybils(40, 9, false, z) }, 0.9, 0.9, 4},
	} {
		rows = append(rows, a.row(max(seeds/a.shareOfSeeds, 1)))
	}
	return rows
}

func (a idAttack) row(seeds int) row {
	found := overSeeds(a.name, seeds, func(r *rand.Rand) [2]bool {
		var where kad.Prefix
		s := gathered(r, loners(a.honest), a.crowd(&where))
		var hit [2]bool
		for i, null := range analysis.Nulls {
			for _, z := range must(s.Zones(null, 0.05)).Zones {
				hit[i] = hit[i] || where == kad.Prefix{} || overlaps(z, where)
			}
		}
		return hit
	})
	held := func(null int, least float64) figure {
		hits := column(found, func(hit [2]bool) bool { return hit[null] })
		if least > 0 {
			return finds("by "+analysis.Null(null).String(), hits, least)
		}
		f := finds("by "+analysis.Null(null).String(), hits, math.Inf(-1))
		f.hi = 0.05
		return f
	}
	return row{"IDs, crowded zones", fmt.Sprintf("%s among %d", a.name, a.honest), seeds, []figure{held(0, a.plain), held(1, a.cells)}}
}

// overlaps reports whether a zone has to do with a prefix.
func overlaps(z analysis.Zone, p kad.Prefix) bool {
	return z.First.First().Compare(p.Last()) <= 0 && z.Last.Last().Compare(p.First()) >= 0
}
