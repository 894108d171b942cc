package lightdht_test

import (
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
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// ends collects what callbacks are told, in order of time.
type ends struct {
	mu    sync.Mutex
	began time.Time
	at    []time.Duration
	errs  []error
	rtts  []time.Duration
}

func (e *ends) tell(r krpc.Reply, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at, e.errs, e.rtts = append(e.at, now().Sub(e.began)), append(e.errs, err), append(e.rtts, r.RTT)
}

// times returns when calls ended, since the beginning.
func (e *ends) times() []time.Duration {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.at)
}

// are counts the ends with an error, nil for none.
func (e *ends) are(err error) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, got := range e.errs {
		if err == nil && got == nil || err != nil && errors.Is(got, err) {
			n++
		}
	}
	return n
}

// wireLog keeps when packets left an address, and for where.
type wireLog struct {
	mu sync.Mutex
	at []time.Time
	to []netip.AddrPort
}

func (l *lab) watch(from netip.AddrPort) *wireLog {
	w := &wireLog{}
	l.net.Tap(func(f, to netip.AddrPort, _ []byte) bool {
		if f == from {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.at, w.to = append(w.at, now()), append(w.to, to)
		}
		return true
	})
	return w
}

// places returns where each packet went.
func (w *wireLog) places() []netip.AddrPort {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.to)
}

// most returns the largest number of packets in any second, of those to the
// places that key puts together.
func (w *wireLog) most(key func(netip.AddrPort) string) (most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	times := map[string][]time.Time{}
	for i, to := range w.to {
		k := key(to)
		times[k] = append(times[k], w.at[i])
	}
	for _, all := range times {
		slices.SortFunc(all, time.Time.Compare)
		for i, first := 0, 0; i < len(all); i++ {
			for all[i].Sub(all[first]) >= time.Second {
				first++
			}
			most = max(most, i-first+1)
		}
	}
	return most
}

func perAddr(to netip.AddrPort) string { return to.Addr().String() }
func perZone(to netip.AddrPort) string { p, _ := to.Addr().Prefix(24); return p.String() }
func inAll(netip.AddrPort) string      { return "" }

// paced is how long the limits take a second to be: 5 % of slack, for what is let
// out late.
const paced = 1050 * time.Millisecond

// Queries beyond the limit of an address wait: of 10 at 2 a second, two leave at
// once, two after each second. Their round trips count from when they left.
func TestLimitedQueriesWait(t *testing.T) {
	const way = 10 * time.Millisecond
	inLab(t, func(l *lab) {
		l.net.Paths(func(_, _ netip.AddrPort) testnet.Path { return testnet.Path{Delay: way} })
		a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{PerAddr: 2}})
		b, e := l.peer(addrB, answering), &ends{began: now()}
		for range 10 {
			a.Go(l.ctx, b.addr, krpc.Ping{}, e.tell)
		}
		synctest.Wait()
		if got := a.Count(lightdht.QueriesHeld); got != 8 || a.Count(lightdht.QueriesOut) != 2 {
			t.Errorf("%d wait, %d were sent", got, a.Count(lightdht.QueriesOut))
		}
		time.Sleep(time.Minute)
		var at []time.Duration
		for _, q := range b.take() {
			at = append(at, q.at.Sub(e.began))
		}
		want := []time.Duration{way, way}
		for i := range 4 {
			want = append(want, time.Duration(i+1)*paced+way, time.Duration(i+1)*paced+way)
		}
		if !slices.Equal(at, want) {
			t.Errorf("asked at %v, want %v", at, want)
		}
		for i := range want {
			want[i] += way
		}
		if got := e.times(); !slices.Equal(got, want) || e.are(nil) != 10 {
			t.Errorf("ended at %v with %v, want %v", got, e.errs, want)
		}
		for _, rtt := range e.rtts {
			if rtt != 2*way {
				t.Errorf("a round trip of %v", rtt)
			}
		}
	})
}

// A query that would wait for longer than Timeout is not sent; one that waits as
// long as that has a whole Timeout for its answer besides.
func TestLimitedQueriesThatWaitTooLong(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Timeout: 2 * paced, Limits: lightdht.Limits{PerAddr: 1}})
		e := &ends{began: now()}
		for range 5 {
			a.Go(l.ctx, at(addrB), krpc.Ping{}, e.tell)
		}
		time.Sleep(time.Minute)
		want := []time.Duration{0, 0, 2 * paced, 3 * paced, 4 * paced}
		if got := e.times(); !slices.Equal(got, want) || e.are(lightdht.ErrLimited) != 2 || e.are(lightdht.ErrTimeout) != 3 {
			t.Errorf("ended at %v with %v", got, e.errs)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.QueriesLimited: 2, lightdht.QueriesHeld: 2, lightdht.QueriesOut: 3})
		if calls, _ := a.Waiting(); calls != 0 {
			t.Errorf("%d calls wait", calls)
		}
	})
}

