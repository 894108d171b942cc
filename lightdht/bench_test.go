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
)

// One find_node for a random target, from the datagram to the answer, by a node
// that knows this many good contacts.
func BenchmarkServeFindNode(b *testing.B) {
	for _, size := range []int{1000, 1000000} {
		b.Run(fmt.Sprintf("contacts=%d", size), func(b *testing.B) {
			n := wired(b, newWire(), size)
			serveBench(b, n, krpc.FindNode{Target: kad.ID{0: 'T', 19: 'T'}})
		})
	}
}

// One get_peers for a random infohash.
func BenchmarkServeGetPeers(b *testing.B) {
	n := wired(b, newWire(), 1000)
	serveBench(b, n, krpc.GetPeers{InfoHash: kad.ID{0: 'T', 19: 'T'}})
}

// serveBench has n serve q again and again, with another target each time.
func serveBench(b *testing.B, n *Node, q krpc.Query) {
	datagram := encoded(q)
	at := slices.Index(datagram, 'T')
	r, now := rand.New(rand.NewPCG(2, 2)), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		id := drawID(r)
		copy(datagram[at:], id[:])
		n.receive(n.ends[0], datagram, asker, now)
	}
	if n.Count(RepliesOut) == 0 || n.Count(ErrorsOut) > 0 {
		b.Errorf("%d replies, %d errors", n.Count(RepliesOut), n.Count(ErrorsOut))
	}
}

// echo is a connection whose other end answers every query at once.
func echo() *wire {
	w := newWire()
	w.send = func(b []byte, to netip.AddrPort) {
		var q krpc.Message
		krpc.Parse(b, &q)
		reply := krpc.Message{Kind: krpc.KindReply, TID: q.TID, Fields: krpc.FieldID, ID: kad.ID{2}}
		w.in <- datagram{krpc.Append(make([]byte, 0, 64), &reply), to}
	}
	return w
}

// One query and its answer, waited for. The echo itself allocates once.
func BenchmarkDo(b *testing.B) {
	n := wired(b, echo(), 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Ping(b.Context(), asker); err != nil {
			b.Fatal(err)
		}
	}
}

// One query and its answer, called back.
func BenchmarkGo(b *testing.B) {
	n := wired(b, echo(), 0)
	done := make(chan error)
	callback := func(_ krpc.Reply, err error) { done <- err }
	b.ReportAllocs()
	for b.Loop() {
		n.Go(b.Context(), asker, krpc.Ping{}, callback)
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
