package lightdht_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
)

// book is a Recorder that keeps copies of all but sightings.
type book struct {
	mu        sync.Mutex
	queries   []record.Query
	visits    []record.Visit
	lookups   []record.Lookup
	endpoints []record.Endpoint
}

func (b *book) Record(row record.Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r := row.(type) {
	case *record.Query:
		q := *r
		q.Version = bytes.Clone(q.Version)
		b.queries = append(b.queries, q)
	case *record.Visit:
		v := *r
		v.Version, v.Nodes = bytes.Clone(v.Version), slices.Clone(v.Nodes)
		b.visits = append(b.visits, v)
	case *record.Lookup:
		l := *r
		l.Closest = slices.Clone(l.Closest)
		b.lookups = append(b.lookups, l)
	case *record.Endpoint:
		b.endpoints = append(b.endpoints, *r)
	}
}

// take returns what was recorded, once all is quiet, and forgets it.
func (b *book) take() *book {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	all := &book{queries: b.queries, visits: b.visits, lookups: b.lookups, endpoints: b.endpoints}
	b.queries, b.visits, b.lookups, b.endpoints = nil, nil, nil, nil
	return all
}

// sameRow holds a row to what it should be.
func sameRow(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\nis     %s\nshould %s", what, g, w)
	}
}

// visited holds what was recorded to one visit and its endpoint.
func visited(t *testing.T, what string, all *book, want record.Visit, endpoint bool) {
	t.Helper()
	if len(all.visits) != 1 || len(all.endpoints) == 1 != endpoint || len(all.endpoints) > 1 {
		t.Errorf("%s: %d visits, %d endpoints", what, len(all.visits), len(all.endpoints))
		return
	}
	got := all.visits[0]
	got.Time, want.Time = got.Time.Round(0), want.Time.Round(0)
	if got.Nodes == nil {
		got.Nodes = want.Nodes[:0]
	}
	sameRow(t, what, got, want)
	if endpoint {
		e := all.endpoints[0]
		e.Time = e.Time.Round(0)
		sameRow(t, what, e, record.Endpoint{Time: want.Time, Self: want.Self, Addr: want.Node.Addr, Source: "asked"})
	}
}

// What an answer says is in its visit: all of it, and of nobody else.
func TestVisitOfAnAnswer(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		four := []kad.NodeInfo{{ID: idOf("x"), Addr: at("10.1.1.1:1")}, {ID: idOf("y"), Addr: at("10.1.1.1:0")}}
		six := []kad.NodeInfo{{ID: idOf("z"), Addr: at("[2001:db8::7]:7")}}
		full := krpc.Message{
			Version: []byte("B1"), Fields: krpc.FieldNodes | krpc.FieldNodes6 | krpc.FieldValues | krpc.FieldToken, Token: []byte("t"), IP: at(addrA),
			Values: krpc.AppendPeer(krpc.AppendPeer(nil, at("1.1.1.1:1")), at("[2001:db8::9]:9")),
		}
		for _, info := range four {
			full.Nodes = krpc.AppendNode(full.Nodes, info)
		}
		full.Nodes6 = krpc.AppendNode(nil, six[0])
		var reply krpc.Message
		p := l.peer(addrB, after(20*time.Millisecond, func(p *peer, q *packet) { p.reply(q, reply) }))
		a := l.node(addrA, lightdht.Config{Recorder: &b})
		base := record.Visit{Self: a.ID(), Node: kad.NodeInfo{Addr: p.addr}, Outcome: record.Reply, RTT: 20 * time.Millisecond, Replier: p.id}

		reply, base.Time = full, now()
		got, _ := a.GetPeers(l.ctx, p.addr, infohash)
		want := base
		want.Method, want.Target, want.Version, want.BEPs = "get_peers", record.Target{ID: infohash, Infohash: true}, []byte("B1"), record.BEP32|record.BEP42
		want.Nodes, want.Peers, want.Sent, want.Got = slices.Concat(four, six), 2, len(p.take()[0].Raw), len(got.Raw)
		visited(t, "get_peers", b.take(), want, false)

		reply, base.Time = krpc.Message{}, now()
		got, _ = a.Ask(l.ctx, kad.NodeInfo{ID: idOf("expected"), Addr: p.addr}, krpc.FindNode{Target: idOf("place")})
		want = base
		want.Node.ID, want.Method, want.Target = idOf("expected"), "find_node", record.Target{ID: idOf("place")}
		want.Sent, want.Got = len(p.take()[0].Raw), len(got.Raw)
		visited(t, "an answer by another ID, without nodes", b.take(), want, false)

		base.Time = now()
		done := make(chan krpc.Reply, 1)
		a.Go(l.ctx, p.addr, krpc.Ping{}, func(r krpc.Reply, _ error) { done <- r })
		got = <-done
		want = base
		want.Method, want.Sent, want.Got = "ping", len(p.take()[0].Raw), len(got.Raw)
		visited(t, "Go", b.take(), want, false)

		p.respond = func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202, Text: []byte("no"), Version: []byte("E1"), IP: at(addrA)})
		}
		want = base
		want.Time = now()
		got, _ = a.Ping(l.ctx, p.addr)
		want.Method, want.Outcome, want.Code, want.RTT, want.Replier, want.Version, want.BEPs = "ping", record.ErrorReply, 202, 0, kad.ID{}, []byte("E1"), record.BEP42
		want.Sent, want.Got = len(p.take()[0].Raw), len(got.Raw)
		visited(t, "an error", b.take(), want, false)
	})
}

