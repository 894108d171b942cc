package lightdht

import (
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Handler answers a query. It is given the query and the beginning of a reply to
// it, with our ID in it and no more, and reports whether that is to be sent.
// To answer with an error, see Refuse.
//
// It runs in the read loop of the query's family, one query after the other: it
// must not wait for this node. To answer after having waited for something, it
// clones the query, returns false, and calls Node.Respond from elsewhere.
// A read-only node (BEP 43) asks no handler.
type Handler func(q *Packet, answer *krpc.Message) bool

// Methods is a handler for each of some methods, those that BEPs know and others
// alike; whatever it lacks has its default answer.
//
//	lightdht.Config{Handler: lightdht.Methods{"get_peers": logged, "xyz": mine}.Handle}
type Methods map[string]Handler

// Handle is a [Handler].
func (m Methods) Handle(q *Packet, answer *krpc.Message) bool {
	if h := m[q.Message.Method]; h != nil {
		return h(q, answer)
	}
	return q.Node.DefaultHandler(q, answer)
}

// DefaultHandler answers as a node of the DHT does: ping, find_node, get_peers,
// announce_peer and sample_infohashes by their BEPs, anything else with error
// 204. A handler calls it to change what it gave, or having noted the query. It
// is to be given what the handler was given, in the handler's goroutine, or a
// clone of the query; to a packet that is no query received it has no answer.
func (n *Node) DefaultHandler(q *Packet, answer *krpc.Message) bool {
	if q.end == nil {
		return false
	}
	a := &q.end.ans
	if answer != &a.msg {
		a.msg = *answer
	}
	n.answer(q.end, q.Message, q.Addr, q.Time)
	if answer != &a.msg {
		*answer = a.msg
	}
	return true
}

// Refuse makes answer a KRPC error: krpc.CodeGeneric and its like, and a text.
func Refuse(answer *krpc.Message, code int64, text string) {
	answer.Kind, answer.Code, answer.Text, answer.Fields = krpc.KindError, code, []byte(text), 0
}

// Respond sends an answer to a query that a handler cloned and left unanswered.
// What answer lacks of kind (a reply), version, our ID and where we see the
// asker (BEP 42) is filled in, and its transaction id is the query's. The error
// is ErrLimited, ErrOptOut, what the system said, or that q is no query received.
func (n *Node) Respond(q *Packet, answer *krpc.Message) error {
	if q.end == nil {
		return errNoQuery
	}
	switch err := n.refusal(q.Addr); {
	case err != nil:
		return err
	case n.cfg.ReadOnly:
		return errReadOnly
	}
	reply := *answer // the caller may use it again
	answer = &reply
	if answer.Kind == 0 {
		answer.Kind = krpc.KindReply
	}
	answer.TID = q.Message.TID
	if answer.Version == nil {
		answer.Version = n.cfg.Version
	}
	if !answer.IP.IsValid() {
		answer.IP = q.Addr
	}
	if answer.Kind == krpc.KindReply && !answer.Has(krpc.FieldID) {
		answer.ID = n.idFor(q.Message, q.Addr)
		answer.Set(krpc.FieldID)
	}
	return n.respond(q.end, krpc.Append(nil, answer), answer, q)
}

// begin makes answer the beginning of a reply to m.
func (n *Node) begin(answer *krpc.Message, m *krpc.Message, from netip.AddrPort) {
	*answer = krpc.Message{
		Kind: krpc.KindReply, TID: m.TID, Version: n.cfg.Version, IP: from,
		Fields: krpc.FieldID, ID: n.idFor(m, from),
	}
}

// idFor returns the ID to show to the node at to in, or in answer to, a query.
func (n *Node) idFor(query *krpc.Message, to netip.AddrPort) kad.ID {
	if n.cfg.IDFor != nil {
		target, _ := query.Topic()
		if id := n.cfg.IDFor(target, to); !id.IsZero() {
			return id
		}
	}
	return n.ID()
}
