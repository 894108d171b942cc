package lightdht

import (
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
)

// receive takes one datagram to where it belongs.
func (n *Node) receive(e *endpoint, b []byte, from netip.AddrPort, now time.Time) {
	n.count.add(PacketsIn, 1)
	n.count.add(BytesIn, len(b))
	m := &e.in
	if err := krpc.Parse(b, m); err != nil {
		n.count.add(Malformed, 1)
		return
	}
	if m.Anomalies != 0 {
		n.count.add(Anomalous, 1)
	}
	switch m.Kind {
	case krpc.KindQuery:
		n.serve(e, m, from, now)
	case krpc.KindReply, krpc.KindError:
		n.takeReply(m, from, now)
	default:
		n.count.add(Malformed, 1)
	}
}

// send writes one datagram.
func (n *Node) send(e *endpoint, b []byte, to netip.AddrPort) error {
	if _, err := e.conn.WriteToUDPAddrPort(b, to); err != nil {
		n.count.add(WriteErrors, 1)
		return err
	}
	n.count.add(PacketsOut, 1)
	n.count.add(BytesOut, len(b))
	return nil
}
