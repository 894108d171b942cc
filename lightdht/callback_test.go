package lightdht_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// ending is a way in which a query comes to its end.
type ending struct {
	name  string
	addr  string
	q     krpc.Query
	act   func(n *lightdht.Node, cancel func()) // once the query is under way
	first func(n *lightdht.Node, cancel func()) // before it is sent
	want  func(krpc.Reply, error) bool
}

func is(want error) func(krpc.Reply, error) bool {
	return func(_ krpc.Reply, err error) bool {
		var q *lightdht.QueryError
		return errors.Is(err, want) && errors.As(err, &q)
	}
}

const (
	good   = "1.2.3.5:1002" // answers
	mute   = "1.2.3.6:1003" // never does
	unkind = "1.2.3.7:1004" // answers with an error
)

var endings = []ending{
	{name: "reply", addr: good, want: func(r krpc.Reply, err error) bool { return err == nil && r.ID == idOf(good) }},
	{name: "KRPC error", addr: unkind, want: func(_ krpc.Reply, err error) bool {
		var k *krpc.Error
		return errors.As(err, &k) && k.Code == 202 && k.Text == "busy"
	}},
	{name: "time-out", addr: mute, want: is(lightdht.ErrTimeout)},
	{name: "cancelled before", addr: good, first: func(_ *lightdht.Node, cancel func()) { cancel() }, want: is(context.Canceled)},
	{name: "cancelled in flight", addr: mute, act: func(_ *lightdht.Node, cancel func()) { cancel() }, want: is(context.Canceled)},
	{name: "closed before", addr: good, first: func(n *lightdht.Node, _ func()) { n.Close() }, want: is(lightdht.ErrClosed)},
	{name: "closed in flight", addr: mute, act: func(n *lightdht.Node, _ func()) { n.Close() }, want: is(lightdht.ErrClosed)},
	{name: "reserved address", addr: "192.168.0.1:6881", want: is(lightdht.ErrReserved)},
	{name: "wrong family", addr: "[2600::1]:6881", want: is(lightdht.ErrFamily)},
	{name: "bad query", addr: good, q: krpc.Any{}, want: func(_ krpc.Reply, err error) bool { return err != nil }},
	{name: "no query", addr: good, q: krpc.Query(nil), want: func(_ krpc.Reply, err error) bool { return err != nil }},
}

// play brings a query to its end in a lab and has each callback do then.
func (e ending) play(t *testing.T, then func(n *lightdht.Node, r krpc.Reply, err error)) {
	inLab(t, func(l *lab) {
		a := l.node("1.2.3.4:1001", lightdht.Config{Network: lightdht.Public, Routers: []string{"router.test:1"}})
		l.peer(good, answering)
		l.peer(mute, nil)
		l.peer(unkind, func(p *peer, q *packet) {
			p.send(q.from, krpc.Message{Kind: krpc.KindError, TID: q.TID, Code: 202, Text: []byte("busy")})
		})
		ctx, cancel := context.WithCancel(l.ctx)
		defer cancel()
		q := e.q
		if e.name != "no query" && q == nil {
			q = krpc.Ping{}
		}
		if e.first != nil {
			e.first(a, cancel)
		}
		a.Go(ctx, at(e.addr), q, func(r krpc.Reply, err error) { then(a, r, err) })
		if e.act != nil {
			e.act(a, cancel)
		}
		time.Sleep(time.Minute) // of the lab's time: whatever else may come has come
		synctest.Wait()
	})
}

func TestCallbackRunsOnce(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			var runs atomic.Int32
			e.play(t, func(_ *lightdht.Node, r krpc.Reply, err error) {
				runs.Add(1)
				if !e.want(r, err) {
					t.Errorf("the callback was told %v, %v", r, err)
				}
			})
			if runs.Load() != 1 {
				t.Errorf("the callback ran %d times", runs.Load())
			}
		})
	}
}

