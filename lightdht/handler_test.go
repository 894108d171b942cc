package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// One method is wrapped, one is replaced, one is new; the others are answered as
// ever.
func TestMethods(t *testing.T) {
	inLab(t, func(l *lab) {
		var asked []string
		note := func(q *lightdht.Packet, answer *krpc.Message) bool {
			asked = append(asked, q.Method)
			if !q.Node.DefaultHandler(q, answer) {
				return false
			}
			answer.Token = []byte("ours")
			return true
		}
		echo := func(q *lightdht.Packet, answer *krpc.Message) bool {
			answer.Extra = []byte("d4:echo" + fmt.Sprintf("%d:%s", len(q.Message.TID), q.Message.TID) + "e")
			return true
		}
		refuse := func(q *lightdht.Packet, answer *krpc.Message) bool {
			lightdht.Refuse(answer, krpc.CodeServer, "not today")
			return true
		}
		silence := func(*lightdht.Packet, *krpc.Message) bool { return false }
		a := l.node(addrA, lightdht.Config{Handler: lightdht.Methods{
			"get_peers": note, "echo": echo, "find_node": refuse, "sample_infohashes": silence, "nothing": nil,
		}.Handle})
		known := kad.NodeInfo{ID: idOf("known"), Addr: at(addrC)}
		know(a, known, now())
		b := l.peer(addrB, nil)

		got := b.query(at(addrA), krpc.GetPeers{})
		if string(got.Token) != "ours" || !slices.Contains(got.NodeInfos(), known) || got.ID != a.ID() || !slices.Equal(asked, []string{"get_peers"}) {
			t.Errorf("get_peers, which was wrapped: %q; it was told of %v", got.Raw, asked)
		}
		got = b.query(at(addrA), krpc.Any{Name: "echo"})
		if raw, _ := got.Lookup("echo"); string(raw) != "2:aa" || got.Kind != krpc.KindReply || got.ID != a.ID() || got.IP != at(addrB) || string(got.Version) != string(lightdht.DefaultVersion) {
			t.Errorf("echo, which is new: %q", got.Raw)
		}
		got = b.query(at(addrA), krpc.FindNode{})
		if got.Kind != krpc.KindError || got.Code != krpc.CodeServer || string(got.Text) != "not today" || string(got.TID) != "aa" || got.Fields != 0 {
			t.Errorf("find_node, which is refused: %q", got.Raw)
		}
		b.raw(at(addrA), string(b.encode(krpc.SampleInfohashes{})))
		if got := b.took(krpc.KindReply); len(got) != 0 {
			t.Errorf("sample_infohashes, which is not answered: %q", got[0].Raw)
		}
		if got := b.query(at(addrA), krpc.Ping{}); got.ID != a.ID() {
			t.Errorf("ping, which nobody wrapped: %q", got.Raw)
		}
		for _, name := range []string{"vote", "nothing"} {
			if got := b.query(at(addrA), krpc.Any{Name: name}); got.Code != krpc.CodeMethodUnknown {
				t.Errorf("%s, which is unknown: %q", name, got.Raw)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Unanswered: 1, lightdht.RepliesOut: 6, lightdht.ErrorsOut: 3, lightdht.QueriesIn: 7})
	})
}

