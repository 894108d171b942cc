package lightdht

import (
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// core is the contacts that upkeep keeps fresh for one ID of ours in one
// family: a routing table as of Kademlia and BEP 5, a few hundred strong, of
// nodes that answered us. The table remembers everybody else. It has no clock
// and no goroutine; it may be used by several at once. Its rules:
//
//   - Bucket i holds the IDs that share i leading bits with ours, k at most. The
//     last bucket holds all that share as many bits as its number or more, our
//     neighbourhood, 3k at most. It splits as soon as 2k of them share one bit
//     more, and joins the bucket before it when fewer than 2k are left in it.
//     So the 2k that are nearest to us are members, whoever came first.
//   - Whoever answers becomes a member when its bucket has room. A full bucket
//     takes it in the place of a bad member: one that failed coreBadAfter times
//     in a row. Otherwise it waits: a bucket has k waiting, the newest ones, and
//     the newest that may takes the place of a member that turns bad or leaves.
//     Members that answer are not displaced (who is there stays there), but for
//     the farthest of a full last bucket, by one of the 2k nearest; it waits.
//   - An ID is one member. The same ID at another address waits until the member
//     turns bad, so that nobody takes a name over by claiming it.
//   - An address occurs once, under the ID that it answered with last: whatever
//     else was held of it is dropped.
//   - With spread, a bucket has one member of a /24 (IPv4) or a /64 (IPv6); others
//     from there wait until it turns bad.
//   - A bad member whose place nobody wants stays. It is not handed out and is
//     pinged ever more rarely, and after coreDropAfter failures it is dropped.
//   - Ours is never a member.
type core struct {
	cfg coreConfig

	mu      sync.Mutex
	buckets []*coreBucket             // at least one
	addrs   map[netip.AddrPort]kad.ID // of all members and all that wait
}

// coreConfig is what a core is told once.
type coreConfig struct {
	self   kad.ID        // the ID that it is about
	k      int           // members in a bucket; 0: 8
	spread bool          // one member of a /24 or /64 in a bucket
	random func() kad.ID // where refreshes get their targets from; nil: kad.RandomID
}

const (
	coreK         = 8
	coreBadAfter  = 2 // failures in a row that make a member bad
	coreDropAfter = 8 // failures in a row that make an end

	// A member is given for a ping again after pingAgain at the earliest, twice
	// as long with every failure from the second on, and pingRarely at most.
	pingAgain  = time.Minute
	pingRarely = time.Hour
)

func newCore(cfg coreConfig) *core {
	if cfg.k <= 0 {
		cfg.k = coreK
	}
	if cfg.random == nil {
		cfg.random = kad.RandomID
	}
	return &core{cfg: cfg, buckets: []*coreBucket{{}}, addrs: map[netip.AddrPort]kad.ID{}}
}

// replied notes that node answered us: it joins, waits, or is fresh again.
func (c *core) replied(now time.Time, node kad.NodeInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, held := c.addrs[node.Addr]; held && id != node.ID {
		c.forget(now, kad.NodeInfo{ID: id, Addr: node.Addr})
	}
	if node.ID == c.cfg.self || !node.Addr.IsValid() {
		return
	}
	b := c.of(node.ID)
	if m := find(b.members, node); m != nil {
		m.answered, m.failures = now, 0
		if len(b.members) >= c.limit(b) {
			b.changed = now
		}
		b.remind()
		return
	}
	m := coreMember{node: node}
	if w := find(b.waiting, node); w != nil {
		m = *w
		b.unwait(node)
	}
	m.answered, m.failures = now, 0
	c.addrs[node.Addr] = node.ID
	if c.offer(now, b, m) {
		c.settle(now, b)
	}
}

// heard notes that node asked us something. A member answered before, so this
// makes it fresh again; failures are not forgiven, and strangers do not join.
func (c *core) heard(now time.Time, node kad.NodeInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.of(node.ID)
	if m := find(b.members, node); m != nil {
		m.heard = now
		b.remind()
	} else if w := find(b.waiting, node); w != nil {
		w.heard = now
	}
}

// failed notes that a query to node had no answer. One that waits is dropped for
// it, a member when it happened often enough or somebody waits for its place.
func (c *core) failed(now time.Time, node kad.NodeInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.of(node.ID)
	m := find(b.members, node)
	if m == nil {
		if find(b.waiting, node) != nil {
			c.forget(now, node)
		}
		return
	}
	m.failures, m.failed = m.failures+1, now
	b.remind()
	switch {
	case m.failures >= coreDropAfter:
		c.forget(now, node)
	case m.bad():
		c.settle(now, b)
	}
}

// pings appends to dst up to max members that are due for a ping, those that
// are due for longest first: they were silent for table.FreshFor, or failed
// lately. They count as asked now, and are not given again before they answered
// and fell silent, or pingAgain has passed.
func (c *core) pings(now time.Time, dst []kad.NodeInfo, max int) []kad.NodeInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; max > 0; max-- {
		b := c.first()
		if b == nil || b.due.After(now) {
			break
		}
		m := b.first()
		m.asked = now
		b.remind()
		dst = append(dst, m.node)
	}
	return dst
}

