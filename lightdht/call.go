package lightdht

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// call is one query of ours from its sending to its end.
type call struct {
	to       kad.NodeInfo // who is asked
	named    bool         // the ID of to is expected there; else whoever is there is asked
	stranger bool         // vain counts it
	method   string
	target   record.Target // what it is about, if it is recorded
	recorded bool          // the Recorder is told of its end
	tid      uint32
	sent     time.Time
	deadline time.Time
	moment   int64        // that the limits gave it
	size     atomic.Int32 // of the query on the wire
	unwatch  func() bool  // of one that was held: stops watching the caller's context; nil when it cannot end
	watch    *watch       // of one that waits: pending's; nil when its context cannot end, or is the caller's to watch
	beside   beside       // in watch
	prev     *call        // in the queue of pending
	next     *call

	// How the end is told: with waited, who reads done watches the context, too;
	// deliver runs in the goroutine that ends the call and must neither block nor
	// take long; callback is run by the tellers.
	waited   bool
	done     chan struct{} // has room for it
	deliver  func(*call)
	callback func(krpc.Reply, error)
	reply    krpc.Reply
	err      error

	home  *spares      // where it comes from; nil: it is not used again
	users atomic.Int32 // those who may still look at it; the last one brings it home
}

// Do sends a query to addr and waits for its answer, which is the caller's to
// keep: the node uses nothing of it again. The error is a
// *[QueryError] about ErrTimeout, ErrRefused, ErrClosed, ErrReserved, ErrAddress,
// ErrFamily, ErrOptOut, ErrLimited, the end of ctx, a *krpc.Error that was the answer, what is wrong with q, or what
// the system said.
func (n *Node) Do(ctx context.Context, addr netip.AddrPort, q krpc.Query) (krpc.Reply, error) {
	return n.wait(ctx, kad.NodeInfo{Addr: addr}, false, q)
}

// Ask is Do with an ID that is expected at the address. A reply from another ID
// is a reply (see krpc.Reply.Unexpected), and a failure of the contact that was
// expected.
func (n *Node) Ask(ctx context.Context, node kad.NodeInfo, q krpc.Query) (krpc.Reply, error) {
	return n.wait(ctx, node, true, q)
}

// wait sends a query and waits for its end.
func (n *Node) wait(ctx context.Context, to kad.NodeInfo, named bool, q krpc.Query) (reply krpc.Reply, err error) {
	c := n.spares.get(1, to, named)
	c.waited = true
	n.start(ctx, c, q)
	select {
	case <-c.done:
	case <-ctx.Done():
		n.abort(c, context.Cause(ctx))
		<-c.done
	}
	reply, err = c.reply, c.err
	c.release()
	return reply, err
}

// Go sends a query to addr and returns; callback is told the end, exactly once,
// in a goroutine that does nothing else until it returns: what Do would have
// returned, and as much the callback's to keep. A nil callback is told nothing.
func (n *Node) Go(ctx context.Context, addr netip.AddrPort, q krpc.Query, callback func(krpc.Reply, error)) {
	n.callBack(ctx, kad.NodeInfo{Addr: addr}, false, q, callback)
}

// AskGo is Go with an ID that is expected at the address, as in Ask.
func (n *Node) AskGo(ctx context.Context, node kad.NodeInfo, q krpc.Query, callback func(krpc.Reply, error)) {
	n.callBack(ctx, node, true, q, callback)
}

// callBack sends a query and has callback told its end.
func (n *Node) callBack(ctx context.Context, to kad.NodeInfo, named bool, q krpc.Query, callback func(krpc.Reply, error)) {
	c := n.spares.get(2, to, named) // this one, and whoever tells the end
	c.callback = callback
	n.start(ctx, c, q)
	c.release()
}

// outgoing is the room to write a query in.
type outgoing struct {
	msg krpc.Message
	buf []byte
	tid [4]byte
}

var outgoings = sync.Pool{New: func() any { return new(outgoing) }}

