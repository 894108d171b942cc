package memory

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// far is the other end of a connection in memory.
type far interface {
	// next waits for a datagram to the near end, puts it in b and tells who sent
	// it; ok is false when closed is. One goroutine calls it.
	next(b []byte, closed <-chan struct{}) (n int, from *place, ok bool)

	// sent is given what the near end sends, by many goroutines.
	sent(b []byte, to netip.AddrPort)
}

// place is an address in the two forms that the implementations want, both made
// beforehand.
type place struct {
	addr netip.AddrPort
	udp  *net.UDPAddr
}

func newPlace(addr netip.AddrPort) *place { return &place{addr, net.UDPAddrFromAddrPort(addr)} }

// near is the address of the near end.
var near = newPlace(netip.MustParseAddrPort("10.0.0.1:6881"))

// conn is the near end: a net.PacketConn for anacrolix, a lightdht.PacketConn for
// lightdht. There is nothing in it but the way to the far end.
type conn struct {
	far
	once   sync.Once
	closed chan struct{}
}

func newConn(f far) *conn { return &conn{far: f, closed: make(chan struct{})} }

// ReadFromUDPAddrPort is what lightdht reads with.
func (c *conn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, ok := c.next(b, c.closed)
	if !ok {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	return n, from.addr, nil
}

// WriteToUDPAddrPort is what lightdht writes with.
func (c *conn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	c.sent(b, to)
	return len(b), nil
}

// ReadFrom is what anacrolix reads with. The address is always the same one,
// which a socket of the system would allocate.
func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, ok := c.next(b, c.closed)
	if !ok {
		return 0, nil, net.ErrClosed
	}
	return n, from.udp, nil
}

// WriteTo is what anacrolix writes with.
func (c *conn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr := to.(*net.UDPAddr).AddrPort()
	c.sent(b, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	return len(b), nil
}

// LocalAddr returns the address of the near end.
func (c *conn) LocalAddr() net.Addr { return near.udp }

// Close ends a waiting read.
func (c *conn) Close() error { c.once.Do(func() { close(c.closed) }); return nil }

// Nobody sets deadlines, but a net.PacketConn has them.

func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
