//go:build !race

package lightdht

import "testing"

// Answers that are written together allocate nothing.
func TestPostAllocatesNothing(t *testing.T) {
	n, c := wired(t, newWire(), 0), newUDPConn(openUDP(t, "127.0.0.1:0"))
	e, to, b := &endpoint{udp: c, conn: c}, localAddr(openUDP(t, "127.0.0.1:0")), make([]byte, 300)
	if got := testing.AllocsPerRun(100, func() {
		together(t, c, 2)
		e.post(b, posting{to: to, size: len(b)})
		c.read()
		e.post(b, posting{to: to, size: len(b)})
		n.flush(e)
	}); got != 0 || n.Count(PacketsOut) != 202 {
		t.Errorf("%v allocations, %d packets", got, n.Count(PacketsOut))
	}
}
