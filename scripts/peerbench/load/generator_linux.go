package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Config says how to ask. Zero fields have defaults.
type Config struct {
	Server   netip.AddrPort // whom; an IPv4 address of this machine
	Window   int            // queries under way, rounded up to a power of two; 0: 128
	Members  int            // of the crowd; 0: 1,000
	Patience time.Duration  // after which a query is lost; 0: 250 ms
	Doze     time.Duration  // of the generator, when few answers are there; 0: 50 µs
	Seed     uint64         // of IDs and targets
}

func (c Config) withDefaults() Config {
	set(&c.Window, 128)
	set(&c.Members, 1000)
	set(&c.Patience, 250*time.Millisecond)
	set(&c.Doze, 50*time.Microsecond)
	return c
}

func set[T comparable](field *T, to T) {
	var zero T
	if *field == zero {
		*field = to
	}
}

// Generator asks one server. It is not for several goroutines at once.
type Generator struct {
	cfg     Config
	server  unix.RawSockaddrInet4
	sock    *socket
	crowd   *crowd
	queries [][querySize]byte // of each member
	random  *rand.PCG
	began   time.Time
	msg     message
	buf     []byte

	win    *window
	askers int // members that take turns
	turn   int // whose query is next
	burst  int // how many more that member sends
	result Result
	took   latencies
	named  map[[nodeSize]byte]bool // in answers; nil: not to be noted
}

// latencyRoom is enough for some seconds of the fastest server.
const latencyRoom = 1 << 22

// New opens the crowd's socket.
func New(cfg Config) (*Generator, error) {
	cfg = cfg.withDefaults()
	if !cfg.Server.Addr().Is4() || !cfg.Server.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is no IPv4 address of this machine", cfg.Server)
	}
	sock, err := newSocket()
	if err != nil {
		return nil, err
	}
	g := &Generator{
		cfg: cfg, server: sockaddr(cfg.Server), sock: sock,
		crowd:  newCrowd(cfg.Members, sock.port, rand.New(rand.NewPCG(cfg.Seed, 1))),
		random: rand.NewPCG(cfg.Seed, 2),
		began:  time.Now(), win: newWindow(cfg.Window),
	}
	for _, m := range g.crowd.members {
		g.queries = append(g.queries, newQuery(m.id))
	}
	g.askers = len(g.queries)
	return g, nil
}

// Close closes the socket.
func (g *Generator) Close() error { return g.sock.close() }

// Entrance returns the address of a member, for a server that wants to be told
// one to begin with.
func (g *Generator) Entrance(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(g.crowd.members[i].addr), g.crowd.port)
}

// Introduce has every member ask once, slowly, and answers what the server asks
// them in turn.
func (g *Generator) Introduce(ctx context.Context) error {
	for i := range g.crowd.members {
		if err := g.ask(i, g.now()); err != nil {
			return err
		}
		if err := g.run(ctx, time.Millisecond, 0); err != nil {
			return err
		}
	}
	return g.run(ctx, g.cfg.Patience, 0)
}

// Work is a measurement.
type Work struct {
	Askers int           // the first so many members ask; 0: all
	Warmup time.Duration // before it
	Span   time.Duration
	PID    int // of the server, whose CPU time is counted; 0: none is
}

// Measure asks for a warm-up, and then for a span that is measured.
func (g *Generator) Measure(ctx context.Context, w Work) (Result, error) {
	defer settle()()
	g.took = make(latencies, 0, latencyRoom)
	if g.askers = len(g.queries); w.Askers > 0 {
		g.askers = min(w.Askers, g.askers)
	}
	if err := g.run(ctx, w.Warmup, g.cfg.Window); err != nil {
		return Result{}, err
	}
	g.took, g.result = g.took[:0], Result{}
	server, err := processCPU(w.PID)
	if err != nil {
		return Result{}, err
	}
	own, began := threadCPU(), g.now()
	if err := g.run(ctx, w.Span, g.cfg.Window); err != nil {
		return Result{}, err
	}
	r := g.result
	r.Span, r.Own = g.now()-began, threadCPU()-own
	after, err := processCPU(w.PID)
	r.Server = after - server
	r.P50, r.P99 = g.took.quantiles()
	return r, err
}

