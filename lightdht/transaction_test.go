package lightdht_test

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Transaction ids have 4 bytes, are never the same twice among calls that wait,
// and neighbours differ in half of their bits.
func TestTransactionIDsAreUnpredictable(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		const n = 1000
		for range n {
			a.Go(l.ctx, at(addrB), krpc.Ping{}, func(krpc.Reply, error) {})
		}
		seen := map[uint32]bool{}
		var last uint32
		flipped := 0
		for _, q := range b.take() {
			if len(q.TID) != 4 {
				t.Fatalf("a transaction id of %d bytes", len(q.TID))
			}
			tid := binary.BigEndian.Uint32(q.TID)
			flipped += bits.OnesCount32(tid ^ last)
			seen[tid], last = true, tid
		}
		if len(seen) != n {
			t.Errorf("%d different ids of %d", len(seen), n)
		}
		if mean := float64(flipped) / n; mean < 15.5 || mean > 16.5 { // standard error 0.09
			t.Errorf("neighbours differ in %.2f bits of 32", mean)
		}
	})
}

// The right transaction id from another address, or another port, is no answer;
// the call goes on and has its true one.
func TestReplyFromAnotherAddressIsStray(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		thief, neighbour := l.peer(addrC, nil), l.peer("10.0.0.2:1003", nil)
		l.peer(addrB, func(p *peer, q *packet) {
			thief.reply(q, krpc.Message{})
			neighbour.reply(q, krpc.Message{})
			time.AfterFunc(time.Second, func() { p.reply(q, krpc.Message{}) })
		})
		reply, err := a.Ping(l.ctx, at(addrB))
		if err != nil || reply.ID != idOf(addrB) || reply.RTT != time.Second {
			t.Errorf("the answer is %v, %v", reply, err)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Stray: 2, lightdht.RepliesIn: 1})
		if a.Len() != 1 {
			t.Errorf("%d contacts, want the one that answered", a.Len())
		}
	})
}

func TestReplyToNothingIsStray(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		a.Go(l.ctx, at(addrB), krpc.Ping{}, func(krpc.Reply, error) {})
		q := b.take()[0]
		for _, tid := range []string{"", "x", "xyzu", "xyzuv", string(q.TID[:3]), string(q.TID) + "\x00"} {
			b.send(at(addrA), krpc.Message{Kind: krpc.KindReply, TID: []byte(tid), Fields: krpc.FieldID, ID: b.id})
			b.send(at(addrA), krpc.Message{Kind: krpc.KindError, TID: []byte(tid), Code: 201})
		}
		b.raw(at(addrA), "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:y1:re") // no t
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Stray: 13, lightdht.RepliesIn: 0})
		if calls, _ := a.Waiting(); calls != 1 || a.Len() != 0 {
			t.Errorf("%d calls wait, %d contacts", calls, a.Len())
		}
	})
}

// A late reply is counted, and kept as a sighting with its round trip and the
// nodes it names; a second copy of it is a stray.
func TestLateReplyIsASighting(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		named := kad.NodeInfo{ID: idOf("named"), Addr: at(addrC)}
		l.peer(addrB, func(p *peer, q *packet) {
			late := krpc.Message{Fields: krpc.FieldNodes, Nodes: krpc.AppendNode(nil, named)}
			time.AfterFunc(8*time.Second, func() { p.reply(q, late); p.reply(q, late) })
		})
		info := kad.NodeInfo{ID: idOf(addrB), Addr: at(addrB)}
		l.heard(a)
		if _, err := a.Ask(l.ctx, info, krpc.Ping{}); !errors.Is(err, lightdht.ErrTimeout) {
			t.Fatal(err)
		}
		l.heard(a)
		if c, _ := a.Table(kad.IPv4).Get(info); c.Failures != 1 {
			t.Errorf("before the late reply: %+v", c)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Late: 1, lightdht.Stray: 1, lightdht.RepliesIn: 2, lightdht.Timeouts: 1})
		c, _ := a.Table(kad.IPv4).Get(info)
		if c.Replies != 1 || c.Failures != 0 || c.LastRTT != 8*time.Second {
			t.Errorf("after the late reply: %+v", c)
		}
		if _, ok := a.Table(kad.IPv4).Get(named); !ok {
			t.Error("the node that the late reply named is not known")
		}
	})
}

// Late is only who was asked: the same transaction id from elsewhere is a stray.
func TestLateReplyFromAnotherAddressIsStray(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b, thief := l.peer(addrB, nil), l.peer(addrC, nil)
		a.Ping(l.ctx, at(addrB))
		q := b.take()[0]
		thief.reply(&q, krpc.Message{})
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Late: 0, lightdht.Stray: 1})
		b.reply(&q, krpc.Message{})
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Late: 1, lightdht.Stray: 1})
	})
}

// A second copy of an answer in time answers nothing.
func TestSecondCopyOfAnAnswerIsStray(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		l.peer(addrB, func(p *peer, q *packet) { answering(p, q); answering(p, q) })
		if _, err := a.Ping(l.ctx, at(addrB)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.RepliesIn: 1, lightdht.Stray: 1, lightdht.Late: 0})
	})
}

// Of ended calls the newest LateLimit are remembered and no more.
func TestMemoryOfEndedCallsIsBounded(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		const calls = lightdht.LateLimit + 500
		tids := make(chan []byte, calls)
		b := l.peer(addrB, func(_ *peer, q *packet) { tids <- q.TID })
		for range calls / 100 {
			for range 100 {
				a.Go(l.ctx, at(addrB), krpc.Ping{}, func(krpc.Reply, error) {})
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		sent := len(tids)
		if _, late := a.Waiting(); late != lightdht.LateLimit || sent <= lightdht.LateLimit {
			t.Errorf("%d of %d ended calls are remembered, want %d", late, sent, lightdht.LateLimit)
		}
		for i := range sent {
			b.send(at(addrA), krpc.Message{Kind: krpc.KindReply, TID: <-tids, Fields: krpc.FieldID, ID: b.id})
			if i%100 == 0 {
				synctest.Wait() // or the queue of the socket would be full
			}
		}
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{
			lightdht.Late: lightdht.LateLimit, lightdht.Stray: uint64(sent - lightdht.LateLimit),
		})
		if _, late := a.Waiting(); late != 0 {
			t.Errorf("%d calls are remembered though all were answered", late)
		}
	})
}

// Two calls to one address at a time: each has its own answer.
func TestAnswersInAnotherOrder(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		b := l.peer(addrB, nil)
		got := make([]netip.AddrPort, 10)
		for i := range got {
			a.Go(l.ctx, at(addrB), krpc.Ping{}, func(r krpc.Reply, _ error) { got[i] = r.IP })
		}
		asked := b.take()
		for i := len(asked) - 1; i >= 0; i-- {
			b.reply(&asked[i], krpc.Message{IP: netip.AddrPortFrom(at(addrA).Addr(), uint16(i+1))})
		}
		synctest.Wait()
		for i, ip := range got {
			if int(ip.Port()) != i+1 {
				t.Errorf("call %d has answer %d", i, ip.Port()-1)
			}
		}
	})
}
