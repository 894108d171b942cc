package lightdht

import (
	"context"

	"github.com/lightdht/lightdht/lightdht/record"
)

// watch has the calls of one context end with it, all of them by one
// context.AfterFunc. It outlives the last of them for a while, since the next is
// often on its way.
type watch struct {
	first, last *call       // those that wait, by their beside
	stop        func() bool // ends the watching; nil until it has begun
}

// beside links the calls of a watch.
type beside struct{ before, behind *call }

func (w *watch) enter(c *call) {
	c.watch, c.beside = w, beside{before: w.last}
	if w.last == nil {
		w.first = c
	} else {
		w.last.beside.behind = c
	}
	w.last = c
}

// leave takes out a call that waits no more; one without a watch has none to
// leave.
func (w *watch) leave(c *call) {
	if w == nil {
		return
	}
	before, behind := c.beside.before, c.beside.behind
	if before == nil {
		w.first = behind
	} else {
		before.beside.behind = behind
	}
	if behind == nil {
		w.last = before
	} else {
		behind.beside.before = before
	}
	c.beside = beside{}
}

// watches are a watch for each context, by what tells of its end. They belong to
// pending and are under its lock. The zero watches is ready.
type watches struct {
	all  map[<-chan struct{}]*watch
	room int // when there are more, the idle ones are looked for
}

// join has c wait under the watch by done, and reports whether that is a new one,
// which has to begin.
func (ws *watches) join(done <-chan struct{}, c *call) (fresh bool) {
	w := ws.all[done]
	if fresh = w == nil; fresh {
		if ws.all == nil {
			ws.all = map[<-chan struct{}]*watch{}
		}
		w = new(watch)
		ws.all[done] = w
	}
	w.enter(c)
	return fresh
}

// idle takes out those without a call and returns what stops them.
func (ws *watches) idle() (stops []func() bool) {
	for done, w := range ws.all {
		if w.first == nil && w.stop != nil {
			stops = append(stops, w.stop)
			delete(ws.all, done)
		}
	}
	ws.room = 2*len(ws.all) + 16 // each is looked at a few times at most
	return stops
}

// takeAll takes out all calls whose context has ended, as done told.
func (p *pending) takeAll(done <-chan struct{}) (all []*call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.watches.all[done]
	if w == nil {
		return nil
	}
	delete(p.watches.all, done)
	for w.first != nil {
		c := w.first
		p.drop(c) // and out of w
		p.remember(c)
		all = append(all, c)
	}
	return all
}

// began notes what stops the watch by done, which has begun. It returns what is
// to be called of that kind, without a lock.
func (p *pending) began(done <-chan struct{}, stop func() bool) []func() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.watches.all[done]; w != nil {
		w.stop = stop
	}
	if p.closed || len(p.watches.all) > p.watches.room {
		return p.watches.idle()
	}
	return nil
}

// unwatch takes out the watches that no call waits under and returns what stops
// them.
func (p *pending) unwatch() []func() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.watches.idle()
}

// watch begins the watch of ctx.
func (n *Node) watch(ctx context.Context) {
	done := ctx.Done()
	stop := context.AfterFunc(ctx, func() {
		for _, c := range n.pending.takeAll(done) {
			n.end(c, record.Cancelled, context.Cause(ctx))
		}
	})
	stopAll(n.pending.began(done, stop))
}

// unwatch stops the watches that no call waits under.
func (n *Node) unwatch() { stopAll(n.pending.unwatch()) }

func stopAll(stops []func() bool) {
	for _, stop := range stops {
		stop()
	}
}
