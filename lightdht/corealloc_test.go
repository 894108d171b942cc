//go:build !race

package lightdht

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// What happens for every packet allocates nothing.
func TestCoreAllocatesNothing(t *testing.T) {
	w := newCrowd(rand.New(rand.NewPCG(1, 1)), 400)
	c, now := newCore(coreConfig{self: w.self}), time.Unix(1e9, 0)
	for range 1000 {
		c.replied(now, w.node())
	}
	all, dst := c.all(), make([]kad.NodeInfo, 0, 16)
	for name, do := range map[string]func(){
		"replied": func() { c.replied(now, all[w.IntN(len(all))].node) },
		"heard":   func() { c.heard(now, all[w.IntN(len(all))].node) },
		"failed":  func() { c.failed(now, kad.NodeInfo{ID: w.node().ID}) },
		"pings":   func() { now = now.Add(time.Minute); c.pings(now, dst, cap(dst)) },
		"stale":   func() { c.stale(now) },
		"nearest": func() { c.nearest(dst, w.node().ID, cap(dst)) },
		"next":    func() { c.next(now) },
	} {
		if got := testing.AllocsPerRun(200, do); got != 0 {
			t.Errorf("%s: %v allocations with %d members", name, got, len(all))
		}
	}
}
