//go:build !linux

package lightdht

import "net/netip"

// On systems other than Linux nothing is told of a socket beyond its packets.
// Nobody hears of packets that came back either: BSD and its kin tell only
// sockets that are connected, and package net has Windows keep them to itself.
type system struct {
	buf []byte // of the goroutine that reads
}

const (
	bufferFactor = 1
	bufferAdvice = "raise the largest socket buffer of the system (BSD, macOS: sysctl kern.ipc.maxsockbuf)"
)

func (c *udpConn) setUp() { c.sys.buf = make([]byte, maxDatagram) }

func (c *udpConn) forceBuffer(int) {}

// stamped reports whether packets come with their time of arrival.
func (c *udpConn) stamped() bool { return false }

// dropped returns how many datagrams the system dropped.
func (c *udpConn) dropped() uint64 { return 0 }

// read reads one packet, which stays until the next read; stamp is 0.
func (c *udpConn) read() (b []byte, from netip.AddrPort, stamp int64, err error) {
	size, from, err := c.UDPConn.ReadFromUDPAddrPort(c.sys.buf)
	return c.sys.buf[:size], from, 0, err
}

// post keeps nothing: packets are written one by one.
func (c *udpConn) post([]byte, netip.AddrPort) bool { return false }

func (c *udpConn) awaits() bool { return false }

func (c *udpConn) flush(func(int, error)) {}

// returns tells when there is something for drain: never.
func (c *udpConn) returns() <-chan struct{} { return nil }

func (c *udpConn) drain(int, func(returned)) int { return 0 }

func (c *udpConn) hearReturns(bool) {}
