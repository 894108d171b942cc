package lightdht

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// publicNode is a node of the public network at nobody's address.
func publicNode(t testing.TB, cfg Config) *Node {
	cfg.Network, cfg.Conn4, cfg.Upkeep.Off = Public, newWire(), true
	n, err := Listen("", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// citizen is the i-th of many: each is in a /24 of its own.
func citizen(r *rand.Rand, i int) kad.NodeInfo {
	return kad.NodeInfo{ID: drawID(r), Addr: netip.AddrPortFrom(voter(i), 6881)}
}

// After our ID changed, the core has the nearest of the good, and of the others
// that it had all for whom there is room. Those who had failed are not made good.
func TestRenameLosesNobodyGood(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r, now := rand.New(rand.NewPCG(seed, 0)), time.Now()
	for _, size := range []int{5, 100, 3000} {
		n := publicNode(t, Config{})
		e := n.ends[0]
		bad := map[kad.NodeInfo]bool{}
		for i := range size {
			node := citizen(r, i)
			n.observe(table.Sighting{Node: node, Time: now, Event: table.Replied}, about{})
			if i%10 == 3 {
				bad[node] = true
				for range coreBadAfter {
					n.observe(table.Sighting{Node: node, Time: now, Event: table.Failed}, about{})
				}
			}
		}
		before, id := e.core.Load(), drawID(r)
		n.rename(id, now)
		after := e.core.Load()
		if n.ID() != id || after.cfg.self != id || !after.cfg.spread || !n.rejoin.Load() {
			t.Errorf("the ID is %s, the core's %+v", n.ID(), after.cfg)
		}
		for _, m := range after.all() {
			if bad[m.node] || m.failures > 0 {
				t.Errorf("%v joined with %d failures", m.node, m.failures)
			}
		}
		for _, m := range before.all() {
			b := after.of(m.node.ID)
			if !bad[m.node] && find(b.members, m.node) == nil && len(b.members) < after.limit(b) {
				t.Errorf("of %d, %v was lost from a bucket that has room", size, m.node)
			}
		}
		fine := table.Filter{Match: func(c table.Contact) bool { return !bad[c.Info()] }}
		for _, c := range e.table().AppendNearest(nil, id, after.near(), fine) {
			if find(after.of(c.ID).members, c.Info()) == nil {
				t.Errorf("of %d, %v is among the nearest and no member", size, c.Info())
			}
		}
	}
}

// A core that is made anew takes in no ID that SecureOnly keeps out.
func TestRenameKeepsInsecureOut(t *testing.T) {
	r, now := rand.New(rand.NewPCG(1, 1)), time.Now()
	n := publicNode(t, Config{SecureOnly: true})
	for i := range 20 {
		node := citizen(r, i)
		if i%2 == 0 {
			node.ID = kad.SecureID(node.Addr.Addr(), node.ID)
		}
		n.observe(table.Sighting{Node: node, Time: now, Event: table.Replied}, about{})
	}
	n.rename(drawID(r), now)
	members := n.Core(kad.IPv4)
	for _, m := range members {
		if !kad.IsSecureID(m.ID, m.Addr.Addr()) {
			t.Errorf("%v is a member", m)
		}
	}
	if len(members) != 10 {
		t.Errorf("%d members, want 10", len(members))
	}
}
