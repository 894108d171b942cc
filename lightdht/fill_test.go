package lightdht_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

const addrA6, addrB6 = "[fd00::1]:1001", "[fd00::2]:1002"

// dual starts a node of both families, with full tables.
func dual(l *lab) *lightdht.Node {
	a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6), MaxPeers: 5000})
	for i := range 50 {
		know(a, kad.NodeInfo{ID: idOf(fmt.Sprint("four", i)), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 1, byte(i)}), 1)}, now())
		know(a, kad.NodeInfo{ID: idOf(fmt.Sprint("six", i)), Addr: netip.AddrPortFrom(netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(i)}), 1)}, now())
	}
	return a
}

// announce has p announce peers at many ports.
func announce(p *peer, to netip.AddrPort, infohash kad.ID, peers int) (refused int) {
	p.l.Helper()
	token := p.query(to, krpc.GetPeers{InfoHash: infohash}).Token
	for i := range peers {
		p.raw(to, string(p.encode(krpc.AnnouncePeer{InfoHash: infohash, Port: uint16(1000 + i), Token: token})))
		if i%500 == 0 {
			synctest.Wait() // or the queue of the socket would be full
		}
	}
	for _, got := range p.took(krpc.KindReply) {
		if got.Kind == krpc.KindError && got.Code != krpc.CodeServer {
			p.l.Fatalf("announcing: %q", got.Raw)
		}
		if got.Kind == krpc.KindError {
			refused++
		}
	}
	return refused
}

// The lists that an answer holds are those that were wanted, or that of the
// family which carried the query.
func TestWant(t *testing.T) {
	inLab(t, func(l *lab) {
		dual(l)
		four, six := l.peer(addrB, nil), l.peer(addrB6, nil)
		const n4, n6 = krpc.WantIPv4, krpc.WantIPv6
		for _, c := range []struct {
			p        *peer
			to       string
			want     krpc.Want
			got, not krpc.Fields
		}{
			{four, addrA, 0, krpc.FieldNodes, krpc.FieldNodes6},
			{four, addrA, n4, krpc.FieldNodes, krpc.FieldNodes6},
			{four, addrA, n6, krpc.FieldNodes6, krpc.FieldNodes},
			{four, addrA, n4 | n6, krpc.FieldNodes | krpc.FieldNodes6, 0},
			{six, addrA6, 0, krpc.FieldNodes6, krpc.FieldNodes},
			{six, addrA6, n4, krpc.FieldNodes, krpc.FieldNodes6},
			{six, addrA6, n6, krpc.FieldNodes6, krpc.FieldNodes},
			{six, addrA6, n4 | n6, krpc.FieldNodes | krpc.FieldNodes6, 0},
		} {
			for _, q := range []krpc.Query{krpc.FindNode{Want: c.want}, krpc.GetPeers{Want: c.want}} {
				got := c.p.query(at(c.to), q)
				if !got.Has(c.got) || got.Fields&c.not != 0 {
					t.Errorf("%s to %s, want %d: %q", q.Method(), c.to, c.want, got.Raw)
				}
				if got.Has(krpc.FieldNodes) && got.Nodes.Len() != 8 || got.Has(krpc.FieldNodes6) && got.Nodes6.Len() != 8 {
					t.Errorf("%s to %s, want %d: %d and %d nodes", q.Method(), c.to, c.want, got.Nodes.Len(), got.Nodes6.Len())
				}
			}
		}
	})
}

func TestWantOfAFamilyThatWeDoNotHave(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		p := l.peer(addrB, nil)
		got := p.query(at(addrA), krpc.FindNode{Want: krpc.WantIPv6})
		if got.Kind != krpc.KindReply || got.Has(krpc.FieldNodes) || got.Has(krpc.FieldNodes6) {
			t.Errorf("the answer is %q", got.Raw)
		}
	})
}

// No answer is over 1,024 bytes, and none leaves room for one more peer; the
// lists are whole. First come the nodes of the asker's family, then the peers,
// then the other family's nodes.
func TestAnswersFillTheirRoom(t *testing.T) {
	inLab(t, func(l *lab) {
		dual(l)
		four, six := l.peer(addrB, nil), l.peer(addrB6, nil)
		many, few, none := idOf("many"), idOf("few"), idOf("none")
		for p, to := range map[*peer]string{four: addrA, six: addrA6} {
			announce(p, at(to), many, 2000)
			announce(p, at(to), few, 10)
		}
		ask := func(p *peer, to string, infohash kad.ID, tid int) packet {
			var m krpc.Message
			krpc.NewQuery(krpc.GetPeers{InfoHash: infohash, Want: krpc.WantIPv4 | krpc.WantIPv6}, &m)
			m.Set(krpc.FieldID)
			m.ID, m.TID = p.id, []byte(strings.Repeat("t", tid))
			got := p.ask(at(to), string(krpc.Append(nil, &m)))
			if len(got.Raw) > 1024 || got.Anomalies != 0 || string(got.TID) != string(m.TID) || len(got.Token) == 0 {
				t.Errorf("%d bytes with %s: %q", len(got.Raw), got.Anomalies, got.Raw)
			}
			return got
		}
		for _, tid := range []int{1, 2, 4, 20, 77, 128} {
			for _, c := range []struct {
				p         *peer
				to        string
				peer, few int
			}{{four, addrA, 8, 10}, {six, addrA6, 22, 10}} {
				own := func(m packet) int {
					if c.p == six {
						return m.Nodes6.Len()
					}
					return m.Nodes.Len()
				}
				got := ask(c.p, c.to, many, tid)
				if spare := 1024 - len(got.Raw); spare >= c.peer || own(got) != 8 || got.Nodes.Len()+got.Nodes6.Len() != 8 || got.Values.Len() < 10 {
					t.Errorf("many peers to %s, t of %d: %d bytes to spare, %d and %d nodes, %d peers", c.to, tid, spare,
						got.Nodes.Len(), got.Nodes6.Len(), got.Values.Len())
				}
				got = ask(c.p, c.to, few, tid)
				if got.Values.Len() != c.few || own(got) != 8 {
					t.Errorf("few peers to %s, t of %d: %d and %d nodes, %d peers", c.to, tid, got.Nodes.Len(), got.Nodes6.Len(), got.Values.Len())
				}
				got = ask(c.p, c.to, none, tid)
				if got.Has(krpc.FieldValues) || got.Nodes.Len() != 8 || got.Nodes6.Len() != 8 {
					t.Errorf("no peers to %s, t of %d: %d and %d nodes", c.to, tid, got.Nodes.Len(), got.Nodes6.Len())
				}
			}
		}
	})
}

// Peers announced in one family are not told in the other (BEP 32).
func TestPeersStayInTheirFamily(t *testing.T) {
	inLab(t, func(l *lab) {
		dual(l)
		four, six := l.peer(addrB, nil), l.peer(addrB6, nil)
		infohash := idOf("infohash")
		announce(four, at(addrA), infohash, 1)
		announce(six, at(addrA6), infohash, 1)
		for p, to := range map[*peer]string{four: addrA, six: addrA6} {
			want := []netip.AddrPort{netip.AddrPortFrom(p.addr.Addr(), 1000)}
			got := p.query(at(to), krpc.GetPeers{InfoHash: infohash})
			if !slices.Equal(got.PeerAddrs(), want) {
				t.Errorf("told in the family of %s: %v, want %v", to, got.PeerAddrs(), want)
			}
		}
	})
}
