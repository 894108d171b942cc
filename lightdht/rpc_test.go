package lightdht_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

const (
	addrA = "10.0.0.1:1001"
	addrB = "10.0.0.2:1002"
	addrC = "10.0.0.3:1003"
	addrD = "10.0.0.4:1004"
)

func TestRPCsBetweenTwoNodes(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.node(addrB, lightdht.Config{})
		friend := kad.NodeInfo{ID: idOf("friend"), Addr: at(addrC)}
		know(b, friend, now())

		reply, err := a.Ping(l.ctx, at(addrB))
		if err != nil || reply.ID != b.ID() || reply.From != at(addrB) || reply.IP != at(addrA) {
			t.Errorf("ping: %v, %v", reply, err)
		}
		if string(reply.Version) != string(lightdht.DefaultVersion) {
			t.Errorf("the version told is %q", reply.Version)
		}
		reply, err = a.FindNode(l.ctx, at(addrB), friend.ID)
		if infos := reply.NodeInfos(); err != nil || len(infos) == 0 || infos[0] != friend {
			t.Errorf("find_node: %v, %v", infos, err)
		}
		infohash := idOf("infohash")
		reply, err = a.GetPeers(l.ctx, at(addrB), infohash)
		if err != nil || len(reply.Token) == 0 || reply.Has(krpc.FieldValues) || reply.Nodes.Len() == 0 {
			t.Fatalf("get_peers: %v, %v", reply, err)
		}
		if _, err = a.AnnouncePeer(l.ctx, at(addrB), infohash, 0, reply.Token); err != nil {
			t.Errorf("announce_peer: %v", err)
		}
		if _, err = a.AnnouncePeer(l.ctx, at(addrB), infohash, 7777, reply.Token); err != nil {
			t.Errorf("announce_peer with a port: %v", err)
		}
		reply, err = a.GetPeers(l.ctx, at(addrB), infohash)
		want := map[netip.AddrPort]bool{at(addrA): true, at("10.0.0.1:7777"): true}
		for _, addr := range reply.PeerAddrs() {
			delete(want, addr)
		}
		if err != nil || len(want) != 0 || reply.Values.Len() != 2 {
			t.Errorf("get_peers after the announcements: %v, %v", reply.PeerAddrs(), err)
		}
	})
}

func TestAnyMethodWithOwnArguments(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, func(p *peer, q *packet) {
			if q.Method != "vote" {
				return
			}
			raw, _ := q.Lookup("choice")
			p.send(q.from, krpc.Message{Kind: krpc.KindReply, TID: q.TID, Fields: krpc.FieldID, ID: p.id,
				Extra: []byte("d4:echo" + string(raw) + "e")})
		})
		reply, err := a.Do(l.ctx, at(addrB), krpc.Any{Name: "vote", Args: map[string]any{"choice": "yes"}})
		if raw, ok := reply.Lookup("echo"); err != nil || !ok || string(raw) != "3:yes" {
			t.Errorf("the answer has echo %q: %v", raw, err)
		}
	})
}

func TestAnyBringsItsOwnID(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		other := idOf("other")
		if _, err := a.Do(l.ctx, at(addrB), krpc.Any{Name: "ping", Args: map[string]any{"id": other}}); err != nil {
			t.Fatal(err)
		}
		if got := b.take(); len(got) != 1 || got[0].ID != other {
			t.Errorf("asked as %v, want %v", got, other)
		}
	})
}

func TestUnknownMethodIsError204(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.node(addrB, lightdht.Config{})
		_, err := a.Do(l.ctx, at(addrB), krpc.Any{Name: "vote"})
		var q *lightdht.QueryError
		var k *krpc.Error
		if !errors.As(err, &q) || q.Method != "vote" || q.Addr != at(addrB) || !errors.As(err, &k) || k.Code != krpc.CodeMethodUnknown {
			t.Errorf("the error is %v", err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.ErrorsIn: 1, lightdht.Timeouts: 0})
	})
}

