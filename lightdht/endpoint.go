package lightdht

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// endpoint is the node's end in one family: a socket, the contacts, what it
// knows of its own place, and what its read loop works with: buf, in, query,
// asked, ans, posted and clock, which are its own.
type endpoint struct {
	family kad.Family
	conn   PacketConn
	udp    *udpConn // conn, if it is a socket of the system; else nil
	local  netip.AddrPort
	roster *roster    // everybody ever seen; perhaps shared with other nodes
	peers  *peerStore // announced to us

	core   atomic.Pointer[core] // whom upkeep keeps fresh; made anew when our ID changes
	life   lifeline             // whether the network is there
	ballot ballot               // which address others see us at
	selves addrSet              // addresses from which our own queries came back

	buf    []byte       // of a conn that is none of the system's
	in     krpc.Message // the message being read
	query  Packet       // the query being answered
	asked  record.Query // the row of it
	ans    answerer
	posted []posting // the answers that udp keeps to write them together
	clock  arrivals

	began  time.Time
	delays delays
}

func newEndpoint(conn PacketConn, cfg Config, common *commons) *endpoint {
	local, now := localAddr(conn), time.Now()
	e := &endpoint{
		family: kad.FamilyOf(local.Addr()), conn: conn, local: local, peers: newPeerStore(cfg),
		began: now, clock: newArrivals(now.UnixNano()),
	}
	if socket, ok := conn.(*net.UDPConn); ok {
		if e.udp = newUDPConn(socket); e.udp != nil {
			e.conn = e.udp
		}
	}
	e.roster = common.roster(e.family)
	e.core.Store(newCore(cfg.core(cfg.ID)))
	e.life.silence = silentTimeouts * cfg.Timeout
	if cfg.Network == Public {
		e.ballot.presume(cfg.Last.addr(e.family))
	}
	return e
}

// detached returns what is needed to answer a query of this endpoint from
// another goroutine than the read loop.
func (e *endpoint) detached() *endpoint {
	return &endpoint{family: e.family, conn: e.conn, local: e.local, roster: e.roster, peers: e.peers}
}

// table returns the table of the moment.
func (e *endpoint) table() table.Table { return e.roster.now() }

// isUs reports whether an address is this endpoint's own, as far as is known.
func (e *endpoint) isUs(addr netip.AddrPort) bool {
	return addr == e.local || e.selves.has(addr) || addr.Port() == e.local.Port() && addr.Addr() == e.ballot.winner()
}

// stamped reports whether packets are read with their time of arrival.
func (e *endpoint) stamped() bool { return e.udp != nil && e.udp.stamped() }

// buffers is what the log says of the socket's buffers.
func (e *endpoint) buffers() []any {
	if e.udp == nil {
		return nil
	}
	return e.udp.buffers()
}

// read reads one packet, which stays until the next read, and if e is stamped,
// when it arrived.
func (e *endpoint) read() (b []byte, from netip.AddrPort, stamp int64, err error) {
	if e.udp != nil {
		return e.udp.read()
	}
	if e.buf == nil {
		e.buf = make([]byte, maxDatagram)
	}
	size, from, err := e.conn.ReadFromUDPAddrPort(e.buf)
	return e.buf[:size], from, 0, err
}

// close closes the socket; having been closed before is no error.
func (e *endpoint) close() error {
	if err := e.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func localAddr(conn PacketConn) netip.AddrPort {
	addr, _ := conn.LocalAddr().(*net.UDPAddr)
	return kad.Unmap(addr.AddrPort()) // a nil UDPAddr is the zero AddrPort
}
