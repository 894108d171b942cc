package lightdht_test

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
)

// Contacts yields those of both families, and its body may use the node.
func TestContacts(t *testing.T) {
	inLab(t, func(l *lab) {
		a := dual(l)
		seen := map[kad.NodeInfo]bool{}
		for c := range a.Contacts() {
			seen[c.Info()] = true
			a.Ping(l.ctx, at(addrB))
			know(a, kad.NodeInfo{ID: idOf("new"), Addr: at(addrD)}, now())
		}
		if len(seen) < 100 || a.Len() != 101 {
			t.Errorf("%d seen of %d", len(seen), a.Len())
		}
		for range a.Contacts() {
			break
		}
	})
}

// A dead contact keeps its history, and is left out of answers and lookups.
func TestNothingIsForgotten(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Timeout: s})
		b := l.peer(addrB, answering)
		info := kad.NodeInfo{ID: b.id, Addr: b.addr}
		a.Ping(l.ctx, b.addr)
		b.respond = nil
		for range 3 {
			a.Ask(l.ctx, info, krpc.Ping{})
			l.heard(a)
		}
		time.Sleep(365 * 24 * time.Hour)
		c, ok := a.Table(kad.IPv4).Get(info)
		if !ok || c.Replies != 1 || c.Failures != 3 || c.State(now()) != table.StateBad {
			t.Errorf("the contact is %+v", c)
		}
		asker := l.peer(addrC, nil)
		if got := asker.query(at(addrA), krpc.FindNode{Target: b.id}); got.Nodes.Len() != 0 {
			t.Errorf("handed out: %v", got.NodeInfos())
		}
	})
}

// Who asks comes with its version, time and count into the table.
func TestQueriesAreSightings(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		for range 3 {
			time.Sleep(s)
			b.ask(at(addrA), "d1:ad2:id20:"+string(b.id[:])+"e1:q4:ping1:t2:aa1:v4:UT\x01\x021:y1:qe")
		}
		c, _ := a.Table(kad.IPv4).Get(kad.NodeInfo{ID: b.id, Addr: b.addr})
		if c.Queries != 3 || c.Version != "UT\x01\x02" || !c.LastQuery.Equal(now()) || c.FirstSeen.Equal(now()) || c.Origin != table.FromQuery {
			t.Errorf("the contact is %+v", c)
		}
	})
}

// Either table makes the same node.
func TestNodeWithEitherTable(t *testing.T) {
	for name, newTable := range map[string]func() table.Table{"flat": table.NewFlat, "prefix": table.NewPrefix} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				net, a := l.town(testnet.Config{Nodes: 50, Seed: 1, NewTable: newTable}, lightdht.Config{NewTable: newTable})
				target := idOf("target")
				res, err := a.FindClosest(l.ctx, target)
				if got, want := fmt.Sprint(found(res)), fmt.Sprint(net.Closest(target, 8)); err != nil || got != want {
					t.Errorf("found %s, %v, want %s", got, err, want)
				}
			})
		})
	}
}

// counterNames are in exported data: they do not change.
const counterNames = `packets_in packets_out bytes_in bytes_out read_errors write_errors malformed anomalous
	queries_in queries_out replies_in replies_out errors_in errors_out unexpected_id late stray timeouts
	from_reserved mention_refused peers_refused own_id unanswered suppressed bad_token peers_dropped greetings_left candidates_left`

// Every counter has a name of its own, and is yielded once.
func TestCounters(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.node(addrB, lightdht.Config{})
		a.Ping(l.ctx, at(addrB))
		synctest.Wait()
		names, word := map[string]bool{}, regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
		for c, v := range a.Counters() {
			if !word.MatchString(c.String()) || names[c.String()] || v != a.Count(c) {
				t.Errorf("counter %d is %q: %d", c, c, v)
			}
			names[c.String()] = true
		}
		for name := range strings.FieldsSeq(counterNames) {
			if !names[name] {
				t.Errorf("no counter is named %s", name)
			}
		}
		if c := lightdht.Counter(200); c.String() != "unknown" || a.Count(c) != 0 {
			t.Errorf("a counter that does not exist is %q: %d", c, a.Count(c))
		}
		for range a.Counters() {
			break
		}
	})
}

