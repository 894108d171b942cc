package lightdht_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

const (
	publicA = "8.8.4.4:6881"
	publicB = "9.9.9.9:6881"
)

// saying answers everything and tells the asker that it is at addr.
func saying(addr string) func(p *peer, q *packet) {
	return func(p *peer, q *packet) { p.reply(q, krpc.Message{IP: at(addr)}) }
}

// electorate is peers in a /24 each.
func (l *lab) electorate(n int, respond func(p *peer, q *packet)) (all []*peer) {
	for i := range n {
		all = append(all, l.peer(fmt.Sprintf("11.%d.%d.9:6881", i>>8, i&255), respond))
	}
	return all
}

// poll asks all of them, one after the other.
func (l *lab) poll(n *lightdht.Node, all []*peer) {
	l.Helper()
	for _, p := range all {
		if _, err := n.Ping(l.ctx, p.addr); err != nil {
			l.Fatal(err)
		}
	}
}

// With eight votes of one mind our ID follows our address: queries, answers and
// the core have it from then on.
func TestIDFollowsAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public})
		all, first := l.electorate(9, saying(publicA)), a.ID()
		l.poll(a, all[:7])
		if a.ID() != first || a.PublicAddr(kad.IPv4).IsValid() {
			t.Fatalf("after seven votes the ID is %s, the address %s", a.ID(), a.PublicAddr(kad.IPv4))
		}
		l.poll(a, all[7:8])
		id := a.ID()
		if id == first || !kad.IsSecureID(id, at(publicA).Addr()) || a.PublicAddr(kad.IPv4) != at(publicA).Addr() {
			t.Fatalf("after eight the ID is %s, the address %s", id, a.PublicAddr(kad.IPv4))
		}
		l.poll(a, all[8:])
		if got := all[8].take(); len(got) != 1 || got[0].ID != id {
			t.Errorf("a query shows %v", got)
		}
		if got := all[8].query(at(publicA), krpc.Ping{}); got.ID != id {
			t.Errorf("an answer shows %s", got.ID)
		}
		if got := len(a.Core(kad.IPv4)); got != 9 {
			t.Errorf("%d in the core, want all 9", got)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.IDChanges: 1})
	})
}

// Somebody with a whole /24 has one vote.
func TestLiarsOfOneNetwork(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public})
		first := a.ID()
		honest := l.electorate(6, saying(publicA))
		for i := range 200 {
			l.poll(a, []*peer{l.peer(fmt.Sprintf("66.6.6.%d:6881", i), saying(publicB))})
		}
		l.poll(a, honest)
		if a.ID() != first || a.PublicAddr(kad.IPv4).IsValid() {
			t.Errorf("the ID was %s and is %s, the address %s", first, a.ID(), a.PublicAddr(kad.IPv4))
		}
		more := l.peer("12.1.1.1:6881", saying(publicA))
		l.poll(a, []*peer{more})
		if got := a.PublicAddr(kad.IPv4); got != at(publicA).Addr() {
			t.Errorf("with seven of eight votes the address is %s", got)
		}
	})
}

// Our ID changes once an hour at most, and not at all when it fits.
func TestIDChangesRarely(t *testing.T) {
	inLab(t, func(l *lab) {
		says := publicA
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public})
		all := l.electorate(30, func(p *peer, q *packet) { saying(says)(p, q) })
		l.poll(a, all)
		second, elected := a.ID(), now()
		says = publicB
		for now().Sub(elected) < time.Hour-time.Minute {
			l.poll(a, all)
			time.Sleep(time.Minute)
		}
		if a.ID() != second {
			t.Errorf("it changed after %v", now().Sub(elected))
		}
		time.Sleep(time.Minute)
		l.poll(a, all[:1])
		third := a.ID()
		if third == second || !kad.IsSecureID(third, at(publicB).Addr()) {
			t.Errorf("after the hour it is %s", third)
		}
		time.Sleep(2 * time.Hour)
		says = "13.9.9.9:6881" // BEP 42 looks at two bits of the first byte
		l.poll(a, all)
		if got := a.PublicAddr(kad.IPv4); a.ID() != third || got != at(says).Addr() {
			t.Errorf("an ID that fits was changed to %s; the address is %s", a.ID(), got)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.IDChanges: 2})
	})
}

// Who gave an ID keeps it; on a private network nobody votes; and an address
// that cannot be ours is no vote.
func TestIDStays(t *testing.T) {
	for _, c := range []struct {
		name, says string
		cfg        lightdht.Config
		elected    bool
	}{
		{"an ID of one's own", publicA, lightdht.Config{ID: idOf("own"), Network: lightdht.Public}, true},
		{"a private network", publicA, lightdht.Config{Network: lightdht.Private}, false},
		{"a private address", "10.1.2.3:6881", lightdht.Config{Network: lightdht.Public}, false},
		{"another family", "[2606:4700::1]:6881", lightdht.Config{Network: lightdht.Public}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(publicA, c.cfg)
				first := a.ID()
				l.poll(a, l.electorate(20, saying(c.says)))
				if got := a.PublicAddr(kad.IPv4); a.ID() != first || got.IsValid() != c.elected {
					t.Errorf("the ID is %s, was %s; the address is %s", a.ID(), first, got)
				}
				l.counts(a, map[lightdht.Counter]uint64{lightdht.IDChanges: 0})
			})
		})
	}
}

