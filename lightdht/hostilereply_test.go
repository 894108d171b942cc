package lightdht_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// Somebody who can write in the name of the one we ask, and who has seen the
// transaction ids of the queries before, does not guess the next one.
func TestGuessedTransactionID(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		for range 10 { // what he sees
			a.Go(l.ctx, b.addr, krpc.Ping{}, func(krpc.Reply, error) {})
		}
		var seen []uint32
		for _, q := range b.take() {
			seen = append(seen, binary.BigEndian.Uint32(q.TID))
		}
		slices.Sort(seen)
		target := l.peer("10.0.0.77:77", nil)
		a.Go(l.ctx, target.addr, krpc.Ping{}, func(krpc.Reply, error) {})
		guesses := uint64(0)
		guess := func(tid uint32) {
			guesses++
			target.send(a.Addr(kad.IPv4), krpc.Message{Kind: krpc.KindReply, TID: binary.BigEndian.AppendUint32(nil, tid), Fields: krpc.FieldID, ID: idOf("evil")})
			if guesses%500 == 0 {
				synctest.Wait() // or the queue of the socket would be full
			}
		}
		for _, tid := range seen {
			for d := range uint32(500) {
				guess(tid + d)
				guess(tid - d)
			}
		}
		for tid := range uint32(5000) {
			guess(tid)
		}
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Stray: guesses, lightdht.RepliesIn: 0})
		if calls, _ := a.Waiting(); calls != 11 || a.Len() != 0 {
			t.Errorf("%d calls wait, want 11; %d contacts", calls, a.Len())
		}
	})
}

// A spoofed answer in the right name and under the right transaction id, but
// after the end of the call, moves neither our address nor the call.
func TestLateAnswerHasNoVote(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.public(lightdht.Config{})
		var queries []packet
		var peers []*peer
		for i := range 20 {
			p := l.peer(place(20, i).String(), nil)
			a.Go(l.ctx, p.addr, krpc.Ping{}, func(r krpc.Reply, err error) {
				if !errors.Is(err, lightdht.ErrTimeout) {
					t.Errorf("the end was %v, %v", r, err)
				}
			})
			peers = append(peers, p)
		}
		for _, p := range peers {
			queries = append(queries, p.take()...)
		}
		time.Sleep(6 * time.Second)
		for i, p := range peers {
			p.reply(&queries[i], krpc.Message{IP: at("9.9.9.9:9")})
		}
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Late: 20, lightdht.RepliesIn: 0, lightdht.IDChanges: 0})
		if got := a.PublicAddr(kad.IPv4); got.IsValid() {
			t.Errorf("our address is %s", got)
		}
	})
}

// A reply with a core member's ID from elsewhere adds a contact. The member
// keeps its place and its history, in the core and in what we hand out.
func TestReplyWithAMembersID(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.public(lightdht.Config{})
		owner := l.peer(place(20, 1).String(), answering)
		ping := func(p *peer) {
			if _, err := a.Ping(l.ctx, p.addr); err != nil {
				t.Fatal(err)
			}
		}
		ping(owner)
		info := kad.NodeInfo{ID: owner.id, Addr: owner.addr}
		before, _ := a.Table(kad.IPv4).Get(info)
		for i := range 50 {
			thief := l.peer(place(40, i).String(), answering)
			thief.id = owner.id
			ping(thief)
		}
		if after, _ := a.Table(kad.IPv4).Get(info); after != before {
			t.Errorf("the contact was %+v and is %+v", before, after)
		}
		if core := a.Core(kad.IPv4); !slices.Equal(core, []kad.NodeInfo{info}) {
			t.Errorf("the core is %v, want the owner alone", core)
		}
		if a.Len() != 51 {
			t.Errorf("%d contacts, want the owner and all who claim its ID", a.Len())
		}
		asker := l.peer(place(60, 1).String(), nil)
		if got := asker.query(at(ours), krpc.FindNode{Target: owner.id}); got.Nodes.Len() != 1 {
			t.Errorf("handed out: %v", got.NodeInfos())
		}
	})
}

// Thousands of IDs at one address, in replies and in queries: so many are kept,
// the others counted, and the core and a lookup hold one of them.
func TestManyIDsAtOneAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.public(lightdht.Config{Limits: lightdht.Limits{PerAddr: -1, PerZone: -1, Total: -1, Inbound: -1}})
		many := l.peer("9.9.9.9:9", nil)
		n := 0
		many.respond = func(p *peer, q *packet) {
			n++
			p.reply(q, krpc.Message{Fields: krpc.FieldID, ID: beside(infohash, 8, fmt.Sprint(n))})
		}
		for range 2000 {
			if _, err := a.Ping(l.ctx, many.addr); err != nil {
				t.Fatal(err)
			}
		}
		if a.Len() != 256 || a.Count(lightdht.IDsRefused) != 2000-256 {
			t.Errorf("%d contacts, %d refused", a.Len(), a.Count(lightdht.IDsRefused))
		}
		if core := a.Core(kad.IPv4); len(core) != 1 {
			t.Errorf("the core has %v", core)
		}
		res, err := a.FindClosest(l.ctx, infohash)
		if err != nil || len(res.Closest) != 1 {
			t.Errorf("found %v, %v", found(res), err)
		}
	})
}

