package lightdht

import (
	crand "crypto/rand"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// lateLimit is how many ended calls are remembered to tell a late reply from a
// stray one.
const lateLimit = 4096

// pending is the calls that wait for an answer. Whoever takes a call out of it
// owns its end, so a call ends once. It has no clock.
type pending struct {
	mu     sync.Mutex
	calls  map[uint32]*call
	queue  callQueue // in the order they were sent, which is that of their deadlines
	rng    *rand.ChaCha8
	closed bool

	watches watches // of the contexts that the calls end with

	late map[uint32]ended // recently ended without an answer, at most lateLimit
	ring [lateLimit]uint32
	fill int // ring entries in use
	next int // ring entry to be overwritten next
}

// ended is what is remembered of a call that ended without an answer.
type ended struct {
	addr netip.AddrPort
	sent time.Time
}

func newPending() *pending {
	var seed [32]byte
	crand.Read(seed[:])
	return &pending{calls: map[uint32]*call{}, rng: rand.NewChaCha8(seed), late: map[uint32]ended{}}
}

// admission is what adding a call to pending comes to.
type admission struct {
	ok    bool // it may be sent; else pending is closed
	first bool // it is the only one waiting
	watch bool // it is the first to wait under a context that is to be watched
}

// add gives c an unpredictable transaction id that no waiting call has. done,
// which may be nil, tells of the end of its context.
func (p *pending) add(c *call, done <-chan struct{}) (a admission) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return admission{}
	}
	if done != nil {
		a.watch = p.watches.join(done, c)
	}
	for {
		c.tid = uint32(p.rng.Uint64())
		if _, taken := p.calls[c.tid]; !taken {
			break
		}
	}
	p.calls[c.tid] = c
	p.queue.push(c)
	a.ok, a.first = true, p.queue.head == c
	return a
}

// A verdict says what a reply belongs to.
type verdict uint8

const (
	answers verdict = iota // the call that is returned
	late                   // a call that has ended
	stray                  // nothing
)

// match takes out the call that a reply with this transaction id from this
// address answers. Of a late reply it tells when its query was sent.
func (p *pending) match(tid uint32, from netip.AddrPort) (c *call, sent time.Time, v verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.calls[tid]; c != nil && c.to.Addr == from {
		p.drop(c)
		return c, c.sent, answers
	}
	if e, ok := p.late[tid]; ok && e.addr == from {
		delete(p.late, tid) // a second copy is a stray
		return nil, e.sent, late
	}
	return nil, time.Time{}, stray
}

// waits reports whether a reply with this transaction id from this address would
// answer a call.
func (p *pending) waits(tid uint32, from netip.AddrPort) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[tid]
	return c != nil && c.to.Addr == from
}

// take takes out c, which has not been answered; false when it has ended.
func (p *pending) take(c *call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[c.tid] != c {
		return false
	}
	p.drop(c)
	p.remember(c)
	return true
}

// expire takes out the oldest call if its deadline has passed; if not, it tells
// when that will be, or the zero time when nothing waits.
func (p *pending) expire(now time.Time) (c *call, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c = p.queue.head
	if c == nil {
		return nil, time.Time{}
	}
	if c.deadline.After(now) {
		return nil, c.deadline
	}
	p.drop(c)
	p.remember(c)
	return c, time.Time{}
}

// close lets no further call in and takes out all that wait.
func (p *pending) close() []*call {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var all []*call
	for p.queue.head != nil {
		all = append(all, p.queue.head)
		p.drop(p.queue.head)
	}
	return all
}

func (p *pending) drop(c *call) {
	delete(p.calls, c.tid)
	p.queue.remove(c)
	c.watch.leave(c)
}

func (p *pending) remember(c *call) {
	if p.fill == lateLimit {
		delete(p.late, p.ring[p.next])
	} else {
		p.fill++
	}
	p.ring[p.next] = c.tid
	p.next = (p.next + 1) % lateLimit
	p.late[c.tid] = ended{c.to.Addr, c.sent}
}

// callQueue is a list of calls threaded through them.
type callQueue struct{ head, tail *call }

func (q *callQueue) push(c *call) {
	c.prev, c.next = q.tail, nil
	if q.tail != nil {
		q.tail.next = c
	} else {
		q.head = c
	}
	q.tail = c
}

func (q *callQueue) remove(c *call) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		q.head = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		q.tail = c.prev
	}
	c.prev, c.next = nil, nil
}
