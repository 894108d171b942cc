package lightdht

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
)

// receive takes one datagram to where it belongs.
func (n *Node) receive(e *endpoint, b []byte, from netip.AddrPort, now time.Time) {
	n.count.add(PacketsIn, 1)
	n.count.add(BytesIn, len(b))
	if n.ledger != nil && !n.ledger.In(now, from.Addr(), len(b)) {
		n.count.add(LedgerFull, 1)
	}
	m := &e.in
	err := krpc.Parse(b, m)
	welcome := err == nil && n.expected(m, from) || n.admit(from, now)
	if err != nil {
		n.malformed(b, from, now, err)
		return
	}
	if m.Anomalies != 0 {
		n.count.add(Anomalous, 1)
	}
	if !welcome {
		n.count.add(Banned, 1)
		n.see(n.cfg.Trace.Refused, Packet{Time: now, Addr: from, Method: m.Method, Bytes: b, Message: m, Err: ErrBanned})
		return
	}
	switch m.Kind {
	case krpc.KindQuery:
		n.serve(e, m, from, now)
	case krpc.KindReply, krpc.KindError:
		n.takeReply(e, m, from, now)
	default:
		n.malformed(b, from, now, errKindless)
	}
}

// admit counts a packet that we did not ask for, and reports whether more is taken
// from there.
func (n *Node) admit(from netip.AddrPort, now time.Time) bool {
	ok, banned := n.guard.admit(now, from.Addr())
	if banned {
		n.count.add(Bans, 1)
		n.cfg.Logger.Info("banned for sending too much", "addr", from.Addr(), "for", n.cfg.Limits.BanFor)
	}
	return ok
}

// expected reports whether m answers a query of ours that waits. That is not held
// against anybody, and is taken from those who are banned, too, since others may
// have got them banned.
func (n *Node) expected(m *krpc.Message, from netip.AddrPort) bool {
	return (m.Kind == krpc.KindReply || m.Kind == krpc.KindError) && len(m.TID) == 4 &&
		n.pending.waits(binary.BigEndian.Uint32(m.TID), from)
}

// malformed counts a datagram that is no KRPC message.
func (n *Node) malformed(b []byte, from netip.AddrPort, now time.Time, err error) {
	if isUTP(b) {
		n.count.add(Foreign, 1)
	} else {
		n.count.add(Malformed, 1)
	}
	n.see(n.cfg.Trace.Malformed, Packet{Time: now, Addr: from, Bytes: b, Err: err})
}

// isUTP reports whether a datagram looks like uTP (BEP 29), which clients send to
// the port that they have their DHT at: 20 bytes or more, the first being a type
// from 0 to 4 and the version 1.
func isUTP(b []byte) bool { return len(b) >= 20 && b[0]&0x0f == 1 && b[0]>>4 <= 4 }

// send writes one datagram, whatever the limits say.
func (n *Node) send(e *endpoint, b []byte, to netip.AddrPort) error {
	_, err := e.conn.WriteToUDPAddrPort(b, to)
	n.sent(to, len(b), err)
	return err
}

// sent counts a datagram that was written, or not.
func (n *Node) sent(to netip.AddrPort, size int, err error) {
	if err != nil {
		n.count.add(WriteErrors, 1)
		return
	}
	n.count.add(PacketsOut, 1)
	n.count.add(BytesOut, size)
	if n.ledger != nil && !n.ledger.Out(time.Now(), to.Addr(), size) {
		n.count.add(LedgerFull, 1)
	}
}

// respond sends an answer to q, now or never.
func (n *Node) respond(e *endpoint, b []byte, answer *krpc.Message, q *Packet) error {
	a, err := n.mayRespond(b, answer, q)
	if err == nil {
		err = n.send(e, b, q.Addr)
	}
	n.responded(&a, err)
	return err
}

// respondSoon is respond of a read loop: the answer may go out with those to the
// packets that arrived together with q.
func (n *Node) respondSoon(e *endpoint, b []byte, answer *krpc.Message, q *Packet) {
	a, err := n.mayRespond(b, answer, q)
	if err == nil {
		if e.post(b, a) {
			return
		}
		err = n.send(e, b, q.Addr)
	}
	n.responded(&a, err)
}

// mayRespond takes the right to send an answer to q, and shows it if there is one.
func (n *Node) mayRespond(b []byte, answer *krpc.Message, q *Packet) (posting, error) {
	a := posting{at: q.Time, to: q.Addr, method: q.Method, size: len(b), kind: answer.Kind}
	if err := n.mayAnswer(q.Addr.Addr()); err != nil {
		return a, err
	}
	hook := n.cfg.Trace.ReplySent
	if answer.Kind == krpc.KindError {
		hook = n.cfg.Trace.ErrorSent
	}
	n.seeSent(hook, q.Addr, q.Method, b, answer)
	return a, nil
}

// mayAnswer takes the right to send one answer there, and counts if there is
// none.
func (n *Node) mayAnswer(to netip.Addr) error {
	if n.cfg.OptOut.Has(to) {
		n.count.add(OptedOut, 1)
		return ErrOptOut
	}
	if _, ok := n.pacer.reserve(time.Now(), to, true, 0); !ok {
		n.count.add(AnswersLimited, 1)
		return ErrLimited
	}
	return nil
}

// seeSent shows a packet that is about to be written.
func (n *Node) seeSent(hook func(*Packet), to netip.AddrPort, method string, b []byte, m *krpc.Message) {
	if hook != nil {
		n.see(hook, Packet{Time: time.Now(), Addr: to, Method: method, Bytes: b, Message: m})
	}
}

// notSent shows a packet that was not written.
func (n *Node) notSent(to netip.AddrPort, method string, err error) {
	if hook := n.cfg.Trace.NotSent; hook != nil {
		n.see(hook, Packet{Time: time.Now(), Addr: to, Method: method, Err: err})
	}
}