// start sends c's query, at once or when the limits allow, and sees to its end.
// It returns how long the query has to wait.
func (n *Node) start(ctx context.Context, c *call, q krpc.Query) time.Duration {
	c.to.Addr = kad.Unmap(c.to.Addr)
	if q != nil {
		c.method = q.Method()
	}
	if n.cfg.Recorder != nil && n.ctx.Err() == nil {
		c.recorded, c.target = true, askedAbout(q)
	}
	e := n.endpoint(kad.FamilyOf(c.to.Addr.Addr()))
	switch {
	case e == nil:
		n.end(c, record.Unsent, ErrFamily)
		return 0
	case !n.askable(c.to.Addr):
		n.refuse(c)
		return 0
	case ctx.Err() != nil:
		n.end(c, record.Cancelled, context.Cause(ctx))
		return 0
	}
	c.sent = time.Now()
	wait, at, ok := n.pacer.moment(c.sent, c.to.Addr.Addr(), false, n.cfg.Timeout)
	c.moment = at
	switch {
	case !ok:
		n.count.add(QueriesLimited, 1)
		n.notSent(c.to.Addr, c.method, ErrLimited)
		n.end(c, record.Unsent, ErrLimited)
	case wait > 0:
		n.hold(ctx, e, c, q, wait)
	default:
		n.launch(ctx, e, c, q)
	}
	return wait
}

// launch sends c's query, at c.sent.
func (n *Node) launch(ctx context.Context, e *endpoint, c *call, q krpc.Query) {
	out := outgoings.Get().(*outgoing)
	defer outgoings.Put(out)
	if err := krpc.NewQuery(q, &out.msg); err != nil {
		n.end(c, record.Unsent, err)
		return
	}
	if n.register(ctx, c) {
		n.transmit(e, c, out)
	}
}

// refuse ends a call to somebody who may not be asked.
func (n *Node) refuse(c *call) {
	err := n.refusal(c.to.Addr)
	if err == nil {
		err = ErrOptOut
		n.count.add(OptedOut, 1)
	}
	n.notSent(c.to.Addr, c.method, err)
	n.end(c, record.Unsent, err)
}

// register makes c wait for its answer; false when it has ended instead.
func (n *Node) register(ctx context.Context, c *call) bool {
	var done <-chan struct{}
	if !c.waited && c.unwatch == nil {
		done = ctx.Done()
	}
	c.deadline = c.sent.Add(n.cfg.Timeout)
	a := n.pending.add(c, done)
	if !a.ok {
		n.end(c, record.Cancelled, ErrClosed)
		return false
	}
	if a.first {
		select {
		case n.wake <- struct{}{}:
		default:
		}
	}
	if a.watch {
		n.watch(ctx)
	}
	if ctx.Err() != nil { // it may have ended before c waited
		n.abort(c, context.Cause(ctx))
		return false
	}
	return true
}

// transmit writes c's query to the socket.
func (n *Node) transmit(e *endpoint, c *call, out *outgoing) {
	m := &out.msg
	binary.BigEndian.PutUint32(out.tid[:], c.tid)
	m.TID = out.tid[:]
	m.Version = n.cfg.Version
	m.ReadOnly = n.cfg.ReadOnly
	if !m.Has(krpc.FieldID) { // the caller's own arguments may bring one
		m.ID = n.idFor(m, c.to.Addr)
		m.Set(krpc.FieldID)
	}
	out.buf = krpc.Append(out.buf[:0], m)
	c.size.Store(int32(len(out.buf)))
	to, method := c.to.Addr, c.method // c may come to its end as soon as it is sent
	n.seeSent(n.cfg.Trace.QuerySent, to, method, out.buf, m)
	err := n.send(e, out.buf, to)
	switch {
	case n.ctx.Err() != nil:
		n.abort(c, ErrClosed)
	case err != nil:
		n.notSent(to, method, err)
		if n.pending.take(c) {
			now := time.Now()
			n.failed(c, now.Add(1), now) // a system that cannot send is a network that is away
			n.end(c, record.Unsent, err)
		}
	default:
		n.count.add(QueriesOut, 1)
	}
}

