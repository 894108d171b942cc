package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// script is a lookup's network: peers in order of their distance to the target,
// each with the time it takes to answer (0: never), all known to the node.
func (l *lab) script(a *lightdht.Node, delays ...time.Duration) (target kad.ID) {
	for i, delay := range delays {
		p := l.peer(fmt.Sprintf("10.0.1.%d:1", i+1), func(p *peer, q *packet) {
			if delay > 0 {
				time.AfterFunc(delay, func() { p.reply(q, krpc.Message{}) })
			}
		})
		p.id = kad.ID{0: 0x80, 19: byte(i + 1)}
		know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
	}
	return kad.ID{0: 0x80}
}

// diary is what happened in a lookup, a line for each step: who, when.
func (l *lab) diary(a *lightdht.Node, target kad.ID, cfg lightdht.LookupConfig) (lines []string, res *lightdht.LookupResult) {
	l.Helper()
	for step, err := range a.LookupWith(l.ctx, target, cfg) {
		if nobody := res != nil && res.Answered == 0; err != nil && !(nobody && errors.Is(err, lightdht.ErrNoAnswer)) {
			l.Fatal(err)
		}
		if err != nil {
			break
		}
		line := fmt.Sprintf("%v %s", step.At, step.Event)
		if step.Result == nil {
			line += fmt.Sprintf(" %d", step.Node.ID[19])
		}
		lines, res = append(lines, line), step.Result
	}
	return lines, res
}

const s, ms = time.Second, time.Millisecond

// The nearest is silent: after a second it is no longer counted on and the next
// is asked, but its late answer still counts.
func TestLookupInTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		delays []time.Duration
		cfg    lightdht.LookupConfig
		want   string
		found  []int
		silent int
	}{
		{"all answer", []time.Duration{10 * ms, 20 * ms}, lightdht.LookupConfig{K: 2, Parallel: 1},
			"0s asked 1, 10ms answered 1, 10ms asked 2, 30ms answered 2, 30ms done", []int{1, 2}, 0},
		{"two at a time", []time.Duration{30 * ms, 20 * ms, 5 * ms}, lightdht.LookupConfig{K: 3, Parallel: 2},
			"0s asked 1, 0s asked 2, 20ms answered 2, 20ms asked 3, 25ms answered 3, 30ms answered 1, 30ms done", []int{1, 2, 3}, 0},
		{"a late answer helps", []time.Duration{3 * s, 100 * ms}, lightdht.LookupConfig{K: 2, Parallel: 1},
			"0s asked 1, 1s silent 1, 1s asked 2, 1.1s answered 2, 3s answered 1, 3s done", []int{1, 2}, 0},
		{"nobody waits for the silent", []time.Duration{0, 100 * ms, 100 * ms}, lightdht.LookupConfig{K: 2, Parallel: 1},
			"0s asked 1, 1s silent 1, 1s asked 2, 1.1s answered 2, 1.1s asked 3, 1.2s answered 3, 1.2s done", []int{2, 3}, 1},
		{"unless nobody else is left", []time.Duration{0, 100 * ms}, lightdht.LookupConfig{K: 2, Parallel: 1},
			"0s asked 1, 1s silent 1, 1s asked 2, 1.1s answered 2, 5s timed out 1, 5s done", []int{2}, 0},
		{"all are silent", []time.Duration{0, 0}, lightdht.LookupConfig{Parallel: 1},
			"0s asked 1, 1s silent 1, 1s asked 2, 2s silent 2, 5s timed out 1, 6s timed out 2, 6s done", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{})
				target := l.script(a, c.delays...)
				lines, res := l.diary(a, target, c.cfg)
				if got := strings.Join(lines, ", "); got != c.want {
					t.Errorf("\n got %s\nwant %s", got, c.want)
				}
				var who []int
				for _, info := range found(res) {
					who = append(who, int(info.ID[19]))
				}
				if !slices.Equal(who, c.found) || res.Silent != c.silent {
					t.Errorf("found %v with %d silent, want %v with %d", who, res.Silent, c.found, c.silent)
				}
				if !strings.HasPrefix(lines[len(lines)-1], res.Duration.String()) {
					t.Errorf("it took %v", res.Duration)
				}
				if out := a.Count(lightdht.BytesOut); res.BytesOut != int(out) {
					t.Errorf("%d bytes out, on the wire %d", res.BytesOut, out)
				}
				addsUp(t, res)
				time.Sleep(10 * s)
			})
		})
	}
}

