package lightdht_test

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

func TestPingIsAnswered(t *testing.T) {
	inLab(t, func(l *lab) {
		id := idOf("a")
		a := l.node(addrA, lightdht.Config{ID: id, Version: []byte("XY\x00\x01")})
		b := l.peer(addrB, nil)
		got := b.query(at(addrA), krpc.Ping{})
		want := krpc.Append(nil, &krpc.Message{
			Kind: krpc.KindReply, TID: []byte("aa"), Version: []byte("XY\x00\x01"), IP: at(addrB), Fields: krpc.FieldID, ID: id,
		})
		if string(got.Raw) != string(want) || got.from != at(addrA) || a.ID() != id {
			t.Errorf("the answer is %q, want %q", got.Raw, want)
		}
	})
}

// Every answer says at which address it saw the asker, errors too.
func TestEveryAnswerHasIP(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen("[fd00::1]:1001")})
		for _, ends := range [][2]string{{addrB, addrA}, {"[fd00::2]:1002", "[fd00::1]:1001"}} {
			p := l.peer(ends[0], nil)
			for _, q := range []krpc.Query{
				krpc.Ping{}, krpc.FindNode{}, krpc.GetPeers{}, krpc.AnnouncePeer{Port: 1}, krpc.Any{Name: "vote"}, krpc.Get{},
			} {
				if got := p.query(at(ends[1]), q); got.IP != p.addr {
					t.Errorf("%s: ip is %s, want %s", q.Method(), got.IP, p.addr)
				}
			}
		}
	})
}

// nearest is what a node is to hand out, found by sorting all its contacts.
func nearest(n *lightdht.Node, f kad.Family, target kad.ID) (out []kad.NodeInfo) {
	var cs []table.Contact
	for c := range n.Table(f).All() {
		if c.Replies > 0 && !c.Router {
			cs = append(cs, c)
		}
	}
	slices.SortFunc(cs, func(a, b table.Contact) int {
		return cmp.Or(target.CompareDistance(a.ID, b.ID), a.Addr.Compare(b.Addr))
	})
	first := func(state table.State, limit int) (some []table.Contact) {
		for _, c := range cs {
			same := func(x table.Contact) bool { return x.ID == c.ID || x.Addr == c.Addr }
			if c.State(now()) == state && len(some) < limit && !slices.ContainsFunc(some, same) {
				some = append(some, c)
			}
		}
		return some
	}
	questionable := first(table.StateQuestionable, 64)
	slices.SortStableFunc(questionable, func(a, b table.Contact) int { return b.LastReply.Compare(a.LastReply) })
	for _, c := range slices.Concat(first(table.StateGood, 8), questionable) {
		same := func(x kad.NodeInfo) bool { return x.ID == c.ID || x.Addr == c.Addr }
		if len(out) < 8 && !slices.ContainsFunc(out, same) {
			out = append(out, c.Info())
		}
	}
	return out
}

// crowd fills a node's table with contacts of every kind; of each ID and each
// address there may be several. share is how many of them have answered of late.
func crowd(r *rand.Rand, n *lightdht.Node, f kad.Family, size int, share float64) {
	ids := make([]kad.ID, size)
	for i := range ids {
		ids[i] = randomID(r)
	}
	for range size {
		ip := netip.AddrFrom4([4]byte{10, 9, 0, byte(r.IntN(size))})
		if f == kad.IPv6 {
			ip = netip.AddrFrom16([16]byte{0xfd, 9, 15: byte(r.IntN(size))})
		}
		s := table.Sighting{Node: kad.NodeInfo{ID: ids[r.IntN(size)], Addr: netip.AddrPortFrom(ip, 1)}}
		age := time.Duration(r.IntN(900)) * time.Second
		if r.Float64() > share {
			age = time.Duration(901+r.IntN(3600)) * time.Second
		}
		s.Time = now().Add(-age)
		see := func(e table.Event) { s.Event = e; n.Table(f).Observe(s) }
		switch kind := r.IntN(10); kind {
		case 0:
			see(table.Mentioned)
		case 1:
			see(table.Queried)
		case 2:
			see(table.Replied)
			s.ReadOnly = true
			see(table.Queried)
		case 3:
			s.Router = true
			see(table.Replied)
		case 4:
			see(table.Replied)
			see(table.Failed)
			see(table.Failed)
			see(table.Failed)
		default:
			see(table.Replied)
		}
	}
}

// The nearest good contacts first, then questionable ones that answered, the
// most recent first; each ID and address once; nobody else.
func TestFindNodeHandsOutTheNearest(t *testing.T) {
	for seed := range uint64(30) {
		inLab(t, func(l *lab) {
			r := random(t, seed)
			a := l.node(addrA, lightdht.Config{})
			b := l.peer(addrB, nil)
			crowd(r, a, kad.IPv4, 5+r.IntN(200), []float64{0, 0.03, 0.5}[seed%3])
			for range 10 {
				target := randomID(r)
				got := b.query(at(addrA), krpc.FindNode{Target: target})
				if infos, want := got.NodeInfos(), nearest(a, kad.IPv4, target); !slices.Equal(infos, want) {
					t.Errorf("target %s:\n got %v\nwant %v", target, infos, want)
				}
				got = b.query(at(addrA), krpc.GetPeers{InfoHash: target})
				if infos, want := got.NodeInfos(), nearest(a, kad.IPv4, target); !slices.Equal(infos, want) {
					t.Errorf("get_peers %s:\n got %v\nwant %v", target, infos, want)
				}
			}
		})
	}
}

// A node that knows nobody says so with an empty list.
func TestFindNodeOfNobody(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		if got := b.query(at(addrA), krpc.FindNode{}); !got.Has(krpc.FieldNodes) || got.Nodes.Len() != 0 {
			t.Errorf("the answer is %q", got.Raw)
		}
	})
}

// Who only asks is never handed out; once it has answered our greeting, it is.
func TestOnlyWhoAnsweredIsHandedOut(t *testing.T) {
	inLab(t, func(l *lab) {
		l.node(addrA, lightdht.Config{})
		b, c := l.peer(addrB, nil), l.peer(addrC, answering)
		b.query(at(addrA), krpc.Ping{})
		c.query(at(addrA), krpc.Ping{})
		got := b.query(at(addrA), krpc.FindNode{Target: b.id})
		if want := []kad.NodeInfo{{ID: c.id, Addr: c.addr}}; !slices.Equal(got.NodeInfos(), want) {
			t.Errorf("handed out: %v, want %v", got.NodeInfos(), want)
		}
	})
}
