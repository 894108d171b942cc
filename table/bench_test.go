package table_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

var huge = flag.Bool("huge", false, "benchmark ten million contacts too (takes 1.2 GB)")

// sizes are the numbers of contacts to benchmark at.
func sizes() []int {
	if *huge {
		return []int{1_000, 1_000_000, 10_000_000}
	}
	return []int{1_000, 1_000_000}
}

// each runs a benchmark on both kinds.
func each(b *testing.B, bench func(b *testing.B, kind string)) {
	for _, kind := range []string{"flat", "prefix"} {
		b.Run(kind, func(b *testing.B) { bench(b, kind) })
	}
}

func fixed() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// targets draws what a benchmark asks for: another ID each time, so that what
// lies around it is not in the cache already.
func targets(r *rand.Rand) func() kad.ID {
	return func() kad.ID { return randomID(r) }
}

// near draws targets that share their first bits with center.
func near(r *rand.Rand, center kad.ID, bits int) func() kad.ID {
	zone := center.Prefix(bits)
	return func() kad.ID { return zone.Fill(randomID(r)) }
}

func benchNearest(b *testing.B, tb table.Table, target func() kad.ID, n int, f table.Filter) {
	dst := make([]table.Contact, 0, n)
	b.ReportAllocs()
	for b.Loop() {
		dst = tb.AppendNearest(dst[:0], target(), n, f)
	}
	if len(dst) != n {
		b.Fatalf("%d contacts, want %d", len(dst), n)
	}
}

func BenchmarkAppendNearest(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		for _, size := range sizes() {
			r := fixed()
			tb := newTable(b, kind)
			fill(tb, r, size)
			for _, n := range []int{8, 100} {
				b.Run(fmt.Sprintf("%d/of=%d", n, size), func(b *testing.B) {
					benchNearest(b, tb, targets(r), n, table.Filter{})
				})
			}
		}
	})
}

// The same 1,024 are asked for again and again, so that all comes from the cache.
func BenchmarkAppendNearestAgain(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		for _, size := range sizes() {
			tb := newTable(b, kind)
			number(tb, size)
			var ids [1024]kad.ID
			for i, draw := 0, targets(fixed()); i < len(ids); i++ {
				ids[i] = draw()
			}
			i := 0
			again := func() kad.ID { i++; return ids[i%len(ids)] }
			b.Run(fmt.Sprintf("8/of=%d", size), func(b *testing.B) { benchNearest(b, tb, again, 8, table.Filter{}) })
		}
	})
}

// Nine of ten have failed too often.
func BenchmarkAppendNearestMostBad(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		for _, size := range sizes()[1:] {
			tb := newTable(b, kind)
			number(tb, size)
			for i := range size {
				for range table.BadAfter {
					if i%10 != 0 {
						tb.Observe(table.Sighting{Node: numbered(i), Time: epoch, Event: table.Failed})
					}
				}
			}
			b.Run(fmt.Sprintf("of=%d", size), func(b *testing.B) {
				benchNearest(b, tb, targets(fixed()), 8, table.Good(epoch))
			})
		}
	})
}

// Most of a million answered an hour ago, and all but some not since.
func BenchmarkAppendNearestMostStale(b *testing.B) {
	filters := map[string]table.Filter{"good": table.Good(epoch), "any": {},
		"questionable": {Now: epoch, States: table.StateQuestionable, Answered: true}}
	each(b, func(b *testing.B, kind string) {
		for _, one := range []int{10, 1000} {
			r, tb := fixed(), newTable(b, kind)
			aged(tb, r, 1_000_000, one)
			for name, f := range filters {
				b.Run(fmt.Sprintf("%s/1in%d", name, one), func(b *testing.B) {
					benchNearest(b, tb, targets(r), 8, f)
				})
			}
		}
	})
}

