package lightdht_test

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// host returns the i-th address of a swarm.
func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 7, byte(i >> 8), byte(i)}) }

// join has somebody at ip announce a peer, a seed or not, to a node.
func (l *lab) join(ip netip.Addr, to netip.AddrPort, infohash kad.ID, port uint16, seed bool) {
	l.Helper()
	p := l.peer(netip.AddrPortFrom(ip, port).String(), nil)
	token := p.query(to, krpc.GetPeers{InfoHash: infohash}).Token
	if got := p.query(to, krpc.AnnouncePeer{InfoHash: infohash, Port: port, Token: token, Seed: seed}); got.Kind != krpc.KindReply {
		l.Fatalf("not taken: %q", got.Raw)
	}
	p.conn.Close()
}

// filterOf is the filter of addresses.
func filterOf(addrs ...netip.Addr) (b krpc.Bloom) {
	for _, addr := range addrs {
		b.Insert(addr)
	}
	return b
}

// filtersAre holds the filters of an answer to those of seeds and other peers.
func filtersAre(t *testing.T, m *krpc.Message, seeds, peers krpc.Bloom) {
	t.Helper()
	s, p := m.Filters()
	if s == nil || p == nil || *s != seeds || *p != peers {
		t.Errorf("filters %x and %x,\nwant %x and %x", s, p, seeds, peers)
	}
}

// A seed is in the one filter and other peers in the other; what a peer said last
// counts; who has expired is in neither.
func TestScrapeIsAnswered(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{PeerTTL: 10 * time.Minute})
		b := l.node(addrB, lightdht.Config{})
		scrape := func() *krpc.Message {
			t.Helper()
			reply, err := b.ScrapePeers(l.ctx, at(addrA), infohash)
			if err != nil || len(reply.Token) == 0 || !reply.Has(krpc.FieldNodes) {
				t.Fatalf("%+v, %v", reply, err)
			}
			return &reply.Message
		}
		if seeds, peers := scrape().Filters(); seeds != nil || peers != nil {
			t.Errorf("an infohash without peers has filters: %x, %x", seeds, peers)
		}
		l.join(host(1), at(addrA), infohash, 1, true)
		filtersAre(t, scrape(), filterOf(host(1)), krpc.Bloom{})
		time.Sleep(5 * time.Minute)
		l.join(host(2), at(addrA), infohash, 1, false)
		l.join(host(3), at(addrA), infohash, 1, true)
		l.join(host(3), at(addrA), infohash, 2, true) // at another port: no other address
		filtersAre(t, scrape(), filterOf(host(1), host(3)), filterOf(host(2)))
		l.join(host(3), at(addrA), infohash, 1, false)
		l.join(host(3), at(addrA), infohash, 2, false)
		l.join(host(2), at(addrA), infohash, 1, true)
		filtersAre(t, scrape(), filterOf(host(1), host(2)), filterOf(host(3)))
		time.Sleep(5 * time.Minute)
		filtersAre(t, scrape(), filterOf(host(2)), filterOf(host(3)))
		if got := scrape().PeerAddrs(); len(got) != 3 {
			t.Errorf("besides the filters %v is told, want the three that are left", got)
		}
		time.Sleep(5 * time.Minute) // the sweep has not come yet
		if seeds, peers := scrape().Filters(); seeds != nil || peers != nil {
			t.Errorf("all have expired: %x, %x", seeds, peers)
		}
	})
}

// Who does not ask for filters has none.
func TestNoFiltersUnasked(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		l.join(host(1), at(addrA), infohash, 1, true)
		b := l.peer(addrB, nil)
		for _, q := range []krpc.Query{krpc.GetPeers{InfoHash: infohash}, krpc.Any{Name: "get_peers", Args: map[string]any{"info_hash": string(infohash[:]), "scrape": 0}}} {
			if got := b.query(at(addrA), q); got.Has(krpc.FieldSeedFilter) || got.Has(krpc.FieldPeerFilter) || got.Values.Len() != 1 {
				t.Errorf("%q", got.Raw)
			}
		}
	})
}

func TestNoSeedLeavesSeedsOut(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		var want []netip.AddrPort
		for i := range 12 {
			l.join(host(i), at(addrA), infohash, 1, i%3 == 0)
			if i%3 != 0 {
				want = append(want, netip.AddrPortFrom(host(i), 1))
			}
		}
		b := l.peer(addrB, nil)
		got := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash, NoSeed: true})
		if !slices.Equal(sorted(got.PeerAddrs()), sorted(want)) {
			t.Errorf("told %v, want %v", got.PeerAddrs(), want)
		}
		if got := peersOf(b, addrA, infohash); len(got) != 12 {
			t.Errorf("without noseed %d are told", len(got))
		}
	})
}

