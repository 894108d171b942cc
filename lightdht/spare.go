package lightdht

import (
	"sync"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// spares are calls of a node's Do and Go that have ended, to be used again. The
// views in a call's reply are of bytes that are the caller's, and are not used
// again; its channel is, empty. That is why they do not leave their node: what
// lives in a bubble of testing/synctest has its own channels.
//
// A call has as many users as may look at it when it has ended: who sends it, and
// who tells its end; for Do they are one. A timer that made it wait for its turn
// is one that never releases it.
type spares struct{ pool sync.Pool }

// get returns a call that so many use. Each of them releases it.
func (s *spares) get(users int32, to kad.NodeInfo, named bool) *call {
	c, ok := s.pool.Get().(*call)
	if !ok {
		c = &call{home: s, done: make(chan struct{}, 1)}
	}
	c.to, c.named = to, named
	c.users.Store(users)
	return c
}

// release tells that one of c's users will not look at it any more.
func (c *call) release() {
	if c.home == nil || c.users.Add(-1) > 0 {
		return
	}
	*c = call{home: c.home, done: c.done}
	c.home.pool.Put(c)
}