// A handler sees the query that came, and what it does to one answer is not in the
// next.
func TestHandlerIsGivenTheQuery(t *testing.T) {
	inLab(t, func(l *lab) {
		var a *lightdht.Node
		b := l.peer(addrB, nil)
		a = l.node(addrA, lightdht.Config{Handler: func(q *lightdht.Packet, answer *krpc.Message) bool {
			if q.Node != a || q.Addr != b.addr || q.Method != "ping" || q.Size != len(q.Bytes) || q.Message.ID != b.id || !q.Time.Equal(now()) || string(q.Bytes) != string(q.Message.Raw) {
				t.Errorf("the handler is given %+v", q)
			}
			fresh := krpc.Message{Kind: krpc.KindReply, Fields: krpc.FieldID, ID: a.ID(), IP: b.addr}
			if answer.Kind != fresh.Kind || answer.Fields != fresh.Fields || answer.ID != fresh.ID || answer.IP != fresh.IP || answer.Token != nil || answer.Extra != nil {
				t.Errorf("the answer begins as %+v", answer)
			}
			answer.Token, answer.Extra = []byte("x"), []byte("d1:xi1ee")
			answer.Set(krpc.FieldToken)
			return true
		}})
		for range 3 {
			b.query(at(addrA), krpc.Ping{})
		}
	})
}

// A handler is not asked by a read-only node, nor about a query that could not be
// answered.
func TestHandlerIsNotAsked(t *testing.T) {
	inLab(t, func(l *lab) {
		asked := 0
		cfg := lightdht.Config{ReadOnly: true, Handler: func(*lightdht.Packet, *krpc.Message) bool { asked++; return true }}
		l.node(addrA, cfg)
		cfg.ReadOnly = false
		c := l.node(addrC, cfg)
		b := l.peer(addrB, nil)
		b.raw(at(addrA), string(b.encode(krpc.Ping{})))
		b.raw(at(addrC), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t0:1:y1:qe")
		b.id = c.ID()
		b.raw(at(addrC), string(b.encode(krpc.Ping{})))
		if got := b.took(krpc.KindReply); len(got) != 0 || asked != 0 {
			t.Errorf("asked %d times, %d answers", asked, len(got))
		}
	})
}

// later is a handler that has each query answered by f in a goroutine of its own.
func later(wg *sync.WaitGroup, f func(q *lightdht.Packet)) lightdht.Handler {
	return func(q *lightdht.Packet, _ *krpc.Message) bool {
		q = q.Clone()
		wg.Go(func() { f(q) })
		return false
	}
}

// An answer may come later, from another goroutine that has asked somebody else
// before; what it lacks is filled in.
func TestRespondLater(t *testing.T) {
	inLab(t, func(l *lab) {
		var wg sync.WaitGroup
		var g tracelog
		a := l.node(addrA, lightdht.Config{Trace: g.trace(), Handler: lightdht.Methods{"who": later(&wg, func(q *lightdht.Packet) {
			reply, err := q.Node.Ping(context.Background(), at(addrC))
			if err != nil {
				t.Error(err)
			}
			answer := krpc.Message{Token: reply.ID[:], Fields: krpc.FieldToken}
			if err := q.Node.Respond(q, &answer); err != nil {
				t.Error(err)
			}
		})}.Handle})
		c := l.peer(addrC, after(3*time.Second, answering))
		b := l.peer(addrB, nil)
		b.raw(at(addrA), string(b.encode(krpc.Any{Name: "who"})))
		b.query(at(addrA), krpc.Ping{}) // the read loop goes on meanwhile
		time.Sleep(4 * time.Second)
		wg.Wait()
		got := b.took(krpc.KindReply)
		if len(got) != 1 {
			t.Fatalf("%d answers", len(got))
		}
		if m := got[0]; string(m.Token) != string(c.id[:]) || string(m.TID) != "aa" || m.ID != a.ID() || m.IP != b.addr || string(m.Version) != string(lightdht.DefaultVersion) || m.Kind != krpc.KindReply {
			t.Errorf("the answer is %q", m.Raw)
		}
		if all := g.take(); count(all, "reply sent") != 2 || all[len(all)-1].Method != "who" || string(all[len(all)-1].Bytes) != string(got[0].Raw) {
			t.Errorf("told of %v", all[len(all)-1])
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.RepliesOut: 2, lightdht.Unanswered: 1})
	})
}

