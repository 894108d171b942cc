package lightdht

import (
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Who gets which place in a core. The caller holds the lock.

// of returns the bucket that id belongs in.
func (c *core) of(id kad.ID) *coreBucket {
	return c.buckets[min(kad.CommonPrefixLen(c.cfg.self, id), len(c.buckets)-1)]
}

func (c *core) last() *coreBucket { return c.buckets[len(c.buckets)-1] }

// near is how many members nearest to our ID are kept whatever their bucket.
func (c *core) near() int { return 2 * c.cfg.k }

// limit is how many members b may have.
func (c *core) limit(b *coreBucket) int {
	if b == c.last() {
		return c.near() + c.cfg.k
	}
	return c.cfg.k
}

// place finds m a place in b: that of member at, or a new one when at is the
// number of members.
func (c *core) place(b *coreBucket, m *coreMember) (at int, ok bool) {
	at = -1
	for i := range b.members {
		if c.bars(&b.members[i], m) {
			if at >= 0 || !b.members[i].bad() {
				return 0, false
			}
			at = i
		}
	}
	if at >= 0 {
		return at, true
	}
	if len(b.members) < c.limit(b) {
		return len(b.members), true
	}
	if at = b.worst(); at >= 0 {
		return at, true
	}
	at, nearer := b.farthest(c.cfg.self, m.node.ID)
	return at, b == c.last() && nearer < c.near()
}

// bars reports whether m cannot be a member of the bucket that has member.
func (c *core) bars(member, m *coreMember) bool {
	return member.node.ID == m.node.ID || c.cfg.spread && vicinity(member.node.Addr.Addr()) == vicinity(m.node.Addr.Addr())
}

// offer makes m a member of b, or has it wait. Its address is known.
func (c *core) offer(now time.Time, b *coreBucket, m coreMember) bool {
	at, ok := c.place(b, &m)
	if !ok {
		c.wait(b, m)
		return false
	}
	if at < len(b.members) {
		old := b.members[at]
		b.members = slices.Delete(b.members, at, at+1)
		c.wait(b, old)
	}
	b.members = append(b.members, m)
	b.changed = now
	b.remind()
	return true
}

// wait puts m last in the line of b, unless it is bad: then it is dropped.
// Another entry of its ID leaves for it, and so does the first when the line is
// too long.
func (c *core) wait(b *coreBucket, m coreMember) {
	if m.bad() {
		delete(c.addrs, m.node.Addr)
		return
	}
	leave := slices.IndexFunc(b.waiting, func(w coreMember) bool { return w.node.ID == m.node.ID })
	if leave < 0 && len(b.waiting) >= c.cfg.k {
		leave = 0
	}
	if leave >= 0 {
		delete(c.addrs, b.waiting[leave].node.Addr)
		b.waiting = slices.Delete(b.waiting, leave, leave+1)
	}
	b.waiting = append(b.waiting, m)
}

// forget drops node, be it a member or waiting.
func (c *core) forget(now time.Time, node kad.NodeInfo) {
	b := c.of(node.ID)
	delete(c.addrs, node.Addr)
	if find(b.members, node) == nil {
		b.unwait(node)
		return
	}
	b.members = slices.DeleteFunc(b.members, func(m coreMember) bool { return m.node == node })
	b.remind()
	c.settle(now, b)
}

// settle puts things right after members of b joined, left or turned bad: those
// that wait get the places they may have, and the last bucket its depth.
func (c *core) settle(now time.Time, b *coreBucket) {
	c.fill(now, b)
	for c.split() || c.merge(now) {
		if n := len(c.buckets); n > 1 {
			c.fill(now, c.buckets[n-2])
		}
		c.fill(now, c.last())
	}
}

// fill gives places in b to those that wait, the newest first.
func (c *core) fill(now time.Time, b *coreBucket) {
	for i := len(b.waiting) - 1; i >= 0; i-- {
		m := b.waiting[i]
		if _, ok := c.place(b, &m); ok {
			b.waiting = slices.Delete(b.waiting, i, i+1)
			c.offer(now, b, m)
			i = len(b.waiting) // once more: whom it displaced waits, and barred others
		}
	}
}

// split gives the last bucket a successor, when enough of its members share one
// bit more with us than they must.
func (c *core) split() bool {
	b, depth := c.last(), len(c.buckets)
	deeper := func(m coreMember) bool { return kad.CommonPrefixLen(c.cfg.self, m.node.ID) >= depth }
	n := 0
	for _, m := range b.members {
		if deeper(m) {
			n++
		}
	}
	if n < c.near() {
		return false
	}
	next := &coreBucket{changed: b.changed}
	b.members, next.members = part(b.members, deeper)
	b.waiting, next.waiting = part(b.waiting, deeper)
	b.remind()
	next.remind()
	c.buckets = append(c.buckets, next)
	return true
}

// part parts list in two, those that do not and those that do, order kept.
func part(list []coreMember, does func(coreMember) bool) (not, do []coreMember) {
	for _, m := range list {
		if does(m) {
			do = append(do, m)
		} else {
			not = append(not, m)
		}
	}
	return not, do
}

// merge joins the last bucket to the one before it, when it has become too
// small to be our neighbourhood. There is room for all; with spread some may
// have to wait.
func (c *core) merge(now time.Time) bool {
	n := len(c.buckets)
	if n == 1 || len(c.last().members) >= c.near() {
		return false
	}
	old, b := c.buckets[n-2], c.buckets[n-1]
	c.buckets = append(c.buckets[:n-2], b)
	changed := b.changed
	if old.changed.Before(changed) {
		changed = old.changed
	}
	waiting := slices.Concat(old.waiting, b.waiting)
	slices.SortStableFunc(waiting, func(x, y coreMember) int { return x.answered.Compare(y.answered) })
	b.waiting = nil
	for _, m := range waiting {
		c.wait(b, m)
	}
	for _, m := range old.members {
		c.offer(now, b, m)
	}
	b.changed = changed
	return true
}