// An answer with all there is stays within 1,024 bytes: the filters, the token and
// the nodes of the packet's family come before peers, and these before the nodes
// of the other family.
func TestScrapeAnswerFits(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen("[fd00::1]:1")})
		r := random(t, 33)
		crowd(r, a, kad.IPv4, 200, 0.5)
		crowd(r, a, kad.IPv6, 200, 0.5)
		for i := range 150 {
			l.join(host(i), at(addrA), infohash, 1, i%2 == 0)
			l.join(netip.AddrFrom16([16]byte{0xfd, 7, 15: byte(i)}), at("[fd00::1]:1"), infohash, 1, i%2 == 0)
		}
		for _, ends := range [][2]string{{addrB, addrA}, {"[fd00::2]:2", "[fd00::1]:1"}} {
			p := l.peer(ends[0], nil)
			for _, tid := range []int{1, 2, 20, 64, 128} {
				for _, want := range []krpc.Want{0, krpc.WantIPv4, krpc.WantIPv6, krpc.WantIPv4 | krpc.WantIPv6} {
					q := string(p.encode(krpc.GetPeers{InfoHash: infohash, Want: want, Scrape: true}))
					got := p.ask(at(ends[1]), strings.Replace(q, "1:t2:aa", fmt.Sprintf("1:t%d:%s", tid, strings.Repeat("x", tid)), 1))
					seeds, peers := got.Filters()
					if len(got.Raw) > 1024 || got.Anomalies != 0 || seeds == nil || peers == nil || len(got.Token) == 0 {
						t.Errorf("%s, t of %d bytes, want %d: %d bytes with %s", ends[0], tid, want, len(got.Raw), got.Anomalies)
						continue
					}
					if n := seeds.Size() + peers.Size(); math.Abs(n-150) > 10 {
						t.Errorf("filters of %v peers", n)
					}
					if got.Has(krpc.FieldNodes) && p.addr.Addr().Is4() && got.Nodes.Len() != 8 {
						t.Errorf("%d nodes in %d bytes", got.Nodes.Len(), len(got.Raw))
					}
					if left := 1024 - len(got.Raw); tid < 64 && (got.Values.Len() == 0 || left > 38) {
						t.Errorf("%s, t of %d bytes, want %d: %d peers, %d bytes left", ends[0], tid, want, got.Values.Len(), left)
					}
				}
			}
		}
	})
}

