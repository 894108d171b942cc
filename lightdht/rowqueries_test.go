package lightdht_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
)

// Every query that is acted on is recorded, with what it is about, answered or not.
func TestQueryRows(t *testing.T) {
	id, other := idOf("topic"), idOf("other")
	place, content := record.Target{ID: id}, record.Target{ID: id, Infohash: true}
	for what, c := range map[string]struct {
		q    krpc.Query
		want record.Target
	}{
		"ping":              {krpc.Ping{}, record.Target{}},
		"find_node":         {krpc.FindNode{Target: id}, place},
		"sample_infohashes": {krpc.SampleInfohashes{Target: id}, place},
		"get_peers":         {krpc.GetPeers{InfoHash: id}, content},
		"announce_peer":     {krpc.AnnouncePeer{InfoHash: id, Port: 1}, content},
		"get":               {krpc.Get{Target: id}, content},
		"put":               {krpc.Any{Name: "put", Args: map[string]any{"target": id, "v": "x"}}, record.Target{}},
		"vote":              {krpc.Any{Name: "vote", Args: map[string]any{"target": id}}, place},
		"find_peers":        {krpc.Any{Name: "find_peers", Args: map[string]any{"target": other, "info_hash": id}}, content},
	} {
		for _, readOnlyNode := range []bool{false, true} {
			inLab(t, func(l *lab) {
				var b book
				p := l.peer(addrB, nil)
				a := l.node(addrA, lightdht.Config{Recorder: &b, ReadOnly: readOnlyNode})
				asked := p.encode(c.q)
				p.raw(at(addrA), string(asked))
				want := record.Query{Time: now().Round(0), Self: a.ID(), Node: kad.NodeInfo{ID: p.id, Addr: p.addr}, Method: what, Target: c.want, Size: len(asked)}
				got := b.take().queries
				if len(got) != 1 {
					t.Fatalf("%s: %d rows", what, len(got))
				}
				got[0].Time = got[0].Time.Round(0)
				sameRow(t, what, got[0], want)
				if answers := len(p.took(krpc.KindReply)); answers != 0 == readOnlyNode {
					t.Errorf("%s: %d answers", what, answers)
				}
			})
		}
	}
}

// A query that names nobody, is marked read-only, tells a version: as it came.
func TestQueryRowsOfOddQueries(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		p := l.peer(addrB, nil)
		a := l.node(addrA, lightdht.Config{Recorder: &b})
		is := func(what, q string, want record.Query) {
			t.Helper()
			p.raw(at(addrA), q)
			want.Time, want.Self, want.Node.Addr, want.Size = now().Round(0), a.ID(), p.addr, len(q)
			got := b.take().queries
			if len(got) != 1 {
				t.Fatalf("%s: %d rows", what, len(got))
			}
			got[0].Time = got[0].Time.Round(0)
			sameRow(t, what, got[0], want)
		}
		voter := kad.NodeInfo{ID: kad.ID([]byte("abcdefghij0123456789"))}
		is("a version", "d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:v4:XY121:y1:qe", record.Query{Node: voter, Method: "vote", Version: []byte("XY12")})
		is("read-only", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t2:aa1:y1:qe", record.Query{Node: voter, Method: "ping", ReadOnly: true})
		is("no id", "d1:ade1:q4:ping1:t2:aa1:y1:qe", record.Query{Method: "ping"})
		is("no transaction id", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe", record.Query{Node: voter, Method: "ping"})
	})
}

// What is dropped at the door is no row: from addresses that nobody has, from the
// banned, and what is no message.
func TestQueriesThatAreNoRows(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		l.node(publicA, lightdht.Config{Recorder: &b, Network: lightdht.Public, Limits: lightdht.Limits{Inbound: 3}})
		p, reserved := l.peer(publicB, nil), l.peer(addrB, nil)
		reserved.raw(at(publicA), string(reserved.encode(krpc.Ping{})))
		p.raw(at(publicA), "no message")
		p.raw(at(publicA), "d1:t2:aae")
		if got := b.take(); len(got.queries) > 0 {
			t.Errorf("%+v", got.queries)
		}
		time.Sleep(time.Minute)
		for range 100 {
			p.raw(at(publicA), string(p.encode(krpc.Ping{})))
			synctest.Wait()
		}
		if got := len(b.take().queries); got == 0 || got > 50 {
			t.Errorf("%d rows of one that is banned", got)
		}
	})
}

