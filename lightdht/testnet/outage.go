package testnet

import (
	"fmt"
	"net/netip"
	"time"
)

// NAT puts addr behind a NAT: from now on packets reach it only from those
// addresses, port included, that it has sent to within hold. Only sending keeps
// such a hole open, receiving does not. A hold of 0 or less takes the NAT away.
// Nobody need listen at addr yet, and the NAT outlives who does.
func (m *Memory) NAT(addr netip.AddrPort, hold time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if hold <= 0 {
		delete(m.nats, addr)
		return
	}
	if m.nats == nil {
		m.nats = map[netip.AddrPort]*nat{}
	}
	m.nats[addr] = &nat{hold: hold}
}

// nat says who may reach an address. A nil nat is none.
type nat struct {
	hold  time.Duration
	holes map[netip.AddrPort]time.Time // when it was last sent to
	sweep int                          // how many holes there are when closed ones are thrown out next
}

// open notes that something is sent to an address.
func (n *nat) open(to netip.AddrPort) {
	if n == nil {
		return
	}
	now := time.Now()
	if n.holes == nil {
		n.holes = map[netip.AddrPort]time.Time{}
	}
	n.holes[to] = now
	if len(n.holes) > n.sweep {
		for addr, sent := range n.holes {
			if now.Sub(sent) > n.hold {
				delete(n.holes, addr)
			}
		}
		n.sweep = 2*len(n.holes) + 16
	}
}

// blocks reports whether a packet from there is not let in.
func (n *nat) blocks(from netip.AddrPort) bool {
	if n == nil {
		return false
	}
	sent, ok := n.holes[from]
	return !ok || time.Since(sent) > n.hold
}

// Move gives the connection at old the address new, as a NAT does that maps it
// anew: its packets come from new, and those to old, under way included, reach
// nobody. Its LocalAddr stays what it was. A NAT that old was behind is at new,
// letting nobody in yet.
func (m *Memory) Move(old, new netip.AddrPort) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.conns[old]
	switch {
	case c == nil:
		return fmt.Errorf("move %s: nobody listens there", old)
	case old == new:
		return nil
	case m.conns[new] != nil:
		return fmt.Errorf("move %s to %s: %w", old, new, ErrAddrInUse)
	}
	delete(m.conns, old)
	m.conns[new], c.addr = c, new
	if n := m.nats[old]; n != nil {
		delete(m.nats, old)
		m.nats[new] = &nat{hold: n.hold}
	}
	return nil
}

// Cut has f say which packets are lost because the network between two
// addresses, as others see them, is away; nil: it is back. Packets that were
// under way already arrive. f runs in the sender's goroutine, after all taps.
func (m *Memory) Cut(f func(from, to netip.AddrPort) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules.cut = f
}

// Unplug takes the network away from a machine: connections that listen at addr,
// whatever their port and wherever Move put them, fail to write with err, such
// as syscall.ENETUNREACH, and what comes to them is lost. A nil err plugs it in.
func (m *Memory) Unplug(addr netip.Addr, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		delete(m.unplugged, addr)
		return
	}
	if m.unplugged == nil {
		m.unplugged = map[netip.Addr]error{}
	}
	m.unplugged[addr] = err
}