// What a query of ours is about, whatever becomes of it.
func TestVisitTargets(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		l.peer(addrB, answering)
		a := l.node(addrA, lightdht.Config{Recorder: &b})
		id, seq := idOf("topic"), int64(1)
		for what, c := range map[string]struct {
			q    krpc.Query
			want record.Target
		}{
			"find_node":       {krpc.FindNode{Target: id}, record.Target{ID: id}},
			"samples":         {krpc.SampleInfohashes{Target: id}, record.Target{ID: id}},
			"get_peers":       {krpc.GetPeers{InfoHash: id}, record.Target{ID: id, Infohash: true}},
			"announce_peer":   {krpc.AnnouncePeer{InfoHash: id, Port: 1}, record.Target{ID: id, Infohash: true}},
			"get":             {krpc.Get{Target: id, Seq: &seq}, record.Target{ID: id, Infohash: true}},
			"put":             {krpc.Put{Value: []byte("1:x")}, record.Target{}},
			"put by hand":     {krpc.Any{Name: "put", Args: map[string]any{"target": id}}, record.Target{}},
			"a place by hand": {krpc.Any{Name: "vote", Args: map[string]any{"target": id}}, record.Target{ID: id}},
			"content by hand": {krpc.Any{Name: "vote", Args: map[string]any{"info_hash": id, "target": infohash}}, record.Target{ID: id, Infohash: true}},
			"nothing by hand": {krpc.Any{Name: "vote"}, record.Target{}},
		} {
			a.Do(l.ctx, at(addrB), c.q)
			a.Do(l.ctx, at("[2001:db8::7]:7"), c.q) // of a family that we do not have
			got := b.take().visits
			if len(got) != 2 || got[0].Target != c.want || got[1].Target != c.want || got[0].Outcome != record.Reply || got[1].Outcome != record.Unsent {
				t.Errorf("%s: %+v", what, got)
			}
		}
	})
}