// Patience follows the network: with round trips of 10 ms it is 100 ms.
func TestLookupPatienceFollowsTheNetwork(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		target := l.script(a, 0, 10*ms)
		for range 30 {
			a.Ping(l.ctx, at("10.0.1.2:1"))
		}
		lines, _ := l.diary(a, target, lightdht.LookupConfig{K: 1, Parallel: 1})
		want := "0s asked 1, 100ms silent 1, 100ms asked 2, 110ms answered 2, 200ms done"
		if got := strings.Join(lines, ", "); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	})
}

// KRPC errors, answers from other IDs and addresses without anybody.
func TestLookupCountsWhatWentWrong(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		target := l.script(a, 10*ms)
		refuse := l.peer(addrB, func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202})
		})
		strange, mirror := l.peer(addrC, answering), l.peer(addrD, answering)
		for i, p := range []*peer{refuse, strange, mirror} {
			know(a, kad.NodeInfo{ID: kad.ID{0: 0x80, 18: 1, 19: byte(i)}, Addr: p.addr}, now())
		}
		mirror.id = a.ID()
		lines, res := l.diary(a, target, lightdht.LookupConfig{})
		if res.Asked != 4 || res.Failed != 1 || res.Strange != 2 || res.Answered != 3 {
			t.Errorf("%s\n%+v", strings.Join(lines, "\n"), res)
		}
		want := []kad.NodeInfo{{ID: kad.ID{0: 0x80, 19: 1}, Addr: at("10.0.1.1:1")}, {ID: strange.id, Addr: strange.addr}}
		if !slices.Equal(found(res), want) {
			t.Errorf("found %v, want %v: who answered under an ID of its own, and nobody under ours", found(res), want)
		}
		addsUp(t, res)
	})
}

// What a result says of the traffic is what went over the wire.
func TestLookupCountsBytesAndHops(t *testing.T) {
	inLab(t, func(l *lab) {
		_, a := l.town(testnet.Config{Nodes: 100, Seed: 5}, lightdht.Config{})
		a.Bootstrap(l.ctx)
		time.Sleep(time.Minute)
		var out, in atomic.Int64
		l.net.Tap(func(from, to netip.AddrPort, b []byte) bool {
			var m krpc.Message
			switch krpc.Parse(b, &m); {
			case from == at(addrA) && m.Method == krpc.MethodFindNode:
				out.Add(int64(len(b)))
			case to == at(addrA) && m.Has(krpc.FieldNodes):
				in.Add(int64(len(b)))
			}
			return true
		})
		res, err := a.FindClosest(l.ctx, idOf("target"))
		if err != nil {
			t.Fatal(err)
		}
		late := res.Silent > 0 // then the answers of some were not waited for
		if res.BytesOut != int(out.Load()) || res.BytesIn != int(in.Load()) && !late || res.BytesIn == 0 {
			t.Errorf("out %d, in %d; on the wire were %d and %d", res.BytesOut, res.BytesIn, out.Load(), in.Load())
		}
		for _, c := range res.Closest {
			if c.Hop < 1 || c.Hop > res.Hops {
				t.Errorf("%s at hop %d of %d", c.ID, c.Hop, res.Hops)
			}
		}
	})
}

// A list that names us, under our ID or at our address, has us ask nobody.
func TestLookupDoesNotAskUs(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		p := l.peer(addrB, func(p *peer, q *packet) {
			nodes := krpc.AppendNode(nil, kad.NodeInfo{ID: idOf("another"), Addr: at(addrA)})
			nodes = krpc.AppendNode(nodes, kad.NodeInfo{ID: a.ID(), Addr: at(addrC)})
			p.reply(q, krpc.Message{Fields: krpc.FieldNodes, Nodes: nodes})
		})
		know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
		res, err := a.FindClosest(l.ctx, a.ID())
		if err != nil || res.Asked != 1 || len(res.Closest) != 1 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

// A hop is one more than that of who named the node.
func TestLookupHops(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		var last *peer
		for i := range 5 { // each names the one before, and is farther from 0
			named := last
			last = l.peer(fmt.Sprintf("10.0.1.%d:1", i+1), func(p *peer, q *packet) {
				m := krpc.Message{Fields: krpc.FieldNodes}
				if named != nil {
					m.Nodes = krpc.AppendNode(nil, kad.NodeInfo{ID: named.id, Addr: named.addr})
				}
				p.reply(q, m)
			})
			last.id = kad.ID{0: byte(i + 1)}
		}
		know(a, kad.NodeInfo{ID: last.id, Addr: last.addr}, now())
		res, err := a.FindClosest(l.ctx, kad.ID{})
		if err != nil || res.Hops != 5 || len(res.Closest) != 5 {
			t.Fatal(res, err)
		}
		for i, c := range res.Closest {
			if c.Hop != 5-i || int(c.ID[0]) != i+1 {
				t.Errorf("%s at hop %d", c.ID, c.Hop)
			}
		}
	})
}

