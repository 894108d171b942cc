package lightdht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// One find_node and its answer over loopback, with some in flight at a time, by
// a node that knows 1,000 good contacts. The asker shares the processors with it.
func BenchmarkLoopback(b *testing.B) {
	for _, flight := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("flight=%d", flight), func(b *testing.B) {
			n, c := knowing(b, 1000), newUDPConn(openUDP(b, "127.0.0.1:0"))
			datagram := encoded(krpc.FindNode{Target: kad.ID{0: 'T', 19: 'T'}})
			target := datagram[slices.Index(datagram, 'T'):][:kad.Size]
			r := rand.New(rand.NewPCG(2, 2))
			ask := func() {
				id := drawID(r)
				copy(target, id[:])
				if _, err := c.WriteToUDPAddrPort(datagram, n.ends[0].local); err != nil {
					b.Fatal(err)
				}
			}
			for range flight {
				ask()
			}
			c.SetReadDeadline(time.Now().Add(time.Minute)) // nothing is lost unless a buffer is small
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := c.read(); err != nil {
					b.Fatal(err)
				}
				ask()
			}
		})
	}
}

// knowing opens a node on loopback that knows this many good contacts.
func knowing(b *testing.B, contacts int) *Node {
	n, err := Listen("127.0.0.1:0", Config{Network: Private, Upkeep: UpkeepConfig{Off: true}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { n.Close() })
	r, now := rand.New(rand.NewPCG(1, 1)), time.Now()
	for i := range contacts {
		node := kad.NodeInfo{ID: drawID(r), Addr: netip.AddrPortFrom(numbered(i), 6881)}
		n.ends[0].table().Observe(table.Sighting{Node: node, Time: now, Event: table.Replied})
	}
	return n
}

// One packet over loopback, written and read, by the plain socket and by ours
// with all that it is told.
func BenchmarkSocket(b *testing.B) {
	plain, ours := openUDP(b, "127.0.0.1:0"), newUDPConn(openUDP(b, "127.0.0.1:0"))
	from := openUDP(b, "127.0.0.1:0")
	packet, buf := make([]byte, 100), make([]byte, maxDatagram)
	for _, c := range []struct {
		name string
		conn PacketConn
	}{{"plain", plain}, {"ours", ours}} {
		to := localAddr(c.conn)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				from.WriteToUDPAddrPort(packet, to)
				if _, _, err := c.conn.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/read", func(b *testing.B) {
			b.ReportAllocs()
			left := 0
			for ; b.Loop(); left-- {
				if left == 0 {
					b.StopTimer()
					for left = 200; left > 0; left-- {
						from.WriteToUDPAddrPort(packet, to)
					}
					left = 200
					b.StartTimer()
				}
				if _, _, err := c.conn.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
			}
			for ; left > 0; left-- {
				c.conn.ReadFromUDPAddrPort(buf)
			}
		})
	}
}
