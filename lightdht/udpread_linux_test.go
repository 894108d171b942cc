package lightdht

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Packets that have arrived together are read in order, each whole and from its
// sender, whatever their sizes are.
func TestInbox(t *testing.T) {
	const seed = 3
	t.Log("seed", seed)
	onLoopback(t, func(t *testing.T, host string, _ netip.AddrPort) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := newUDPConn(openUDP(t, host))
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		senders := []*net.UDPConn{openUDP(t, host), openUDP(t, host)}
		var sent [][]byte
		for i := range 5 * inboxSize / 2 {
			b := make([]byte, []int{0, 1, r.IntN(1500)}[i%3])
			if i == 7 {
				b = make([]byte, 65507) // the largest of IPv4
			}
			for j := range b {
				b[j] = byte(r.Uint32())
			}
			sent = append(sent, b)
			floodOf(t, senders[i%2], localAddr(c), 1, b)
		}
		for i, want := range sent {
			b, from, _, err := c.read()
			if err != nil || !bytes.Equal(b, want) || kad.Unmap(from) != localAddr(senders[i%2]) {
				t.Fatalf("packet %d: %d bytes from %v, %v, want %d from %v", i, len(b), from, err, len(want), localAddr(senders[i%2]))
			}
		}
	})
}

// A read waits no longer than its deadline, and not at all once the socket is
// closed; what was read before is still there.
func TestInboxEnds(t *testing.T) {
	c, from := newUDPConn(openUDP(t, "127.0.0.1:0")), openUDP(t, "127.0.0.1:0")
	c.SetReadDeadline(time.Now().Add(-time.Second))
	var late net.Error
	if _, _, _, err := c.read(); !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("too late: %v", err)
	}
	c.SetReadDeadline(time.Time{})
	floodOf(t, from, localAddr(c), 2, []byte("x"))
	for range 2 {
		if b, _, _, err := c.read(); string(b) != "x" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
	}
	if _, _, _, err := c.read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := write(c, localAddr(from)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write, closed: %v", err)
	}
}