// The scrape of a network finds how many peers were announced there, and no
// seeds; twelve addresses hardly ever have a bit in common.
func TestScrape(t *testing.T) {
	inLab(t, func(l *lab) {
		hashes := []kad.ID{idOf("one"), idOf("two"), idOf("three")}
		net, a := l.town(testnet.Config{Nodes: 80, Seed: 4, Infohashes: hashes}, lightdht.Config{})
		for _, infohash := range hashes {
			res, err := a.Scrape(l.ctx, infohash)
			if err != nil {
				t.Fatal(err)
			}
			var want krpc.Bloom
			for _, addr := range net.Peers(infohash) {
				want.Insert(addr.Addr())
			}
			if res.PeerFilter != want || res.SeedFilter != (krpc.Bloom{}) || res.Nodes != 8 || res.Legacy != 0 || res.Overfull != 0 {
				t.Errorf("%+v", res)
			}
			if math.Abs(res.Peers-12) > 5*res.PeersErr || math.Abs(res.PeersErr-12.0/64) > 0.02 || res.Seeds != 0 || res.SeedsErr != 0 {
				t.Errorf("%v ± %v peers, %v ± %v seeds", res.Peers, res.PeersErr, res.Seeds, res.SeedsErr)
			}
			if res.Lookup.Target != infohash || len(res.Lookup.Closest) != 8 {
				t.Errorf("%+v", res.Lookup)
			}
			addsUp(t, res.Lookup)
		}
		res, err := a.Scrape(l.ctx, idOf("nobody has it"))
		if err != nil || res.Nodes != 0 || res.Peers != 0 || res.PeersErr != 0 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

// claims is a peer's respond: it answers get_peers with these filters, nil for
// none, and values.
func claims(t *testing.T, seeds, peers *krpc.Bloom, values ...string) func(p *peer, q *packet) {
	return func(p *peer, q *packet) {
		if q.Method == krpc.MethodGetPeers && !q.Scrape {
			t.Errorf("%s was asked without scrape: %q", p.addr, q.Raw)
		}
		m := krpc.Message{Token: []byte("tk"), Fields: krpc.FieldToken}
		if seeds != nil {
			m.SeedFilter = seeds[:]
			m.Set(krpc.FieldSeedFilter)
		}
		if peers != nil {
			m.PeerFilter = peers[:]
			m.Set(krpc.FieldPeerFilter)
		}
		for _, v := range values {
			m.Values = krpc.AppendPeer(m.Values, at(v))
			m.Set(krpc.FieldValues)
		}
		p.reply(q, m)
	}
}

// The filters of all are united, be there one or two of them. The peers that a
// node without filters tells are peers unless another node knows them for seeds.
// A filter that is too full says nothing.
func TestScrapeUnites(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		var full krpc.Bloom
		for i := range full {
			full[i] = 0xff
		}
		f := func(hosts ...int) *krpc.Bloom {
			var addrs []netip.Addr
			for _, i := range hosts {
				addrs = append(addrs, host(i))
			}
			b := filterOf(addrs...)
			return &b
		}
		for i, respond := range []func(p *peer, q *packet){
			claims(t, nil, nil, "10.7.0.1:1", "10.7.0.9:1", "10.7.0.9:2", "10.7.0.10:0"), // the nearest comes first
			claims(t, f(1, 2), f(3, 4), "10.7.0.3:1", "10.7.0.77:1"),
			claims(t, f(2, 5), nil),
			claims(t, nil, f(4, 6)),
			claims(t, f(), f(), "10.7.0.78:1"),
			claims(t, &full, f(7)),
			claims(t, f(8), &full),
			claims(t, nil, nil),
			claims(t, f(50), f(51), "10.7.0.52:1"), // not among the closest
		} {
			p := l.peer(fmt.Sprintf("10.0.1.%d:1", i+1), respond)
			p.id = kad.ID{0: 0x80, 19: byte(i + 1)}
			know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
		}
		res, err := a.Scrape(l.ctx, kad.ID{0: 0x80})
		if err != nil {
			t.Fatal(err)
		}
		if res.SeedFilter != *f(1, 2, 5) || res.PeerFilter != *f(3, 4, 6, 9) {
			t.Errorf("%v seeds, %v peers", res.Seeds, res.Peers)
		}
		if math.Abs(res.Seeds-3) > 0.1 || math.Abs(res.Peers-4) > 0.1 || res.SeedsErr == 0 || res.PeersErr <= res.SeedsErr {
			t.Errorf("%v ± %v seeds, %v ± %v peers", res.Seeds, res.SeedsErr, res.Peers, res.PeersErr)
		}
		if res.Nodes != 4 || res.Legacy != 1 || res.Overfull != 2 || len(res.Lookup.Closest) != 8 {
			t.Errorf("%d nodes, %d legacy, %d overfull", res.Nodes, res.Legacy, res.Overfull)
		}
		for _, answer := range res.Lookup.Closest {
			if answer.Reply == nil || answer.Reply.ID != answer.ID || answer.RTT != answer.Reply.RTT {
				t.Errorf("%+v", answer)
			}
		}
	})
}

// A scrape that fails tells what it had found, which may be nothing.
func TestScrapeOfNobody(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		res, err := a.Scrape(l.ctx, infohash)
		if err == nil || res == nil || res.Peers != 0 || res.Lookup == nil {
			t.Errorf("%+v, %v", res, err)
		}
		if res := (&lightdht.LookupResult{Closest: make([]lightdht.Answer, 2)}).Scrape(); res.Nodes != 0 {
			t.Errorf("of a result made by hand: %+v", res)
		}
	})
}

// Seeds announce over the network, and a scrape with either lookup tells them.
func TestScrapeOfSeeds(t *testing.T) {
	inLab(t, func(l *lab) {
		_, a := l.town(testnet.Config{Nodes: 40, Seed: 4}, lightdht.Config{})
		found, err := a.FindPeers(l.ctx, infohash)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found.Closest {
			if _, err := a.Ask(l.ctx, c.NodeInfo, krpc.AnnouncePeer{InfoHash: infohash, Port: 7, Token: c.Token, Seed: true}); err != nil {
				t.Error(err)
			}
		}
		var res *lightdht.LookupResult
		for step, err := range a.LookupWith(l.ctx, infohash, lightdht.LookupConfig{Scrape: true}) {
			if err != nil {
				t.Fatal(err)
			}
			res = step.Result
		}
		if s := res.Scrape(); s.SeedFilter != filterOf(at(addrA).Addr()) || s.Peers != 0 || s.Nodes != 8 || s.Lookup != res {
			t.Errorf("%+v", s)
		}
		if want := []netip.AddrPort{at("10.0.0.1:7")}; !slices.Equal(res.Peers, want) {
			t.Errorf("peers %v, want %v", res.Peers, want)
		}
	})
}

// Where filters have no room there are none, and the rest of the answer is whole.
func TestFiltersWithoutRoom(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{Version: make([]byte, 450)})
		l.join(host(1), at(addrA), infohash, 1, true)
		got := l.peer(addrB, nil).query(at(addrA), krpc.GetPeers{InfoHash: infohash, Scrape: true})
		if seeds, peers := got.Filters(); len(got.Raw) > 1024 || seeds != nil || peers != nil || got.Values.Len() != 1 || len(got.Token) == 0 {
			t.Errorf("%d bytes: %q", len(got.Raw), got.Raw)
		}
	})
}