// Try asks for a while with few queries under way, and returns also how many
// different nodes the answers named: what of its table the server hands out.
func (g *Generator) Try(ctx context.Context, span time.Duration) (r Result, named int, err error) {
	g.named, g.result = make(map[[nodeSize]byte]bool), Result{}
	err = g.run(ctx, span, tryWindow)
	if err == nil {
		err = g.run(ctx, g.cfg.Patience+2*sweepEvery, 0)
	}
	r, named, g.named = g.result, len(g.named), nil
	r.Span = span
	return r, named, err
}

const tryWindow = 8

// settle gives the calling goroutine a thread of its own, with sleeps that are as
// short as asked for, and returns what undoes it. The thread is kept on no core,
// nor is the server: on a machine that does other things, too, that made figures
// differ by ten times where they otherwise did by two.
func settle() (undo func()) {
	runtime.LockOSThread()
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	return func() {
		unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // the default again
		runtime.UnlockOSThread()
	}
}

func (g *Generator) now() time.Duration { return time.Since(g.began) }

// sweepEvery is the time between two looks for lost queries, and at the context.
const sweepEvery = 5 * time.Millisecond

// run keeps some queries under way for a time, none for window 0, and answers
// the server's.
func (g *Generator) run(ctx context.Context, span time.Duration, window int) error {
	now := g.now()
	for end, sweep := now+span, now; now < end; now = g.now() {
		got, err := g.hear(now)
		if err == nil && window > 0 {
			err = g.fill(now, window)
		}
		if err == nil {
			err = g.sock.flush()
		}
		if err != nil {
			return err
		}
		if now >= sweep {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			g.result.Losses += uint64(g.win.expire(now - g.cfg.Patience))
			sweep = now + sweepEvery
		}
		if got < batch/2 {
			doze(g.cfg.Doze)
		}
	}
	return nil
}

// fill sends queries until so many are under way.
func (g *Generator) fill(now time.Duration, window int) error {
	for g.win.waiting() < min(window, len(g.win.slots)) {
		if g.burst == 0 {
			g.burst, g.turn = segments, (g.turn+1)%g.askers
		}
		g.burst--
		if err := g.ask(g.turn, now); err != nil {
			return err
		}
	}
	g.burst = 0 // what is sent later is another message in any case
	return nil
}

// ask posts a query of member i, if there is room in the window.
func (g *Generator) ask(i int, now time.Duration) error {
	number, ok := g.win.open(now)
	if !ok {
		return nil
	}
	b, err := g.sock.post(querySize, g.crowd.members[i].addr, &g.server)
	if err != nil {
		return err
	}
	copy(b, g.queries[i][:])
	fill(b, number, g.random)
	return nil
}

// hear takes what has arrived, and returns how many datagrams that were.
func (g *Generator) hear(now time.Duration) (int, error) {
	n, err := g.sock.receive()
	for i := range n {
		b, from := g.sock.received(i)
		switch {
		case from.Addr != g.server.Addr || from.Port != g.server.Port || !g.msg.read(b):
			g.result.Wrong++
		case g.msg.kind == 'q':
			if err := g.oblige(i); err != nil {
				return n, err
			}
		default:
			g.take(now)
		}
	}
	return n, err
}

// take counts the answer that was read.
func (g *Generator) take(now time.Duration) {
	number, numbered := g.msg.number()
	took, waited := g.win.close(number, now)
	r := &g.result
	switch {
	case !numbered || !waited:
		r.Wrong++
	case g.msg.kind == 'e':
		r.Errors++
	case g.msg.kind != 'r' || g.msg.nodes == nil || len(g.msg.nodes)%nodeSize != 0:
		r.Wrong++
	default:
		nodes := len(g.msg.nodes) / nodeSize
		r.Answers++
		r.Nodes += uint64(nodes)
		if nodes >= answered {
			r.Full++
		}
		g.took.add(took)
		g.note(g.msg.nodes)
	}
}

// note notes the nodes of an answer, when that was asked for.
func (g *Generator) note(nodes []byte) {
	if g.named == nil {
		return
	}
	for n := range slices.Chunk(nodes, nodeSize) {
		g.named[[nodeSize]byte(n)] = true
	}
}

// oblige answers the query that was read, datagram i, in the name of the member
// that was asked.
func (g *Generator) oblige(i int) error {
	g.result.Asked++
	addr, ok := g.sock.receivedAt(i)
	who, known := g.crowd.byAddr[addr]
	if !ok || !known {
		return nil
	}
	if g.buf, ok = g.crowd.answer(g.buf[:0], who, &g.msg); !ok {
		return nil
	}
	b, err := g.sock.post(len(g.buf), addr, &g.server)
	copy(b, g.buf)
	return err
}
