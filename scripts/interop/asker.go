package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// asker is a member of the network with an ID and an address of its own. It
// answers as a node that knows nobody would.
type asker struct {
	id     kad.ID
	addr   netip.AddrPort
	node   netip.AddrPort // that it asks
	conn   *net.UDPConn
	random *rand.ChaCha8
	closed chan struct{} // when it does not listen any more

	mu      sync.Mutex // guards what follows
	n       uint32     // queries put, the number of each being its transaction id
	pending map[uint32]question
	tokens  [topics][]byte
	sums    tally
}

// question is a query that is not answered yet.
type question struct {
	at    time.Time
	topic int // of a get_peers, else -1
}

// askerAddr returns where the i-th asker is.
func askerAddr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)}), askerPort)
}

// newAsker returns an asker that listens.
func newAsker(i int, node netip.AddrPort) (*asker, error) {
	a := &asker{
		id: hashOf("asker " + strconv.Itoa(i)), addr: askerAddr(i), node: node, random: rand.NewChaCha8([32]byte{byte(i)}),
		closed: make(chan struct{}), pending: map[uint32]question{}, sums: tally{asked: map[string]uint64{}},
	}
	var err error
	if a.conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(a.addr)); err != nil {
		return nil, err
	}
	if err := a.conn.SetReadBuffer(1 << 20); err != nil {
		a.conn.Close()
		return nil, err
	}
	go a.listen()
	return a, nil
}

// ask puts queries, one each time, until stop. A moment that it misses is not
// made up for: that would be a burst.
func (a *asker) ask(stop <-chan struct{}, first, every time.Duration) {
	time.Sleep(first)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.put()
		case <-stop:
			return
		}
	}
}

// put puts the next query.
func (a *asker) put() {
	a.mu.Lock()
	query, topic := a.next()
	var m krpc.Message
	krpc.NewQuery(query, &m) // an error is only for other queries
	m.ID, m.TID = a.id, binary.BigEndian.AppendUint32(nil, a.n)
	m.Set(krpc.FieldID)
	a.pending[a.n] = question{time.Now(), topic}
	a.n++
	a.sums.asked[m.Method]++
	packet := krpc.Append(nil, &m)
	a.mu.Unlock()
	a.conn.WriteToUDPAddrPort(packet, a.node) // one that fails will be unanswered
}

// next returns the next query of a round of ten: six find_node, three get_peers
// and an announcement for what the last of these was about. A topic is returned
// for get_peers.
func (a *asker) next() (krpc.Query, int) {
	step, topic := a.n%10, int(a.n/10)%topics
	infohash := hashOf("topic " + strconv.Itoa(topic))
	switch {
	case step == 9 && a.tokens[topic] != nil:
		return krpc.AnnouncePeer{InfoHash: infohash, Port: 7000, Token: a.tokens[topic]}, -1
	case step%3 == 0:
		return krpc.GetPeers{InfoHash: infohash}, topic
	}
	var target kad.ID
	a.random.Read(target[:])
	return krpc.FindNode{Target: target}, -1
}

// listen takes packets in until the socket is closed or its time is over.
func (a *asker) listen() {
	defer close(a.closed)
	buf := make([]byte, 4096)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		var m krpc.Message
		switch err := krpc.Parse(buf[:n], &m); {
		case err != nil:
		case m.Kind == krpc.KindQuery:
			a.serve(&m, from)
		case from == a.node:
			a.take(&m)
		}
	}
}

// take takes in the answer to a query.
func (a *asker) take(m *krpc.Message) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(m.TID) != 4 {
		return
	}
	tid := binary.BigEndian.Uint32(m.TID)
	q, ok := a.pending[tid]
	if !ok {
		a.sums.late++
		return
	}
	delete(a.pending, tid)
	a.sums.answered++
	if m.Kind != krpc.KindReply {
		a.sums.errors++
	} else if q.topic >= 0 {
		a.tokens[q.topic] = append([]byte(nil), m.Token...)
	}
	a.sums.took = append(a.sums.took, now.Sub(q.at))
}

// serve answers a query.
func (a *asker) serve(m *krpc.Message, from netip.AddrPort) {
	answer := krpc.Message{
		Kind: krpc.KindReply, TID: m.TID, ID: a.id, Token: []byte("asker"), Fields: krpc.FieldID,
	}
	switch m.Method {
	case krpc.MethodGetPeers:
		answer.Set(krpc.FieldToken | krpc.FieldNodes)
	case krpc.MethodFindNode:
		answer.Set(krpc.FieldNodes)
	}
	a.conn.WriteToUDPAddrPort(krpc.Append(nil, &answer), from)
	a.mu.Lock()
	defer a.mu.Unlock()
	if from == a.node {
		a.sums.served++
	}
}

// tally gives up on what has waited too long and returns the sums since the
// start.
func (a *asker) tally() tally {
	a.mu.Lock()
	defer a.mu.Unlock()
	for tid, q := range a.pending {
		if time.Since(q.at) > patience {
			delete(a.pending, tid)
			a.sums.unanswered++
		}
	}
	now := tally{asked: map[string]uint64{}}
	now.add(a.sums)
	now.waiting = uint64(len(a.pending))
	a.sums.took = nil
	return now
}