// What the answer brings stays; an error is sent as one; and what keeps it from
// being sent is told.
func TestRespond(t *testing.T) {
	inLab(t, func(l *lab) {
		queries := make(chan *lightdht.Packet, 10)
		a := l.node(publicA, lightdht.Config{
			Network: lightdht.Public, Limits: lightdht.Limits{PerAddr: 2},
			OptOut:  lightdht.NewOptOut(netip.MustParsePrefix("20.0.0.0/8")),
			Handler: func(q *lightdht.Packet, _ *krpc.Message) bool { queries <- q.Clone(); return false },
		})
		b, gone := l.peer(publicB, nil), l.peer("20.1.1.1:1", nil)
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now()) // so that nobody greets it
		ask := func(p *peer) *lightdht.Packet { p.raw(at(publicA), string(p.encode(krpc.Ping{}))); return <-queries }
		answer := krpc.Message{Version: []byte("XY"), ID: idOf("mine"), IP: at(publicA), Fields: krpc.FieldID}
		if err := a.Respond(ask(b), &answer); err != nil {
			t.Error(err)
		}
		var no krpc.Message
		lightdht.Refuse(&no, 201, "no")
		if err := a.Respond(ask(b), &no); err != nil {
			t.Error(err)
		}
		if err := a.Respond(ask(b), &krpc.Message{}); !errors.Is(err, lightdht.ErrLimited) {
			t.Errorf("the third within a second: %v", err)
		}
		if err := a.Respond(ask(gone), &krpc.Message{}); !errors.Is(err, lightdht.ErrOptOut) {
			t.Errorf("to somebody who wants nothing: %v", err)
		}
		got := b.took(krpc.KindReply)
		if len(got) != 2 || got[0].ID != idOf("mine") || string(got[0].Version) != "XY" || got[0].IP != at(publicA) || got[1].Code != 201 || got[1].Has(krpc.FieldID) {
			t.Errorf("answered with %v", got)
		}
		l.net.Unplug(at(publicA).Addr(), errors.New("unplugged"))
		time.Sleep(time.Second)
		if err := a.Respond(&lightdht.Packet{Addr: b.addr, Message: &krpc.Message{}}, &krpc.Message{}); err == nil {
			t.Error("to a query that no handler was given: no error")
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.RepliesOut: 2, lightdht.ErrorsOut: 1, lightdht.AnswersLimited: 1, lightdht.OptedOut: 2})
	})
}

// The default answers can be made in other goroutines, many at a time, while the
// read loop makes its own: each is that to its query.
func TestDefaultHandlerElsewhere(t *testing.T) {
	inLab(t, func(l *lab) {
		var wg sync.WaitGroup
		odd := atomic.Int32{}
		elsewhere := later(&wg, func(q *lightdht.Packet) {
			answer := krpc.Message{Kind: krpc.KindReply, Fields: krpc.FieldID, ID: q.Node.ID()}
			if !q.Node.DefaultHandler(q, &answer) {
				t.Error("no answer")
			}
			q.Node.Respond(q, &answer)
		})
		a := l.node(addrA, lightdht.Config{Handler: func(q *lightdht.Packet, answer *krpc.Message) bool {
			if odd.Add(1)%2 == 1 {
				return elsewhere(q, answer)
			}
			return q.Node.DefaultHandler(q, answer)
		}})
		var known []kad.NodeInfo
		for i := range 100 {
			info := kad.NodeInfo{ID: idOf(fmt.Sprint("known", i)), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 1, byte(i)}), 1)}
			known = append(known, info)
			know(a, info, now())
		}
		b := l.peer(addrB, nil)
		for i := range 100 {
			b.raw(at(addrA), string(b.tagged(krpc.FindNode{Target: known[i].ID}, i)))
			b.raw(at(addrA), string(b.tagged(krpc.GetPeers{InfoHash: known[i].ID}, i)))
			b.raw(at(addrA), string(b.tagged(krpc.SampleInfohashes{Target: known[i].ID}, i)))
		}
		synctest.Wait()
		wg.Wait()
		got := b.took(krpc.KindReply)
		if len(got) != 300 {
			t.Errorf("%d answers", len(got))
		}
		for _, m := range got {
			if i := int(m.TID[0]); m.Nodes.Len() != 8 || m.Nodes.At(0) != known[i] || m.ID != a.ID() || m.Anomalies != 0 {
				t.Errorf("to query %d: %q", i, m.Raw)
			}
		}
	})
}

