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
func responder(t *testing.T, answer func(i int, query []byte) (replies [][]byte)) netip.AddrPort {
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
			for _, r := range answer(i, b[:n]) {
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
func TestMeasureCounts(t *testing.T) {
	const full, few = answered * nodeSize, 3 * nodeSize
	addr := responder(t, func(i int, q []byte) [][]byte {
		switch i % 8 {
		case 0:
			return [][]byte{replyTo(q, full)}
		case 1:
			return [][]byte{replyTo(q, few)}
		case 2:
			return nil // lost
		case 3:
			return [][]byte{append(appendText([]byte("d1:eli201e4:busye1:t"), q[queryTIDAt:queryTIDAt+4]), "1:y1:ee"...)}
		case 4:
			return [][]byte{replyTo(q, -1)}
		case 5:
			return [][]byte{replyTo(q, full-1)}
		case 6:
			return [][]byte{[]byte("rubbish"), replyTo(q, full)} // one wrong, one right
		}
		return [][]byte{replyTo(q, full), replyTo(q, full)} // the second is for nothing
	})
	g := generator(t, Config{Server: addr, Window: 64, Members: 40, Patience: 150 * time.Millisecond})
	r, err := g.Measure(t.Context(), Work{Warmup: 50 * time.Millisecond, Span: 600 * time.Millisecond, PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	unit := float64(r.Losses) // an eighth of the queries
	near := func(what string, got uint64, want float64) {
		if v := float64(got); v < want*unit*0.6-8 || v > want*unit*1.6+8 {
			t.Errorf("%s: %d, want about %v of %d", what, got, want, r.Losses)
		}
	}
	if r.Losses < 16 {
		t.Errorf("only %d were lost: %+v", r.Losses, r)
	}
	near("answers", r.Answers, 4)
	near("full answers", r.Full, 3)
	near("nodes", r.Nodes/answered, 3+3./8)
	near("errors", r.Errors, 1)
	near("wrong ones", r.Wrong, 4)
	if r.P50 <= 0 || r.P99 < r.P50 || r.Own <= 0 || r.Server <= 0 || r.Span < 600*time.Millisecond {
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
	addr := responder(t, func(_ int, q []byte) [][]byte {
		stranger.WriteToUDPAddrPort(replyTo(q, 26), asker())
		return nil
	})
	g := generator(t, Config{Server: addr, Members: 1, Patience: 10 * time.Millisecond})
	told <- g.Entrance(0)
	r, err := g.Measure(t.Context(), Work{Span: 100 * time.Millisecond})
	if err != nil || r.Answers > 0 || r.Wrong == 0 {
		t.Errorf("%+v, %v", r, err)
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
	addr, err := FreePort(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Echo(ctx, addr) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return addr
}

// met returns a generator that has had an answer of a server.
func met(t *testing.T, addr netip.AddrPort) *Generator {
	g := generator(t, Config{Server: addr, Patience: 100 * time.Millisecond})
	for g.result.Answers == 0 {
		if err := g.run(t.Context(), time.Millisecond, 1); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// All that Echo writes counts.
func TestEcho(t *testing.T) {
	g := met(t, echo(t))
	r, err := g.Measure(t.Context(), Work{Warmup: 50 * time.Millisecond, Span: 100 * time.Millisecond})
	if err != nil || r.Answers == 0 || r.Full != r.Answers || r.Errors+r.Wrong > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Askers is how many members take turns; each has an ID of its own.
func TestAskers(t *testing.T) {
	seen := make(chan map[string]bool, 1)
	ids := map[string]bool{}
	addr := responder(t, func(i int, q []byte) [][]byte {
		ids[string(q[queryIDAt:queryIDAt+idSize])] = true
		if i == 500 {
			seen <- ids
			ids = map[string]bool{}
		}
		return [][]byte{replyTo(q, 26)}
	})
	g := generator(t, Config{Server: addr, Members: 20})
	if _, err := g.Measure(t.Context(), Work{Askers: 3, Span: 200 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	select {
	case ids := <-seen:
		if len(ids) != 3 {
			t.Errorf("%d IDs asked, want 3", len(ids))
		}
	default:
		t.Error("fewer than 500 queries came")
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
	addr := responder(t, func(i int, q []byte) [][]byte {
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
	addr := responder(t, func(int, []byte) [][]byte { return nil })
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
	g := met(t, echo(t))
	work := func() { g.run(t.Context(), 20*time.Millisecond, 64) }
	if n := testing.AllocsPerRun(3, work); n > 1 || g.result.Answers < 50 {
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
