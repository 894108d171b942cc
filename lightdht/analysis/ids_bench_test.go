package analysis

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// drawIDs yields n contacts one after the other, in random order of IDs: nine in
// ten of IPv4, a third of those bound to their address, each with four in five
// chances of an address of its own.
func drawIDs(n int) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		r := rand.New(rand.NewPCG(uint64(n), 0))
		var ip netip.Addr
		for i := range n {
			if i%5 != 4 {
				ip = v4Addr(0x0b000000 + r.Uint32N(0x60000000))
				if i%10 == 0 {
					ip = v6Addr(0x2001_0000_0000_0000|r.Uint64N(1<<44)<<8, r.Uint64())
				}
			}
			id := randomID(r)
			if i%3 == 0 {
				id = kad.SecureID(ip, id)
			}
			c := Contact{ID: id, Addr: netip.AddrPortFrom(ip, 6881), Client: "LT", Replies: 1, Secure: i%3 == 0}
			if !yield(&c, nil) {
				return
			}
		}
	}
}

func BenchmarkIDs(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				everything(b, n)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/1e6, "MB-sys")
		})
	}
}

// everything is all statistics of IDs, with the time that each takes.
func everything(b *testing.B, n int) {
	s := stage(b, "gather", func() (*IDSample, error) { return GatherIDs(drawIDs(n), IDOptions{}) })
	for _, null := range Nulls {
		points := stage(b, "points", func() (IDPoints, error) { return s.Points(null), nil })
		for _, depth := range points.Depths() {
			stage(b, "uniformity", func() (Uniformity, error) { return points.Uniformity(depth) })
		}
		stage(b, "kolmogorov", points.Kolmogorov)
		stage(b, "gaps", points.Gaps)
		scan := stage(b, "zones", func() (Scan, error) { return s.Zones(null, 0.05) })
		if null == BoundByAddress && len(scan.Zones) > 0 {
			b.Logf("zones among honest nodes: %+v", scan.Zones)
		}
	}
	stage(b, "bep42", func() ([]Compliance, error) { return s.Compliance(), nil })
	stage(b, "multiplicity", func() ([]Multiplicity, error) { return s.Multiplicities(), nil })
}

func stage[T any](b *testing.B, name string, f func() (T, error)) T {
	begin := b.Elapsed()
	v, err := f()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric((b.Elapsed() - begin).Seconds(), name+"-s")
	return v
}
