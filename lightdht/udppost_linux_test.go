package lightdht

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// together has count packets read by c at once, of which it takes the first. The
// kernel may be late with some, so it takes more than one try.
func together(t testing.TB, c *udpConn, count int) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for range 1000 {
		for range count {
			if _, err := c.WriteToUDPAddrPort(nil, localAddr(c)); err != nil {
				t.Fatal(err)
			}
		}
		for left := count; left > 0; left-- {
			if _, _, _, err := c.read(); err != nil {
				t.Fatal(err)
			}
			if c.sys.in.filled == count {
				return
			}
		}
	}
	t.Fatalf("%d packets are never read at once", count)
}

// What is posted is written in its order, when the last packet that was read with
// those that it answers has been worked on. What cannot be written takes nothing
// with it, and packets that came back neither.
func TestPost(t *testing.T) {
	onLoopback(t, func(t *testing.T, host string, closed netip.AddrPort) {
		c, to := newUDPConn(openUDP(t, host)), newUDPConn(openUDP(t, host))
		to.SetReadDeadline(time.Now().Add(20 * time.Second))
		nowhere := netip.AddrPortFrom(closed.Addr(), 0) // what no system writes to
		for range 20 {
			together(t, c, 9)
			for i := range 9 {
				if i < 8 && !c.awaits() {
					t.Fatal("packets are to be written while there is one to be worked on")
				}
				dest := []netip.AddrPort{localAddr(to), closed, nowhere}[i%3]
				if !c.post(fmt.Appendf(nil, "%d", i), dest) {
					t.Fatalf("packet %d is not kept", i)
				}
				if i < 8 {
					c.read()
				}
			}
			next := 0
			c.flush(func(i int, err error) {
				if i != next || (err != nil) != (i%3 == 2) {
					t.Errorf("packet %d, told as the %dth: %v", i, next, err)
				}
				next++
			})
			if next != 9 || c.awaits() || c.sys.out.count != 0 {
				t.Fatalf("%d were told of, %d are left", next, c.sys.out.count)
			}
			for i := 0; i < 9; i += 3 {
				if b, _, _, err := to.read(); err != nil || string(b) != fmt.Sprint(i) {
					t.Fatalf("%q for packet %d: %v", b, i, err)
				}
			}
		}
	})
}

// The kernel does not tell an error that is met behind the first packet, but
// forgets it; the error queue is read all the same.
func TestPostTellsOfReturned(t *testing.T) {
	refuses(t)
	onLoopback(t, func(t *testing.T, host string, closed netip.AddrPort) {
		c, to := newUDPConn(openUDP(t, host)), openUDP(t, host)
		together(t, c, 2)
		c.post(nil, closed)
		c.read()
		c.post(nil, localAddr(to))
		c.flush(func(i int, err error) {
			if err != nil {
				t.Errorf("packet %d: %v", i, err)
			}
		})
		eventually(t, "the error queue is to be read", func() bool {
			if write(c, localAddr(to)) != nil { // the kernel may have been late with it
				t.Fatal("a packet was not written")
			}
			return len(c.returns()) == 1
		})
	})
}

// What nothing can wait for, or there is no room for, is to be written now.
func TestPostNothing(t *testing.T) {
	c := newUDPConn(openUDP(t, "127.0.0.1:0"))
	to := localAddr(openUDP(t, "127.0.0.1:0"))
	together(t, c, 1)
	if c.post(nil, to) {
		t.Error("a packet is kept though none is behind the one that it answers")
	}
	together(t, c, 2)
	if c.post(make([]byte, maxAnswer+1), to) || c.post(nil, netip.MustParseAddrPort("[::1]:1")) {
		t.Error("a packet is kept that there is no room for, or no address")
	}
	for i := range inboxSize + 1 {
		if kept := c.post(make([]byte, maxAnswer), to); kept != (i < inboxSize) {
			t.Errorf("packet %d is kept: %v", i, kept)
		}
	}
}

// Answers that could not be written at last are counted as such, and shown.
func TestPostedInVain(t *testing.T) {
	n, c := wired(t, newWire(), 0), newUDPConn(openUDP(t, "127.0.0.1:0"))
	var shown []string
	n.cfg.Trace.NotSent = func(p *Packet) { shown = append(shown, p.Method+" "+p.Err.Error()) }
	e := &endpoint{udp: c, conn: c}
	together(t, c, 2)
	for _, kind := range []krpc.Kind{krpc.KindReply, krpc.KindError} {
		if !e.post([]byte("x"), posting{to: localAddr(c), method: "ping", size: 1, kind: kind}) {
			t.Fatal("not kept")
		}
	}
	n.flush(e)
	if len(e.posted) != 2 || n.Count(WriteErrors) != 0 {
		t.Error("it was not waited for the other packet")
	}
	c.read()
	c.Close()
	n.flush(e)
	if len(e.posted) != 0 || n.Count(WriteErrors) != 2 || n.Count(PacketsOut)+n.Count(RepliesOut)+n.Count(ErrorsOut) != 0 || len(shown) != 2 {
		t.Errorf("%d write errors, %d replies, shown: %q", n.Count(WriteErrors), n.Count(RepliesOut), shown)
	}
}