// What the nodes count is what went over the wire.
func TestCountersAddUp(t *testing.T) {
	inLab(t, func(l *lab) {
		var onWire, size atomic.Uint64
		l.net.Tap(func(_, _ netip.AddrPort, b []byte) bool { onWire.Add(1); size.Add(uint64(len(b))); return true })
		a := l.node(addrA, lightdht.Config{})
		b := l.node(addrB, lightdht.Config{})
		for range 10 {
			a.FindNode(l.ctx, at(addrB), idOf("x"))
		}
		synctest.Wait()
		packets, bytes := onWire.Load(), size.Load()
		sum := func(c lightdht.Counter) uint64 { return a.Count(c) + b.Count(c) }
		for c, want := range map[lightdht.Counter]uint64{
			lightdht.PacketsOut: packets, lightdht.PacketsIn: packets, lightdht.BytesOut: bytes, lightdht.BytesIn: bytes,
			lightdht.QueriesIn: packets / 2, lightdht.QueriesOut: packets / 2, lightdht.RepliesOut: packets / 2, lightdht.RepliesIn: packets / 2,
		} {
			if got := sum(c); got != want || want < 10 {
				t.Errorf("%s: %d, want %d", c, got, want)
			}
		}
	})
}

// What could not be written was not sent: it is a write error and nothing else.
func TestCountersOfWhatIsNotSent(t *testing.T) {
	inLab(t, func(l *lab) {
		conn := &failing{PacketConn: l.listen(addrA)}
		a := l.node(addrA, lightdht.Config{Conn4: conn})
		b := l.peer(addrB, answering)
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now()) // it is not greeted
		conn.writes.Store(3)
		if _, err := a.Ping(l.ctx, b.addr); !errors.Is(err, errBroken) {
			t.Error(err)
		}
		b.raw(at(addrA), string(b.encode(krpc.Ping{})))
		b.raw(at(addrA), string(b.encode(krpc.GetPeers{InfoHash: infohash})[:40]))  // no message
		b.raw(at(addrA), "d1:ad2:id20:"+string(b.id[:])+"e1:q4:nope1:t2:aa1:y1:qe") // an error is its answer
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{
			lightdht.WriteErrors: 3, lightdht.QueriesIn: 2, lightdht.PacketsOut: 0, lightdht.BytesOut: 0,
			lightdht.QueriesOut: 0, lightdht.RepliesOut: 0, lightdht.ErrorsOut: 0,
		})
		if _, err := a.Ping(l.ctx, b.addr); err != nil {
			t.Error(err)
		}
		b.query(at(addrA), krpc.Ping{})
		b.ask(at(addrA), "d1:ad2:id20:"+string(b.id[:])+"e1:q4:nope1:t2:aa1:y1:qe")
		l.counts(a, map[lightdht.Counter]uint64{
			lightdht.WriteErrors: 3, lightdht.PacketsOut: 3, lightdht.QueriesOut: 1, lightdht.RepliesOut: 2, lightdht.ErrorsOut: 1,
		})
		a.Close()
	})
}

func TestEventsHaveNames(t *testing.T) {
	want := "asked answered silent timed out failed done"
	got := fmt.Sprint(lightdht.Asked, " ", lightdht.Answered, " ", lightdht.Silent, " ", lightdht.TimedOut, " ", lightdht.Failed, " ", lightdht.Done)
	if got != want || lightdht.Event(0).String() != "?" || lightdht.Event(99).String() != "?" {
		t.Errorf("%s, %s, %s", got, lightdht.Event(0), lightdht.Event(99))
	}
}
