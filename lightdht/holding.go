package lightdht

import (
	"context"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
)

// holding is the calls that wait for their turn within the limits. As with
// pending, whoever takes a call out of it owns what becomes of it.
type holding struct {
	mu     sync.Mutex
	calls  map[*call]*time.Timer
	closed bool
}

// add makes c wait until send is called; false when the node is closed.
func (h *holding) add(c *call, wait time.Duration, send func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if h.calls == nil {
		h.calls = map[*call]*time.Timer{}
	}
	h.calls[c] = time.AfterFunc(wait, send)
	return true
}

// take takes out c; false when it is not there.
func (h *holding) take(c *call) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	timer, ok := h.calls[c]
	if ok {
		timer.Stop()
		delete(h.calls, c)
	}
	return ok
}

// close lets nobody in any more and takes out all.
func (h *holding) close() (all []*call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c, timer := range h.calls {
		timer.Stop()
		all = append(all, c)
	}
	clear(h.calls)
	return all
}

// hold sends c's query after a time, unless ctx or the node ends before.
func (n *Node) hold(ctx context.Context, e *endpoint, c *call, q krpc.Query, wait time.Duration) {
	n.count.add(QueriesHeld, 1)
	send := func() {
		if n.held.take(c) {
			c.sent = time.Now()
			n.launch(ctx, e, c, q)
		}
	}
	c.users.Add(1) // the timer, for ever
	if ctx.Done() != nil && !c.waited {
		c.unwatch = context.AfterFunc(ctx, func() { n.abort(c, context.Cause(ctx)) })
	}
	switch {
	case !n.held.add(c, wait, send):
		n.end(c, record.Cancelled, ErrClosed)
	case ctx.Err() != nil: // it may have ended before c waited
		n.abort(c, context.Cause(ctx))
	}
}
