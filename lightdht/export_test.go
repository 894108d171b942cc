package lightdht

import (
	"context"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// What the tests outside of the package see of its inside.

// LateLimit is how many ended calls are remembered.
const LateLimit = lateLimit

// VainTries is how many strangers of a neighbourhood are asked in vain.
const VainTries = vainTries

// Waiting returns how many calls wait for an answer, and how many ended ones
// are remembered.
func (n *Node) Waiting() (calls, late int) {
	n.pending.mu.Lock()
	defer n.pending.mu.Unlock()
	return len(n.pending.calls), len(n.pending.late)
}

// Greeting returns what a round of Explore does to those that never answered.
func (n *Node) Greeting() func(ctx context.Context) {
	under := greetings{map[netip.AddrPort]bool{}, make(chan netip.AddrPort, exploreGreeting)}
	return func(ctx context.Context) { n.greetSilent(ctx, under) }
}

// Join makes a node a member of the core, as if it had answered.
func (n *Node) Join(node kad.NodeInfo, when time.Time) {
	n.endpoint(kad.FamilyOf(node.Addr.Addr())).core.Load().replied(when, node)
}
