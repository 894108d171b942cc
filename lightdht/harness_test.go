package lightdht_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a network in memory whose time is its own, with real nodes and peers
// that a test moves by hand.
type lab struct {
	*testing.T
	ctx context.Context
	net testnet.Memory

	hum *peer // of heard
}

// inLab runs a test in a lab of its own.
func inLab(t *testing.T, f func(l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(&lab{T: t, ctx: t.Context()}) })
}

func (l *lab) listen(addr string) lightdht.PacketConn {
	l.Helper()
	conn, err := l.net.Listen(at(addr))
	if err != nil {
		l.Fatal(err)
	}
	return conn
}

// node starts a node at addr, on a private network unless cfg says otherwise.
func (l *lab) node(addr string, cfg lightdht.Config) *lightdht.Node {
	l.Helper()
	if cfg.Conn4 == nil && cfg.Conn6 == nil {
		cfg.Conn4 = l.listen(addr)
	}
	if cfg.Network == lightdht.Auto {
		cfg.Network = lightdht.Private
	}
	if cfg.Upkeep == (lightdht.UpkeepConfig{}) { // what a test sees is what it asked for
		cfg.Upkeep.Off = true
	}
	if cfg.Resolve == nil { // the system's resolver lives outside of the lab
		cfg.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	}
	node, err := lightdht.Listen("", cfg)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { node.Close() })
	return node
}

// peer is an end on the network that the test speaks for.
type peer struct {
	l    *lab
	id   kad.ID
	addr netip.AddrPort
	conn lightdht.PacketConn

	mu      sync.Mutex
	in      []packet
	respond func(p *peer, q *packet) // what it does at a query; nil: nothing
}

// packet is what a peer received.
type packet struct {
	krpc.Message
	from netip.AddrPort
	at   time.Time
}

// peer opens an end at addr; respond may be nil.
func (l *lab) peer(addr string, respond func(p *peer, q *packet)) *peer {
	l.Helper()
	p := &peer{l: l, id: idOf(addr), addr: at(addr), conn: l.listen(addr), respond: respond}
	done := make(chan struct{})
	go func() { defer close(done); p.read() }()
	l.Cleanup(func() { p.conn.Close(); <-done })
	return p
}

func (p *peer) read() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		got := packet{from: from, at: time.Now()}
		if err := krpc.Parse(slices.Clone(buf[:n]), &got.Message); err != nil {
			p.l.Errorf("%s sent to %s what is no message: %q", from, p.addr, buf[:n])
		}
		p.mu.Lock()
		p.in = append(p.in, got)
		p.mu.Unlock()
		if p.respond != nil && got.Kind == krpc.KindQuery {
			p.respond(p, &got)
		}
	}
}

// raw sends bytes.
func (p *peer) raw(to netip.AddrPort, b string) { p.conn.WriteToUDPAddrPort([]byte(b), to) }

// send sends a message.
func (p *peer) send(to netip.AddrPort, m krpc.Message) { p.raw(to, string(krpc.Append(nil, &m))) }

// reply answers q as a good node does, with further fields in m.
func (p *peer) reply(q *packet, m krpc.Message) {
	m.Kind, m.TID = krpc.KindReply, q.TID
	if !m.Has(krpc.FieldID) {
		m.ID = p.id
		m.Set(krpc.FieldID)
	}
	p.send(q.from, m)
}

// take returns what has arrived, once all is quiet, and forgets it.
func (p *peer) take() []packet {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.in
	p.in = nil
	return got
}

// took is take for packets of one kind, errors being replies; the others stay.
func (p *peer) took(kind krpc.Kind) (got []packet) {
	all := p.take()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range all {
		if m.Kind == kind || m.Kind == krpc.KindError && kind == krpc.KindReply {
			got = append(got, m)
		} else {
			p.in = append(p.in, m)
		}
	}
	return got
}

// ask sends bytes and returns the one answer to them.
func (p *peer) ask(to netip.AddrPort, b string) packet {
	p.l.Helper()
	p.took(krpc.KindReply)
	p.raw(to, b)
	got := p.took(krpc.KindReply)
	if len(got) != 1 {
		p.l.Fatalf("%q had %d answers, want one", b, len(got))
	}
	return got[0]
}

// query is ask with a query of the peer's own ID.
func (p *peer) query(to netip.AddrPort, q krpc.Query) packet {
	p.l.Helper()
	return p.ask(to, string(p.encode(q)))
}

func (p *peer) encode(q krpc.Query) []byte {
	p.l.Helper()
	var m krpc.Message
	if err := krpc.NewQuery(q, &m); err != nil {
		p.l.Fatal(err)
	}
	if !m.Has(krpc.FieldID) {
		m.ID = p.id
		m.Set(krpc.FieldID)
	}
	m.TID = []byte("aa")
	return krpc.Append(nil, &m)
}

// answering is a peer's respond: it answers everything.
func answering(p *peer, q *packet) { p.reply(q, krpc.Message{}) }

// slow makes every packet that a conn sends arrive after a delay.
type slow struct {
	lightdht.PacketConn
	delay time.Duration
}

func (s slow) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	b = slices.Clone(b)
	time.AfterFunc(s.delay, func() { s.PacketConn.WriteToUDPAddrPort(b, to) })
	return len(b), nil
}

// now is short for time.Now, which in a lab is the time of the lab.
func now() time.Time { return time.Now() }

// at reads an address.
func at(addr string) netip.AddrPort { return netip.MustParseAddrPort(addr) }

// idOf returns an ID that follows from a text.
func idOf(s string) (id kad.ID) {
	seed := [32]byte{}
	copy(seed[:], s)
	rand.NewChaCha8(seed).Read(id[:])
	return id
}

// random returns a generator whose seed the log tells.
func random(t testing.TB, seed uint64) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomID(r *rand.Rand) (id kad.ID) {
	for i := 0; i < kad.Size; i += 4 {
		binary.BigEndian.PutUint32(id[i:], r.Uint32())
	}
	return id
}

// heard lets a node hear an answer, so that it knows that its network is there:
// an error, which names nobody.
func (l *lab) heard(n *lightdht.Node) {
	l.Helper()
	if l.hum == nil {
		l.hum = l.peer("10.99.99.99:9", func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: krpc.CodeServer})
		})
	}
	if _, err := n.Ping(l.ctx, l.hum.addr); err == nil {
		l.Error("an error is no error")
	}
	synctest.Wait()
}

// know makes a node know somebody who answered it at some time.
func know(n *lightdht.Node, info kad.NodeInfo, when time.Time) {
	n.Table(kad.FamilyOf(info.Addr.Addr())).Observe(table.Sighting{Node: info, Time: when, Event: table.Replied})
}

// counts holds counters to what they should be.
func (l *lab) counts(n *lightdht.Node, want map[lightdht.Counter]uint64) {
	l.Helper()
	for c, v := range want {
		if got := n.Count(c); got != v {
			l.Errorf("%s is %d, want %d", c, got, v)
		}
	}
}
