package lightdht_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// A node of both families asks for both lists, whatever it asks with; a node of
// one asks for nothing, which means that one (BEP 32).
func TestWhoWantsBothFamilies(t *testing.T) {
	inLab(t, func(l *lab) {
		both := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6)})
		four := l.node(addrC, lightdht.Config{})
		six := l.node("", lightdht.Config{Conn6: l.listen("[fd00::3]:1003")})
		p4, p6 := l.peer(addrB, answering), l.peer(addrB6, answering)
		for _, c := range []struct {
			who  *lightdht.Node
			whom *peer
			want krpc.Want
		}{
			{both, p4, krpc.WantIPv4 | krpc.WantIPv6}, {both, p6, krpc.WantIPv4 | krpc.WantIPv6}, {four, p4, 0}, {six, p6, 0},
		} {
			for _, ask := range []func() (krpc.Reply, error){
				func() (krpc.Reply, error) { return c.who.FindNode(l.ctx, c.whom.addr, infohash) },
				func() (krpc.Reply, error) { return c.who.GetPeers(l.ctx, c.whom.addr, infohash) },
				func() (krpc.Reply, error) { return c.who.ScrapePeers(l.ctx, c.whom.addr, infohash) },
				func() (krpc.Reply, error) { return c.who.SampleInfohashes(l.ctx, c.whom.addr, infohash) },
			} {
				c.whom.take()
				if _, err := ask(); err != nil {
					t.Fatal(err)
				}
				got := c.whom.took(krpc.KindQuery)
				if len(got) != 1 || got[0].Want != c.want || got[0].Has(krpc.FieldWant) != (c.want != 0) {
					t.Errorf("to %s, want %d: %v", c.whom.addr, c.want, got)
				}
			}
		}
	})
}

// A lookup of both families goes by the lists of both, in whichever it was told
// them, and asks everybody for both.
func TestLookupCrossesTheFamilies(t *testing.T) {
	for _, began := range []kad.Family{kad.IPv4, kad.IPv6} {
		for _, cfg := range []lightdht.LookupConfig{{}, {Peers: true}, {Scrape: true}} {
			inLab(t, func(l *lab) {
				a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6)})
				var peers []*peer
				respond := func(p *peer, q *packet) { // each names the next two, be they of this family or that
					if q.Want != krpc.WantIPv4|krpc.WantIPv6 {
						t.Errorf("%s is asked for %d: %q", p.addr, q.Want, q.Raw)
					}
					var m krpc.Message
					i := slices.Index(peers, p)
					for _, next := range peers[i+1 : min(i+3, len(peers))] {
						info := kad.NodeInfo{ID: next.id, Addr: next.addr}
						if info.Addr.Addr().Is4() {
							m.Nodes = krpc.AppendNode(m.Nodes, info)
						} else {
							m.Nodes6 = krpc.AppendNode(m.Nodes6, info)
						}
					}
					m.Set(krpc.FieldNodes | krpc.FieldNodes6)
					p.reply(q, m)
				}
				var want4, want6 []kad.NodeInfo
				for i := range 12 {
					addr := fmt.Sprintf("10.0.1.%d:1", i+1)
					if (i%2 == 0) != (began == kad.IPv4) {
						addr = fmt.Sprintf("[fd00::1:%d]:1", i+1)
					}
					p := l.peer(addr, respond)
					p.id = kad.ID{0: 0x80, 19: byte(12 - i)}
					peers = append(peers, p)
					info := kad.NodeInfo{ID: p.id, Addr: p.addr}
					if p.addr.Addr().Is4() {
						want4 = append([]kad.NodeInfo{info}, want4...)
					} else {
						want6 = append([]kad.NodeInfo{info}, want6...)
					}
				}
				know(a, kad.NodeInfo{ID: peers[0].id, Addr: peers[0].addr}, now())
				var res *lightdht.LookupResult
				for step, err := range a.LookupWith(l.ctx, kad.ID{0: 0x80}, cfg) {
					if err != nil {
						t.Fatal(err)
					}
					res = step.Result
				}
				if want := slices.Concat(want4, want6); !slices.Equal(found(res), want) {
					t.Errorf("began in %s with %+v:\n got %v\nwant %v", began, cfg, found(res), want)
				}
				addsUp(t, res)
			})
		}
	}
}

// Peers of both families in one list are taken, over either.
func TestMixedValues(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6)})
		told := []netip.AddrPort{at("10.9.0.1:1"), at("[fd09::1]:2"), at("10.9.0.2:3"), at("[fd09::2]:4")}
		list := func(tail ...netip.AddrPort) (values krpc.Peers) {
			for _, addr := range append(slices.Clone(told), tail...) {
				values = krpc.AppendPeer(values, addr)
			}
			return values
		}
		want := slices.Clone(told)
		for i, addr := range []string{addrB, addrB6} {
			tail := netip.AddrPortFrom(told[i].Addr(), 99)
			want = append(want, tail)
			p := l.peer(addr, func(p *peer, q *packet) {
				p.reply(q, krpc.Message{Values: list(tail), Fields: krpc.FieldValues})
			})
			know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
			reply, err := a.GetPeers(l.ctx, p.addr, infohash)
			if got := append(slices.Clone(told), tail); err != nil || !slices.Equal(reply.PeerAddrs(), got) {
				t.Errorf("from %s: %v, %v, want %v", addr, reply.PeerAddrs(), err, got)
			}
		}
		res, err := a.FindPeers(l.ctx, infohash)
		if err != nil || !slices.Equal(sorted(res.Peers), sorted(want)) {
			t.Errorf("found %v, %v, want %v", res.Peers, err, want)
		}
		scraped, err := a.Scrape(l.ctx, infohash)
		var filter krpc.Bloom
		for _, addr := range told {
			filter.Insert(addr.Addr())
		}
		if err != nil || scraped.PeerFilter != filter || scraped.Legacy != 2 {
			t.Errorf("scraped %+v, %v", scraped, err)
		}
	})
}
