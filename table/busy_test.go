package table_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// numbered returns the i-th contact of an endless list, by computing it: to look
// it up would cost as much as what is measured.
func numbered(i int) kad.NodeInfo {
	var id kad.ID
	for at := 0; at < len(id); at += 4 {
		word := mix(uint64(i)<<8 | uint64(at))
		id[at], id[at+1], id[at+2], id[at+3] = byte(word), byte(word>>8), byte(word>>16), byte(word>>24)
	}
	return kad.NodeInfo{ID: id, Addr: addr4(i)}
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func answer(i int) table.Sighting {
	n := numbered(i)
	return replied(n.ID, n.Addr, epoch)
}

// number adds the first n of the list, which all answered.
func number(tb table.Table, n int) {
	for i := range n {
		tb.Observe(answer(i))
	}
}

func BenchmarkNumbered(b *testing.B) {
	i := 0
	for b.Loop() {
		answer(i)
		i++
	}
}

// crew is goroutines that work on a table until they are dismissed.
type crew struct {
	stop atomic.Bool
	wg   sync.WaitGroup
}

// hire has f called again and again, with 0, 1, 2, …, and counts the calls.
func (c *crew) hire(calls *atomic.Int64, f func(i int)) {
	c.wg.Go(func() {
		i := 0
		for ; !c.stop.Load(); i++ {
			f(i)
		}
		calls.Add(int64(i))
	})
}

func (c *crew) dismiss() {
	c.stop.Store(true)
	c.wg.Wait()
}

// Two writers and two readers are at work. What is reported is the time that
// passed for each sighting, of both writers together, and for each search.
func BenchmarkBusy(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		for _, size := range sizes()[1:] {
			tb := newTable(b, kind)
			number(tb, size)
			known := func(i int) { tb.Observe(answer(int(mix(uint64(i)) % uint64(size)))) }
			b.Run(fmt.Sprintf("known/of=%d", size), func(b *testing.B) { benchBusy(b, tb, known) })
			var next atomic.Int64
			next.Store(int64(size))
			fresh := func(int) { tb.Observe(answer(int(next.Add(1)))) }
			b.Run(fmt.Sprintf("new/of=%d", size), func(b *testing.B) { benchBusy(b, tb, fresh) })
		}
	})
}

func benchBusy(b *testing.B, tb table.Table, write func(i int)) {
	var c crew
	var writes, reads atomic.Int64
	c.hire(&writes, func(i int) { write(1<<40 + i) })
	for i := range uint64(2) {
		dst, target := make([]table.Contact, 0, 8), targets(rand.New(rand.NewPCG(i, 0)))
		c.hire(&reads, func(int) { tb.AppendNearest(dst, target(), 8, table.Filter{}) })
	}
	i := 0
	for b.Loop() {
		write(i)
		i++
	}
	elapsed := float64(b.Elapsed().Nanoseconds())
	c.dismiss()
	b.ReportMetric(elapsed/float64(int64(i)+writes.Load()), "ns/sighting")
	b.ReportMetric(elapsed/float64(reads.Load()), "ns/search")
}

// A full collection with the table on the heap.
func BenchmarkCollection(b *testing.B) {
	each(b, func(b *testing.B, kind string) {
		for _, size := range sizes()[1:] {
			tb := newTable(b, kind)
			number(tb, size)
			b.Run(fmt.Sprintf("of=%d", size), func(b *testing.B) {
				runtime.GC()
				for b.Loop() {
					runtime.GC()
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms/op")
			})
			runtime.KeepAlive(tb)
		}
	})
}
