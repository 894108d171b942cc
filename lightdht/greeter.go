package lightdht

import (
	"slices"
	"sync"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// maxGreetings is how many pings to newcomers may be under way at a time.
const maxGreetings = 16

// greeter knows the pings to newcomers that are under way, at most maxGreetings.
// Whoever found no room gets another chance with the next query.
type greeter struct {
	mu  sync.Mutex
	all []kad.NodeInfo
}

// begin makes room for a ping to info. It reports whether it did, and if not
// whether there was none; else one is under way.
func (g *greeter) begin(info kad.NodeInfo) (begun, full bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case slices.Contains(g.all, info):
		return false, false
	case len(g.all) >= maxGreetings:
		return false, true
	}
	g.all = append(g.all, info)
	return true, false
}

func (g *greeter) end(info kad.NodeInfo) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.all, info); i >= 0 {
		g.all = slices.Delete(g.all, i, i+1)
	}
}