// A KRPC error, too, says where it sees us; a reply that nobody asked for does not.
func TestVotesComeWithAnswers(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public})
		stray := l.electorate(20, nil)
		for _, p := range stray {
			p.send(at(publicA), krpc.Message{Kind: krpc.KindReply, TID: []byte("aaaa"), IP: at(publicB), ID: p.id, Fields: krpc.FieldID})
			p.take()
		}
		if got := a.PublicAddr(kad.IPv4); got.IsValid() {
			t.Errorf("strays elected %s", got)
		}
		for i := range 8 {
			p := l.peer(fmt.Sprintf("15.1.%d.1:6881", i), func(p *peer, q *packet) {
				p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202, Text: []byte("no"), IP: at(publicA)})
			})
			a.Ping(l.ctx, p.addr)
		}
		if got := a.PublicAddr(kad.IPv4); got != at(publicA).Addr() {
			t.Errorf("errors elected %v", got)
		}
	})
}

// With two families the first one's address decides about the ID, BEP 32.
func TestIDFollowsFirstFamily(t *testing.T) {
	inLab(t, func(l *lab) {
		const six = "[2606:4700::4]:6881"
		a := l.node("", lightdht.Config{Network: lightdht.Public, Conn4: l.listen(publicA), Conn6: l.listen(six)})
		first := a.ID()
		for i := range 8 {
			p := l.peer(fmt.Sprintf("[2606:4700:%d::1]:6881", i+1), saying(six))
			l.poll(a, []*peer{p})
		}
		if got := a.PublicAddr(kad.IPv6); a.ID() != first || got != at(six).Addr() {
			t.Errorf("the ID is %s, was %s; the IPv6 address is %s", a.ID(), first, got)
		}
		l.poll(a, l.electorate(8, saying(publicA)))
		if !kad.IsSecureID(a.ID(), at(publicA).Addr()) {
			t.Errorf("the ID is %s", a.ID())
		}
	})
}

// secured is a peer with an ID that BEP 42 allows at its address.
func (l *lab) secured(addr string, respond func(p *peer, q *packet)) *peer {
	p := l.peer(addr, respond)
	p.id = kad.SecureID(p.addr.Addr(), p.id)
	return p
}

// With SecureOnly a lookup asks everybody, and learns from everybody, but counts
// only those whose ID fits their address: they alone are announced to.
func TestSecureOnly(t *testing.T) {
	for _, c := range []struct {
		name     string
		cfg      lightdht.Config
		count    bool // whether the insecure one counts
		insecure uint64
	}{
		{"on the public network", lightdht.Config{Network: lightdht.Public, SecureOnly: true}, false, 2},
		{"on a private one", lightdht.Config{Network: lightdht.Private, SecureOnly: true}, true, 0},
		{"not asked for", lightdht.Config{Network: lightdht.Public}, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(publicA, c.cfg)
				var far *peer
				respond := func(p *peer, q *packet) {
					m := krpc.Message{Fields: krpc.FieldNodes}
					if q.Method == krpc.MethodGetPeers {
						m.Token = []byte("token")
						m.Set(krpc.FieldToken)
					}
					if p != far {
						m.Nodes = krpc.AppendNode(nil, kad.NodeInfo{ID: far.id, Addr: far.addr})
					}
					p.reply(q, m)
				}
				far = l.secured("13.1.1.1:6881", respond)
				bad := l.peer("14.1.1.1:6881", respond)
				l.poll(a, []*peer{bad})
				out, err := a.Announce(l.ctx, bad.id, 7)
				if err != nil {
					t.Fatal(err)
				}
				asked := func(p *peer) (methods []string) {
					for _, q := range p.take() {
						methods = append(methods, q.Method)
					}
					return methods
				}
				wantBad, wantStored := []string{"ping", "get_peers"}, []netip.AddrPort{far.addr}
				if c.count {
					wantBad, wantStored = append(wantBad, "announce_peer"), []netip.AddrPort{far.addr, bad.addr}
				}
				if got := asked(bad); !slices.Equal(got, wantBad) {
					t.Errorf("the insecure one was asked %v, want %v", got, wantBad)
				}
				if got := asked(far); !slices.Equal(got, []string{"get_peers", "announce_peer"}) {
					t.Errorf("the secure one was asked %v", got)
				}
				if got := addrs(out.Stored); !slices.Equal(got, wantStored) {
					t.Errorf("stored at %v, want %v", got, wantStored)
				}
				if got := addrs(a.Core(kad.IPv4)); slices.Contains(got, bad.addr) != c.count || !slices.Contains(got, far.addr) {
					t.Errorf("the core is %v", got)
				}
				l.counts(a, map[lightdht.Counter]uint64{lightdht.Insecure: c.insecure})
			})
		})
	}
}

// addrs returns where nodes are, in order.
func addrs(nodes []kad.NodeInfo) (out []netip.AddrPort) {
	for _, n := range nodes {
		out = append(out, n.Addr)
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return out
}

// A stranger that answers in the place of somebody is strange, secure or not.
func TestSecureOnlyCountsStrangers(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public, SecureOnly: true})
		p := l.peer("14.1.1.1:6881", answering)
		know(a, kad.NodeInfo{ID: idOf("another"), Addr: p.addr}, now())
		res, err := a.FindClosest(l.ctx, p.id)
		if err != nil || res.Strange != 1 || res.Answered != 1 || len(res.Closest) != 0 {
			t.Errorf("%+v, %v", res, err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Insecure: 1, lightdht.UnexpectedID: 1})
	})
}

// A router that answers with an ID that does not fit is counted as well.
func TestSecureOnlyCountsRouters(t *testing.T) {
	inLab(t, func(l *lab) {
		p := l.peer("14.1.1.1:6881", answering)
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public, SecureOnly: true, Routers: []string{p.addr.String()}})
		a.Bootstrap(l.ctx)
		if got := a.Count(lightdht.Insecure); got == 0 || got != a.Count(lightdht.RepliesIn) {
			t.Errorf("%d counted of %d", got, a.Count(lightdht.RepliesIn))
		}
	})
}
