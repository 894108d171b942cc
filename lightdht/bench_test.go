package lightdht

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
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

// What a store costs who answers: find_node, and get_peers whose infohash it hashes.
func BenchmarkServeRecorded(b *testing.B) {
	for name, q := range map[string]krpc.Query{
		"find_node": krpc.FindNode{Target: kad.ID{0: 'T', 19: 'T'}}, "get_peers": krpc.GetPeers{InfoHash: kad.ID{0: 'T', 19: 'T'}},
	} {
		b.Run(name, func(b *testing.B) {
			store, err := dataset.Create(b.TempDir(), "bench")
			if err != nil {
				b.Fatal(err)
			}
			run, err := store.Begin(dataset.Manifest{}, dataset.Settings{})
			if err != nil {
				b.Fatal(err)
			}
			serveBench(b, recording(b, newWire(), 1000, run), q)
			b.StopTimer()
			if err := run.Close(); err != nil || run.Lost() > 0 {
				b.Errorf("%d rows lost, %v", run.Lost(), err)
			}
		})
	}
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

// echo is a connection whose other end answers every query at once. It allocates
// nothing.
type echo struct {
	*wire
	in chan echoed
}

type echoed struct {
	b  [64]byte
	n  int
	to netip.AddrPort
}

func newEcho() *echo { return &echo{newWire(), make(chan echoed, 256)} }

// echoReply is an answer whose transaction id is to be filled in.
var echoReply = krpc.Append(nil, &krpc.Message{Kind: krpc.KindReply, TID: []byte("...."), Fields: krpc.FieldID, ID: kad.ID{2}})

func (e *echo) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	const key = "1:t4:"
	r := echoed{n: len(echoReply), to: to}
	copy(r.b[:], echoReply)
	copy(r.b[bytes.LastIndex(echoReply, []byte(key))+len(key):][:4], b[bytes.LastIndex(b, []byte(key))+len(key):])
	e.in <- r
	return len(b), nil
}

func (e *echo) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case r := <-e.in:
		return copy(b, r.b[:r.n]), r.to, nil
	case <-e.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// One query and its answer, waited for.
func BenchmarkDo(b *testing.B) {
	n := wired(b, newEcho(), 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Ping(b.Context(), asker); err != nil {
			b.Fatal(err)
		}
	}
}

// One query and its answer, called back.
func BenchmarkGo(b *testing.B) {
	n := wired(b, newEcho(), 0)
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

// Queries with 64 in flight, by one goroutine that sends and hears of the ends
// on a channel, and by 64 chains of callbacks, each of which sends the next.
func BenchmarkInFlight(b *testing.B) {
	const depth = 64
	b.Run("pipeline/64", func(b *testing.B) {
		n := wired(b, newEcho(), 0)
		done := make(chan error, depth)
		callback := func(_ krpc.Reply, err error) { done <- err }
		b.ReportAllocs()
		for range depth {
			n.Go(b.Context(), asker, krpc.Ping{}, callback)
		}
		for b.Loop() {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			n.Go(b.Context(), asker, krpc.Ping{}, callback)
		}
	})
	b.Run("callbacks/64", func(b *testing.B) {
		n := wired(b, newEcho(), 0)
		var left atomic.Int64
		left.Store(int64(b.N))
		var wg sync.WaitGroup
		var next func(krpc.Reply, error)
		next = func(_ krpc.Reply, err error) {
			if err != nil {
				b.Error(err)
			}
			if left.Add(-1) < 0 {
				wg.Done()
				return
			}
			n.Go(b.Context(), asker, krpc.Ping{}, next)
		}
		b.ReportAllocs()
		b.ResetTimer()
		for range depth {
			wg.Add(1)
			next(krpc.Reply{}, nil)
		}
		wg.Wait()
	})
}

// A million histories that a node is told of, under the limits of the public
// network: the time for each.
func BenchmarkRestore(b *testing.B) {
	saved := table.NewPrefix()
	for i := range 1_000_000 {
		saved.Merge(table.Contact{ID: kad.ID{byte(i >> 16), byte(i >> 8), byte(i), 19: 1}, Addr: netip.AddrPortFrom(voter(i), 1), Replies: 1})
	}
	for b.Loop() {
		n := publicNode(b, Config{})
		if got, err := n.Restore(saved.All()); err != nil || got != saved.Len() {
			b.Fatal(got, err)
		}
		n.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*saved.Len()), "ns/contact")
}
