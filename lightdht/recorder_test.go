package lightdht_test

import (
	"bytes"
	"fmt"
	"maps"
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
	"github.com/lightdht/lightdht/table"
)

// rows is a Recorder that keeps copies of all.
type rows struct {
	mu  sync.Mutex
	all []record.Sighting
}

func (r *rows) Record(row record.Row) {
	sighting, ok := row.(*record.Sighting)
	if !ok {
		return
	}
	s := *sighting
	s.Version = bytes.Clone(s.Version)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, s)
}

// take returns what was recorded, once all is quiet, and forgets it.
func (r *rows) take() []record.Sighting {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// replay tells a table what was recorded.
func replay(t table.Table, s record.Sighting) {
	origin := table.Origin(0)
	switch {
	case s.Event == record.Mentioned && s.By == (kad.NodeInfo{}):
		origin = table.FromImport
	case s.Entrance:
		origin = table.FromBootstrap
	}
	t.Observe(table.Sighting{
		Node: s.Node, Time: s.Time, Event: table.Event(s.Event), RTT: s.RTT, Version: s.Version,
		ReadOnly: s.ReadOnly, Router: s.Router, Origin: origin,
	})
}

// sameTables holds a table to what it should have.
func sameTables(t *testing.T, got, want table.Table) {
	t.Helper()
	contacts := func(tab table.Table) map[kad.NodeInfo]table.Contact {
		all := map[kad.NodeInfo]table.Contact{}
		for c := range tab.All() {
			all[c.Info()] = c
		}
		return all
	}
	is, should := contacts(got), contacts(want)
	if len(is) != got.Len() || len(should) != want.Len() || len(should) == 0 {
		t.Errorf("%d contacts of %d, want %d of %d", len(is), got.Len(), len(should), want.Len())
	}
	if maps.Equal(is, should) {
		return
	}
	wrong := 0
	for info, c := range should {
		if is[info] != c {
			if wrong++; wrong <= 3 {
				t.Errorf("is     %+v\nshould %+v", is[info], c)
			}
		}
	}
	t.Errorf("%d contacts, want %d; %d are missing or different", len(is), len(should), wrong)
}

// Every sighting is recorded, with all that is known of it.
func TestRecorder(t *testing.T) {
	inLab(t, func(l *lab) {
		var r rows
		p := l.peer(addrB, after(20*time.Millisecond, func(p *peer, q *packet) {
			m := krpc.Message{Version: []byte("B1"), Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, kad.NodeInfo{ID: idOf("named"), Addr: at("10.1.1.1:1")})}
			p.reply(q, m)
		}))
		router := l.peer("10.0.0.8:8", answering)
		a := l.node(addrA, lightdht.Config{Recorder: &r, Routers: []string{router.addr.String()}, Bootstrap: []string{addrB}})
		b := kad.NodeInfo{ID: p.id, Addr: p.addr}
		began := now()
		row := func(after time.Duration, s record.Sighting) record.Sighting {
			s.Time, s.Self = began.Add(after), a.ID()
			return s
		}
		is := func(what string, want ...record.Sighting) {
			t.Helper()
			got := r.take()
			if len(got) != len(want) {
				t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
			}
			for i := range min(len(got), len(want)) {
				if g, w := fmt.Sprintf("%+v", trim(got[i])), fmt.Sprintf("%+v", trim(want[i])); g != w {
					t.Errorf("%s:\nis     %s\nshould %s", what, g, w)
				}
			}
			began = now()
		}
		named := record.Sighting{Node: kad.NodeInfo{ID: idOf("named"), Addr: at("10.1.1.1:1")}, Event: record.Mentioned, By: b}
		const rtt = 20 * time.Millisecond

		a.GetPeers(l.ctx, p.addr, infohash)
		is("an answer", row(rtt, record.Sighting{Node: b, Event: record.Replied, RTT: rtt, Version: []byte("B1"), Method: "get_peers"}), row(rtt, named))

		p.raw(at(addrA), readOnly(p, krpc.FindNode{}))
		is("a read-only query", row(0, record.Sighting{Node: b, Event: record.Queried, Method: "find_node", ReadOnly: true}))

		p.raw(at(addrA), "d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:v4:XY121:y1:qe")
		voter := kad.NodeInfo{ID: kad.ID([]byte("abcdefghij0123456789")), Addr: p.addr}
		time.Sleep(rtt)
		is("a stranger's query, and the greeting that somebody else answers",
			row(0, record.Sighting{Node: voter, Event: record.Queried, Method: "vote", Version: []byte("XY12")}),
			row(rtt, record.Sighting{Node: voter, Event: record.Failed, Method: "ping"}),
			row(rtt, record.Sighting{Node: b, Event: record.Replied, RTT: rtt, Version: []byte("B1"), Method: "ping"}), row(rtt, named))

		gone := kad.NodeInfo{ID: idOf("gone"), Addr: at(addrC)}
		a.AskGo(l.ctx, gone, krpc.FindNode{}, nil)
		time.Sleep(4 * time.Second)
		a.Ping(l.ctx, p.addr)
		time.Sleep(time.Minute)
		all := r.take()
		failed := slices.DeleteFunc(all, func(s record.Sighting) bool { return s.Event != record.Failed })
		if len(failed) != 1 || failed[0].Node != gone || failed[0].Method != "find_node" || failed[0].Time != began.Add(5*time.Second) {
			t.Errorf("of whom did not answer: %+v", failed)
		}
		began = now()

		a.Add(gone)
		is("an import", row(0, record.Sighting{Node: gone, Event: record.Mentioned}))

		a.Bootstrap(l.ctx)
		time.Sleep(time.Minute)
		flags := map[kad.NodeInfo][2]bool{}
		for _, s := range r.take() {
			flags[s.Node] = [2]bool{s.Router, s.Entrance}
		}
		if flags[b] != [2]bool{false, true} || flags[kad.NodeInfo{ID: router.id, Addr: router.addr}] != [2]bool{true, true} || flags[named.Node] != [2]bool{} {
			t.Errorf("flagged as routers and entrances: %v", flags)
		}

		p.id = a.ID()
		a.Ping(l.ctx, p.addr)
		for _, s := range r.take() {
			if s.Node.ID == a.ID() {
				t.Errorf("our own ID was recorded: %+v", s)
			}
		}
	})
}