// tagged is a query with a transaction id of its own.
func (p *peer) tagged(q krpc.Query, i int) []byte {
	var m krpc.Message
	krpc.NewQuery(q, &m)
	m.ID, m.TID = p.id, []byte{byte(i)}
	m.Set(krpc.FieldID)
	return krpc.Append(nil, &m)
}

// What is announced through a handler elsewhere is stored as ever.
func TestDefaultHandlerElsewhereStores(t *testing.T) {
	inLab(t, func(l *lab) {
		var wg sync.WaitGroup
		l.node(addrA, lightdht.Config{Handler: lightdht.Methods{"announce_peer": later(&wg, func(q *lightdht.Packet) {
			var answer krpc.Message
			q.Node.DefaultHandler(q, &answer)
			q.Node.Respond(q, &answer)
		})}.Handle})
		b := l.peer(addrB, nil)
		token := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash}).Token
		b.query(at(addrA), krpc.AnnouncePeer{InfoHash: infohash, Port: 77, Token: token})
		got := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash})
		if peers := slices.Collect(got.Values.All()); !slices.Equal(peers, []netip.AddrPort{at("10.0.0.2:77")}) {
			t.Errorf("told the peers %v", peers)
		}
	})
}

// IDFor says which ID is shown, in queries and answers; the zero ID is our own.
func TestIDFor(t *testing.T) {
	inLab(t, func(l *lab) {
		other := kad.NodeInfo{ID: idOf("other"), Addr: at(addrC)}
		shows := func(target kad.ID, to netip.AddrPort) kad.ID {
			switch {
			case target.IsZero() && to == at(addrC):
				return other.ID
			case target.IsZero():
				return kad.ID{}
			}
			return target.Prefix(100).Fill(idOf("us"))
		}
		var wg sync.WaitGroup
		a := l.node(addrA, lightdht.Config{IDFor: shows, Handler: lightdht.Methods{"later": later(&wg, func(q *lightdht.Packet) { q.Node.Respond(q, &krpc.Message{}) })}.Handle})
		b, c := l.peer(addrB, answering), l.peer(addrC, answering)
		for _, p := range []*peer{b, c} {
			for _, q := range []krpc.Query{
				krpc.Ping{}, krpc.FindNode{Target: infohash}, krpc.GetPeers{InfoHash: infohash}, krpc.SampleInfohashes{Target: infohash},
				krpc.AnnouncePeer{InfoHash: infohash, Port: 1}, krpc.Any{Name: "vote"}, krpc.Any{Name: "later"},
			} {
				var m krpc.Message
				krpc.NewQuery(q, &m)
				target := m.Target
				if m.Has(krpc.FieldInfoHash) {
					target = m.InfoHash
				}
				want := shows(target, p.addr)
				if want.IsZero() {
					want = a.ID()
				}
				a.Do(l.ctx, p.addr, q)
				if got := p.took(krpc.KindQuery); len(got) != 1 || got[0].ID != want {
					t.Errorf("%s to %s shows %v, want %s", q.Method(), p.addr, got, want)
				}
				if got := p.query(at(addrA), q); got.Kind == krpc.KindReply && got.ID != want {
					t.Errorf("the answer to %s of %s shows %s, want %s", q.Method(), p.addr, got.ID, want)
				}
			}
		}
		// A query that brings its own ID keeps it.
		a.Do(l.ctx, at(addrB), krpc.Any{Name: "vote", Args: map[string]any{"id": idOf("own")}})
		if got := b.took(krpc.KindQuery); len(got) != 1 || got[0].ID != idOf("own") {
			t.Errorf("with an ID of its own: %v", got)
		}
	})
}