// Whoever has us told of many IDs at an address keeps nobody out who answers
// there.
func TestMentionsKeepNobodyOut(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.public(lightdht.Config{MaxIDsPerAddr: 16, Limits: lightdht.Limits{PerAddr: -1, PerZone: -1}})
		victim := l.peer("9.9.9.9:9", answering)
		n := 0
		evil := l.peer(place(20, 1).String(), func(p *peer, q *packet) {
			n++
			p.reply(q, *says(p.id, kad.NodeInfo{ID: idOf(fmt.Sprint(n)), Addr: victim.addr}))
		})
		for range 100 {
			if _, err := a.Ping(l.ctx, evil.addr); err != nil {
				t.Fatal(err)
			}
		}
		if a.Len() != 1+12 { // three quarters
			t.Errorf("%d contacts", a.Len())
		}
		if _, err := a.Ping(l.ctx, victim.addr); err != nil {
			t.Fatal(err)
		}
		if c, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: victim.id, Addr: victim.addr}); !ok || c.Replies != 1 {
			t.Errorf("whoever answered is %+v", c)
		}
		if core := a.Core(kad.IPv4); len(core) != 2 {
			t.Errorf("the core is %v", core)
		}
	})
}

// Whoever was banned because of what others sent in his name is still heard when
// we ask him, in replies and in errors; his queries are not.
func TestBannedVictimIsHeard(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.public(lightdht.Config{})
		victim := l.peer("9.9.9.9:9", nil)
		for range 300 {
			victim.raw(at(ours), string(victim.encode(krpc.Ping{}))) // spoofed, as far as he is concerned
		}
		synctest.Wait()
		if a.Count(lightdht.Bans) != 1 || a.Count(lightdht.Banned) != 100 {
			t.Errorf("%d bans, %d packets of the banned", a.Count(lightdht.Bans), a.Count(lightdht.Banned))
		}
		victim.take()
		time.Sleep(2 * time.Second) // what we may send there is used up
		victim.respond = answering
		reply, err := a.Ping(l.ctx, victim.addr)
		if err != nil || reply.ID != victim.id {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		victim.respond = func(p *peer, q *packet) { p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202}) }
		var k *krpc.Error
		if _, err := a.Ping(l.ctx, victim.addr); !errors.As(err, &k) {
			t.Errorf("the error is %v", err)
		}
		victim.take()
		victim.raw(at(ours), string(victim.encode(krpc.Ping{})))
		if got := victim.take(); len(got) != 0 {
			t.Errorf("a query of the banned had %d answers", len(got))
		}
	})
}

// MaxContacts keeps out those who never answered, and nobody else.
func TestMaxContacts(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{MaxContacts: 50})
		flood := l.peer(addrB, nil)
		for i := range 200 {
			flood.id = idOf(fmt.Sprint(i))
			flood.query(a.Addr(kad.IPv4), krpc.Ping{})
		}
		var list []kad.NodeInfo
		for i := range 100 {
			list = append(list, kad.NodeInfo{ID: idOf(fmt.Sprint("mentioned", i)), Addr: place(20, i)})
		}
		good := l.peer(addrC, func(p *peer, q *packet) { p.reply(q, *says(p.id, list...)) })
		if a.Len() != 50 || a.Count(lightdht.ContactsRefused) != 150 {
			t.Errorf("%d contacts, %d refused", a.Len(), a.Count(lightdht.ContactsRefused))
		}
		for range 2 {
			if _, err := a.Ping(l.ctx, good.addr); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: good.id, Addr: good.addr}); !ok || a.Len() != 51 {
			t.Errorf("%d contacts after one that answered", a.Len())
		}
		if n := a.Count(lightdht.ContactsRefused); n != 150+200 {
			t.Errorf("%d refused", n)
		}
		a.Add(list[0])
		if _, err := a.Ask(l.ctx, list[0], krpc.Ping{}); err == nil || a.Len() != 51 {
			t.Errorf("%d contacts after one that did not answer: %v", a.Len(), err)
		}
	})
}

// Of a reply of 65 kB that names 2,500 nodes so many are recorded, and what is
// asked of them is no more than a lookup may.
func TestGiantNodeList(t *testing.T) {
	inLab(t, func(l *lab) {
		var list []kad.NodeInfo
		for i := range 2500 {
			list = append(list, kad.NodeInfo{ID: beside(infohash, 20, fmt.Sprint(i)), Addr: place(20, i)})
		}
		l.world(ours, func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
			if to == at("9.9.9.9:9") {
				return says(idOf("giant"), list...)
			}
			return nil
		})
		a := l.public(lightdht.Config{Lookup: lightdht.LookupConfig{MaxAsked: 50}})
		know(a, kad.NodeInfo{ID: idOf("giant"), Addr: at("9.9.9.9:9")}, now())
		res, err := a.FindClosest(l.ctx, infohash)
		if err != nil || res.Asked != 50 || res.Answered != 1 {
			t.Errorf("asked %d, %d answered: %v", res.Asked, res.Answered, err)
		}
		if a.Len() != 1+128 {
			t.Errorf("%d contacts", a.Len())
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.MentionsCrowded: 2500 - 128})
		if got := a.Count(lightdht.CandidatesLeft); got != 2500-(50+1024-1) {
			t.Errorf("%d candidates left out", got)
		}
		for c := range a.Contacts() {
			if c.State(now()) == table.StateGood && c.ID != idOf("giant") {
				t.Errorf("%s counts as good", c.Addr)
			}
		}
	})
}

// An address is recorded once of a list, whatever its ports and IDs.
func TestListOfOneAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.public(lightdht.Config{})
		var list []kad.NodeInfo
		for i := range 20 {
			list = append(list, kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: at(fmt.Sprintf("9.9.9.%d:%d", i%2, i+1))})
		}
		evil := l.peer(place(20, 1).String(), func(p *peer, q *packet) { p.reply(q, *says(p.id, list...)) })
		if _, err := a.Ping(l.ctx, evil.addr); err != nil {
			t.Fatal(err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.MentionsCrowded: 18})
		if a.Len() != 1+2 {
			t.Errorf("%d contacts", a.Len())
		}
	})
}
