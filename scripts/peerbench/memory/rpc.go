package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	dht "github.com/anacrolix/dht/v2"
	bkrpc "github.com/anacrolix/dht/v2/krpc"
	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/scripts/peerbench/contest"
)

// flights is how many RPCs are under way when there are many.
const flights = 64

var errStranger = errors.New("the reply is not the peer's")

// rpcContests are asking and being answered.
func rpcContests(span time.Duration) []contest.Contest {
	pings, finds := newLink("ping", krpc.Ping{}, 0), newLink("find_node", krpc.FindNode{Target: someTarget}, 8)
	all := []contest.Contest{
		pings.contest("ping and its answer, waited for", "ns", span, (*lightEnd).wait, (*otherEnd).wait),
		finds.contest("find_node and its answer of 8 nodes, waited for", "ns", span, (*lightEnd).wait, (*otherEnd).wait),
		pings.contest("ping and its answer, called back", "ns", span, (*lightEnd).callBack, (*otherEnd).callBack),
	}
	for _, flights := range []int{1, flights} {
		ask := func(e *lightEnd, ctx context.Context, n int) error { return e.fly(ctx, n, flights) }
		otherAsk := func(e *otherEnd, ctx context.Context, n int) error { return e.fly(ctx, n, flights) }
		all = append(all, pings.contest(fmt.Sprintf("pings answered, %d in flight", flights), "1/s", span, ask, otherAsk))
	}
	return all
}

// link is one query asked again and again of two peers of one kind, by one
// implementation each. Each end is started when it is first needed.
type link struct {
	method string
	query  krpc.Query
	nodes  int // in the reply
	light  lightEnd
	other  otherEnd
}

func newLink(method string, query krpc.Query, nodes int) *link {
	return &link{method: method, query: query, nodes: nodes}
}

// peer makes the peer that answers.
func (l *link) peer() *peer {
	return newPeer(l.method, slices.Collect(newOffer(l.nodes).contacts()))
}

// contest makes a contest of two ways to ask. A unit other than ns is a rate.
func (l *link) contest(name, unit string, span time.Duration,
	ask func(*lightEnd, context.Context, int) error, otherAsk func(*otherEnd, context.Context, int) error,
) contest.Contest {
	figure := timing
	if unit != "ns" {
		figure = perSecond
	}
	return contest.Contest{Name: name, Unit: unit, More: unit != "ns", Entrants: []contest.Entrant{
		figure(lightName, span, func(context.Context) (work, error) {
			err := l.light.start(l)
			return func(ctx context.Context, n int) error { return ask(&l.light, ctx, n) }, err
		}),
		figure(otherName, span, func(context.Context) (work, error) {
			err := l.other.start(l)
			return func(ctx context.Context, n int) error { return otherAsk(&l.other, ctx, n) }, err
		}),
	}}
}

// lightEnd is lightdht that asks.
type lightEnd struct {
	node  *lightdht.Node
	peer  *peer
	query krpc.Query
	nodes int
}

func (e *lightEnd) start(l *link) error {
	if e.node != nil {
		return nil
	}
	p := l.peer()
	return e.open(l, p, p)
}

// open starts it with f, where p answers.
func (e *lightEnd) open(l *link, p *peer, f far) (err error) {
	e.peer, e.query, e.nodes = p, l.query, l.nodes
	e.node, err = newLight(newConn(f))
	return err
}

// check holds a reply to what the peer wrote.
func (e *lightEnd) check(r *krpc.Reply, err error) error {
	if err == nil && (r.ID != e.peer.id || r.Nodes.Len() != e.nodes) {
		err = errStranger
	}
	return err
}

// wait asks n times, one after another.
func (e *lightEnd) wait(ctx context.Context, n int) error {
	for range n {
		r, err := e.node.Do(ctx, e.peer.at.addr, e.query)
		if err := e.check(&r, err); err != nil {
			return err
		}
	}
	return nil
}

// callBack asks n times, one after another, by callback.
func (e *lightEnd) callBack(ctx context.Context, n int) error {
	done := make(chan error)
	callback := func(r krpc.Reply, err error) { done <- e.check(&r, err) }
	for range n {
		e.node.Go(ctx, e.peer.at.addr, e.query, callback)
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// fly asks n times with so many in flight: each callback asks the next.
func (e *lightEnd) fly(ctx context.Context, n, flights int) error {
	var f fleet
	f.left.Store(int64(n))
	var callback func(krpc.Reply, error)
	next := func() {
		if f.more() {
			e.node.Go(ctx, e.peer.at.addr, e.query, callback)
		} else {
			f.chains.Done()
		}
	}
	callback = func(r krpc.Reply, err error) {
		f.fail(e.check(&r, err))
		next()
	}
	f.chains.Add(flights)
	for range flights {
		next()
	}
	f.chains.Wait()
	return f.err
}

// fleet is RPCs in flight, in chains of one after another.
type fleet struct {
	chains sync.WaitGroup
	left   atomic.Int64
	once   sync.Once
	err    error // the first; nobody asks on
}

// more reports whether there is another to ask.
func (f *fleet) more() bool { return f.left.Add(-1) >= 0 }

func (f *fleet) fail(err error) {
	if err != nil {
		f.left.Store(0)
		f.once.Do(func() { f.err = err })
	}
}

// otherEnd is anacrolix that asks.
type otherEnd struct {
	server *dht.Server
	peer   *peer
	addr   dht.Addr
	method string
	input  dht.QueryInput
	nodes  int
}

func (e *otherEnd) start(l *link) error {
	if e.server != nil {
		return nil
	}
	p := l.peer()
	return e.open(l, p, p)
}

// open starts it with f, where p answers.
func (e *otherEnd) open(l *link, p *peer, f far) (err error) {
	e.peer, e.method, e.nodes = p, l.method, l.nodes
	e.addr = dht.NewAddr(p.at.udp)
	if q, ok := l.query.(krpc.FindNode); ok {
		e.input.MsgArgs.Target = bkrpc.ID(q.Target)
	}
	e.server, err = newOther(newConn(f))
	return err
}

// ask asks once and holds the reply to what the peer wrote.
func (e *otherEnd) ask(ctx context.Context) error {
	res := e.server.Query(ctx, e.addr, e.method, e.input)
	if err := res.ToError(); err != nil {
		return err
	}
	if r := res.Reply.R; r == nil || kad.ID(r.ID) != e.peer.id || len(r.Nodes) != e.nodes {
		return errStranger
	}
	return nil
}

// wait asks n times, one after another.
func (e *otherEnd) wait(ctx context.Context, n int) error {
	for range n {
		if err := e.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// callBack asks n times, one after another, each in a goroutine that calls back.
func (e *otherEnd) callBack(ctx context.Context, n int) error {
	done := make(chan error)
	for range n {
		go func() { done <- e.ask(ctx) }()
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// fly asks n times with so many in flight: as many goroutines wait.
func (e *otherEnd) fly(ctx context.Context, n, flights int) error {
	var f fleet
	f.left.Store(int64(n))
	for range flights {
		f.chains.Go(func() {
			for f.more() {
				f.fail(e.ask(ctx))
			}
		})
	}
	f.chains.Wait()
	return f.err
}