// A token is good whatever ID it was given under, and under whatever ID it comes
// back.
func TestTokensUnderAnotherID(t *testing.T) {
	inLab(t, func(l *lab) {
		shown := idOf("first")
		a := l.node(addrA, lightdht.Config{IDFor: func(kad.ID, netip.AddrPort) kad.ID { return shown }})
		b := l.peer(addrB, nil)
		got := b.query(at(addrA), krpc.GetPeers{InfoHash: infohash})
		shown, b.id = idOf("second"), idOf("b's second")
		stored := b.query(at(addrA), krpc.AnnouncePeer{InfoHash: infohash, Port: 7, Token: got.Token})
		if got.ID != idOf("first") || stored.ID != idOf("second") || stored.Kind != krpc.KindReply {
			t.Errorf("the token came with %q, and then %q", got.Raw, stored.Raw)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.BadToken: 0})
	})
}

// An answer that is given twice tells each asker its own address; none goes where
// nothing is sent, nor from a node that answers nothing.
func TestRespondWithOneAnswer(t *testing.T) {
	inLab(t, func(l *lab) {
		var asked []*lightdht.Packet
		cfg := lightdht.Config{Handler: func(q *lightdht.Packet, _ *krpc.Message) bool {
			asked = append(asked, q.Clone())
			return false
		}}
		a := l.node(addrA, cfg)
		b, c := l.peer(addrB, nil), l.peer(addrC, nil)
		for _, p := range []*peer{b, c} {
			p.raw(at(addrA), string(p.encode(krpc.Ping{})))
			p.take()
		}
		answer := &krpc.Message{}
		for _, q := range asked {
			if err := a.Respond(q, answer); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range []*peer{b, c} {
			if got := p.took(krpc.KindReply); len(got) != 1 || got[0].IP != p.addr {
				t.Errorf("%s was told %+v", p.addr, got)
			}
		}
		far := asked[0].Clone()
		far.Addr = at("192.168.1.2:1")
		public := l.node(publicA, lightdht.Config{Network: lightdht.Public})
		if err := public.Respond(far, answer); !errors.Is(err, lightdht.ErrReserved) {
			t.Errorf("sent to a private address: %v", err)
		}
		if err := l.node(addrD, lightdht.Config{ReadOnly: true}).Respond(asked[0], answer); err == nil {
			t.Error("a read-only node answered")
		}
	})
}

// A query of ours that comes back to us, from an address of ours that we did not
// know of, is not answered, and whoever is there is no contact.
func TestOwnQueryComesBack(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{IDFor: func(kad.ID, netip.AddrPort) kad.ID { return idOf("shown") }})
		_, err := a.Ping(l.ctx, at(addrA))
		if !errors.Is(err, lightdht.ErrTimeout) || a.Len() != 0 || a.Count(lightdht.Unanswered) != 1 {
			t.Errorf("%v, %d contacts, %d unanswered", err, a.Len(), a.Count(lightdht.Unanswered))
		}
	})
}

// Whoever is asked can send the query back, and is then taken for us. That stays
// with a few, however many do so.
func TestQueriesSentBack(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Timeout: time.Second})
		const liars = 40
		for i := range liars {
			p := l.peer(fmt.Sprintf("10.7.0.%d:1", i+1), func(p *peer, q *packet) { p.raw(q.from, string(q.Raw)) })
			a.Ping(l.ctx, p.addr)
			p.respond = answering
			a.Ping(l.ctx, p.addr)
		}
		if a.Len() != liars-16 || a.Count(lightdht.Unanswered) != liars {
			t.Errorf("%d contacts, %d unanswered", a.Len(), a.Count(lightdht.Unanswered))
		}
	})
}
