package lightdht_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// readOnly is a query of p marked so (BEP 43).
func readOnly(p *peer, q krpc.Query) string {
	var m krpc.Message
	krpc.Parse(p.encode(q), &m)
	m.ReadOnly = true
	return string(krpc.Append(nil, &m))
}

// Who is read-only is answered and recorded as such, and otherwise left alone:
// not greeted, not handed out, and asked by a lookup in vain at most once, when
// others name it.
func TestReadOnlyPeerIsLeftAlone(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b, c := l.peer(addrB, nil), l.peer(addrC, answering)
		info := kad.NodeInfo{ID: b.id, Addr: b.addr}
		if got := b.ask(at(addrA), readOnly(b, krpc.Ping{})); got.ID != a.ID() {
			t.Errorf("the answer is %q", got.Raw)
		}
		if seen, ok := a.Table(kad.IPv4).Get(info); !ok || !seen.ReadOnly || seen.Queries != 1 {
			t.Errorf("the contact is %+v", seen)
		}
		time.Sleep(time.Minute)
		if got := b.take(); len(got) != 0 {
			t.Errorf("it was asked %q", got[0].Raw)
		}
		c.query(at(addrA), krpc.Ping{})
		if got := c.query(at(addrA), krpc.FindNode{Target: b.id}); slices.Contains(got.NodeInfos(), info) {
			t.Errorf("handed out: %v", got.NodeInfos())
		}
		c.respond = func(p *peer, q *packet) {
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, info)})
		}
		for range 3 {
			res, err := a.FindClosest(l.ctx, b.id)
			if err != nil || len(res.Closest) != 1 || res.Closest[0].ID != c.id {
				t.Errorf("the lookup found %+v, %v", res, err)
			}
			a.Ping(l.ctx, c.addr) // so that the silence is b's
		}
		if got := b.took(krpc.KindQuery); len(got) != 1 {
			t.Errorf("it was asked %d times", len(got))
		}
	})
}

// Anybody can send a query in another's name and mark it read-only: whoever
// answers us is asked and handed out all the same, before and after.
func TestReadOnlyInAnothersName(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		known, named, c := l.peer(addrB, answering), l.peer(addrD, answering), l.peer(addrC, answering)
		a.Ping(l.ctx, known.addr)
		for _, p := range []*peer{known, named} {
			p.raw(at(addrA), string(readOnly(p, krpc.Ping{})))
			p.take()
		}
		c.query(at(addrA), krpc.Ping{})
		c.respond = func(p *peer, q *packet) {
			nodes := krpc.AppendNode(nil, kad.NodeInfo{ID: named.id, Addr: named.addr})
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: nodes})
		}
		res, err := a.FindClosest(l.ctx, known.id)
		if err != nil || len(res.Closest) != 3 {
			t.Errorf("the lookup found %+v, %v", res, err)
		}
		if got := c.query(at(addrA), krpc.FindNode{Target: known.id}); got.Nodes.Len() != 3 {
			t.Errorf("handed out: %v", got.NodeInfos())
		}
		if len(a.Core(kad.IPv4)) != 3 {
			t.Errorf("the core is %v", a.Core(kad.IPv4))
		}
	})
}

func TestReadOnlyNodeAnswersNothing(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{ReadOnly: true})
		b := l.peer(addrB, answering)
		for _, q := range []krpc.Query{krpc.Ping{}, krpc.FindNode{}, krpc.GetPeers{}, krpc.Any{Name: "vote"}} {
			b.raw(at(addrA), string(b.encode(q)))
		}
		time.Sleep(time.Minute)
		if got := b.take(); len(got) != 0 {
			t.Errorf("it sent %q", got[0].Raw)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Suppressed: 4, lightdht.QueriesIn: 4, lightdht.PacketsOut: 0})
		if _, err := a.Ping(l.ctx, at(addrB)); err != nil {
			t.Errorf("its own query: %v", err)
		}
		if got := b.take(); len(got) != 1 || !got[0].ReadOnly {
			t.Errorf("its queries are %v", got)
		}
	})
}

func TestOrdinaryNodeIsNotMarkedReadOnly(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		a.Ping(l.ctx, at(addrB))
		if got := b.take(); len(got) != 1 || got[0].ReadOnly {
			t.Errorf("its queries are %v", got)
		}
	})
}

// A newcomer is pinged once, however often it asks.
func TestNewcomerIsPingedOnce(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		for range 10 {
			b.raw(at(addrA), string(b.encode(krpc.FindNode{})))
			time.Sleep(10 * time.Second)
		}
		greetings := b.took(krpc.KindQuery)
		if len(greetings) != 1 || greetings[0].Method != krpc.MethodPing || greetings[0].ID != a.ID() {
			t.Errorf("it was asked %d times", len(greetings))
		}
		if c, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: b.id, Addr: b.addr}); c.Replies != 1 || c.Queries != 10 {
			t.Errorf("the contact is %+v", c)
		}
	})
}

// Who has answered before needs no greeting.
func TestKnownContactIsNotPinged(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		a.Ping(l.ctx, at(addrB))
		b.take()
		b.query(at(addrA), krpc.Ping{})
		time.Sleep(time.Minute)
		if got := b.took(krpc.KindQuery); len(got) != 0 {
			t.Errorf("it was asked %q", got[0].Raw)
		}
	})
}

// At most 16 greetings are under way; who comes then is told in a counter, and
// later newcomers are greeted again.
func TestGreetingsAreFewAtATime(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		for i := range 50 {
			b.id = idOf(fmt.Sprint(i))
			b.query(at(addrA), krpc.Ping{})
		}
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.QueriesOut: 16, lightdht.GreetingsLeft: 34})
		time.Sleep(5 * time.Second) // the 16 time out
		b.id = idOf("later")
		b.query(at(addrA), krpc.Ping{})
		l.counts(a, map[lightdht.Counter]uint64{lightdht.QueriesOut: 17, lightdht.GreetingsLeft: 34, lightdht.Timeouts: 16})
	})
}
