package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// telling is a peer's respond: it answers everything and tells one peer.
func telling(addr string) func(p *peer, q *packet) {
	return func(p *peer, q *packet) {
		p.reply(q, krpc.Message{Fields: krpc.FieldValues, Values: krpc.AppendPeer(nil, at(addr))})
	}
}

// after has a peer respond with a delay.
func after(d time.Duration, respond func(p *peer, q *packet)) func(p *peer, q *packet) {
	return func(p *peer, q *packet) { time.AfterFunc(d, func() { respond(p, q) }) }
}

// Who is known and has never answered keeps no lookup from bootstrapping first,
// however it came to be known.
func TestLookupBootstrapsAmongStrangers(t *testing.T) {
	for name, meet := range map[string]func(a *lightdht.Node, dead *peer){
		"its query": func(a *lightdht.Node, dead *peer) { dead.query(at(addrA), krpc.Ping{}) },
		"Add":       func(a *lightdht.Node, dead *peer) { a.Add(kad.NodeInfo{ID: dead.id, Addr: dead.addr}) },
		"long ago": func(a *lightdht.Node, dead *peer) {
			know(a, kad.NodeInfo{ID: dead.id, Addr: dead.addr}, now().Add(-time.Hour))
			for range 3 { // it is bad by now
				dead.l.heard(a)
				a.Ask(dead.l.ctx, kad.NodeInfo{ID: dead.id, Addr: dead.addr}, krpc.Ping{})
			}
			dead.l.heard(a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
				b := l.peer(addrB, telling("10.9.9.9:9"))
				meet(a, l.peer(addrC, nil))
				began := time.Now()
				res, err := a.FindPeers(l.ctx, infohash)
				if err != nil || !slices.Equal(res.Peers, []netip.AddrPort{at("10.9.9.9:9")}) {
					t.Fatalf("%+v, %v", res, err)
				}
				if got := b.took(krpc.KindQuery); len(got) < 2 || got[0].Method != krpc.MethodFindNode || got[0].at != began {
					t.Errorf("%d queries, the first %q", len(got), got[0].Raw)
				}
				addsUp(t, res)
			})
		})
	}
}

// When all that ever answered are dead now, the lookup bootstraps and goes on.
func TestLookupBootstrapsWhenAllAreDead(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
		b := l.peer(addrB, telling("10.9.9.9:9"))
		for i := range 3 {
			know(a, kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: at(fmt.Sprintf("10.3.0.%d:1", i+1))}, now())
		}
		began := time.Now()
		res, err := a.FindPeers(l.ctx, infohash)
		if err != nil || !slices.Equal(res.Peers, []netip.AddrPort{at("10.9.9.9:9")}) || res.TimedOut != 3 || res.Answered != 1 {
			t.Fatalf("%+v, %v", res, err)
		}
		if got := times(b, began); !slices.Equal(got, []time.Duration{5 * s, 5 * s}) {
			t.Errorf("the bootstrap node was asked at %v", got)
		}
		addsUp(t, res)
	})
}

// lastOf tells how a lookup ended: its last event, when, and its error. It
// leaves the loop at an event, if one is given.
func lastOf(l *lab, a *lightdht.Node, leave lightdht.Event) (last lightdht.Event, res *lightdht.LookupResult, took time.Duration, err error) {
	began := time.Now()
	for step, e := range a.Lookup(l.ctx, infohash) {
		if e != nil {
			err = e
			continue
		}
		if err != nil {
			l.Errorf("%s after %v", step.Event, err)
		}
		if last, res = step.Event, step.Result; last == leave {
			break
		}
	}
	return last, res, time.Since(began), err
}

// A lookup that nobody answers ends with Done and then with the reason: nobody,
// or the silent bootstrap nodes. A loop left at Done has no error.
func TestLookupThatNobodyAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		begin []string
		took  time.Duration
		isErr func(error) bool
	}{
		{"nothing to begin with", nil, 5 * s, func(err error) bool {
			return errors.Is(err, lightdht.ErrNoAnswer) && strings.Contains(err.Error(), infohash.String()) && strings.Contains(err.Error(), "(1 asked)")
		}},
		{"bootstrap dead", []string{addrB}, 32 * s, func(err error) bool { // its own 5 s, and the 27 s of four rounds
			b := (*lightdht.BootstrapError)(nil)
			return errors.As(err, &b) && b.Tries == 4 && !errors.Is(err, lightdht.ErrNoAnswer)
		}},
	} {
		for _, leave := range []lightdht.Event{0, lightdht.Done} {
			t.Run(fmt.Sprint(c.name, ", leaving at ", leave), func(t *testing.T) {
				inLab(t, func(l *lab) {
					a := l.node(addrA, lightdht.Config{Bootstrap: c.begin})
					l.peer(addrB, nil)
					know(a, kad.NodeInfo{ID: idOf("dead"), Addr: at(addrC)}, now())
					last, res, took, err := lastOf(l, a, leave)
					if last != lightdht.Done || res == nil || res.Asked != 1 || res.TimedOut != 1 || took != c.took {
						t.Fatalf("after %v: %s, %+v", took, last, res)
					}
					if wantErr := leave == 0; (err != nil) != wantErr || wantErr && !c.isErr(err) {
						t.Errorf("the error is %v", err)
					}
				})
			})
		}
	}
}