// aged fills a table with n contacts of which one in so many is good at epoch
// and the others are stale, as they are after some while.
func aged(tb table.Table, r *rand.Rand, n, one int) {
	cs := make([]kad.NodeInfo, n)
	for i := range cs {
		cs[i] = kad.NodeInfo{ID: randomID(r), Addr: addr4(i)}
		tb.Observe(replied(cs[i].ID, cs[i].Addr, epoch.Add(-time.Hour)))
	}
	for i := 0; i < n; i += one {
		tb.Observe(replied(cs[i].ID, cs[i].Addr, epoch))
	}
	for range n {
		tb.Observe(table.Sighting{Node: cs[0], Time: epoch, Event: table.Mentioned})
	}
}

// A million that never answered are all nearer than the hundred thousand that did.
func BenchmarkAppendNearestCrowd(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		r, tb := fixed(), newTable(b, kind)
		fill(tb, r, 100_000)
		center := randomID(r)
		for i := range 1_000_000 {
			n := kad.NodeInfo{ID: sharing(r, center, 40), Addr: addr6(i)}
			tb.Observe(table.Sighting{Node: n, Time: epoch, Event: table.Mentioned})
		}
		benchNearest(b, tb, near(r, center, 40), 8, table.Good(epoch))
	})
}

// A hundred thousand IDs share 100 bits.
func BenchmarkAppendNearestShared(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		r, tb := fixed(), newTable(b, kind)
		center := randomID(r)
		for i := range 100_000 {
			tb.Observe(replied(sharing(r, center, 100), addr4(i), epoch))
		}
		benchNearest(b, tb, near(r, center, 100), 8, table.Filter{})
	})
}

func BenchmarkObserve(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		for _, size := range sizes() {
			tb := newTable(b, kind)
			number(tb, size)
			i := 0
			b.Run(fmt.Sprintf("known/of=%d", size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					i = (i + 7919) % size
					tb.Observe(answer(i))
				}
			})
		}
		b.Run("moving/of=1000000", func(b *testing.B) { benchMoving(b, kind) })
		b.Run("new", func(b *testing.B) {
			tb, i := newTable(b, kind), 0
			b.ReportAllocs()
			for b.Loop() {
				tb.Observe(answer(i))
				i++
			}
		})
	})
}

// benchMoving sees a million in turn, of whom nobody was heard of for 17 minutes,
// so that with each one some go stale and one comes back.
func benchMoving(b *testing.B, kind string) {
	const size = 1_000_000
	tb := newTable(b, kind)
	cs := fill(tb, fixed(), size)
	n, later := 0, epoch.Add(17*time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		c := &cs[n*7919%size]
		tb.Observe(replied(c.ID, c.Addr, later.Add(time.Duration(n)*(20*time.Minute/size))))
		n++
	}
}

func BenchmarkAll(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		tb := newTable(b, kind)
		fill(tb, fixed(), 100_000)
		for b.Loop() {
			for range tb.All() {
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/contact")
	})
}

// All of a million move to a table of the other kind.
func BenchmarkRestore(b *testing.B) {
	for from, to := range map[string]string{"flat": "prefix", "prefix": "flat"} {
		b.Run(from+" to "+to, func(b *testing.B) {
			const size = 1_000_000
			tb := newTable(b, from)
			fill(tb, fixed(), size)
			for b.Loop() {
				other := newTable(b, to)
				for c := range tb.All() {
					other.Restore(c)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/contact")
		})
	}
}

// Seven hosts have made up 250 IDs each around the target, so that the eighth
// address lies behind them.
func BenchmarkAppendNearestMadeUp(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		r, tb := fixed(), newTable(b, kind)
		number(tb, 100_000)
		center := randomID(r)
		for i := range 7 * 250 {
			tb.Observe(replied(sharing(r, center, 30), addr6(i%7), epoch))
		}
		benchNearest(b, tb, near(r, center, 30), 8, table.Filter{Distinct: true})
	})
}
