package lightdht

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Packet is a datagram as hooks see it.
//
// It, its Message and its Bytes belong to the node and are used again as soon as
// the hook returns: what a hook keeps it clones (krpc.Message.Clone,
// bytes.Clone, or Packet.Clone for all of it).
type Packet struct {
	Node    *Node
	Time    time.Time      // when it was read or written; with the monotonic clock. Of Timeout: when it was given up
	Addr    netip.AddrPort // the other side, unmapped
	Method  string         // what is asked, or what was asked in the query that this belongs to; "" when unknown
	Size    int            // of the UDP payload in bytes
	Bytes   []byte         // the UDP payload; nil for Timeout and NotSent
	Message *krpc.Message  // what it says; nil for Malformed, Timeout and NotSent
	RTT     time.Duration  // of Reply, Error and Late: since our query was sent; of Timeout: how long was waited
	Err     error          // of Error: the *krpc.Error; of Timeout: ErrTimeout or, wrapped, ErrRefused; of Malformed, Refused and NotSent: why

	end *endpoint // whose socket it came to
}

// Clone returns a copy that stays as it is, to be kept or handed to another
// goroutine. A query that was cloned can be answered later, with Node.Respond.
func (p *Packet) Clone() *Packet {
	c := *p
	c.Bytes = nil
	if p.Message != nil {
		m := p.Message.Clone()
		c.Message, c.Bytes = &m, m.Raw
	}
	if c.Bytes == nil { // what we send was never parsed
		c.Bytes = bytes.Clone(p.Bytes)
	}
	if p.end != nil {
		c.end = p.end.detached()
	}
	return &c
}

// Trace is a set of functions that see every packet. Any of them may be nil,
// which costs a branch.
//
// What is received is told in the read loop of its family, one packet after the
// other, before it is acted on; what is sent, in the goroutine that sends it:
// the read loop for answers, the caller's or a timer's for queries; time-outs in
// one goroutine for all, and refusals in one for each family. So a hook must be
// quick, must not wait for this node (Do, Lookup, Close), and when it sees both
// directions must be safe for several goroutines. It may start queries with Go.
// A query of ours that its context or Close ends is told of when it is sent, and
// then only if its answer comes late.
type Trace struct {
	// Received. Each packet comes to exactly one of them.
	Query     func(*Packet) // a query, before it is answered
	Reply     func(*Packet) // a reply to a query of ours
	Error     func(*Packet) // a KRPC error in answer to a query of ours
	Late      func(*Packet) // a reply or error to a query that had ended already
	Stray     func(*Packet) // a reply or error to no query of ours
	Malformed func(*Packet) // no KRPC message, or none that says what it is
	Refused   func(*Packet) // dropped for whom it came from: banned (ErrBanned, but for answers to our queries), private or reserved (ErrReserved, ErrAddress)

	// Sent, told just before: what the system then refuses comes to NotSent, too.
	QuerySent func(*Packet) // a query of ours
	ReplySent func(*Packet) // our answer
	ErrorSent func(*Packet) // our answer, a KRPC error

	// Not sent or not received.
	NotSent func(*Packet) // a query or answer that Err kept from being sent: limits, opt-out, the system
	Timeout func(*Packet) // a query of ours that was not answered in time, or was refused: see Err
}

// see tells hook, if there is one, of a packet.
func (n *Node) see(hook func(*Packet), p Packet) {
	if hook != nil {
		n.show(hook, p)
	}
}

// show is see for a hook that is there; only this puts a packet on the heap.
func (n *Node) show(hook func(*Packet), p Packet) {
	p.Node, p.Size = n, max(p.Size, len(p.Bytes))
	hook(&p)
}
