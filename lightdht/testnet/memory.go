package testnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/lightdht/lightdht/lightdht"
)

// ErrAddrInUse says that another connection of the same Memory has the address.
var ErrAddrInUse = errors.New("address in use")

// Memory is a packet network in memory: what is written to an address arrives
// at once at the connection that listens there, and nowhere when none does. The
// zero Memory is ready, and nothing of it needs closing but its connections.
//
// It can be made as bad as the internet: [Memory.Paths] delays, loses, repeats,
// spoils and reorders packets, [Memory.NAT] lets in only what was asked for,
// [Memory.Move] changes an address, [Memory.Cut] and [Memory.Unplug] take the
// network away. All of these may be called at any time and from any goroutine;
// they decide about packets written from then on. [Memory.Stats] counts.
//
// Waiting on its connections is waiting on channels, and delays are timers, so
// nodes on it run inside testing/synctest. A Memory with delays belongs to one
// bubble of synctest, or to none.
type Memory struct {
	mu        sync.Mutex // guards everything below; functions of the caller's run outside of it
	conns     map[netip.AddrPort]*memoryConn
	rules     rules
	unplugged map[netip.Addr]error
	nats      map[netip.AddrPort]*nat
	dice      dice
	sky       sky
	stats     MemoryStats // but for UnderWay
}

// memoryQueue is how many packets wait at a connection; more are lost, as at a
// full socket buffer.
const memoryQueue = 1024

// Tap has f see every packet on its way; the packet is lost when f returns
// false. f runs in the sender's goroutine and must not keep b.
func (m *Memory) Tap(f func(from, to netip.AddrPort, b []byte) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules.taps = append(m.rules.taps, f)
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
	c := &memoryConn{net: m, local: addr, addr: addr, in: make(chan memoryPacket, memoryQueue), closed: make(chan struct{})}
	m.conns[addr] = c
	return c, nil
}

// MemoryStats counts the packets of a Memory. At any time
//
//	Sent + Duplicated = Delivered + Lost + Nowhere + Blocked + Overflowed + UnderWay
//
// Corrupted and Reordered tell what happened to some of them besides.
type MemoryStats struct {
	Sent       uint64 // packets written without an error
	Duplicated uint64 // second copies, made by a Path

	Delivered  uint64 // put into the queue of a connection
	Lost       uint64 // by a Path, a Tap or a Cut, or because the receiver was unplugged
	Nowhere    uint64 // came to an address where nobody listened
	Blocked    uint64 // not let in by a NAT
	Overflowed uint64 // came to a connection whose queue was full
	UnderWay   uint64 // yet to arrive

	Corrupted uint64 // copies that a Path spoiled
	Reordered uint64 // copies that a Path held back
}

// Stats returns what has happened until now.
func (m *Memory) Stats() MemoryStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.UnderWay = uint64(m.sky.flights.Len())
	return s
}

// arrive hands a packet to who has its address now. It takes b. The caller
// holds m.mu; putting into a queue never waits.
func (m *Memory) arrive(from, to netip.AddrPort, b []byte) {
	c := m.conns[to]
	switch {
	case c == nil:
		m.stats.Nowhere++
		return
	case m.unplugged[c.local.Addr()] != nil:
		m.stats.Lost++
		return
	case m.nats[to].blocks(from):
		m.stats.Blocked++
		return
	}
	select {
	case c.in <- memoryPacket{b, from}:
		m.stats.Delivered++
	default:
		m.stats.Overflowed++
	}
}

type memoryPacket struct {
	b    []byte
	from netip.AddrPort
}

// memoryConn is one end on a Memory.
type memoryConn struct {
	net    *Memory
	local  netip.AddrPort // as Listen was given it
	addr   netip.AddrPort // where others see it; guarded by net.mu
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

// WriteToUDPAddrPort sends a packet; what nobody receives is lost without an
// error. The error of a connection that is unplugged is the one given to Unplug.
func (c *memoryConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	from, rules, err := c.leave(to)
	if err != nil {
		return 0, err
	}
	if path, passes := rules.judge(from, to, b); passes {
		c.net.send(from, to, slices.Clone(b), path)
	} else {
		c.net.lose()
	}
	return len(b), nil
}

// leave has a packet leave the sender's own network, which opens its NAT. It
// returns the address that others see, and the rules for the rest of the way.
func (c *memoryConn) leave(to netip.AddrPort) (netip.AddrPort, rules, error) {
	m := c.net
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.unplugged[c.local.Addr()]; err != nil {
		return netip.AddrPort{}, rules{}, err
	}
	m.nats[c.addr].open(to)
	return c.addr, m.rules, nil
}

// LocalAddr returns the address that Listen was given.
func (c *memoryConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.local) }

// Close frees the address. A second time it does nothing. Packets that the
// connection has sent still arrive.
func (c *memoryConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.net.mu.Lock()
		defer c.net.mu.Unlock()
		delete(c.net.conns, c.addr)
	})
	return nil
}
