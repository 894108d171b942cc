package lightdht

// What the tests outside of the package see of its inside.

// LateLimit is how many ended calls are remembered.
const LateLimit = lateLimit

// Waiting returns how many calls wait for an answer, and how many ended ones
// are remembered.
func (n *Node) Waiting() (calls, late int) {
	n.pending.mu.Lock()
	defer n.pending.mu.Unlock()
	return len(n.pending.calls), len(n.pending.late)
}