// stale returns a random ID in the range of the bucket that has for longest
// neither changed nor been looked up, when that is table.FreshFor or longer, and
// counts it as looked up. It is not ok when there is no such bucket or nobody
// to ask. A bucket changes when somebody joins it, and when a member of a full
// one answers: one that has room is looked up though its members answer.
func (c *core) stale(now time.Time) (target kad.ID, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, at := c.stalest()
	if at.IsZero() || at.After(now) {
		return kad.ID{}, false
	}
	c.buckets[i].changed = now
	return c.zone(i).Fill(c.cfg.random()), true
}

// looked notes that a lookup for target went through: its range is refreshed.
func (c *core) looked(now time.Time, target kad.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(target).changed = now
}

// next tells when pings or stale will next give something, unless something
// happens before: a time that may have passed, and zero for never.
func (c *core) next(now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, at := c.stalest()
	if b := c.first(); b != nil && b.due.Before(at) {
		at = b.due
	}
	return at
}

// all returns copies of all members, bucket by bucket, who joined first first.
func (c *core) all() []coreMember {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]coreMember, 0, c.count())
	for i, b := range c.buckets {
		for _, m := range b.members {
			m.bucket = i
			all = append(all, m)
		}
	}
	return all
}

// len counts the members, bad ones too.
func (c *core) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count()
}

// nearest appends to dst the n members nearest to target, nearest first, that
// are not bad.
//
// Where target and our ID differ in bit i, bucket i is nearer to target than all
// the buckets after it; where they agree, it is farther. So the buckets have an
// order, and only as many are looked at as are needed.
func (c *core) nearest(dst []kad.NodeInfo, target kad.ID, n int) []kad.NodeInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	end, last := len(dst)+max(n, 0), len(c.buckets)-1
	differ := func(i int) bool { return c.cfg.self.Bit(i) != target.Bit(i) }
	for i := 0; i < last && len(dst) < end; i++ {
		if differ(i) {
			dst = c.buckets[i].nearest(dst, target, end)
		}
	}
	dst = c.buckets[last].nearest(dst, target, end)
	for i := last - 1; i >= 0 && len(dst) < end; i-- {
		if !differ(i) {
			dst = c.buckets[i].nearest(dst, target, end)
		}
	}
	return dst
}

// first returns the bucket with the member that is due first, nil when there
// are no members.
func (c *core) first() (first *coreBucket) {
	for _, b := range c.buckets {
		if len(b.members) > 0 && (first == nil || b.due.Before(first.due)) {
			first = b
		}
	}
	return first
}

// stalest returns the bucket that is to be refreshed first, and when; the zero
// time when there are no members.
func (c *core) stalest() (at int, when time.Time) {
	if c.count() == 0 {
		return 0, time.Time{}
	}
	for i, b := range c.buckets {
		if b.changed.Before(c.buckets[at].changed) {
			at = i
		}
	}
	return at, c.buckets[at].changed.Add(table.FreshFor)
}

func (c *core) count() (n int) {
	for _, b := range c.buckets {
		n += len(b.members)
	}
	return n
}

// zone is the range of bucket i.
func (c *core) zone(i int) kad.Prefix {
	zone := c.cfg.self.Prefix(i)
	if i < len(c.buckets)-1 {
		zone = zone.Child(1 - c.cfg.self.Bit(i))
	}
	return zone
}
