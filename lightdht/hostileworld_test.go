package lightdht_test

import (
	"net/netip"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// ours is where the node lives that has enemies, on the public network.
const ours = "8.8.4.4:6881"

// public starts a node of the public network there that has nobody to begin with.
func (l *lab) public(cfg lightdht.Config) *lightdht.Node {
	l.Helper()
	cfg.Network, cfg.Routers = lightdht.Public, []string{"router.test:1"}
	return l.node(ours, cfg)
}

// world is everybody that a node may write to, made up as it writes: answer tells
// what comes back from an address, delay later. Addresses where somebody listens
// are left to him.
type world struct {
	l      *lab
	us     netip.AddrPort
	began  time.Time
	delay  time.Duration
	answer func(to netip.AddrPort, q *krpc.Message) *krpc.Message // nil: silence; one call at a time

	mu    sync.Mutex
	heard []heardPacket // all that we wrote
	mouth sync.Mutex    // one spoofed packet at a time, or an address would be in use
}

// heardPacket is a packet that a node wrote.
type heardPacket struct {
	to     netip.AddrPort
	at     time.Time
	kind   krpc.Kind
	method string
}

// world makes a world for the node at us.
func (l *lab) world(us string, answer func(to netip.AddrPort, q *krpc.Message) *krpc.Message) *world {
	w := &world{l: l, us: at(us), answer: answer, began: time.Now(), delay: 50 * time.Millisecond}
	l.net.Tap(w.tap)
	return w
}

func (w *world) tap(from, to netip.AddrPort, b []byte) bool {
	var q krpc.Message
	if from != w.us || krpc.Parse(slices.Clone(b), &q) != nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, heardPacket{to, time.Now(), q.Kind, q.Method})
	if q.Kind != krpc.KindQuery || w.answer == nil {
		return true
	}
	if reply := w.answer(to, &q); reply != nil {
		reply.TID = q.TID
		if reply.Kind == 0 {
			reply.Kind = krpc.KindReply
		}
		b := string(krpc.Append(nil, reply))
		time.AfterFunc(w.delay, func() { w.speak(to, b) })
	}
	return true
}

// speak has a packet come to us from an address.
func (w *world) speak(from netip.AddrPort, b string) {
	w.mouth.Lock()
	defer w.mouth.Unlock()
	conn, err := w.l.net.Listen(from)
	if err != nil {
		return // somebody real lives there
	}
	conn.WriteToUDPAddrPort([]byte(b), w.us)
	conn.Close()
}

// query has a query come to us from an address.
func (w *world) query(from netip.AddrPort, id kad.ID, q krpc.Query) {
	w.speak(from, string((&peer{l: w.l, id: id}).encode(q)))
}

// packets returns what was written, and of it what is in a prefix.
func (w *world) packets(into netip.Prefix) (all, inside []heardPacket) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.heard {
		if into.Contains(p.to.Addr()) {
			inside = append(inside, p)
		}
	}
	return slices.Clone(w.heard), inside
}

// inAnySecond returns the most packets that any second had.
func inAnySecond(all []heardPacket) (most int) {
	first := 0
	for i := range all {
		for all[i].at.Sub(all[first].at) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// census is who lives in a world.
type census struct {
	nodes []kad.NodeInfo
	at    map[netip.AddrPort]kad.NodeInfo
}

func (c *census) add(info kad.NodeInfo) {
	if c.at == nil {
		c.at = map[netip.AddrPort]kad.NodeInfo{}
	}
	c.nodes = append(c.nodes, info)
	c.at[info.Addr] = info
}

// closest returns the n nearest to target.
func (c *census) closest(target kad.ID, n int) []kad.NodeInfo {
	all := slices.Clone(c.nodes)
	slices.SortFunc(all, func(x, y kad.NodeInfo) int { return target.CompareDistance(x.ID, y.ID) })
	return all[:min(n, len(all))]
}

// honest makes n nodes, each in a neighbourhood of its own.
func honest(n int) *census {
	c := &census{}
	for i := range n {
		addr := place(20, i)
		c.add(kad.NodeInfo{ID: idOf(addr.String()), Addr: addr})
	}
	return c
}

// place is an address in the i-th /24 from net.0.0.0 on.
func place(net, i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(net + i>>16), byte(i >> 8), byte(i), 1}), 6881)
}

// says is a reply of id that names these nodes.
func says(id kad.ID, nodes ...kad.NodeInfo) *krpc.Message {
	m := &krpc.Message{Fields: krpc.FieldID | krpc.FieldToken, ID: id, Token: []byte("token")}
	for _, info := range nodes {
		if info.Addr.Addr().Is4() {
			m.Nodes = krpc.AppendNode(m.Nodes, info)
			m.Set(krpc.FieldNodes)
		} else {
			m.Nodes6 = krpc.AppendNode(m.Nodes6, info)
			m.Set(krpc.FieldNodes6)
		}
	}
	return m
}

// topicOf is what a query is about.
func topicOf(q *krpc.Message) kad.ID {
	if q.Has(krpc.FieldInfoHash) {
		return q.InfoHash
	}
	return q.Target
}

// beside is an ID that shares its first bits with id; text chooses the others.
func beside(id kad.ID, bits int, text string) kad.ID { return id.Prefix(bits).Fill(idOf(text)) }
