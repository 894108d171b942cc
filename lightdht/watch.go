package lightdht

import "context"

// watch has the calls of one context end with it, all of them by one
// context.AfterFunc. It outlives the last of them for a while, since the next is
// often on its way.
type watch struct {
	calls int         // that wait
	stop  func() bool // ends the watching; nil until it has begun
}

// leave notes that a call waits no more; one without a watch has none to leave.
func (w *watch) leave() {
	if w != nil {
		w.calls--
	}
}

// watches are a watch for each context, by what tells of its end. They belong to
// pending and are under its lock. The zero watches is ready.
type watches struct {
	all  map[<-chan struct{}]*watch
	room int // when there are more, the idle ones are looked for
}

// join has a call wait under the watch by done, and reports whether that is a new
// one, which has to begin.
func (ws *watches) join(done <-chan struct{}) (w *watch, fresh bool) {
	w = ws.all[done]
	if fresh = w == nil; fresh {
		if ws.all == nil {
			ws.all = map[<-chan struct{}]*watch{}
		}
		w = new(watch)
		ws.all[done] = w
	}
	w.calls++
	return w, fresh
}

// idle takes out those without a call and returns what stops them.
func (ws *watches) idle() (stops []func() bool) {
	for done, w := range ws.all {
		if w.calls == 0 && w.stop != nil {
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
	for c := p.queue.head; w.calls > 0; {
		next := c.next
		if c.watch == w {
			p.drop(c)
			p.remember(c)
			all = append(all, c)
		}
		c = next
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
			n.end(c, context.Cause(ctx))
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
