package load

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// responder is a server on loopback that answers query number i as it is told.
func responder(t *testing.T, answer func(i int, query []byte, from netip.AddrPort) (replies [][]byte)) netip.AddrPort {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, room)
		for i := 0; ; i++ {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for _, r := range answer(i, b[:n], from) {
				conn.WriteToUDPAddrPort(r, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// replyTo is a reply to a query of ours with a node list of this length, -1 for none.
func replyTo(query []byte, nodes int) []byte {
	b := []byte("d1:rd2:id20:iiiiiiiiiiiiiiiiiiii")
	if nodes >= 0 {
		b = appendText(append(b, "5:nodes"...), make([]byte, nodes))
	}
	b = appendText(append(b, "e1:t"...), query[queryTIDAt:queryTIDAt+4])
	return append(b, "1:y1:re"...)
}

func generator(t *testing.T, cfg Config) *Generator {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// Each kind of answer is counted as what it is.
func TestCounts(t *testing.T) {
	const full, few = answered * nodeSize, 3 * nodeSize
	addr := responder(t, func(i int, q []byte, _ netip.AddrPort) [][]byte {
		switch i % 7 {
		case 0:
			return [][]byte{replyTo(q, few)}
		case 1:
			return [][]byte{append(appendText([]byte("d1:eli201e4:busye1:t"), q[queryTIDAt:queryTIDAt+4]), "1:y1:ee"...)}
		case 2:
			return [][]byte{replyTo(q, -1)}
		case 3:
			return [][]byte{replyTo(q, full-1)}
		case 4:
			return [][]byte{[]byte("rubbish"), replyTo(q, full)} // one wrong, one right
		case 5:
			return [][]byte{replyTo(q, full), replyTo(q, full)} // the second is for nothing
		}
		return [][]byte{append(replyTo(q, full), 'e'), replyTo(q, full)} // it goes on behind its end
	})
	g := generator(t, Config{Server: addr, Window: 16, Members: 40, Patience: time.Hour})
	const n, kinds = 100, 7
	for sent := 0; sent < n*kinds || g.win.waiting() > 0; {
		for ; sent < n*kinds && g.win.waiting() < 16; sent++ {
			g.ask(sent%40, g.now())
		}
		if err := g.run(t.Context(), time.Millisecond, 0); err != nil {
			t.Fatal(err)
		}
	}
	want := Result{Answers: 4 * n, Full: 3 * n, Nodes: (3 + 3*8) * n, Errors: n, Wrong: 5 * n}
	if g.result != want {
		t.Errorf("counted %+v, want %+v", g.result, want)
	}
}

// What is not answered in time is lost, and its place in the window is free.
func TestLosses(t *testing.T) {
	addr := responder(t, func(i int, q []byte, _ netip.AddrPort) [][]byte {
		if i%2 == 0 {
			return nil
		}
		return [][]byte{replyTo(q, 208)}
	})
	g := generator(t, Config{Server: addr, Window: 8, Patience: 50 * time.Millisecond})
	r, err := g.Measure(t.Context(), Work{Warmup: 20 * time.Millisecond, Span: 400 * time.Millisecond, PID: os.Getpid()})
	if err != nil || r.Losses < 16 || r.Answers < 16 || r.Answers > 2*r.Losses+16 {
		t.Errorf("half of its queries are lost: %+v, %v", r, err)
	}
	if r.P50 <= 0 || r.P99 < r.P50 || r.Own <= 0 || r.Span < 400*time.Millisecond {
		t.Errorf("times: %+v", r)
	}
}

// Datagrams of others count for nothing, even with the right number.
func TestStrangers(t *testing.T) {
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	told := make(chan netip.AddrPort, 1)
	asker := sync.OnceValue(func() netip.AddrPort { return <-told })
	addr := responder(t, func(_ int, q []byte, _ netip.AddrPort) [][]byte {
		stranger.WriteToUDPAddrPort(replyTo(q, 26), asker())
		return nil
	})
	g := generator(t, Config{Server: addr, Members: 1, Patience: 10 * time.Millisecond})
	told <- g.Entrance(0)
	for g.result.Wrong == 0 { // or the test never ends
		if err := g.run(t.Context(), 10*time.Millisecond, 8); err != nil {
			t.Fatal(err)
		}
	}
	if g.result.Answers > 0 {
		t.Errorf("%+v", g.result)
	}
}

// With nobody there, all queries are lost, and it does not stall.
func TestNobody(t *testing.T) {
	addr, err := FreePort(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	g := generator(t, Config{Server: addr, Window: 4, Patience: 10 * time.Millisecond})
	r, err := g.Measure(t.Context(), Work{Span: 100 * time.Millisecond})
	if err != nil || r.Answers > 0 || r.Losses < 8 {
		t.Errorf("%+v, %v", r, err)
	}
}

// echo runs Echo for a test.
func echo(t *testing.T) netip.AddrPort {
	s, err := newSocketAt(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.port)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.echo(ctx, addr) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.close()
	})
	return addr
}

// All that Echo writes counts.
func TestEcho(t *testing.T) {
	g := generator(t, Config{Server: echo(t), Patience: time.Hour})
	r, err := g.Measure(t.Context(), Work{Warmup: 50 * time.Millisecond, Span: 100 * time.Millisecond})
	if err != nil || r.Answers == 0 || r.Full != r.Answers || r.Errors+r.Wrong > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Askers is how many members take turns; each has an ID and an address of its own.
func TestAskers(t *testing.T) {
	type asker struct {
		id   [idSize]byte
		addr [4]byte
	}
	const enough = 500
	seen := make(chan map[asker]bool, 1)
	ids := map[asker]bool{}
	addr := responder(t, func(i int, q []byte, from netip.AddrPort) [][]byte {
		if i < enough {
			ids[asker{[idSize]byte(q[queryIDAt:]), from.Addr().As4()}] = true
		} else if i == enough {
			seen <- ids
		}
		return [][]byte{replyTo(q, 26)}
	})
	g := generator(t, Config{Server: addr, Members: 20})
	for len(seen) == 0 {
		if _, err := g.Measure(t.Context(), Work{Askers: 3, Span: 20 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	got := <-seen
	for _, m := range g.crowd.members[:3] {
		if !got[asker(m)] {
			t.Errorf("nobody asks as %+v", m)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d different members asked, want 3", len(got))
	}
}

// The crowd answers what a server asks it, each member with its own ID, at its
// own address, and Introduce has all of them ask.
func TestCrowdObliges(t *testing.T) {
	asked := map[netip.AddrPort]bool{}
	var answers [][]byte
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, room)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			switch {
			case err != nil:
				return
			case bytes.Contains(b[:n], []byte("1:y1:q")):
				asked[from] = true
				conn.WriteToUDPAddrPort(replyTo(b[:n], 26), from)
				for _, q := range []string{"4:ping", "9:get_peers", "4:vote"} {
					conn.WriteToUDPAddrPort([]byte("d1:ad2:id20:ssssssssssssssssssss9:info_hash20:hhhhhhhhhhhhhhhhhhhhe1:q"+q+"1:t2:xy1:y1:qe"), from)
				}
			default:
				answers = append(answers, append([]byte(from.String()+" "), b[:n]...))
			}
		}
	}()
	g := generator(t, Config{Server: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Members: 12, Patience: 500 * time.Millisecond})
	if err := g.Introduce(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	<-done
	if len(asked) != 12 || len(answers) != 24 {
		t.Fatalf("%d members asked, and gave %d answers", len(asked), len(answers))
	}
	for _, a := range answers {
		from, reply, _ := bytes.Cut(a, []byte(" "))
		addr := netip.MustParseAddrPort(string(from))
		who := g.crowd.byAddr[addr.Addr().As4()]
		var m message
		if !m.read(reply) || m.kind != 'r' || string(m.tid) != "xy" || !bytes.Contains(reply, g.crowd.members[who].id[:]) {
			t.Errorf("member %d answers %q", who, reply)
		}
		if m.nodes != nil && len(m.nodes) != answered*nodeSize {
			t.Errorf("an answer with %d bytes of nodes", len(m.nodes))
		}
	}
}

// Try counts the different nodes that answers name.
func TestTry(t *testing.T) {
	addr := responder(t, func(i int, q []byte, _ netip.AddrPort) [][]byte {
		b := replyTo(q, 2*nodeSize)
		b[bytes.Index(b, []byte("5:nodes"))+len("5:nodes52:")] = byte(i % 5)
		return [][]byte{b}
	})
	g := generator(t, Config{Server: addr, Members: 8})
	r, named, err := g.Try(t.Context(), 50*time.Millisecond)
	if err != nil || named != 5 || r.Answers == 0 || r.Full != 0 {
		t.Errorf("%d named, want 5: %+v, %v", named, r, err)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	addr := responder(t, func(int, []byte, netip.AddrPort) [][]byte { return nil })
	g := generator(t, Config{Server: addr})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := g.Measure(ctx, Work{Span: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ends with %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:6881", "[::1]:6881"} {
		if _, err := New(Config{Server: netip.MustParseAddrPort(addr)}); err == nil {
			t.Errorf("it would ask %s", addr)
		}
	}
}

// Neither asking nor counting allocates, so that no garbage is collected while a
// server is measured.
func TestAllocations(t *testing.T) {
	g := generator(t, Config{Server: echo(t), Patience: time.Hour})
	work := func() { g.run(t.Context(), 20*time.Millisecond, 64) }
	if n := testing.AllocsPerRun(3, work); n > 1 || g.result.Answers == 0 {
		t.Errorf("%v allocations, %d answers", n, g.result.Answers)
	}
}

func TestParseStat(t *testing.T) {
	got, err := parseStat([]byte("12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 77\n"))
	if err != nil || got != 3*time.Second {
		t.Errorf("CPU time %v, %v", got, err)
	}
	for _, s := range []string{"", "12 (x) S 1", "12 (x) S 1 2 3 4 5 6 7 8 9 10 y 50 0"} {
		if _, err := parseStat([]byte(s)); err == nil {
			t.Errorf("%q is read", s)
		}
	}
	if _, err := processCPU(-1); err == nil {
		t.Error("a process that there is not has CPU time")
	}
}

func TestQuantiles(t *testing.T) {
	l := make(latencies, 0, 100)
	for i := range 200 {
		l.add(time.Duration(100 - i%100))
	}
	if p50, p99 := l.quantiles(); p50 != 50 || p99 != 99 {
		t.Errorf("median %d, 99th percentile %d", p50, p99)
	}
	if p50, p99 := (latencies{}).quantiles(); p50 != 0 || p99 != 0 {
		t.Errorf("of nothing: %d, %d", p50, p99)
	}
}