// The same queries, to the same addresses, asked by Do and by Go.
func TestDoAndGoTellTheSame(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.node(addrB, lightdht.Config{})
		cancelled, cancel := context.WithCancel(l.ctx)
		cancel()
		for _, c := range []struct {
			name string
			ctx  context.Context
			addr string
			q    krpc.Query
		}{
			{"reply", l.ctx, addrB, krpc.Ping{}},
			{"nobody there", l.ctx, addrD, krpc.Ping{}},
			{"KRPC error", l.ctx, addrB, krpc.Any{Name: "vote"}},
			{"cancelled", cancelled, addrB, krpc.Ping{}},
			{"wrong family", l.ctx, "[2001:db8::1]:6881", krpc.Ping{}},
			{"bad query", l.ctx, addrB, krpc.Put{Value: []byte("no bencode")}},
		} {
			want, wantErr := a.Do(c.ctx, at(c.addr), c.q)
			type end struct {
				reply krpc.Reply
				err   error
			}
			ends := make(chan end)
			a.Go(c.ctx, at(c.addr), c.q, func(r krpc.Reply, err error) { ends <- end{r, err} })
			got := <-ends
			if got.reply.ID != want.ID || got.reply.From != want.From || got.reply.RTT != want.RTT {
				t.Errorf("%s: Go has %v, Do %v", c.name, got.reply, want)
			}
			if text(got.err) != text(wantErr) {
				t.Errorf("%s: Go has the error %v, Do %v", c.name, got.err, wantErr)
			}
			expected := kad.NodeInfo{ID: idOf("expected"), Addr: at(c.addr)}
			want, wantErr = a.Ask(c.ctx, expected, c.q)
			a.AskGo(c.ctx, expected, c.q, func(r krpc.Reply, err error) { ends <- end{r, err} })
			got = <-ends
			if got.reply.ID != want.ID || got.reply.Unexpected() != want.Unexpected() || text(got.err) != text(wantErr) {
				t.Errorf("%s: AskGo has %v, %v, Ask %v, %v", c.name, got.reply, got.err, want, wantErr)
			}
		}
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every way in which a query ends without an answer says which, to whom, why.
func TestQueryErrors(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("1.2.3.4:1001", lightdht.Config{Network: lightdht.Public, Routers: []string{"router.test:1"}})
		why := errors.New("enough")
		cancelled, cancel := context.WithCancelCause(l.ctx)
		cancel(why)
		check := func(want error, _ krpc.Reply, err error) {
			t.Helper()
			var q *lightdht.QueryError
			if !errors.Is(err, want) || !errors.As(err, &q) || q.Method != "ping" || !strings.HasPrefix(err.Error(), "ping to "+q.Addr.String()) {
				t.Errorf("the error is %v, want a QueryError about %v", err, want)
			}
		}
		ping := func(ctx context.Context, addr string) (krpc.Reply, error) { return a.Ping(ctx, at(addr)) }
		do := func(want error, ctx context.Context, addr string) {
			t.Helper()
			reply, err := ping(ctx, addr)
			check(want, reply, err)
		}
		do(lightdht.ErrTimeout, l.ctx, "1.2.3.5:1002")
		do(lightdht.ErrReserved, l.ctx, "192.168.1.1:6881")
		do(lightdht.ErrAddress, l.ctx, "1.2.3.5:0")
		do(lightdht.ErrAddress, l.ctx, "224.0.0.1:6881")
		do(lightdht.ErrFamily, l.ctx, "[2600::1]:6881")
		do(why, cancelled, "1.2.3.5:1002")
		a.Close()
		do(lightdht.ErrClosed, l.ctx, "1.2.3.5:1002")
		_, err := a.Ping(l.ctx, netip.AddrPort{})
		check(lightdht.ErrFamily, krpc.Reply{}, err)
	})
}

func TestBadQueryIsAnErrorAndNoPanic(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		for _, q := range []krpc.Query{nil, krpc.Any{}, krpc.Any{Name: "x", Args: 7}, krpc.Put{Value: []byte("x")}} {
			if _, err := a.Do(l.ctx, at(addrB), q); err == nil {
				t.Errorf("%#v was sent", q)
			}
		}
		if got := b.take(); len(got) != 0 {
			t.Errorf("%d packets were sent", len(got))
		}
	})
}

// A mapped address is the IPv4 address it stands for.
func TestMappedAddressIsUnmapped(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.node(addrB, lightdht.Config{})
		reply, err := a.Ping(l.ctx, at("[::ffff:10.0.0.2]:1002"))
		if err != nil || reply.From != at(addrB) {
			t.Errorf("ping: %v from %v", err, reply.From)
		}
		if _, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: b.ID(), Addr: at(addrB)}); !ok {
			t.Error("the contact does not stand at its IPv4 address")
		}
	})
}

// mapped is a conn that tells IPv4 senders as a socket of both families does.
type mapped struct{ lightdht.PacketConn }

func (m mapped) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := m.PacketConn.ReadFromUDPAddrPort(b)
	if err == nil {
		from = netip.AddrPortFrom(netip.AddrFrom16(from.Addr().As16()), from.Port())
	}
	return n, from, err
}

func TestMappedSenderIsUnmapped(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: mapped{l.listen(addrA)}})
		b := l.peer(addrB, answering)
		if reply, err := a.Ping(l.ctx, at(addrB)); err != nil || reply.From != at(addrB) {
			t.Errorf("ping: %v from %v", err, reply.From)
		}
		if got := b.query(at(addrA), krpc.Ping{}); got.IP != at(addrB) {
			t.Errorf("the answer's ip is %s", got.IP)
		}
		if a.Len() != 1 {
			t.Errorf("%d contacts, want one", a.Len())
		}
	})
}