// abort ends c with err unless it has ended.
func (n *Node) abort(c *call, err error) {
	switch {
	case n.held.take(c):
		n.pacer.release(time.Now(), c.to.Addr.Addr(), c.moment)
	case !n.pending.take(c):
		return
	}
	n.end(c, record.Cancelled, err)
}

// end tells c's end, and what became of it. It is called once for each call, by
// whoever took it out of pending or never let it in.
func (n *Node) end(c *call, became record.Outcome, err error) {
	if c.recorded {
		n.recordEnd(c, became)
	}
	if err != nil {
		c.err = &QueryError{Method: c.method, Addr: c.to.Addr, Err: err}
	}
	if c.unwatch != nil {
		c.unwatch()
	}
	switch {
	case c.waited:
		c.done <- struct{}{}
	case c.deliver != nil:
		c.deliver(c)
	case c.callback != nil:
		n.tellers.tell(c)
	default:
		c.release()
	}
}

// takeReply brings a reply or a KRPC error to the call it answers.
func (n *Node) takeReply(e *endpoint, m *krpc.Message, from netip.AddrPort, now time.Time) {
	v := stray
	var c *call
	var sent time.Time
	if len(m.TID) == 4 {
		c, sent, v = n.pending.match(binary.BigEndian.Uint32(m.TID), from)
	}
	switch v {
	case stray:
		n.count.add(Stray, 1)
		n.see(n.cfg.Trace.Stray, Packet{Time: now, Addr: from, Bytes: m.Raw, Message: m})
	case late:
		n.count.add(Late, 1)
		n.hear(e, now)
		n.see(n.cfg.Trace.Late, Packet{Time: now, Addr: from, Bytes: m.Raw, Message: m, RTT: now.Sub(sent)})
		n.sawReply(m, from, now, now.Sub(sent), "")
	case answers:
		n.count.add(RepliesIn, 1)
		n.hear(e, now)
		n.hearVote(e, from.Addr(), m.IP.Addr(), now)
		if c.stranger {
			n.vain.answered(from.Addr())
		}
		n.answered(c, m, from, now)
	}
}

// answered ends c with the reply m.
func (n *Node) answered(c *call, m *krpc.Message, from netip.AddrPort, now time.Time) {
	krpc.Parse(bytes.Clone(m.Raw), &c.reply.Message) // the read loop's buffer is used again
	c.reply.From, c.reply.RTT, c.reply.Named, c.reply.Expected = from, now.Sub(c.sent), c.named, c.to.ID
	n.rtt.add(c.reply.RTT)
	saw := Packet{Time: now, Addr: from, Method: c.method, Bytes: m.Raw, Message: m, RTT: c.reply.RTT}
	if m.Kind == krpc.KindError {
		n.count.add(ErrorsIn, 1)
		saw.Err = &krpc.Error{Code: m.Code, Text: string(m.Text)}
		n.see(n.cfg.Trace.Error, saw)
		if c.named { // an error names nobody; it is the address that answered
			n.observe(table.Sighting{Node: c.to, Time: now, Event: table.Replied, RTT: c.reply.RTT, Version: m.Version}, about{method: c.method, said: m})
		}
		n.end(c, record.ErrorReply, saw.Err)
		return
	}
	n.see(n.cfg.Trace.Reply, saw)
	if c.reply.Unexpected() {
		n.count.add(UnexpectedID, 1)
		n.blame(c.to, c.named, c.method, now)
	}
	n.sawReply(m, from, now, c.reply.RTT, c.method)
	n.end(c, record.Reply, nil)
}

// sawReply records who replied and whom the reply named.
func (n *Node) sawReply(m *krpc.Message, from netip.AddrPort, now time.Time, rtt time.Duration, method string) {
	if m.Has(krpc.FieldID) {
		n.observe(table.Sighting{
			Node: kad.NodeInfo{ID: m.ID, Addr: from}, Time: now, Event: table.Replied,
			RTT: rtt, Version: m.Version,
		}, about{method: method, said: m})
	}
	n.mention(m, from, now)
}