// What a message shows its sender to support, both when it asks and when it answers.
func TestShownExtensions(t *testing.T) {
	six, filter := krpc.AppendNode(nil, kad.NodeInfo{ID: idOf("z"), Addr: at("[2001:db8::7]:7")}), make([]byte, 256)
	four := krpc.AppendNode(nil, kad.NodeInfo{ID: idOf("z"), Addr: at("10.9.9.9:9")})
	const homeA, homeB = "[2001:db8::1]:1", "[2001:db8::2]:2"
	seq := int64(1)
	for what, c := range map[string]struct {
		q       krpc.Query   // it asks this
		reply   krpc.Message // or answers so
		overSix bool
		want    record.BEPs
	}{
		"nothing asked":      {q: krpc.FindNode{}},
		"n6 wanted":          {q: krpc.FindNode{Want: krpc.WantIPv6}, want: record.BEP32},
		"scrape":             {q: krpc.GetPeers{Scrape: true}, want: record.BEP33},
		"get":                {q: krpc.Get{Seq: &seq}, want: record.BEP44},
		"put":                {q: krpc.Put{Value: []byte("1:x")}, want: record.BEP44},
		"samples asked":      {q: krpc.SampleInfohashes{Want: krpc.WantIPv4}, want: record.BEP51 | record.BEP32},
		"nothing answered":   {reply: krpc.Message{Nodes: four, Fields: krpc.FieldNodes}},
		"nodes6":             {reply: krpc.Message{Nodes6: six, Fields: krpc.FieldNodes6}, want: record.BEP32},
		"nodes over IPv6":    {reply: krpc.Message{Nodes: four, Fields: krpc.FieldNodes}, overSix: true, want: record.BEP32},
		"nodes6 over IPv6":   {reply: krpc.Message{Nodes6: six, Fields: krpc.FieldNodes6}, overSix: true},
		"a filter of seeds":  {reply: krpc.Message{SeedFilter: filter, Fields: krpc.FieldSeedFilter}, want: record.BEP33},
		"a filter of others": {reply: krpc.Message{PeerFilter: filter, Fields: krpc.FieldPeerFilter}, want: record.BEP33},
		"our address":        {reply: krpc.Message{IP: at(addrA)}, want: record.BEP42},
		"a value":            {reply: krpc.Message{Value: []byte("1:x"), Fields: krpc.FieldValue}, want: record.BEP44},
		"a key":              {reply: krpc.Message{PublicKey: filter[:32], Fields: krpc.FieldPublicKey}, want: record.BEP44},
		"a signature":        {reply: krpc.Message{Signature: filter[:64], Fields: krpc.FieldSignature}, want: record.BEP44},
		"a number":           {reply: krpc.Message{Seq: 1, Fields: krpc.FieldSeq}, want: record.BEP44},
		"samples":            {reply: krpc.Message{Samples: filter[:20], Fields: krpc.FieldSamples}, want: record.BEP51},
	} {
		inLab(t, func(l *lab) {
			var r rows
			home, there := addrA, addrB
			if c.overSix {
				home, there = homeA, homeB
			}
			p := l.peer(there, func(p *peer, q *packet) { p.reply(q, c.reply) })
			cfg := lightdht.Config{Recorder: &r, Conn4: l.listen(addrA), Conn6: l.listen(homeA), ReadOnly: true} // so that it asks only what it is told to
			a := l.node("", cfg)
			if c.q != nil {
				p.raw(at(home), string(p.encode(c.q)))
			} else if _, err := a.Ask(l.ctx, kad.NodeInfo{ID: p.id, Addr: p.addr}, krpc.Ping{}); err != nil {
				t.Fatal(err)
			}
			for _, s := range r.take() {
				if s.Node.Addr == p.addr && s.BEPs != c.want || s.Node.Addr != p.addr && s.BEPs != 0 {
					t.Errorf("%s: %s of %v shows %q, want %q", what, s.Event, s.Node.Addr, s.BEPs, c.want)
				}
			}
			if got, ok := a.Table(kad.FamilyOf(p.addr.Addr())).Get(kad.NodeInfo{ID: p.id, Addr: p.addr}); !ok {
				t.Errorf("%s: it was not seen: %v", what, got)
			}
		})
	}
}

// A KRPC error shows what it shows, and a late reply, too.
func TestShownByErrorsAndLateReplies(t *testing.T) {
	inLab(t, func(l *lab) {
		var r rows
		p := l.peer(addrB, func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202, IP: at(addrA)})
		})
		a := l.node(addrA, lightdht.Config{Recorder: &r})
		info := kad.NodeInfo{ID: p.id, Addr: p.addr}
		a.Ask(l.ctx, info, krpc.Ping{})
		if got := r.take(); len(got) != 1 || got[0].BEPs != record.BEP42 || got[0].Event != record.Replied {
			t.Errorf("an error: %+v", got)
		}
		p.respond = after(6*time.Second, func(p *peer, q *packet) { p.reply(q, krpc.Message{IP: at(addrA)}) })
		a.Ask(l.ctx, info, krpc.Ping{})
		time.Sleep(time.Minute)
		if got := r.take(); len(got) != 2 || got[1].BEPs != record.BEP42 || got[1].Event != record.Replied {
			t.Errorf("a late reply: %+v", got)
		}
	})
}