// trim is a row as it can be compared: with a time that has no monotonic part.
func trim(s record.Sighting) record.Sighting {
	s.Time = s.Time.Round(0)
	return s
}

// What was recorded, told to an empty table of either kind, makes the table that
// the node has: whatever happened, in whatever order and from however many
// goroutines.
func TestRecordedRowsMakeTheTable(t *testing.T) {
	for seed := range uint64(5) {
		inLab(t, func(l *lab) {
			var r rows
			a, storm := stormy(l, seed, lightdht.Config{Recorder: &r})
			storm(300)
			all := r.take()
			for _, kind := range []string{"flat", "prefix"} {
				twin, _ := table.New(kind)
				for _, s := range all {
					replay(twin, s)
				}
				sameTables(t, a.Table(kad.IPv4), twin)
			}
			events := map[record.Event]int{}
			for _, s := range all {
				events[s.Event]++
			}
			if len(events) != 4 {
				t.Errorf("the storm was too tame: %v", events)
			}
		})
	}
}

// stormy is a node among 20 peers of all kinds, and a storm of sightings from
// several goroutines that goes over it. It waits for the end of the storm.
func stormy(l *lab, seed uint64, cfg lightdht.Config) (a *lightdht.Node, storm func(rounds int)) {
	r, mu := random(l, seed), sync.Mutex{}
	var peers []*peer
	for i := range 20 {
		respond := chatter(r, &mu)
		p := l.peer(fmt.Sprintf("10.3.%d.1:1", i), func(p *peer, q *packet) {
			mu.Lock()
			silent, named := r.IntN(4) == 0, kad.NodeInfo{ID: randomID(r), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 4, byte(r.Uint32()), 1}), 1)}
			version := []byte{'V', byte(r.IntN(5))}
			mu.Unlock()
			switch {
			case i%3 == 0:
				p.reply(q, krpc.Message{Version: version, Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, named)})
			case !silent:
				respond(p, q)
			}
		})
		peers = append(peers, p)
	}
	cfg.Bootstrap, cfg.Routers = []string{peers[0].addr.String()}, []string{peers[3].addr.String()}
	a = l.node(addrA, cfg)
	info := func(p *peer) kad.NodeInfo { return kad.NodeInfo{ID: p.id, Addr: p.addr} }
	return a, func(rounds int) {
		a.Bootstrap(l.ctx)
		var wg sync.WaitGroup
		for worker := range 4 {
			draw := random(l, seed*100+uint64(worker))
			wg.Go(func() {
				for range rounds {
					p := peers[draw.IntN(len(peers))]
					switch draw.IntN(6) {
					case 0:
						a.Add(info(p))
					case 1:
						p.raw(at(addrA), string(p.encode(krpc.FindNode{})))
					case 2:
						p.raw(at(addrA), readOnly(p, krpc.Ping{}))
					case 3: // whom nobody is
						a.AskGo(l.ctx, kad.NodeInfo{ID: randomID(draw).Prefix(3).First(), Addr: p.addr}, krpc.Ping{}, nil)
					default:
						a.AskGo(l.ctx, info(p), krpc.Ping{}, nil)
					}
					if draw.IntN(4) == 0 {
						time.Sleep(time.Duration(draw.IntN(300)) * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
	}
}