// A query that waits ends with its context or its node, once, at once, and is not
// sent.
func TestLimitedQueriesEnd(t *testing.T) {
	why := errors.New("changed my mind")
	for _, c := range []struct {
		name string
		end  func(a *lightdht.Node, cancel context.CancelCauseFunc)
		want error
	}{
		{"the context ends", func(_ *lightdht.Node, cancel context.CancelCauseFunc) { cancel(why) }, why},
		{"the node is closed", func(a *lightdht.Node, _ context.CancelCauseFunc) { a.Close() }, lightdht.ErrClosed},
		{"both", func(a *lightdht.Node, cancel context.CancelCauseFunc) { cancel(why); a.Close() }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{PerAddr: 1}})
				b, e := l.peer(addrB, nil), &ends{began: now()}
				ctx, cancel := context.WithCancelCause(l.ctx)
				for range 4 {
					a.Go(ctx, b.addr, krpc.Ping{}, e.tell)
				}
				time.Sleep(1500 * time.Millisecond) // two are sent, two wait
				c.end(a, cancel)
				time.Sleep(time.Minute)
				cancel(nil)
				if got := e.times(); len(got) != 4 || slices.ContainsFunc(got, func(d time.Duration) bool { return d != 1500*time.Millisecond }) {
					t.Errorf("ended at %v", got)
				}
				if c.want != nil && e.are(c.want) != 4 || e.are(why)+e.are(lightdht.ErrClosed) != 4 {
					t.Errorf("ended with %v", e.errs)
				}
				if got := b.take(); len(got) != 2 {
					t.Errorf("%d were sent", len(got))
				}
			})
		})
	}
}

// However calls, contexts and the node end, each callback comes once.
func TestLimitedQueriesEndOnce(t *testing.T) {
	for seed := range uint64(20) {
		inLab(t, func(l *lab) {
			r := random(l, seed)
			a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{PerAddr: 3, Total: 20}})
			e, asked := &ends{began: now()}, 0
			var contexts []context.CancelFunc
			peers := []*peer{l.peer(addrB, answering), l.peer(addrC, nil), l.peer("10.0.0.9:1", answering)}
			for range 200 {
				ctx, cancel := context.WithCancel(l.ctx)
				contexts = append(contexts, cancel)
				a.Go(ctx, peers[r.IntN(3)].addr, krpc.Ping{}, e.tell)
				asked++
				if r.IntN(3) == 0 {
					contexts[r.IntN(len(contexts))]()
				}
				time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
			}
			closing := make(chan struct{})
			go func() { defer close(closing); a.Close() }()
			for _, cancel := range contexts {
				cancel()
			}
			<-closing
			if got := len(e.times()); got != asked {
				t.Errorf("%d ends of %d calls", got, asked)
			}
			if n := e.are(nil) + e.are(lightdht.ErrLimited) + e.are(lightdht.ErrTimeout) + e.are(context.Canceled) + e.are(lightdht.ErrClosed); n != asked {
				t.Errorf("ended with %v", e.errs)
			}
		})
	}
}

// Answers are sent at once or never.
func TestLimitedAnswersAreDropped(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{PerAddr: 3}})
		b := l.peer(addrB, nil)
		know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now()) // so that nobody greets it
		for i := range 3 {
			for range 5 {
				b.raw(at(addrA), string(b.encode(krpc.Ping{})))
			}
			if got := b.take(); len(got) != 3 || got[2].at != now() {
				t.Errorf("in second %d: %d answers", i, len(got))
			}
			time.Sleep(paced)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.AnswersLimited: 6, lightdht.RepliesOut: 9, lightdht.PacketsOut: 9})
	})
}

