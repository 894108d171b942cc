package lightdht

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// endpoint is the node's end in one family: a socket, the contacts, what it
// knows of its own place, and what its read loop works with: in, query and ans,
// which are its own.
type endpoint struct {
	family kad.Family
	conn   PacketConn
	local  netip.AddrPort
	roster *roster    // everybody ever seen; perhaps shared with other nodes
	peers  *peerStore // announced to us

	core   atomic.Pointer[core] // whom upkeep keeps fresh; made anew when our ID changes
	life   lifeline             // whether the network is there
	ballot ballot               // which address others see us at

	in    krpc.Message // the message being read
	query Packet       // the query being answered
	ans   answerer
}

func newEndpoint(conn PacketConn, cfg Config) *endpoint {
	local := localAddr(conn)
	e := &endpoint{family: kad.FamilyOf(local.Addr()), conn: conn, local: local, peers: newPeerStore(cfg)}
	e.roster = cfg.Tables.of(e.family)
	e.core.Store(newCore(cfg.core(cfg.ID)))
	e.life.silence = silentTimeouts * cfg.Timeout
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
	return addr == e.local || addr.Port() == e.local.Port() && addr.Addr() == e.ballot.winner()
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
