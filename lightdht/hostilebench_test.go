package lightdht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// hostileSeeds are datagrams to begin fuzzing with: all that is left of a query or
// a reply that was cut off, what is nested deeply, what is giant, uTP.
func hostileSeeds() (all [][]byte) {
	reply := []byte("d2:ip6:aaaabb1:rd2:id20:mnopqrstuvwxyz1234565:nodes26:mnopqrstuvwxyz123456aaaabb5:token2:ab6:valuesl6:aaaabbee1:t4:TIDX1:v4:LT011:y1:re")
	for _, whole := range [][]byte{reply, encoded(krpc.GetPeers{InfoHash: kad.ID{7}, Scrape: true}), encoded(krpc.AnnouncePeer{Port: 1, Token: []byte("x")})} {
		for n := range whole {
			all = append(all, whole[:n])
		}
	}
	all = append(all, giantReply([]byte("TIDX"), 2500))
	for _, s := range []string{
		strings.Repeat("d1:a", 16000), strings.Repeat("l", 65507), "d1:a" + strings.Repeat("d1:a", 30) + strings.Repeat("e", 31) + "1:t2:aa1:y1:qe",
		"d1:t65000:" + strings.Repeat("t", 65000) + "1:y1:qe", "\x41\x00\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00",
		"\x01\x00" + strings.Repeat("\x00", 1400), strings.Repeat("\x00", 65507), "d1:rd2:id20:mnopqrstuvwxyz1234566:valuesl" + strings.Repeat("6:aaaabb", 8000) + "ee1:t4:TIDX1:y1:re",
	} {
		all = append(all, []byte(s))
	}
	return all
}

// giantReply is a reply that names n nodes, each at an address of its own.
func giantReply(tid []byte, n int) []byte {
	m := krpc.Message{Kind: krpc.KindReply, TID: tid, Fields: krpc.FieldID | krpc.FieldNodes, ID: kad.ID{2}}
	r := rand.New(rand.NewPCG(3, 3))
	for i := range n {
		addr := netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 1})
		m.Nodes = krpc.AppendNode(m.Nodes, kad.NodeInfo{ID: drawID(r), Addr: netip.AddrPortFrom(addr, 6881)})
	}
	return krpc.Append(nil, &m)
}

// flooded has n serve a flood of find_node queries, each under an ID and from an
// address of its own.
func flooded(n *Node, r *rand.Rand, datagram []byte, at, queries int, now time.Time) {
	for range queries {
		id := drawID(r)
		copy(datagram[at:], id[:])
		ip := r.Uint32()
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(ip>>24)%200 + 11, byte(ip >> 16), byte(ip >> 8), byte(ip)}), uint16(ip)|1)
		n.receive(n.ends[0], datagram, from, now)
	}
}

// What an honest asker waits for the work on his query, before, while and after a
// million queries with random IDs come in from random addresses; and what one of
// those costs. Reported are nanoseconds for each, and the ratios to before.
//
// Run it with -benchtime 1x: an iteration is the whole flood.
func BenchmarkServeInAFlood(b *testing.B) {
	for _, most := range []int{0, 100000} {
		b.Run(fmt.Sprintf("MaxContacts=%d", most), func(b *testing.B) {
			for b.Loop() {
				floodBench(b, most)
			}
		})
	}
}

func floodBench(b *testing.B, most int) {
	const flood, rounds = 1_000_000, 100
	n, err := Listen("", Config{ID: kad.ID{1}, Conn4: newWire(), Network: Public, Routers: []string{"r.test:1"}, MaxContacts: most, Upkeep: UpkeepConfig{Off: true}})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	r, now := rand.New(rand.NewPCG(1, 1)), time.Now()
	for i := range 10000 {
		node := kad.NodeInfo{ID: drawID(r), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(i >> 8), byte(i), 1}), 6881)}
		n.ends[0].table().Observe(table.Sighting{Node: node, Time: now, Event: table.Replied})
	}
	evil, good := encoded(krpc.FindNode{}), encoded(krpc.FindNode{Target: kad.ID{0: 'T', 19: 'T'}})
	idAt := strings.Index(string(evil), "2:id20:") + len("2:id20:")
	targetAt := strings.Index(string(good), "T")
	honest := func(queries int) time.Duration { // served by hand: the limits are not what is measured
		began := time.Now()
		for range queries {
			id := drawID(r)
			copy(good[targetAt:], id[:])
			n.ends[0].in = krpc.Message{}
			krpc.Parse(good, &n.ends[0].in)
			n.ends[0].query = Packet{Node: n, Time: now, Addr: publicAsker, Message: &n.ends[0].in, end: n.ends[0]}
			n.begin(&n.ends[0].ans.msg, &n.ends[0].in, publicAsker)
			n.DefaultHandler(&n.ends[0].query, &n.ends[0].ans.msg)
		}
		return time.Since(began) / time.Duration(queries)
	}
	median := func(flood int) (_, each time.Duration) { // of a hundred rounds, as others use the machine too
		var times, eachs []time.Duration
		for range rounds {
			began := time.Now()
			flooded(n, r, evil, idAt, flood, now)
			eachs = append(eachs, time.Since(began)/time.Duration(max(flood, 1)))
			times = append(times, honest(500))
		}
		slices.Sort(times)
		slices.Sort(eachs)
		return times[rounds/2], eachs[rounds/2]
	}
	median(0)
	before, _ := median(0)
	during, each := median(flood / rounds)
	after, _ := median(0)
	b.ReportMetric(float64(before), "before-ns")
	b.ReportMetric(float64(during)/float64(before), "during/before")
	b.ReportMetric(float64(after)/float64(before), "after/before")
	b.ReportMetric(float64(each), "ns/flood-query")
	b.ReportMetric(float64(n.Len()), "contacts")
}

var publicAsker = netip.MustParseAddrPort("8.8.8.8:8")

// What a reply that names many nodes costs the read loop, on the public network,
// when nobody in it is known.
func BenchmarkMention(b *testing.B) {
	for _, size := range []int{8, 32, 2500} {
		b.Run(fmt.Sprintf("nodes=%d", size), func(b *testing.B) {
			var m krpc.Message
			if err := krpc.Parse(giantReply([]byte("aaaa"), size), &m); err != nil {
				b.Fatal(err)
			}
			var n *Node
			for i := 0; b.Loop(); i++ {
				if i%100 == 0 {
					b.StopTimer()
					if n != nil {
						n.Close()
					}
					n, _ = Listen("", Config{ID: kad.ID{1}, Conn4: newWire(), Network: Public, Routers: []string{"r.test:1"}, Upkeep: UpkeepConfig{Off: true}})
					b.StartTimer()
				}
				copy(m.ID[:], fmt.Sprint(i))
				for at := 0; at < len(m.Nodes); at += 26 { // somebody new each time
					m.Nodes[at+5]++
				}
				n.mention(&m, publicAsker, time.Now())
			}
			n.Close()
		})
	}
}