// On the wire, whatever is asked of the node and by it, no second has more packets
// than the limits allow: to an address, into a network, and in all.
func TestLimitsOnTheWire(t *testing.T) {
	for seed := range uint64(2) {
		inLab(t, func(l *lab) {
			r := random(l, seed)
			w := l.watch(at(publicA))
			limits := lightdht.Limits{PerAddr: 3, PerZone: 7, Total: 16}
			a := l.node(publicA, lightdht.Config{Network: lightdht.Public, Limits: limits})
			var peers []*peer
			for i := range 30 {
				peers = append(peers, l.peer(fmt.Sprintf("11.0.%d.%d:%d", i/10, i%8, 1000+i), answering))
			}
			for range 1000 {
				p := peers[r.IntN(len(peers))]
				switch r.IntN(4) {
				case 0:
					a.Go(l.ctx, p.addr, krpc.Ping{}, nil)
				case 1:
					a.Go(l.ctx, peers[0].addr, krpc.FindNode{}, nil)
				default:
					p.raw(at(publicA), string(p.encode(krpc.FindNode{Target: randomID(r)})))
				}
				if r.IntN(10) == 0 {
					time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
				}
			}
			time.Sleep(time.Minute)
			got := lightdht.Limits{PerAddr: w.most(perAddr), PerZone: w.most(perZone), Total: w.most(inAll)}
			if got != limits {
				t.Errorf("the busiest seconds had %+v, want just the limits %+v", got, limits)
			}
			if got := uint64(len(w.places())); got != a.Count(lightdht.PacketsOut) {
				t.Errorf("%d packets on the wire, %d counted", got, a.Count(lightdht.PacketsOut))
			}
		})
	}
}

// On a private network there are no limits unless they are asked for; on the
// public one there are.
func TestLimitsByNetwork(t *testing.T) {
	for _, c := range []struct {
		network lightdht.Network
		limits  lightdht.Limits
		at      time.Duration // of the last of 10
		ledger  bool
	}{
		{lightdht.Private, lightdht.Limits{}, 0, false},
		{lightdht.Private, lightdht.Limits{PerAddr: 5, Ledger: 10}, paced, true},
		{lightdht.Public, lightdht.Limits{}, 2 * paced, true},
		{lightdht.Public, lightdht.Limits{PerAddr: -1, Ledger: -1}, 0, false},
	} {
		inLab(t, func(l *lab) {
			a := l.node(publicA, lightdht.Config{Network: c.network, Limits: c.limits})
			b, began := l.peer(publicB, nil), now()
			for range 10 {
				a.Go(l.ctx, b.addr, krpc.Ping{}, nil)
			}
			time.Sleep(time.Minute)
			if got := b.take(); len(got) != 10 || got[9].at.Sub(began) != c.at || (a.Ledger() != nil) != c.ledger {
				t.Errorf("%s, %+v: %d sent, the last after %v, ledger %v", c.network, c.limits, len(got), got[len(got)-1].at.Sub(began), a.Ledger() != nil)
			}
		})
	}
}

// Queries that are cancelled while they wait leave their places to others.
func TestCancelledQueriesLeaveTheirPlaces(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{PerAddr: 4, Total: 5}})
		b := l.peer(addrB, answering)
		ctx, cancel := context.WithCancel(l.ctx)
		for range 20 {
			a.Go(ctx, b.addr, krpc.Ping{}, nil)
		}
		cancel()
		synctest.Wait()
		began := now()
		if _, err := a.Ping(l.ctx, b.addr); err != nil || now().Sub(began) != paced {
			t.Errorf("answered after %v, %v", now().Sub(began), err)
		}
	})
}

// Answers that we asked for get nobody banned, however many they are.
func TestAnswersGetNobodyBanned(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{Inbound: 10}})
		b := l.peer(addrB, answering)
		for range 50 {
			if _, err := a.Ping(l.ctx, b.addr); err != nil {
				t.Fatal(err)
			}
		}
		b.query(at(addrA), krpc.Ping{})
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Bans: 0, lightdht.Banned: 0, lightdht.RepliesIn: 50})
		for range 20 { // what was not asked for does
			b.raw(at(addrA), "d1:rd2:id20:abcdefghij0123456789e1:t2:no1:y1:re")
		}
		b.take()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Bans: 1})
	})
}

// A node of the public network does not share the manners of a private one.
func TestShareOfAnotherNetwork(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Network: lightdht.Private})
		conn := l.listen(publicA)
		if n, err := lightdht.Listen("", lightdht.Config{Network: lightdht.Public, Conn4: conn, Share: a}); err == nil {
			n.Close()
			t.Error("it does")
		}
		l.listen(publicA).Close() // the connection was closed
	})
}

// A vantage that is closed leaves the places of its waiting queries to the others.
func TestClosedVantageLeavesItsPlaces(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Limits: lightdht.Limits{PerAddr: 4}})
		b := l.node(addrD, lightdht.Config{Share: a})
		c := l.peer(addrC, answering)
		for range 20 {
			b.Go(l.ctx, c.addr, krpc.Ping{}, nil)
		}
		b.Close()
		began := now()
		if _, err := a.Ping(l.ctx, c.addr); err != nil || now().Sub(began) != paced {
			t.Errorf("answered after %v, %v", now().Sub(began), err)
		}
	})
}