// Every query that ends without an answer is a visit, however it ends; and an
// endpoint, if somebody was asked whose ID is unknown.
func TestVisitsWithoutAnswer(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		conn := &failing{PacketConn: l.listen(publicA)}
		a := l.node(publicA, lightdht.Config{Recorder: &b, Conn4: conn, Network: lightdht.Public,
			OptOut: lightdht.NewOptOut(netip.MustParsePrefix("20.0.0.0/8"))})
		size := len(encodedPing)
		silent, known := at(publicB), idOf("known")
		ask := func(to string, named bool, q krpc.Query, within time.Duration) {
			ctx, cancel := context.WithTimeoutCause(l.ctx, within, errBroken)
			defer cancel()
			if named {
				a.Ask(ctx, kad.NodeInfo{ID: known, Addr: at(to)}, q)
			} else {
				a.Do(ctx, at(to), q)
			}
		}
		for _, c := range []struct {
			what     string
			to       string
			named    bool
			q        krpc.Query
			within   time.Duration
			outcome  record.Outcome
			waited   time.Duration
			sent     int
			endpoint bool
		}{
			{"time-out", publicB, false, krpc.Ping{}, time.Hour, record.Timeout, 5 * time.Second, size, true},
			{"time-out of a contact", publicB, true, krpc.Ping{}, time.Hour, record.Timeout, 5 * time.Second, size, false},
			{"cancelled", publicB, false, krpc.Ping{}, time.Second, record.Cancelled, time.Second, size, true},
			{"cancelled, of a contact", publicB, true, krpc.Ping{}, time.Second, record.Cancelled, time.Second, size, false},
			{"cancelled before", publicB, false, krpc.Ping{}, -1, record.Cancelled, 0, 0, false},
			{"reserved", "10.1.1.1:1", false, krpc.Ping{}, time.Hour, record.Unsent, 0, 0, false},
			{"no address", "9.1.1.1:0", false, krpc.Ping{}, time.Hour, record.Unsent, 0, 0, false},
			{"opted out", "20.1.1.1:1", true, krpc.Ping{}, time.Hour, record.Unsent, 0, 0, false},
			{"another family", "[2600::1]:1", false, krpc.Ping{}, time.Hour, record.Unsent, 0, 0, false},
			{"no query", publicB, false, krpc.Any{}, time.Hour, record.Unsent, 0, 0, false},
		} {
			began := now()
			ask(c.to, c.named, c.q, c.within)
			want := record.Visit{Time: began, Self: a.ID(), Node: kad.NodeInfo{Addr: at(c.to)}, Method: c.q.Method(), Outcome: c.outcome, RTT: c.waited, Sent: c.sent}
			if c.named {
				want.Node.ID = known
			}
			visited(t, c.what, b.take(), want, c.endpoint)
			time.Sleep(time.Minute) // so that no limit is near
		}
		began := now()
		conn.writes.Store(1)
		a.Ping(l.ctx, silent)
		visited(t, "a system that does not send", b.take(),
			record.Visit{Time: began, Self: a.ID(), Node: kad.NodeInfo{Addr: silent}, Method: "ping", Outcome: record.Unsent}, false)

		done := make(chan error, 1)
		began = now()
		a.Go(l.ctx, silent, krpc.Ping{}, func(_ krpc.Reply, err error) { done <- err })
		time.Sleep(time.Second)
		a.Close()
		if err := <-done; !errors.Is(err, lightdht.ErrClosed) {
			t.Error(err)
		}
		visited(t, "the end of the node", b.take(),
			record.Visit{Time: began, Self: a.ID(), Node: kad.NodeInfo{Addr: silent}, Method: "ping", Outcome: record.Cancelled, RTT: time.Second, Sent: size}, true)
		a.Ping(l.ctx, silent)
		ask("10.1.1.1:1", false, krpc.Ping{}, time.Hour)
		a.FindClosest(l.ctx, known)
		if got := b.take(); len(got.visits)+len(got.endpoints)+len(got.lookups) > 0 {
			t.Errorf("after the end: %+v", got)
		}
	})
}

// encodedPing is as long as a ping of ours.
var encodedPing = krpc.Append(nil, &krpc.Message{Kind: krpc.KindQuery, Method: "ping", TID: []byte("aaaa"), Version: lightdht.DefaultVersion, Fields: krpc.FieldID})

