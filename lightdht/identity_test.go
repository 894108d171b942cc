package lightdht_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// Somebody else answers: it is an answer, a failure of whom we expected, and the
// one who spoke is a contact of its own.
func TestReplyFromAnotherID(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, answering)
		expected := kad.NodeInfo{ID: idOf("expected"), Addr: at(addrB)}
		know(a, expected, now())
		reply, err := a.Ask(l.ctx, expected, krpc.Ping{})
		if err != nil || !reply.Unexpected() || reply.ID != idOf(addrB) || reply.Expected != expected.ID {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		was, _ := a.Table(kad.IPv4).Get(expected)
		is, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: idOf(addrB), Addr: at(addrB)})
		if was.Failures != 1 || was.Replies != 1 || !ok || is.Replies != 1 {
			t.Errorf("expected: %+v\nspoke: %+v", was, is)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.UnexpectedID: 1, lightdht.RepliesIn: 1})
	})
}

func TestReplyFromTheExpectedID(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, answering)
		reply, err := a.Ask(l.ctx, kad.NodeInfo{ID: idOf(addrB), Addr: at(addrB)}, krpc.Ping{})
		if err != nil || reply.Unexpected() {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.UnexpectedID: 0})
	})
}

// A query that claims a contact's ID from elsewhere adds a contact and does not
// touch the other.
func TestClaimedIDNeverMovesAContact(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		owner := kad.NodeInfo{ID: idOf("owner"), Addr: at(addrB)}
		know(a, owner, now())
		before, _ := a.Table(kad.IPv4).Get(owner)
		thief := l.peer(addrC, nil)
		thief.id = owner.ID
		thief.query(at(addrA), krpc.Ping{})
		if after, _ := a.Table(kad.IPv4).Get(owner); after != before {
			t.Errorf("the contact was %+v and is %+v", before, after)
		}
		if _, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: owner.ID, Addr: at(addrC)}); !ok || a.Len() != 2 {
			t.Errorf("%d contacts, want the owner and the one that claims its ID", a.Len())
		}
	})
}

// A KRPC error is an answer: it ends the call, and shows that who was asked is
// alive.
func TestKRPCErrorIsAnAnswer(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 201, Text: []byte("A Generic Error Ocurred")})
		})
		info := kad.NodeInfo{ID: idOf("b"), Addr: at(addrB)}
		reply, err := a.Ask(l.ctx, info, krpc.Ping{})
		var k *krpc.Error
		if !errors.As(err, &k) || *k != (krpc.Error{Code: 201, Text: "A Generic Error Ocurred"}) {
			t.Errorf("the error is %v", err)
		}
		if err.Error() != "ping to 10.0.0.2:1002: krpc error 201: A Generic Error Ocurred" {
			t.Errorf("it reads %q", err)
		}
		if reply.Code != 201 || reply.From != at(addrB) {
			t.Errorf("the reply besides it is %v", reply)
		}
		if c, _ := a.Table(kad.IPv4).Get(info); c.Replies != 1 || c.Failures != 0 {
			t.Errorf("the contact is %+v", c)
		}
		a.Ping(l.ctx, at(addrB)) // nobody expected: nobody is known by it
		if a.Len() != 1 {
			t.Errorf("%d contacts", a.Len())
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.ErrorsIn: 2, lightdht.RepliesIn: 2, lightdht.Timeouts: 0})
	})
}

// Who claims to be us is answered by nobody and becomes no contact.
func TestOurOwnIDIsNoContact(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		b.id = a.ID()
		if _, err := a.Ping(l.ctx, at(addrB)); err != nil {
			t.Error(err)
		}
		b.raw(at(addrA), string(b.encode(krpc.Ping{})))
		if got := b.took(krpc.KindReply); len(got) != 0 {
			t.Errorf("it had %d answers", len(got))
		}
		self := l.peer(addrC, func(p *peer, q *packet) {
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, kad.NodeInfo{ID: a.ID(), Addr: at(addrD)})})
		})
		a.Ping(l.ctx, self.addr)
		for c := range a.Contacts() {
			if c.ID == a.ID() {
				t.Errorf("we are a contact of our own at %s", c.Addr)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.OwnID: 3, lightdht.Unanswered: 1})
	})
}