// A node that finds many queries answers each, in their order, and counts that.
func TestAnswersTogether(t *testing.T) {
	stall := &stalling{Table: table.NewFlat(), entered: make(chan struct{}), leave: make(chan struct{})}
	conn := openUDP(t, "127.0.0.1:0")
	n, err := Listen("", Config{Conn4: conn, Network: Private, NewTable: func() table.Table { return stall }, Upkeep: UpkeepConfig{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	from, ping := openUDP(t, "127.0.0.1:0"), encoded(krpc.Ping{})
	from.SetReadDeadline(time.Now().Add(20 * time.Second))
	floodOf(t, from, localAddr(conn), 1, ping)
	<-stall.entered
	const more = 3 * inboxSize / 2
	at := bytes.Index(ping, []byte("1:t4:")) + len("1:t4:")
	for i := range more {
		ping[at] = byte(i)
		floodOf(t, from, localAddr(conn), 1, ping)
	}
	close(stall.leave)
	for i := -1; i < more; i++ {
		if m := nextReply(t, from); i >= 0 && m.TID[0] != byte(i) {
			t.Fatalf("answer %d is to query %d", i, m.TID[0])
		}
	}
	eventually(t, "all is counted", func() bool { return n.Count(RepliesOut) == more+1 })
	if out := n.Count(PacketsOut) - n.Count(QueriesOut); out != more+1 || n.Count(ErrorsOut) != 0 {
		t.Errorf("%d packets, %d errors", out, n.Count(ErrorsOut))
	}
}

// An answer that is ready is written before a handler of the caller's is at work
// on a query that was read with the first.
func TestAnswersBeforeAHandler(t *testing.T) {
	entered, leave, out := make(chan struct{}), make(chan struct{}), make(chan uint64, 4)
	handler := func(q *Packet, answer *krpc.Message) bool {
		if q.Message.TID[0] == 'f' { // the first is read alone
			close(entered)
			<-leave
		}
		out <- q.Node.Count(RepliesOut)
		return true
	}
	askTogether(t, Config{Handler: handler}, "f123", entered, leave)
	for want := range uint64(4) {
		if got := <-out; got != want {
			t.Errorf("%d of %d answers are out when a handler begins", got, want)
		}
	}
}

// Nor do they wait for long when a hook takes its time.
func TestAnswersBeforeASlowHook(t *testing.T) {
	entered, leave, out := make(chan struct{}), make(chan struct{}), make(chan uint64, 1)
	hook := func(q *Packet) {
		switch q.Message.TID[0] {
		case 'f':
			close(entered)
			<-leave
		case 's':
			for time.Since(q.Time) <= 2*postedPatience {
			}
		case 'l':
			out <- q.Node.Count(RepliesOut)
		}
	}
	askTogether(t, Config{Trace: &Trace{Query: hook}}, "f12sl", entered, leave)
	if got := <-out; got != 4 {
		t.Errorf("%d of 4 answers are out after a slow one", got)
	}
}

// Close does not wait for more than the handler that is at work.
func TestCloseAmongQueries(t *testing.T) {
	entered, leave, calls := make(chan struct{}), make(chan struct{}), 0
	handler := func(q *Packet, answer *krpc.Message) bool {
		switch calls++; q.Message.TID[0] {
		case 'f':
			close(entered)
			<-leave
		case 's':
			go q.Node.Close()
			<-q.Node.ctx.Done()
		}
		return true
	}
	n := askTogether(t, Config{Handler: handler}, "f1s234567", entered, leave)
	<-n.ctx.Done()
	n.Close()
	if calls != 3 {
		t.Errorf("%d queries were worked on, want 3", calls)
	}
}

// askTogether has a node find the queries with these transaction ids in its
// socket at once, but for the first, at which it is held up until all have come.
func askTogether(t *testing.T, cfg Config, tids string, entered, leave chan struct{}) *Node {
	conn := openUDP(t, "127.0.0.1:0")
	cfg.Conn4, cfg.Network, cfg.Upkeep.Off = conn, Private, true
	n, err := Listen("", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	from, ping := openUDP(t, "127.0.0.1:0"), encoded(krpc.Ping{})
	at := bytes.Index(ping, []byte("1:t4:")) + len("1:t4:")
	for i := range tids {
		ping[at] = tids[i]
		floodOf(t, from, localAddr(conn), 1, ping)
		if i == 0 {
			<-entered
		}
	}
	close(leave)
	return n
}

// Answers from elsewhere and those of the read loop do not meet.
func TestRespondBesideTheReadLoop(t *testing.T) {
	const count = 60 // as many answers as a socket keeps until they are read
	clones := make(chan *Packet, count)
	handler := func(q *Packet, answer *krpc.Message) bool {
		if q.Message.TID[1]%2 == 0 {
			return true
		}
		clones <- q.Clone()
		return false
	}
	conn := openUDP(t, "127.0.0.1:0")
	n, err := Listen("", Config{Conn4: conn, Network: Private, Handler: handler, Upkeep: UpkeepConfig{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	go func() {
		for range count / 2 {
			q := <-clones
			n.Respond(q, &krpc.Message{})
		}
	}()
	from, ping := openUDP(t, "127.0.0.1:0"), encoded(krpc.Ping{})
	from.SetReadDeadline(time.Now().Add(20 * time.Second))
	at := bytes.Index(ping, []byte("1:t4:")) + len("1:t4:")
	missing := map[[2]byte]bool{}
	for i := range count {
		ping[at], ping[at+1] = byte(i>>8), byte(i)
		missing[[2]byte(ping[at:])] = true
		floodOf(t, from, localAddr(conn), 1, ping)
	}
	for len(missing) > 0 {
		m := nextReply(t, from)
		if !missing[[2]byte(m.TID)] {
			t.Fatalf("an answer to %d, again or to nobody", m.TID)
		}
		delete(missing, [2]byte(m.TID))
	}
}

// nextReply reads what is no query.
func nextReply(t *testing.T, from *net.UDPConn) (m krpc.Message) {
	t.Helper()
	for buf := make([]byte, 1<<11); ; {
		size, _, err := from.ReadFromUDPAddrPort(buf)
		if err == nil {
			err = krpc.Parse(buf[:size], &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind != krpc.KindQuery {
			return m
		}
	}
}
