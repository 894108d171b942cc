package lightdht

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// A call that nobody is told the end of has one user less when it ends, and one
// that waits for its turn is never used again: its timer may look at it whenever
// it likes.
func TestUsersOfACall(t *testing.T) {
	n := wired(t, newWire(), 0)
	c := n.spares.get(2, kad.NodeInfo{Addr: asker}, false)
	n.end(c, 0, nil)
	if got := c.users.Load(); got != 1 {
		t.Errorf("when it has ended %d may look at the call, want who sent it", got)
	}
	c = n.spares.get(2, kad.NodeInfo{Addr: asker}, false)
	n.hold(t.Context(), n.ends[0], c, krpc.Ping{}, time.Hour)
	n.abort(c, ErrLimited)
	if got := c.users.Load(); got != 2 {
		t.Errorf("when it has ended %d may look at the call that was held, want who sent it and the timer", got)
	}
}

// sayer is a connection whose other end answers three find_node of four, with the
// target as its ID and as its token.
func sayer() *wire {
	w := newWire()
	w.in = make(chan datagram, 1<<12)
	w.send = func(b []byte, to netip.AddrPort) {
		var q krpc.Message
		krpc.Parse(b, &q)
		if q.Target[0]%4 > 0 {
			reply := krpc.Message{Kind: krpc.KindReply, TID: q.TID, Fields: krpc.FieldID | krpc.FieldToken, ID: q.Target, Token: q.Target[:]}
			w.in <- datagram{krpc.Append(nil, &reply), to}
		}
	}
	return w
}

// Each caller gets the end of its own query while calls are used again and again,
// and what a reply holds is the caller's to keep.
func TestCallsAreUsedAgainByOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := Listen("", Config{ID: kad.ID{1}, Conn4: sayer(), Network: Private, Timeout: 5 * time.Millisecond, Upkeep: UpkeepConfig{Off: true}})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		k := collector{T: t, kept: map[kad.ID]krpc.Reply{}}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { k.ask(n, byte(i), &wg) })
		}
		wg.Wait()
		for target, r := range k.kept {
			if r.ID != target || string(r.Token) != string(target[:]) || r.From.Port() != uint16(target[1])+1 {
				t.Errorf("%v was answered by %v with %x from %v", target, r.ID, r.Token, r.From)
			}
		}
		if len(k.kept) < 1000 || n.Count(Timeouts) < 100 {
			t.Errorf("%d replies, %d time-outs", len(k.kept), n.Count(Timeouts))
		}
	})
}

// collector keeps replies by what was asked for.
type collector struct {
	*testing.T
	mu   sync.Mutex
	kept map[kad.ID]krpc.Reply
}

// ask asks for 500 targets at a port of its own, each with a context that ends
// soon. It waits for the ends, or has them called back.
func (k *collector) ask(n *Node, who byte, wg *sync.WaitGroup) {
	addr := netip.AddrPortFrom(asker.Addr(), uint16(who)+1)
	for i := range 500 {
		target := kad.ID{byte(i), who, byte(i >> 8), 7}
		ctx, cancel := context.WithTimeout(k.Context(), time.Duration(i%10)*time.Millisecond)
		if who%2 == 0 {
			r, err := n.FindNode(ctx, addr, target)
			k.keep(target, r, err)
			cancel()
			continue
		}
		wg.Add(1)
		n.Go(ctx, addr, krpc.FindNode{Target: target}, func(r krpc.Reply, err error) {
			defer wg.Done()
			defer cancel()
			k.keep(target, r, err)
		})
	}
}

func (k *collector) keep(target kad.ID, r krpc.Reply, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.kept[target] = r
	} else if q, ok := err.(*QueryError); !ok || q.Addr.Port() != uint16(target[1])+1 {
		k.Errorf("the query for %v ended with %v", target, err)
	}
}
