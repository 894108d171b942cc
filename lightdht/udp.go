package lightdht

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// udpConn is a socket of the system. Beyond a PacketConn it tells, where the
// system does, when a packet arrived, how many were dropped before they could be
// read, and which of those sent came back. One goroutine reads.
type udpConn struct {
	*net.UDPConn
	raw     syscall.RawConn
	in, out int // buffers granted, in bytes; 0: not known
	sys     system
}

// newUDPConn takes over conn; nil when it is none. Options that the system
// refuses are done without.
func newUDPConn(conn *net.UDPConn) *udpConn {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	c := &udpConn{UDPConn: conn, raw: raw}
	c.growBuffers()
	c.setUp()
	return c
}

// ReadFromUDPAddrPort reads one packet.
func (c *udpConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	packet, from, _, err := c.read()
	return copy(b, packet), from, err
}

// Close closes the socket. What it dropped can still be asked for.
func (c *udpConn) Close() error {
	c.dropped()
	return c.UDPConn.Close()
}

// kernelDropped returns how many datagrams were dropped before they were read.
func (n *Node) kernelDropped() (sum uint64) {
	for _, e := range n.ends {
		if e.udp != nil {
			sum += e.udp.dropped()
		}
	}
	return sum
}

// wide makes a count of 64 bits of one that has 32 and begins anew after them.
// It must see the count again before it has grown by 1<<31; counts may be seen
// out of order.
type wide struct {
	base uint64
	last atomic.Uint64
}

// from starts at a count that is to be 0.
func (w *wide) from(count uint32) {
	w.base = uint64(count)
	w.last.Store(w.base)
}

// see takes the count as it was told.
func (w *wide) see(count uint32) {
	for {
		last := w.last.Load()
		more := int32(count - uint32(last))
		if more <= 0 || w.last.CompareAndSwap(last, last+uint64(more)) {
			return
		}
	}
}

func (w *wide) total() uint64 { return w.last.Load() - w.base }