// Queries that limits hold back are visits when they end, be they sent in the end,
// cancelled while they wait, or never to be sent.
func TestVisitsOfHeldQueries(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		a := l.node(addrA, lightdht.Config{Recorder: &b, Limits: lightdht.Limits{PerAddr: 1}, Timeout: 2 * paced})
		p := l.peer(addrB, answering)
		outcomes := map[string]int{}
		for i := range 10 {
			ctx, cancel := context.WithCancel(l.ctx)
			a.Go(ctx, p.addr, krpc.Ping{}, nil)
			if i == 2 {
				cancel()
			} else {
				defer cancel()
			}
		}
		time.Sleep(time.Minute)
		var bytes int
		all := b.take()
		for _, v := range all.visits {
			outcomes[v.Outcome.String()]++
			if bytes += v.Sent; v.Outcome != record.Reply && v.Sent != 0 {
				t.Errorf("%+v", v)
			}
		}
		if len(all.visits) != 10 || len(all.endpoints) != 0 || outcomes["cancelled"] != 1 || outcomes["unsent"] == 0 || outcomes["reply"] == 0 {
			t.Errorf("%v, %d endpoints", outcomes, len(all.endpoints))
		}
		if want := len(p.took(krpc.KindQuery)) * len(encodedPing); bytes != want || uint64(outcomes["unsent"]) != a.Count(lightdht.QueriesLimited) {
			t.Errorf("%d bytes sent, want %d; %v", bytes, want, outcomes)
		}
	})
}

// A reply that names very many is cut short on the public network, as mentions
// are, and told whole on a private one; that comes late is no visit.
func TestVisitOfManyNodes(t *testing.T) {
	for network, want := range map[lightdht.Network]int{lightdht.Public: 128, lightdht.Private: 200} {
		inLab(t, func(l *lab) {
			var b book
			var nodes, nodes6 []byte
			for i := range 100 {
				nodes = krpc.AppendNode(nodes, kad.NodeInfo{ID: kad.ID{byte(i)}, Addr: at(fmt.Sprintf("9.1.%d.1:1", i))})
				nodes6 = krpc.AppendNode(nodes6, kad.NodeInfo{ID: kad.ID{byte(i)}, Addr: at(fmt.Sprintf("[2600::%d]:1", i+1))})
			}
			p := l.peer(publicB, nil)
			p.respond = func(p *peer, q *packet) {
				p.reply(q, krpc.Message{Fields: krpc.FieldNodes | krpc.FieldNodes6, Nodes: nodes, Nodes6: nodes6})
			}
			a := l.node(publicA, lightdht.Config{Recorder: &b, Network: network})
			reply, err := a.Ping(l.ctx, p.addr)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.take().visits[0].Nodes; !slices.Equal(got, reply.NodeInfos()[:want]) {
				t.Errorf("%d nodes, want %d", len(got), want)
			}
			p.respond = after(6*time.Second, answering)
			a.Ping(l.ctx, p.addr)
			time.Sleep(time.Minute)
			if got := b.take().visits; len(got) != 1 || got[0].Outcome != record.Timeout || a.Count(lightdht.Late) != 1 {
				t.Errorf("a late answer: %+v", got)
			}
		})
	}
}

// Whatever asks, each query is one visit.
func TestEveryQueryIsAVisit(t *testing.T) {
	for seed := range uint64(2) {
		inLab(t, func(l *lab) {
			var b book
			a, storm := stormy(l, seed, lightdht.Config{Recorder: &b, Upkeep: lightdht.UpkeepConfig{Discover: true}})
			storm(100)
			time.Sleep(time.Hour)
			a.Close()
			all := b.take()
			outcomes, sent := map[record.Outcome]uint64{}, 0
			for _, v := range all.visits {
				outcomes[v.Outcome]++
				sent += v.Sent
			}
			got := map[string]uint64{
				"answers":   outcomes[record.Reply] + outcomes[record.ErrorReply] - a.Count(lightdht.RepliesIn),
				"errors":    outcomes[record.ErrorReply] - a.Count(lightdht.ErrorsIn),
				"time-outs": outcomes[record.Timeout] - a.Count(lightdht.Timeouts),
			}
			for what, off := range got {
				if off != 0 {
					t.Errorf("%s are off by %d", what, int64(off))
				}
			}
			if len(all.visits) < int(a.Count(lightdht.QueriesOut)) || outcomes[record.Timeout] == 0 || outcomes[record.ErrorReply] == 0 {
				t.Errorf("%d visits of %d queries: %v", len(all.visits), a.Count(lightdht.QueriesOut), outcomes)
			}
			if a.Count(lightdht.QueriesIn) != uint64(len(all.queries)) || len(all.queries) == 0 {
				t.Errorf("%d of %d queries to us", len(all.queries), a.Count(lightdht.QueriesIn))
			}
		})
	}
}
