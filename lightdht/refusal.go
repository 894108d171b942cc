package lightdht

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
)

// returned is a packet of ours that came back, as an ICMP packet tells it: the
// zero family is an error of the system's own.
type returned struct {
	to         netip.AddrPort // where it was sent
	by         netip.Addr     // who says so, without a zone; may be invalid
	family     icmpFamily
	kind, code uint8
	payload    []byte // as much of it as was quoted
}

// icmpFamily says which ICMP it was.
type icmpFamily uint8

const (
	icmp4 icmpFamily = 1 + iota // RFC 792, RFC 1122, RFC 1812
	icmp6                       // RFC 4443
)

// unreachable names the codes of "destination unreachable", which is type 3 of
// ICMP and type 1 of ICMPv6. Code 4 of ICMP, too large a packet, is none.
var unreachable = map[icmpFamily]map[uint8]string{
	icmp4: {
		0: "net unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
		5: "source route failed", 6: "net unknown", 7: "host unknown", 8: "source host isolated",
		9: "net prohibited", 10: "host prohibited", 11: "net unreachable for this service",
		12: "host unreachable for this service", 13: "prohibited", 14: "precedence violation", 15: "precedence cutoff",
	},
	icmp6: {
		0: "no route", 1: "prohibited", 2: "beyond scope", 3: "address unreachable", 4: "port unreachable",
		5: "source address not allowed", 6: "route rejected", 7: "source route failed",
	},
}

// refusal returns the error that a call to r.to ends with because of r, nil if it
// does not end.
//
// Sure is what the receiver's own system says: that nobody has the port, whoever
// brings the word (a NAT may do so under another address), or anything of the
// kind that comes from the very address that was asked, as from a firewall there
// or the router in front of the host. What somebody on the way says, such as
// "net unreachable", may be about our own end of the way and pass with the next
// minute: it is left to the time-out, and to those who tell by the time-outs
// that the network was away.
func (r *returned) refusal() error {
	if kind, ok := map[icmpFamily]uint8{icmp4: 3, icmp6: 1}[r.family]; !ok || r.kind != kind {
		return nil
	}
	text := unreachable[r.family][r.code]
	nobody := r.family == icmp4 && (r.code == 2 || r.code == 3) || r.family == icmp6 && r.code == 4
	if text == "" || !nobody && r.by != r.to.Addr().WithZone("") {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrRefused, text)
}

// takeReturned ends the call whose query came back: the one to that address with
// that transaction id. Nothing else is learned from it, since anybody may send
// ICMP; who could make up the transaction id could as well have replied.
func (n *Node) takeReturned(r returned, now time.Time) {
	err := r.refusal()
	if err == nil {
		return
	}
	var m krpc.Message
	if krpc.Parse(r.payload, &m) != nil || m.Kind != krpc.KindQuery || len(m.TID) != 4 {
		return // too little was quoted, or it was an answer of ours
	}
	c := n.pending.refuse(binary.BigEndian.Uint32(m.TID), r.to)
	if c == nil {
		return
	}
	n.count.add(Refused, 1)
	n.see(n.cfg.Trace.Timeout, Packet{Time: now, Addr: r.to, Method: c.method, Size: int(c.size.Load()), RTT: now.Sub(c.sent), Err: err})
	if r.by == r.to.Addr().WithZone("") {
		n.blame(c.to, c.named, c.method, now)
	} else {
		n.failed(c, now, now) // it may be a gateway of our own that says so
	}
	n.end(c, record.Unreachable, err)
}

// refuse takes out the call to this address with this transaction id; nil when
// there is none.
func (p *pending) refuse(tid uint32, to netip.AddrPort) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[tid]
	if c == nil || c.to.Addr != to {
		return nil
	}
	p.drop(c)
	p.remember(c) // it may be answered yet
	return c
}

// refusalLimit is how many returned packets are listened to in a second. They
// share the receive buffer with the packets, so a flood of them is not heard out.
const refusalLimit = 10000

// watchReturned works on the packets that come back to c, up to limit in a
// second, until the node ends. It is not the read loop, which must not wait for
// it.
func (n *Node) watchReturned(c *udpConn, limit int) {
	f := flood{limit: limit}
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-c.returns():
		}
		got := c.drain(limit, func(r returned) { n.takeReturned(r, time.Now()) })
		if wait := f.add(got, time.Now()); wait > 0 {
			c.hearReturns(false)
			n.sleep(n.ctx, wait)
			c.hearReturns(true)
		}
	}
}

// flood counts what comes within a second.
type flood struct {
	limit int
	since time.Time
	n     int
}

// add counts k more and returns how long to hear no more of them.
func (f *flood) add(k int, now time.Time) time.Duration {
	if now.Sub(f.since) >= time.Second {
		f.since, f.n = now, 0
	}
	if f.n += k; f.n <= f.limit {
		return 0
	}
	return time.Second - now.Sub(f.since)
}