// A callback waits for other queries, uses the tables and closes the node; none
// of it may block on something that the node holds while it calls back.
func TestCallbackMayDoAnything(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			finished := false
			e.play(t, func(n *lightdht.Node, r krpc.Reply, err error) {
				n.Ping(context.Background(), at(good))
				n.Ping(context.Background(), at(mute))
				n.FindClosest(context.Background(), idOf("target"))
				seen := table.Sighting{Node: kad.NodeInfo{ID: idOf("x"), Addr: at(mute)}, Time: time.Now(), Event: table.Mentioned}
				n.Table(kad.IPv4).Observe(seen)
				n.Table(kad.IPv4).AppendNearest(nil, idOf("x"), 8, table.Filter{})
				for range n.Contacts() {
					n.Len()
				}
				n.Waiting()
				if err := n.Close(); err != nil {
					t.Error(err)
				}
				finished = true
			})
			if !finished {
				t.Error("the callback did not come to its end")
			}
		})
	}
}

// Go returns at once: the callback is not run by it, even if the end is known
// at once.
func TestGoNeverRunsTheCallbackItself(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		var mu sync.Mutex
		var wg sync.WaitGroup
		wg.Add(1)
		mu.Lock()
		a.Go(l.ctx, at("[2001:db8::1]:1"), krpc.Ping{}, func(krpc.Reply, error) {
			mu.Lock() // held by the caller of Go
			defer mu.Unlock()
			wg.Done()
		})
		mu.Unlock()
		wg.Wait()
	})
}

// A chain of callbacks, each sending the next query.
func TestCallbackSendsTheNextQuery(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, answering)
		left, done := 100, make(chan struct{})
		var next func(krpc.Reply, error)
		next = func(_ krpc.Reply, err error) {
			if err != nil {
				t.Error(err)
			}
			if left--; left == 0 {
				close(done)
				return
			}
			a.Go(l.ctx, at(addrB), krpc.Ping{}, next)
		}
		a.Go(l.ctx, at(addrB), krpc.Ping{}, next)
		<-done
		if calls, _ := a.Waiting(); calls != 0 {
			t.Errorf("%d calls still wait", calls)
		}
	})
}

// The answer, the end of the context, the time-out and the end of the node all
// come at about the same moment, and each callback still runs once.
func TestEndsRaceAndCallbackRunsOnce(t *testing.T) {
	for round := range 20 {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{Timeout: 2 * time.Millisecond})
			l.peer(addrB, func(p *peer, q *packet) {
				time.AfterFunc(2*time.Millisecond, func() { p.reply(q, krpc.Message{}); p.reply(q, krpc.Message{}) })
			})
			const calls = 100
			var runs [calls]atomic.Int32
			var wg sync.WaitGroup
			for i := range calls {
				ctx, cancel := context.WithCancel(l.ctx)
				wg.Go(func() {
					a.Go(ctx, at(addrB), krpc.Ping{}, func(krpc.Reply, error) { runs[i].Add(1) })
				})
				wg.Go(func() { time.Sleep(2 * time.Millisecond); cancel() })
			}
			if round%2 == 0 {
				wg.Go(func() { time.Sleep(2 * time.Millisecond); a.Close() })
			}
			wg.Wait()
			time.Sleep(time.Second)
			synctest.Wait()
			for i := range runs {
				if got := runs[i].Load(); got != 1 {
					t.Fatalf("callback %d ran %d times", i, got)
				}
			}
			if waiting, _ := a.Waiting(); waiting != 0 {
				t.Errorf("%d calls still wait", waiting)
			}
		})
	}
}

// Without a callback a query goes out all the same, and its end is recorded.
func TestGoWithoutACallback(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, answering)
		info := kad.NodeInfo{ID: b.id, Addr: b.addr}
		a.Go(l.ctx, b.addr, krpc.Ping{}, nil)
		a.AskGo(l.ctx, info, krpc.Ping{}, nil)
		a.Go(l.ctx, at(addrC), krpc.Ping{}, nil)  // times out
		a.Go(l.ctx, at(addrB6), krpc.Ping{}, nil) // cannot be asked
		a.Go(l.ctx, at(addrC), nil, nil)          // is no query
		time.Sleep(10 * s)
		if c, _ := a.Table(kad.IPv4).Get(info); c.Replies != 2 {
			t.Errorf("the contact is %+v", c)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.RepliesIn: 2, lightdht.Timeouts: 1, lightdht.QueriesOut: 3})
		a.Go(l.ctx, at(addrC), krpc.Ping{}, nil)
		a.Close()
		a.Go(l.ctx, at(addrC), krpc.Ping{}, nil)
		synctest.Wait()
	})
}
