//go:build !race

package lightdht

import (
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Serving find_node and ping allocates nothing. (The race detector has pools
// forget things at random.)
func TestServingAllocatesNothing(t *testing.T) {
	n := wired(t, newWire(), 1000)
	for _, q := range []krpc.Query{krpc.Ping{}, krpc.FindNode{Target: kad.ID{3}}} {
		b, now := encoded(q), time.Now()
		serve := func() { n.receive(n.ends[0], b, asker, now) }
		serve() // the first time the asker is greeted, and buffers grow
		if got := testing.AllocsPerRun(100, serve); got != 0 {
			t.Errorf("%s: %v allocations", q.Method(), got)
		}
	}
}