// A reply is the caller's to keep: the next datagram does not change it.
func TestReplyStandsAlone(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, func(p *peer, q *packet) {
			p.reply(q, krpc.Message{Token: []byte("one"), Fields: krpc.FieldToken})
		})
		reply, err := a.Ping(l.ctx, at(addrB))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			b.raw(at(addrA), "d1:rd2:id20:XXXXXXXXXXXXXXXXXXXX5:token3:XXXe1:t4:XXXX1:y1:re")
		}
		synctest.Wait()
		if string(reply.Token) != "one" || reply.ID != b.id {
			t.Errorf("the reply has become %q", reply.Raw)
		}
	})
}

// Add takes contacts that the caller knows, and says which it cannot take.
func TestAdd(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("1.2.3.4:1001", lightdht.Config{Network: lightdht.Public, Routers: []string{"r.test:1"}})
		ok := kad.NodeInfo{ID: idOf("x"), Addr: at("[::ffff:1.2.3.5]:1002")}
		if err := a.Add(ok); err != nil || a.Len() != 1 {
			t.Errorf("%v, %d contacts", err, a.Len())
		}
		if err := a.Add(kad.NodeInfo{ID: idOf("y"), Addr: at(addrB)}); !errors.Is(err, lightdht.ErrReserved) {
			t.Errorf("a private address: %v", err)
		}
		if err := a.Add(kad.NodeInfo{ID: idOf("y"), Addr: at("[2600::1]:1")}); !errors.Is(err, lightdht.ErrFamily) {
			t.Errorf("an address that no socket of ours reaches: %v", err)
		}
	})
}

// What a node list names that we have no socket for is dropped, and counted.
func TestMentionOfAnotherFamilyIsCounted(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, func(p *peer, q *packet) {
			nodes := krpc.AppendNode(nil, kad.NodeInfo{ID: idOf("six"), Addr: at("[2600::1]:6881")})
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes6, Nodes6: nodes})
		})
		a.Ping(l.ctx, at(addrB))
		l.counts(a, map[lightdht.Counter]uint64{lightdht.MentionRefused: 1})
	})
}

// The ID of zeros is an ID like others: somebody is expected under it, and is
// another than who answers.
func TestContactOfAllZeros(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, answering)
		zero := kad.NodeInfo{Addr: at(addrB)}
		reply, err := a.Ask(l.ctx, zero, krpc.Ping{})
		if err != nil || !reply.Unexpected() || reply.ID != idOf(addrB) {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		if c, _ := a.Table(kad.IPv4).Get(zero); c.Failures != 1 {
			t.Errorf("the contact is %+v", c)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.UnexpectedID: 1})

		dead := kad.NodeInfo{Addr: at(addrC)}
		know(a, dead, now())
		for range 3 {
			l.heard(a)
			if _, err := a.Ask(l.ctx, dead, krpc.Ping{}); !errors.Is(err, lightdht.ErrTimeout) {
				t.Error(err)
			}
		}
		l.heard(a)
		if c, _ := a.Table(kad.IPv4).Get(dead); c.State(now()) != table.StateBad {
			t.Errorf("the dead one is %+v", c)
		}

		errs := l.peer(addrD, func(p *peer, q *packet) { p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202}) })
		a.Ask(l.ctx, kad.NodeInfo{Addr: errs.addr}, krpc.Ping{})
		if c, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{Addr: errs.addr}); c.Replies != 1 {
			t.Errorf("who answers with errors is %+v", c)
		}
	})
}

// A query to an address expects nobody there: whoever answers is as expected,
// and silence is nobody's failure.
func TestNobodyIsExpectedAtAnAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		reply, err := a.Do(l.ctx, at(addrB), krpc.Ping{})
		if err != nil || reply.Unexpected() {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		a.Do(l.ctx, at(addrC), krpc.Ping{})
		if _, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: b.id, Addr: b.addr}); !ok || a.Len() != 1 {
			t.Errorf("%d contacts, want the one that answered", a.Len())
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.UnexpectedID: 0, lightdht.Timeouts: 1})
	})
}
