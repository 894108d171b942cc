package lightdht_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// A node of both families whose bootstrap nodes know but their own waits for
// both, yet not long for a silent one once the other has answered.
func TestIntroductionInBothFamilies(t *testing.T) {
	for _, c := range []struct {
		name      string
		begin     []string
		six       time.Duration // it answers after; 0: never
		took      time.Duration // introduction and lookup
		answers   int
		lateReply bool
	}{
		{"both answer", []string{addrB, addrB6}, 300 * ms, 600 * ms, 2, false},
		{"one is silent", []string{addrB, addrB6}, 0, 1200 * ms, 1, false}, // a second beyond the answer at 100 ms
		{"one answers at last", []string{addrB, addrB6}, 1099 * ms, 2198 * ms, 2, false},
		{"one answers late", []string{addrB, addrB6}, 3 * s, 1200 * ms, 1, true},
		{"nothing to wait for", []string{addrB}, 300 * ms, 200 * ms, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6), Bootstrap: c.begin})
				l.peer(addrB, after(100*ms, answering))
				six := l.peer(addrB6, nil)
				if c.six > 0 {
					six.respond = after(c.six, answering)
				}
				began := time.Now()
				res, err := a.FindClosest(l.ctx, infohash)
				if took := time.Since(began); err != nil || res.Answered != c.answers || len(res.Closest) != c.answers || took != c.took {
					t.Errorf("after %v: %+v, %v", took, res, err)
				}
				time.Sleep(10 * s)
				got, ok := a.Table(kad.IPv6).Get(kad.NodeInfo{ID: six.id, Addr: six.addr})
				if ok != (c.answers == 2 || c.lateReply) || ok && (got.LastRTT != c.six || got.Origin != table.FromBootstrap) {
					t.Errorf("the contact of IPv6 is %+v", got)
				}
			})
		})
	}
}

// The second that a silent family has left begins with the first answer of the
// other one, whoever answers after that.
func TestIntroductionWaitsForASecond(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6), Bootstrap: []string{addrB, addrC, addrD, addrB6}})
		l.peer(addrB, after(100*ms, answering))
		l.peer(addrC, after(500*ms, answering))
		l.peer(addrD, after(900*ms, answering))
		l.peer(addrB6, nil)
		began := time.Now()
		for step, err := range a.Lookup(l.ctx, infohash) {
			if took := time.Since(began); err != nil || step.Event != lightdht.Asked || took != 1100*ms {
				t.Errorf("after %v: %s, %v, want the lookup to begin", took, step.Event, err)
			}
			break
		}
	})
}

// Whoever is at a bootstrap address is known from there, however it comes up
// once we have begun; what the caller named stays as it was named.
func TestOriginOfBootstrapNodes(t *testing.T) {
	for name, c := range map[string]struct {
		respond func(p *peer, q *packet)        // of the one at the bootstrap address
		meet    func(a *lightdht.Node, p *peer) // how it comes up
		named   bool                            // whether another names it
		want    table.Origin
	}{
		"reply":   {respond: after(ms, answering), want: table.FromBootstrap},
		"query":   {meet: func(_ *lightdht.Node, p *peer) { p.query(at(addrA), krpc.Ping{}) }, want: table.FromBootstrap},
		"mention": {named: true, want: table.FromBootstrap},
		"failure": {meet: func(a *lightdht.Node, p *peer) { a.Ask(p.l.ctx, kad.NodeInfo{ID: p.id, Addr: p.addr}, krpc.Ping{}) }, want: table.FromBootstrap},
		"Add":     {meet: func(a *lightdht.Node, p *peer) { a.Add(kad.NodeInfo{ID: p.id, Addr: p.addr}) }, want: table.FromImport},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB, addrC}})
				b := l.peer(addrB, c.respond)
				other := l.peer(addrD, answering)
				l.peer(addrC, after(ms, func(p *peer, q *packet) { // by then all addresses are known
					nodes := krpc.AppendNode(nil, kad.NodeInfo{ID: other.id, Addr: other.addr})
					if c.named {
						nodes = krpc.AppendNode(nodes, kad.NodeInfo{ID: b.id, Addr: b.addr})
					}
					p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: nodes})
				}))
				if err := a.Bootstrap(l.ctx); err != nil {
					t.Fatal(err)
				}
				if c.meet != nil {
					c.meet(a, b)
				}
				time.Sleep(s)
				l.heard(a)
				if got, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: b.id, Addr: b.addr}); got.Origin != c.want {
					t.Errorf("%+v", got)
				}
				if got, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: other.id, Addr: other.addr}); got.Origin != table.FromMention {
					t.Errorf("another: %+v", got)
				}
			})
		})
	}
}

// Nobody takes room on a list twice: contacts that share an address, or an ID,
// are one there, and the lookup begins with others too.
func TestLookupBeginsWithDistinctContacts(t *testing.T) {
	for name, twin := range map[string]func(i int) kad.NodeInfo{
		"one address": func(i int) kad.NodeInfo { return kad.NodeInfo{ID: kad.ID{19: byte(i)}, Addr: at("10.3.0.1:1")} },
		"one ID": func(i int) kad.NodeInfo {
			return kad.NodeInfo{ID: kad.ID{19: 1}, Addr: netip.AddrPortFrom(at("10.3.0.1:1").Addr(), uint16(i+1))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{})
				for i := range 50 {
					know(a, twin(i), now())
				}
				p := l.peer(addrB, answering)
				p.id = kad.ID{0: 0x80}
				know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
				res, err := a.FindClosest(l.ctx, kad.ID{})
				if err != nil || res.Asked != 2 || !slices.Equal(found(res), []kad.NodeInfo{{ID: p.id, Addr: p.addr}}) {
					t.Errorf("%+v, %v", res, err)
				}
			})
		})
	}
}

// A router whose name takes long to look up is one from then on, though nobody
// waited for it.
func TestRouterWithASlowName(t *testing.T) {
	inLab(t, func(l *lab) {
		names := func(_ context.Context, host string) ([]netip.Addr, error) {
			time.Sleep(3 * s)
			return ips("10.0.0.3"), nil
		}
		a := l.node(addrA, lightdht.Config{Routers: []string{addrB, "slow.test:1003"}, Resolve: names})
		other := l.peer(addrD, answering)
		l.peer(addrB, func(p *peer, q *packet) {
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, kad.NodeInfo{ID: other.id, Addr: other.addr})})
		})
		slow := l.peer("10.0.0.3:1003", answering)
		began := time.Now()
		if err := a.Bootstrap(l.ctx); err != nil || time.Since(began) != 0 {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		time.Sleep(4 * s)
		slow.query(at(addrA), krpc.Ping{})
		if c, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: slow.id, Addr: slow.addr}); !ok || !c.Router || c.Origin != table.FromBootstrap {
			t.Errorf("the slow one is %+v", c)
		}
	})
}
