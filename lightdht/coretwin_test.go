package lightdht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// flaws tells what of that which is always so is not.
func flaws(c *core) (wrong []string) {
	is := func(ok bool, format string, a ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, a...))
		}
	}
	k, last := c.cfg.k, len(c.buckets)-1
	addrs := map[netip.AddrPort]kad.ID{}
	hold := func(i int, m coreMember) {
		_, twice := addrs[m.node.Addr]
		is(!twice, "%v is held twice", m.node.Addr)
		addrs[m.node.Addr] = m.node.ID
		is(m.node.ID != c.cfg.self, "our ID is held, at %v", m.node.Addr)
		is(min(kad.CommonPrefixLen(c.cfg.self, m.node.ID), last) == i, "%v is in bucket %d of %d", m.node, i, last)
	}
	deeper := 0
	for i, b := range c.buckets {
		is(len(b.members) <= k || i == last && len(b.members) <= 3*k, "bucket %d of %d has %d members", i, last, len(b.members))
		is(len(b.waiting) <= k, "bucket %d has %d waiting", i, len(b.waiting))
		due := time.Time{}
		for at, m := range b.members {
			hold(i, m)
			if kad.CommonPrefixLen(c.cfg.self, m.node.ID) > last {
				deeper++
			}
			if d := m.due(); at == 0 || d.Before(due) {
				due = d
			}
			for _, other := range b.members[:at] {
				is(other.node.ID != m.node.ID, "%v is a member twice", m.node.ID)
				is(!c.cfg.spread || slashes(other.node) != slashes(m.node), "%v and %v are of one network", other.node, m.node)
			}
		}
		is(b.due.Equal(due), "bucket %d is due at %v, not %v", i, b.due, due)
		for at, m := range b.waiting {
			hold(i, m)
			is(!m.bad(), "%v waits and is bad", m.node)
			_, ok := c.place(b, &m)
			is(!ok, "%v waits for no reason", m.node)
			for _, other := range b.waiting[:at] {
				is(other.node.ID != m.node.ID, "%v waits twice", m.node.ID)
			}
		}
	}
	is(deeper < 2*k, "the last bucket has %d members deeper than %d", deeper, last)
	is(last == 0 || len(c.buckets[last].members) >= 2*k, "the last bucket has %d members only", len(c.buckets[last].members))
	is(len(addrs) == len(c.addrs), "%d addresses are known, %d are held", len(c.addrs), len(addrs))
	for addr, id := range addrs {
		is(c.addrs[addr] == id, "%v is held for %v, known for %v", addr, id, c.addrs[addr])
	}
	return wrong
}

func slashes(n kad.NodeInfo) netip.Prefix {
	bits := 64
	if n.Addr.Addr().Is4() {
		bits = 24
	}
	return netip.PrefixFrom(n.Addr.Addr(), bits).Masked()
}

// A crowd draws nodes: IDs more often near self than far, and so few addresses,
// networks and IDs that all of them collide.
type crowd struct {
	*rand.Rand
	self kad.ID
	ids  []kad.ID
}

func newCrowd(r *rand.Rand, ids int) *crowd {
	w := &crowd{Rand: r, self: randomID(r)}
	for range ids {
		depth := r.IntN(2 + r.IntN(14))
		id := w.self.Prefix(depth).Child(1 - w.self.Bit(depth)).Fill(randomID(r))
		w.ids = append(w.ids, id)
	}
	w.ids = append(w.ids, w.self)
	return w
}

func randomID(r *rand.Rand) (id kad.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}

func (w *crowd) node() kad.NodeInfo {
	i := w.IntN(len(w.ids))
	n := kad.NodeInfo{ID: w.ids[i]}
	if w.IntN(10) == 0 {
		i = w.IntN(len(w.ids)) // at somebody else's address
	}
	addr := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i % 97), byte(i)})
	if i%2 == 0 {
		addr = netip.AddrFrom16([16]byte{0x20, 1, 7: byte(i % 61), 15: byte(i)})
	}
	n.Addr = netip.AddrPortFrom(addr, uint16(1+w.IntN(8)/7))
	return n
}

// Whatever happens in whatever order, the core is sound, members have answered,
// nobody good is displaced, pings go to those that are due, and nearest agrees
// with sorting.
func TestCoreIsSound(t *testing.T) {
	for range 12 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 1))
		w := newCrowd(r, 20+r.IntN(400))
		c := newCore(coreConfig{self: w.self, k: 1 + r.IntN(8), spread: r.IntN(2) == 0, random: func() kad.ID { return randomID(r) }})
		p := &play{T: t, crowd: w, core: c, now: time.Unix(1e9, 0), replied: map[kad.NodeInfo]bool{}, given: map[kad.NodeInfo]time.Time{}}
		for step := range 800 {
			p.step()
			for _, wrong := range flaws(c) {
				t.Error(wrong)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d, k = %d", seed, step, c.cfg.k)
			}
		}
	}
}

