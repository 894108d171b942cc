package lightdht

import (
	"time"

	"github.com/lightdht/lightdht/lightdht/record"
)

// reap ends calls whose time is over, and forgets announced peers whose is.
func (n *Node) reap() {
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	deadline := time.NewTimer(time.Hour)
	defer deadline.Stop()
	for {
		if next := n.reapCalls(); next.IsZero() {
			deadline.Stop()
		} else {
			deadline.Reset(time.Until(next))
		}
		select {
		case <-deadline.C:
		case <-n.wake:
		case now := <-sweep.C:
			for _, e := range n.ends {
				e.peers.sweep(now)
			}
			n.unwatch()
		case <-n.ctx.Done():
			return
		}
	}
}

// reapCalls ends the calls that have timed out and returns when the next will,
// the zero time when none waits.
func (n *Node) reapCalls() time.Time {
	for {
		now := time.Now()
		c, next := n.pending.expire(now)
		if c == nil {
			return next
		}
		n.count.add(Timeouts, 1)
		n.see(n.cfg.Trace.Timeout, Packet{Time: now, Addr: c.to.Addr, Method: c.method, Size: int(c.size.Load()), RTT: now.Sub(c.sent), Err: ErrTimeout})
		n.failed(c, c.sent.Add(n.rtt.patience(n.cfg.Timeout)), now)
		n.end(c, record.Timeout, ErrTimeout)
	}
}
