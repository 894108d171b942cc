package lightdht

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// loopbacks are the addresses of this machine by family, with one for each
// where nobody listens.
var loopbacks = map[kad.Family]struct{ host, closed string }{
	kad.IPv4: {"127.0.0.1:0", "127.211.7.9:9"},
	kad.IPv6: {"[::1]:0", "[::1]:9"},
}

// onLoopback runs f for each family that this machine has.
func onLoopback(t *testing.T, f func(t *testing.T, host string, closed netip.AddrPort)) {
	for family, at := range loopbacks {
		t.Run(family.String(), func(t *testing.T) {
			probe, err := net.ListenPacket("udp", at.host)
			if err != nil {
				t.Skipf("this system has no %s loopback: %v", family, err)
			}
			probe.Close()
			f(t, at.host, netip.MustParseAddrPort(at.closed))
		})
	}
}

// openUDP opens a socket on loopback.
func openUDP(t testing.TB, host string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(host)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// eventually waits for what is bound to come.
func eventually(t testing.TB, what string, come func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !come(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("in 20 s not yet: %s", what)
		}
	}
}

// A wide count against one that was never narrow.
func TestWide(t *testing.T) {
	const seed = 5
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var w wide
	base := uint64(r.Uint32())
	w.from(uint32(base))
	true64 := base
	for i := range 1000 {
		older := true64
		switch i % 3 {
		case 0:
			true64 += r.Uint64N(1 << 31)
		case 1:
			true64 += r.Uint64N(3)
		}
		w.see(uint32(true64))
		if i%5 == 0 { // a packet that waited tells an older count
			w.see(uint32(older))
		}
		if w.total() != true64-base {
			t.Fatalf("step %d: %d, want %d", i, w.total(), true64-base)
		}
	}
	if true64-base < 1<<33 {
		t.Error("the count never began anew")
	}
}

// A caller's own socket gets what ours gets; a conn of another kind is not
// touched.
func TestGivenSocket(t *testing.T) {
	n, err := Listen("", Config{Conn4: openUDP(t, "127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if n.ends[0].udp == nil || n.ends[0].conn != PacketConn(n.ends[0].udp) {
		t.Error("a *net.UDPConn is not known for what it is")
	}
	m := wired(t, newWire(), 0)
	if m.ends[0].udp != nil || m.Count(KernelDropped) != 0 || m.ReadDelay().Arrival {
		t.Error("a conn of another kind is held for a socket")
	}
}

// A conn without times of arrival has the work on its packets measured.
func TestDelayWithoutArrival(t *testing.T) {
	w := newWire()
	stall := &stalling{Table: table.NewFlat(), entered: make(chan struct{}), leave: make(chan struct{})}
	n, err := Listen("", Config{Conn4: w, Network: Private, NewTable: func() table.Table { return stall }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	w.in <- datagram{encoded(krpc.Ping{}), asker}
	<-stall.entered
	began := time.Now()
	eventually(t, "some time has passed", func() bool { return time.Since(began) > 20*time.Millisecond })
	close(stall.leave)
	eventually(t, "the packet is measured", func() bool { return n.ReadDelay().Count == 1 })
	if d := n.ReadDelay(); d.Arrival || d.Max < 20*time.Millisecond {
		t.Errorf("%v, %v", d.Arrival, d.Max)
	}
}

// stalling is a table that holds up the first who tells it something.
type stalling struct {
	table.Table
	entered, leave chan struct{}
	stalled        bool
}

func (s *stalling) Observe(g table.Sighting) (table.Contact, bool) {
	if !s.stalled {
		s.stalled = true
		close(s.entered)
		<-s.leave
	}
	return s.Table.Observe(g)
}