// Leaving the loop, at whatever step, ends the queries under way.
func TestLeavingALookupEndsItsQueries(t *testing.T) {
	for leave := 1; leave <= 12; leave++ {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			target := l.script(a, 0, 10*ms, 0, 2*s, 10*ms, 0)
			steps := 0
			for _, err := range a.LookupWith(l.ctx, target, lightdht.LookupConfig{Parallel: 3}) {
				if err != nil {
					t.Fatal(err)
				}
				if steps++; steps == leave {
					break
				}
			}
			if calls, _ := a.Waiting(); calls != 0 || steps != leave {
				t.Errorf("after step %d %d calls wait", steps, calls)
			}
			time.Sleep(time.Minute)
			l.counts(a, map[lightdht.Counter]uint64{lightdht.Stray: 0})
		})
	}
}

func TestContextEndsALookup(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		target := l.script(a, 0, 10*ms, 0)
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(l.ctx)
		time.AfterFunc(1500*ms, func() { cancel(why) })
		began := time.Now()
		res, err := finishedBy(a.LookupWith(ctx, target, lightdht.LookupConfig{}))
		if took := time.Since(began); !errors.Is(err, why) || res != nil || took != 1500*ms {
			t.Errorf("after %v: %v, %v", took, res, err)
		}
		if calls, _ := a.Waiting(); calls != 0 {
			t.Errorf("%d calls wait", calls)
		}
	})
}

// A context that has ended has nobody asked, and what is there already is no
// result.
func TestLookupWithAnEndedContext(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now())
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(l.ctx)
		cancel(why)
		for range 20 {
			if res, err := a.FindClosest(ctx, infohash); !errors.Is(err, why) || res.Asked != 0 {
				t.Fatalf("%+v, %v", res, err)
			}
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.PacketsOut: 0})
	})
}

func finishedBy(steps func(func(lightdht.Step, error) bool)) (res *lightdht.LookupResult, err error) {
	steps(func(step lightdht.Step, e error) bool {
		res, err = step.Result, e
		return true
	})
	return res, err
}

// Close ends a lookup with ErrClosed, and one on a closed node is no result.
func TestCloseEndsALookup(t *testing.T) {
	for range 20 { // the end of the node and that of its calls come together
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			target := l.script(a, 0, 10*ms, 0, 0)
			time.AfterFunc(500*ms, func() { a.Close() })
			if res, err := a.FindClosest(l.ctx, target); !errors.Is(err, lightdht.ErrClosed) {
				t.Errorf("in flight: %+v, %v", res, err)
			}
			for range 20 {
				if res, err := a.FindClosest(l.ctx, target); !errors.Is(err, lightdht.ErrClosed) {
					t.Errorf("afterwards: %+v, %v", res, err)
				}
			}
		})
	}
}

func TestNobodyToAsk(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		for step, err := range a.Lookup(l.ctx, idOf("target")) {
			if !errors.Is(err, lightdht.ErrNoNodes) {
				t.Errorf("step %v, %v", step, err)
			}
		}
		if _, err := a.FindPeers(l.ctx, infohash); !errors.Is(err, lightdht.ErrNoNodes) {
			t.Error(err)
		}
		if _, err := a.Announce(l.ctx, infohash, 1); !errors.Is(err, lightdht.ErrNoNodes) {
			t.Error(err)
		}
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Errorf("with nothing to begin with: %v", err)
		}
		synctest.Wait()
	})
}
