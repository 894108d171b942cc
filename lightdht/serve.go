package lightdht

import (
	"cmp"
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

const (
	maxAnswer    = 1024 // bytes of an answer, BEP 32
	answerNodes  = 8    // contacts in an answer: BEP 5's K
	maxAnswerTID = 128  // bytes of a transaction id that we repeat
	maxSelves    = 16   // addresses of ours in a family that are learned from queries that come back: whom we ask can send them back, too
	secondChoice = 64   // questionable contacts that the most recent are chosen from
)

// answerer is what a read loop writes its answers with, used again and again.
type answerer struct {
	msg    krpc.Message
	buf    []byte
	near   []table.Contact
	second []table.Contact
	nodes4 []byte
	nodes6 []byte
	peers  krpc.Peers
	token  []byte

	seedFilter, peerFilter krpc.Bloom
	samples                []byte
}

// serve records who asked and answers.
func (n *Node) serve(e *endpoint, m *krpc.Message, from netip.AddrPort, now time.Time) {
	n.count.add(QueriesIn, 1)
	q := &e.query
	*q = Packet{Node: n, Time: now, Addr: from, Method: m.Method, Size: len(m.Raw), Bytes: m.Raw, Message: m, end: e}
	if !n.reachable(from) {
		n.count.add(FromReserved, 1)
		q.Err = n.refusal(from)
		n.see(n.cfg.Trace.Refused, *q)
		return
	}
	n.see(n.cfg.Trace.Query, *q)
	n.recordQuery(e, m, from, now)
	if n.isOwnQuery(m, from) {
		if e.selves.len() < maxSelves {
			e.selves.add(from)
		}
		n.count.add(Unanswered, 1)
		return
	}
	if m.Has(krpc.FieldID) {
		n.sawQuery(m, from, now)
	}
	switch {
	case n.cfg.ReadOnly:
		n.count.add(Suppressed, 1)
		return
	case len(m.TID) == 0 || len(m.TID) > maxAnswerTID || m.Has(krpc.FieldID) && m.ID == n.ID():
		n.count.add(Unanswered, 1)
		return
	}
	if n.handled {
		n.write(e) // a handler may take its time
	}
	n.begin(&e.ans.msg, m, from)
	if !n.cfg.Handler(q, &e.ans.msg) {
		n.count.add(Unanswered, 1)
		return
	}
	e.ans.buf = krpc.Append(e.ans.buf[:0], &e.ans.msg)
	n.respondSoon(e, e.ans.buf, &e.ans.msg, q)
}

// isOwnQuery reports whether a query is one that we sent there: somebody named us
// an address that is our own.
func (n *Node) isOwnQuery(m *krpc.Message, from netip.AddrPort) bool {
	return len(m.TID) == 4 && n.pending.waits(binary.BigEndian.Uint32(m.TID), from)
}

// sawQuery records the asker, and pings one that we do not know to answer.
func (n *Node) sawQuery(m *krpc.Message, from netip.AddrPort, now time.Time) {
	info := kad.NodeInfo{ID: m.ID, Addr: from}
	c := n.observe(table.Sighting{Node: info, Time: now, Event: table.Queried, Version: m.Version, ReadOnly: m.ReadOnly}, about{method: m.Method, said: m})
	if c.Queries == 0 || c.Replies > 0 || c.Failures > 0 || m.ReadOnly || n.cfg.ReadOnly {
		return
	}
	switch begun, full := n.greeter.begin(info); {
	case full:
		n.count.add(GreetingsLeft, 1)
	case begun:
		n.greet(info)
	}
}

// greet pings a newcomer, for whom the greeter has made room.
func (n *Node) greet(info kad.NodeInfo) {
	c := &call{to: info, named: true, deliver: func(*call) { n.greeter.end(info) }}
	if !n.try(c) {
		n.count.add(GreetingsLeft, 1)
		n.greeter.end(info)
		return
	}
	n.start(context.Background(), c, krpc.Ping{})
}

// answer makes of e.ans.msg, the beginning of a reply, the answer to m.
func (n *Node) answer(e *endpoint, m *krpc.Message, from netip.AddrPort, now time.Time) {
	if !m.Has(krpc.FieldID) {
		e.ans.refuse(krpc.CodeProtocol, "id of 20 bytes missing")
		return
	}
	switch m.Method {
	case krpc.MethodPing:
	case krpc.MethodFindNode:
		n.answerFindNode(e, m, now)
	case krpc.MethodGetPeers:
		n.answerGetPeers(e, m, from, now)
	case krpc.MethodAnnouncePeer:
		n.answerAnnounce(e, m, from, now)
	case krpc.MethodSampleInfohashes:
		n.answerSamples(e, m, now)
	default:
		e.ans.refuse(krpc.CodeMethodUnknown, "method unknown")
	}
}

// refuse makes the answer a KRPC error.
func (a *answerer) refuse(code int64, text string) {
	Refuse(&a.msg, code, text)
}

func (n *Node) answerFindNode(e *endpoint, m *krpc.Message, now time.Time) {
	if !m.Has(krpc.FieldTarget) {
		e.ans.refuse(krpc.CodeProtocol, "target of 20 bytes missing")
		return
	}
	own, other := n.wanted(e, m.Want)
	n.addNodes(&e.ans, own, m.Target, now)
	n.addNodes(&e.ans, other, m.Target, now)
}

func (n *Node) answerGetPeers(e *endpoint, m *krpc.Message, from netip.AddrPort, now time.Time) {
	if !m.Has(krpc.FieldInfoHash) {
		e.ans.refuse(krpc.CodeProtocol, "info_hash of 20 bytes missing")
		return
	}
	e.ans.token = n.tokens.append(e.ans.token[:0], now, from.Addr(), m.InfoHash)
	e.ans.msg.Token = e.ans.token
	e.ans.msg.Fields |= krpc.FieldToken
	if m.Scrape {
		e.addFilters(m.InfoHash, now)
	}
	own, other := n.wanted(e, m.Want)
	n.addNodes(&e.ans, own, m.InfoHash, now)
	e.addPeers(m, now)
	n.addNodes(&e.ans, other, m.InfoHash, now)
}

func (n *Node) answerAnnounce(e *endpoint, m *krpc.Message, from netip.AddrPort, now time.Time) {
	port := m.Port
	if m.ImpliedPort {
		port = from.Port()
	}
	switch {
	case !m.Has(krpc.FieldInfoHash):
		e.ans.refuse(krpc.CodeProtocol, "info_hash of 20 bytes missing")
	case port == 0:
		e.ans.refuse(krpc.CodeProtocol, "port missing")
	case !n.tokens.valid(m.Token, now, from.Addr(), m.InfoHash):
		n.count.add(BadToken, 1)
		e.ans.refuse(krpc.CodeProtocol, "bad token")
	default:
		n.storePeer(e, m, netip.AddrPortFrom(from.Addr(), port), now)
	}
}

// storePeer keeps the peer that m announces, or refuses it when there are peers
// of too many infohashes.
func (n *Node) storePeer(e *endpoint, m *krpc.Message, peer netip.AddrPort, now time.Time) {
	kept, displaced := e.peers.add(now, m.InfoHash, peer, m.Seed)
	if !kept || displaced {
		n.count.add(PeersDropped, 1)
	}
	if !kept {
		e.ans.refuse(krpc.CodeServer, "storage full")
	}
}

// wanted returns the ends whose nodes an answer is to hold: first that of the
// asker's own family, then the other; nil for what is not wanted or not there.
// Without a want it is the family of the packet (BEP 32).
func (n *Node) wanted(e *endpoint, want krpc.Want) (own, other *endpoint) {
	bit := func(f kad.Family) krpc.Want {
		if f == kad.IPv6 {
			return krpc.WantIPv6
		}
		return krpc.WantIPv4
	}
	if want == 0 || want&bit(e.family) != 0 {
		own = e
	}
	if want&bit(e.family.Other()) != 0 {
		other = n.endpoint(e.family.Other())
	}
	return own, other
}

// addNodes puts the contacts of one end nearest to target into the answer, as
// many as there is room for. A nil end has none.
func (n *Node) addNodes(a *answerer, e *endpoint, target kad.ID, now time.Time) {
	if e == nil {
		return
	}
	n.chooseNear(a, e.table(), target, now)
	list, field, size := &a.nodes4, krpc.FieldNodes, 26
	if e.family == kad.IPv6 {
		list, field, size = &a.nodes6, krpc.FieldNodes6, 38
	}
	*list = (*list)[:0]
	room := a.room() - len("6:nodes6") - len("304:")
	for i := range a.near {
		if room -= size; room < 0 {
			break
		}
		*list = krpc.AppendNode(*list, a.near[i].Info())
	}
	if len(*list) == 0 && room < 0 {
		return // not even an empty list fits
	}
	a.msg.Fields |= field
	a.msg.Nodes, a.msg.Nodes6 = krpc.Nodes(a.nodes4), krpc.Nodes6(a.nodes6)
}

// room returns how many bytes the answer may still grow.
func (a *answerer) room() int {
	a.buf = krpc.Append(a.buf[:0], &a.msg)
	return maxAnswer - len(a.buf)
}

// addPeers puts a random sample of the peers that m asks for into the answer, as
// many as there is room for.
func (e *endpoint) addPeers(m *krpc.Message, now time.Time) {
	a := &e.ans
	room := a.room() - len("6:valuesle")
	size := len("6:") + 6
	if e.family == kad.IPv6 {
		size = len("18:") + 18
	}
	a.peers = a.peers[:0]
	e.peers.sample(now, m.InfoHash, m.NoSeed, func(addr netip.AddrPort) bool {
		if room -= size; room < 0 {
			return false
		}
		a.peers = krpc.AppendPeer(a.peers, addr)
		return true
	})
	if len(a.peers) > 0 {
		a.msg.Values = a.peers
		a.msg.Fields |= krpc.FieldValues
	}
}

// chooseNear fills a.near with the contacts to hand out for target: the nearest
// good ones, and if they are too few, of the nearest questionable ones that ever
// answered those that did so most recently. Each ID and each address stands in
// it once.
func (n *Node) chooseNear(a *answerer, t table.Table, target kad.ID, now time.Time) {
	good := table.Filter{Now: now, States: table.StateGood, Answered: true, Public: true, Distinct: true}
	a.near = t.AppendNearest(a.near[:0], target, answerNodes, good)
	if len(a.near) >= answerNodes {
		return
	}
	questionable := good
	questionable.States = table.StateQuestionable
	a.second = t.AppendNearest(a.second[:0], target, secondChoice, questionable)
	slices.SortStableFunc(a.second, func(x, y table.Contact) int { return -cmp.Compare(x.LastReply.Unix(), y.LastReply.Unix()) })
	for _, c := range a.second {
		if len(a.near) == answerNodes {
			return
		}
		if !slices.ContainsFunc(a.near, func(have table.Contact) bool { return have.ID == c.ID || have.Addr == c.Addr }) {
			a.near = append(a.near, c)
		}
	}
}
