package export

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

var edgeSchema = Schema{
	{Name: "time", Type: Time}, {Name: "src_id", Type: ID}, {Name: "src_ip", Type: Addr}, {Name: "src_port", Type: Int},
	{Name: "dst_id", Type: ID}, {Name: "dst_ip", Type: Addr}, {Name: "dst_port", Type: Int}, {Name: "method", Type: Text},
}

// addEdge adds an edge between two of some nodes.
func addEdge(b *Batch, from, to uint32, micros int64) {
	b.Cols[0].AddInt(micros)
	for i, n := range [2]uint32{from, to} {
		c := b.Cols[1+3*i:]
		ip := [4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}
		c[0].AddID(kad.ID{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		c[1].AddAddr(netip.AddrFrom4(ip))
		c[2].AddInt(6881)
	}
	b.Cols[7].AddText("find_node")
	b.Len++
}

// BenchmarkGraph adds distinct edges and writes them; heap-MB is what the process
// has from the system for its heap in the end. With -bench Graph/10000000 it is
// the figure of graph.go.
func BenchmarkGraph(b *testing.B) {
	for _, edges := range []int{100_000, 10_000_000} {
		b.Run(fmt.Sprint(edges), func(b *testing.B) {
			for b.Loop() {
				w, err := newGraphML(io.Discard, edgeSchema, Options{})
				if err != nil {
					b.Fatal(err)
				}
				writeEdges(b, w, edges)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapSys)/1e6, "heap-MB")
			b.ReportMetric(float64(edges*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// writeEdges writes edges from each of a fifth as many nodes to five others.
func writeEdges(b *testing.B, w Writer, edges int) {
	r, get := rand.New(rand.NewPCG(1, 2)), edgeSchema.Pool()
	batch := get()
	for i := range edges {
		addEdge(batch, uint32(i/5), uint32(r.IntN(edges/5)), int64(i))
		if batch.Full() || i == edges-1 {
			if err := w.Write(batch); err != nil {
				b.Fatal(err)
			}
			batch = get()
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
