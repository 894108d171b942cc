package analysis

import (
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

var huge = flag.Bool("huge", false, "benchmark with 10 M contacts besides")

// sizes are the numbers of contacts that benchmarks have.
func sizes() []int {
	if *huge {
		return []int{1e6, 1e7}
	}
	return []int{1e6}
}

// drawn makes contacts of a network as it might be: sorted by ID, as a store has them,
// or not. Half of them answered.
func drawn(n int, sorted bool) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		c := &Contact{}
		for i := range n {
			*c = Contact{}
			drawContact(r, c)
			if sorted {
				x := uint64(i) * (^uint64(0) / uint64(n))
				for j := range 8 {
					c.ID[j] = byte(x >> (56 - 8*j))
				}
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

var (
	someVersions  = []string{`LT\x01\x02`, `LT\x02\x00`, `UT\xb4\x11`, `TR\x00\x01`, ""}
	someClients   = []string{"LT", "LT", "UT", "TR", ""}
	someCountries = []string{"DE", "FR", "US", "RU", "CN", "BR", ""}
	someBEPs      = []string{"", "32", "42", "32 42", "32 33 42 51"}
	someStates    = []string{"good", "questionable", "bad"}
)

// drawContact draws a contact that is like no other.
func drawContact(r *rand.Rand, c *Contact) {
	c.ID = randomID(r)
	x := r.Uint64()
	ip := [4]byte{byte(20 + x%80), byte(x >> 8), byte(x >> 16), byte(x >> 24)}
	c.Addr = netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(1024+x>>40))
	if x>>60 == 0 {
		six := [16]byte{0: 0x20, 1: 1, 2: byte(x), 3: byte(x >> 8), 15: byte(x >> 16), 14: byte(x >> 24), 13: byte(x >> 32)}
		c.Addr = netip.AddrPortFrom(netip.AddrFrom16(six), 6881)
	}
	v := x >> 32 % uint64(len(someVersions))
	c.Client, c.Version = someClients[v], someVersions[v]
	c.State, c.BEPs = someStates[x>>20%3], someBEPs[x>>24%5]
	c.Country, c.ASN = someCountries[x>>28%7], uint32(x>>12%20_000)
	c.Failures = uint32(x >> 50 % 5)
	if x>>40&1 == 0 {
		c.Replies, c.RTT = uint32(1+x>>44%9), time.Duration(x>>30%400_000)*time.Microsecond
	}
}

// BenchmarkCensus counts, sorted as a store gives them and as a file may, and says
// how much memory it took from the system at the most.
func BenchmarkCensus(b *testing.B) {
	for _, n := range sizes() {
		for _, sorted := range []bool{true, false} {
			b.Run(fmt.Sprintf("sorted=%v/%d", sorted, n), func(b *testing.B) {
				for b.Loop() {
					c, err := TakeCensus(drawn(n, sorted), drawn(n, sorted), CensusOptions{})
					if err != nil || c.Contacts != n {
						b.Fatal(c, err)
					}
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "contacts/s")
				b.ReportMetric(float64(m.Sys)/1e6, "MB")
			})
		}
	}
}