// play is a core, what happened to it, and what it gave.
type play struct {
	*testing.T
	*crowd
	core    *core
	now     time.Time
	replied map[kad.NodeInfo]bool
	given   map[kad.NodeInfo]time.Time
}

func (p *play) step() {
	before := p.core.all()
	node := p.node()
	if len(before) > 0 && p.IntN(2) == 0 {
		node = before[p.IntN(len(before))].node
	}
	switch p.IntN(16) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		p.core.replied(p.now, node)
		p.replied[node] = true
		delete(p.given, node)
	case 8, 9:
		p.core.heard(p.now, node)
	case 10, 11, 12:
		p.core.failed(p.now, node)
		p.stays(before, node)
		delete(p.given, node)
	case 13:
		p.ping(p.IntN(9))
	case 14:
		p.now = p.now.Add(time.Duration(p.IntN(200)) * time.Second)
	case 15:
		p.core.stale(p.now)
		p.core.looked(p.now, p.node().ID)
	}
	for _, m := range p.core.all() {
		if !p.replied[m.node] {
			p.Errorf("%v is a member and never answered", m.node)
		}
	}
	p.near()
}

// stays holds that a failure took no good member's place but that of the one
// that failed, outside of the last bucket and what became part of it: there the
// nearest of those that wait may have become one of the 2k nearest.
func (p *play) stays(before []coreMember, failed kad.NodeInfo) {
	last := len(p.core.buckets) - 1
	if len(before) > 0 {
		last = min(last, before[len(before)-1].bucket)
	}
	for _, m := range before {
		if m.bucket < last && m.node != failed && !m.bad() && find(p.core.of(m.node.ID).members, m.node) == nil {
			p.Errorf("%v was lost for a failure of %v", m.node, failed)
		}
	}
}

// ping holds that those who are due longest are given, and nobody too soon.
func (p *play) ping(max int) {
	all := p.core.all()
	slices.SortStableFunc(all, func(a, b coreMember) int { return a.due().Compare(b.due()) })
	due := 0
	for due < len(all) && due < max && !all[due].due().After(p.now) {
		due++
	}
	got := p.core.pings(p.now, nil, max)
	if len(got) != due {
		p.Errorf("%d are pinged, %d are due", len(got), due)
	}
	for i, n := range got {
		m := all[slices.IndexFunc(all, func(m coreMember) bool { return m.node == n })]
		if i < due && !m.due().Equal(all[i].due()) {
			p.Errorf("ping %d is due at %v, not at %v", i, m.due(), all[i].due())
		}
		if at, ok := p.given[n]; ok && p.now.Sub(at) < pingAgain {
			p.Errorf("%v is pinged again after %v", n, p.now.Sub(at))
		}
		if m.failures == 0 && (p.now.Sub(m.answered) < table.FreshFor || p.now.Sub(m.heard) < table.FreshFor) {
			p.Errorf("%v is pinged while fresh", n)
		}
		p.given[n] = p.now
	}
}

// near holds nearest to what sorting all members gives.
func (p *play) near() {
	target, n := randomID(p.Rand), p.IntN(20)
	if p.IntN(2) == 0 {
		target = p.node().ID
	}
	want := []kad.NodeInfo{{}}
	for _, m := range p.core.all() {
		if m.failures < coreBadAfter {
			want = append(want, m.node)
		}
	}
	slices.SortFunc(want[1:], func(a, b kad.NodeInfo) int { return a.ID.Distance(target).Compare(b.ID.Distance(target)) })
	want = want[:min(len(want), 1+n)]
	if got := p.core.nearest([]kad.NodeInfo{{}}, target, n); !slices.Equal(got, want) {
		p.Errorf("the %d nearest to %v are %v, want %v", n, target, got, want)
	}
}

// However they come, the 2k that are nearest to us are members.
func TestCoreKeepsItsNeighbourhood(t *testing.T) {
	for range 30 {
		seed := rand.Uint64()
		w := newCrowd(rand.New(rand.NewPCG(seed, 2)), 300)
		c := newCore(coreConfig{self: w.self})
		ids := slices.Clone(w.ids[:len(w.ids)-1])
		for i, id := range ids {
			c.replied(time.Unix(1e9, 0), kad.NodeInfo{ID: id, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)})
		}
		slices.SortFunc(ids, w.self.CompareDistance)
		got := c.nearest(nil, w.self, 16)
		if !slices.EqualFunc(got, ids[:16], func(n kad.NodeInfo, id kad.ID) bool { return n.ID == id }) {
			t.Fatalf("seed %d: the neighbourhood is %v, want %v", seed, got, ids[:16])
		}
		if c.len() > 200 {
			t.Errorf("seed %d: %d members", seed, c.len())
		}
	}
}
