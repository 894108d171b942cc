package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// seat is where a real node sits in a crowd: the connection that it speaks to the
// others through. The living answer after a round trip of 20 to 180 ms, the dead
// never, and a share of the questions is lost on the way.
//
// How long one takes, and whether it is lost, follows from who is asked, what and
// when. As no two answers come at the same time, a measurement that is made again
// in a bubble of testing/synctest goes the same way again.
type seat struct {
	crowd  *crowd
	lost   float64 // share of the questions that get lost
	in     chan seatPacket
	once   sync.Once
	closed chan struct{}
}

type seatPacket struct {
	b    []byte
	from netip.AddrPort
}

// seatAddr is where the node is. Nobody in the crowd asks it anything.
var seatAddr = netip.MustParseAddrPort("127.0.0.1:6881")

func newSeat(c *crowd, lost float64) *seat {
	return &seat{crowd: c, lost: lost, in: make(chan seatPacket, 1024), closed: make(chan struct{})}
}

// ReadFromUDPAddrPort waits for an answer.
func (s *seat) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case p := <-s.in:
		return copy(b, p.b), p.from, nil
	}
}

// WriteToUDPAddrPort asks somebody.
func (s *seat) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	i, ok := s.crowd.whose(to)
	if !ok || s.crowd.silent[i] {
		return len(b), nil
	}
	var q krpc.Message
	if krpc.Parse(b, &q) != nil || q.Kind != krpc.KindQuery {
		return len(b), nil
	}
	way := rand.New(rand.NewPCG(uint64(time.Now().UnixNano())^uint64(i)<<40, binary.BigEndian.Uint64(q.Target[:])))
	if way.Float64() < s.lost {
		return len(b), nil
	}
	packet := seatPacket{s.crowd.reply(i, &q), to}
	time.AfterFunc(20*time.Millisecond+time.Duration(way.Int64N(int64(160*time.Millisecond))), func() {
		select {
		case s.in <- packet:
		case <-s.closed:
		}
	})
	return len(b), nil
}

// LocalAddr returns seatAddr.
func (s *seat) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(seatAddr) }

// Close ends reading.
func (s *seat) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

var _ lightdht.PacketConn = (*seat)(nil)

// reply returns what the i-th node replies to q: who it is, and if asked for a
// target whom it knows near it.
func (c *crowd) reply(i int, q *krpc.Message) []byte {
	r := krpc.Message{Kind: krpc.KindReply, TID: q.TID, ID: c.ids[i]}
	r.Set(krpc.FieldID)
	if q.Has(krpc.FieldTarget) {
		var room [64]int
		for _, j := range c.answer(room[:0], i, q.Target) {
			r.Nodes = krpc.AppendNode(r.Nodes, kad.NodeInfo{ID: c.ids[j], Addr: c.addr(j)})
		}
		r.Set(krpc.FieldNodes)
	}
	return krpc.Append(make([]byte, 0, 320), &r)
}
