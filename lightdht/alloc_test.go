//go:build !race

package lightdht

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Serving queries allocates nothing, whatever is known. (The race detector has
// pools forget things at random.)
func TestServingAllocatesNothing(t *testing.T) {
	n := wired(t, newWire(), 1000)
	for i := range 1000 {
		n.ends[0].peers.add(time.Now(), kad.ID{1, byte(i % 50)}, peerAt(i), i%3 == 0)
	}
	for _, q := range []krpc.Query{
		krpc.Ping{}, krpc.FindNode{Target: kad.ID{3}}, krpc.GetPeers{InfoHash: kad.ID{1}}, krpc.GetPeers{InfoHash: kad.ID{2}},
		krpc.GetPeers{InfoHash: kad.ID{1}, Scrape: true, NoSeed: true}, krpc.SampleInfohashes{Target: kad.ID{3}},
	} {
		b, now := encoded(q), time.Now()
		serve := func() { n.receive(n.ends[0], b, asker, now) }
		serve() // the first time the asker is greeted, and buffers grow
		if got := testing.AllocsPerRun(100, serve); got != 0 {
			t.Errorf("%s: %v allocations", q.Method(), got)
		}
	}
}

// Neither does a packet on a socket, with all that comes along with it.
func TestSocketAllocatesNothing(t *testing.T) {
	onLoopback(t, func(t *testing.T, host string, _ netip.AddrPort) {
		a, b := newUDPConn(openUDP(t, host)), newUDPConn(openUDP(t, host))
		packet := make([]byte, 100)
		var h delays
		if got := testing.AllocsPerRun(100, func() {
			a.WriteToUDPAddrPort(packet, localAddr(b))
			_, _, stamp, err := b.read()
			if err != nil || stamp == 0 && b.stamped() {
				t.Errorf("stamped %d: %v", stamp, err)
			}
			h.add(time.Duration(stamp))
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
	})
}

// A query of ours allocates the bytes of its reply, which the caller keeps, and
// nothing else, though its context may end.
func TestQueryAllocatesItsReply(t *testing.T) {
	n := wired(t, newEcho(), 0)
	done := make(chan error, 1)
	callback := func(_ krpc.Reply, err error) { done <- err }
	for name, query := range map[string]func() error{
		"Do": func() error { _, err := n.Ping(t.Context(), asker); return err },
		"Go": func() error { n.Go(t.Context(), asker, krpc.Ping{}, callback); return <-done },
	} {
		if got := testing.AllocsPerRun(1000, func() {
			if err := query(); err != nil {
				t.Error(err)
			}
		}); got > 1 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// A packet that hooks could be told of allocates nothing when there are none.
func TestNilHooksAllocateNothing(t *testing.T) {
	cfg := Config{Network: Public, Conn4: newWire(), Limits: Limits{Inbound: 50}, Upkeep: UpkeepConfig{Off: true}, Trace: &Trace{}}
	n, err := Listen("", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	banned, other := netip.MustParseAddrPort("9.9.9.9:9"), numbered(1)
	q, now := encoded(krpc.Ping{}), time.Now()
	for range 100 {
		n.guard.admit(now, banned.Addr())
	}
	kindless := []byte("d1:t2:aae")
	reply := krpc.Append(nil, &krpc.Message{Kind: krpc.KindReply, TID: []byte("aaaa"), ID: kad.ID{2}, Fields: krpc.FieldID})
	for name, each := range map[string]func(){
		"banned":   func() { n.receive(n.ends[0], q, banned, now) },
		"reserved": func() { n.receive(n.ends[0], q, asker, now) },
		"stray":    func() { n.receive(n.ends[0], reply, netip.AddrPortFrom(other, 1), now) },
		"kindless": func() { n.receive(n.ends[0], kindless, netip.AddrPortFrom(other, 1), now) },
		"sent":     func() { n.seeSent(n.cfg.Trace.QuerySent, banned, "ping", q, &n.ends[0].in) },
		"not sent": func() { n.notSent(banned, "ping", ErrLimited) },
	} {
		if got := testing.AllocsPerRun(20, each); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
	if n.Count(Banned) < 20 || n.Count(FromReserved) < 20 || n.Count(Stray) < 20 || n.Count(Malformed) < 20 {
		t.Error("the packets did not come to what they were for")
	}
}