// FindClosest and FindPeers tell the same, with what was found until then.
func TestFindWithoutAnAnswer(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		know(a, kad.NodeInfo{ID: idOf("dead"), Addr: at(addrC)}, now())
		res, err := a.FindPeers(l.ctx, infohash)
		if !errors.Is(err, lightdht.ErrNoAnswer) || res == nil || res.TimedOut != 1 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

// While one family is well, the bootstrap nodes of the other are asked once a
// minute at most.
func TestStrangersOfOneFamily(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node("", lightdht.Config{Conn4: l.listen(addrA), Conn6: l.listen(addrA6), Bootstrap: []string{addrB6}})
		b := l.peer(addrB, answering)
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now())
		silent := l.peer(addrB6, nil)
		began := time.Now()
		for i := range 7 {
			time.Sleep(time.Until(began.Add(time.Duration(i) * 25 * s)))
			asked := time.Now()
			res, err := a.FindClosest(l.ctx, infohash)
			if took := time.Since(asked); err != nil || res.Answered != 1 || took > s {
				t.Fatalf("after %v: %+v, %v", took, res, err)
			}
		}
		if got, want := times(silent, began), []time.Duration{0, 75 * s, 150 * s}; !slices.Equal(got, want) {
			t.Errorf("asked at %v, want %v", got, want)
		}
		silent.respond = answering
		time.Sleep(time.Minute)
		if res, err := a.FindClosest(l.ctx, infohash); err != nil || res.Answered != 2 {
			t.Errorf("once it answers: %+v, %v", res, err)
		}
		if len(silent.took(krpc.KindQuery)) != 2 {
			t.Error("not asked both for introduction and by the lookup")
		}
		synctest.Wait()
	})
}

// However many contacts near the target have died meanwhile, the bootstrap node
// and those farther away are asked in the end.
func TestLookupGetsPastTheDead(t *testing.T) {
	dead := func(a *lightdht.Node, n int, when time.Time) {
		for i := range n {
			know(a, kad.NodeInfo{ID: kad.ID{0: infohash[0], 1: infohash[1], 2: byte(i)}, Addr: at(fmt.Sprintf("10.3.0.%d:1", i+1))}, when)
		}
	}
	for _, n := range []int{3, 15, 16, 17, 100} {
		for _, ago := range []time.Duration{0, time.Hour} {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
				l.peer(addrB, telling("10.9.9.9:9"))
				dead(a, n, now().Add(-ago))
				if res, err := a.FindPeers(l.ctx, infohash); err != nil || len(res.Peers) != 1 {
					t.Errorf("%d dead since %v, and a bootstrap node: %+v, %v", n, ago, res, err)
				}
			})
		}
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			dead(a, n, now())
			p := l.peer(addrB, telling("10.9.9.9:9"))
			p.id = infohash
			p.id[0] ^= 0x80 // as far as can be
			know(a, kad.NodeInfo{ID: p.id, Addr: p.addr}, now())
			if res, err := a.FindPeers(l.ctx, infohash); err != nil || len(res.Peers) != 1 {
				t.Errorf("%d dead, and one alive: %+v, %v", n, res, err)
			}
		})
	}
}

// Lookups that begin at one time on a fresh node bootstrap once, and an address
// with several names is asked once.
func TestOneIntroductionAtATime(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{
			Bootstrap: []string{"one.test:1002", "two.test:1002", addrB},
			Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{at(addrB).Addr(), at(addrB).Addr()}, nil
			},
		})
		b := l.peer(addrB, after(ms, answering))
		ends := make(chan error)
		for range 50 {
			go func() { _, err := a.FindClosest(l.ctx, infohash); ends <- err }()
		}
		for range 50 {
			if err := <-ends; err != nil {
				t.Error(err)
			}
		}
		introductions := 0
		for _, q := range b.took(krpc.KindQuery) {
			if q.Target == a.ID() {
				introductions++
			}
		}
		if introductions != 1 {
			t.Errorf("asked for an introduction %d times", introductions)
		}
	})
}

// Who waits for another's introduction takes over when that one's context ends.
func TestIntroductionIsTakenOver(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
		l.peer(addrB, after(3*s, answering))
		brief, cancel := context.WithTimeout(l.ctx, s)
		defer cancel()
		first := make(chan error, 1)
		go func() { first <- a.Bootstrap(brief) }()
		synctest.Wait()
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Error(err)
		}
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first: %v", err)
		}
	})
}

// A name that is never resolved holds up no round.
func TestResolverThatHangs(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{
			Bootstrap: []string{"hang.test:1", addrB},
			Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		})
		began := time.Now()
		l.peer(addrB, func(p *peer, q *packet) {
			if time.Since(began) >= 10*s {
				answering(p, q)
			}
		})
		if err := a.Bootstrap(l.ctx); err != nil || time.Since(began) > 15*s {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// A node without a place to begin with waits to be found: a stranger that asked
// it and is silent ends neither its bootstrapping nor its exploring.
func TestAloneIsNoError(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Errorf("knowing nobody: %v", err)
		}
		l.peer(addrB, nil).query(at(addrA), krpc.Ping{})
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Errorf("knowing one who is silent: %v", err)
		}
		ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
		defer cancel()
		began := time.Now()
		if err := a.Explore(ctx); err != nil || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
