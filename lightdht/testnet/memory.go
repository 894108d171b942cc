package testnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/lightdht/lightdht/lightdht"
)

// ErrAddrInUse says that another connection of the same Memory has the address.
var ErrAddrInUse = errors.New("address in use")

// Memory is a packet network in memory: what is written to an address arrives
// at once at the connection that listens there, and nowhere when none does. The
// zero Memory is ready. Waiting on its connections is waiting on channels, so
// nodes on it run inside testing/synctest.
type Memory struct {
	mu    sync.Mutex
	conns map[netip.AddrPort]*memoryConn
	taps  []func(from, to netip.AddrPort, b []byte) bool
}

// memoryQueue is how many packets wait at a connection; more are lost, as at a
// full socket buffer.
const memoryQueue = 1024

// Tap has f see every packet on its way; the packet is lost when f returns
// false. f runs in the sender's goroutine and must not keep b.
func (m *Memory) Tap(f func(from, to netip.AddrPort, b []byte) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taps = append(m.taps, f)
}

// Listen opens a connection at addr.
func (m *Memory) Listen(addr netip.AddrPort) (lightdht.PacketConn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conns[addr] != nil {
		return nil, fmt.Errorf("listen %s: %w", addr, ErrAddrInUse)
	}
	if m.conns == nil {
		m.conns = map[netip.AddrPort]*memoryConn{}
	}
	c := &memoryConn{net: m, addr: addr, in: make(chan memoryPacket, memoryQueue), closed: make(chan struct{})}
	m.conns[addr] = c
	return c, nil
}

// route returns where a packet arrives, nil when nowhere.
func (m *Memory) route(from, to netip.AddrPort, b []byte) *memoryConn {
	m.mu.Lock()
	taps, conn := m.taps, m.conns[to]
	m.mu.Unlock()
	for _, tap := range taps {
		if !tap(from, to, b) {
			return nil
		}
	}
	return conn
}

type memoryPacket struct {
	b    []byte
	from netip.AddrPort
}

// memoryConn is one end on a Memory.
type memoryConn struct {
	net    *Memory
	addr   netip.AddrPort
	in     chan memoryPacket
	once   sync.Once
	closed chan struct{}
}

// ReadFromUDPAddrPort waits for a packet.
func (c *memoryConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case <-c.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case p := <-c.in:
		return copy(b, p.b), p.from, nil
	}
}

// WriteToUDPAddrPort sends a packet; what nobody receives is lost without an error.
func (c *memoryConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	if conn := c.net.route(c.addr, to, b); conn != nil {
		select {
		case conn.in <- memoryPacket{append([]byte(nil), b...), c.addr}:
		default: // its queue is full: the packet is lost
		}
	}
	return len(b), nil
}

// LocalAddr returns the address that Listen was given.
func (c *memoryConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// Close frees the address. A second time it does nothing.
func (c *memoryConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.net.mu.Lock()
		defer c.net.mu.Unlock()
		delete(c.net.conns, c.addr)
	})
	return nil
}
