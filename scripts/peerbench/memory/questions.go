package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// window is how many queries are under way at a time. One that answers while it
// reads never has more than one; one that answers elsewhere is kept at work.
const window = 64

// patience is how long an answer may take beyond a millisecond for each.
const patience = 10 * time.Second

var errStalled = errors.New("the others never came")

// questions is a far end that asks find_node, each time for another target, as
// often as it is told. It also answers pings for the contacts in who.
type questions struct {
	asker *place
	pings chan pinged
	asks  chan int
	slots chan struct{} // one for each query under way

	who atomic.Pointer[map[netip.AddrPort]kad.ID]
	tap func(b []byte, to netip.AddrPort) // sees every answer; nil: nobody does

	// The reader's own.
	query  []byte
	target []byte // where it stands in query
	random *rand.PCG
	left   int

	answered atomic.Int64
	thin     atomic.Int64 // answers too short for 8 nodes
	goal     atomic.Int64
	done     chan struct{}
}

// pinged is a ping to a contact.
type pinged struct {
	to netip.AddrPort
	t  tid
}

func newQuestions(asker kad.NodeInfo) *questions {
	q := &questions{
		asker: newPlace(asker.Addr), query: findNode(asker.ID),
		pings: make(chan pinged, 1), asks: make(chan int), slots: make(chan struct{}, window), done: make(chan struct{}, 1),
		random: rand.NewPCG(2, 2),
	}
	at := bytes.Index(q.query, someTarget[:])
	q.target = q.query[at : at+kad.Size]
	return q
}

var someTarget = kad.ID([]byte("here is the target:)"))

// findNode is a query as it comes from somebody.
func findNode(asker kad.ID) []byte {
	m := krpc.Message{
		Kind: krpc.KindQuery, Method: krpc.MethodFindNode, TID: []byte("aa"), Version: []byte("LT\x02\x08"),
		Fields: krpc.FieldID | krpc.FieldTarget, ID: asker, Target: someTarget,
	}
	return krpc.Append(nil, &m)
}

// ask has n queries asked and waits until all are answered.
func (q *questions) ask(ctx context.Context, n int) error {
	q.answered.Store(0)
	q.thin.Store(0)
	q.goal.Store(int64(n))
	ctx, cancel := context.WithTimeoutCause(ctx, patience+time.Duration(n)*time.Millisecond, errStalled)
	defer cancel()
	select {
	case q.asks <- n:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		return fmt.Errorf("%d of %d queries were answered: %w", q.answered.Load(), n, context.Cause(ctx))
	}
	if thin := q.thin.Load(); thin > 0 {
		return fmt.Errorf("%d of %d answers had no 8 nodes", thin, n)
	}
	return nil
}

func (q *questions) next(b []byte, closed <-chan struct{}) (int, *place, bool) {
	for q.left == 0 {
		select {
		case q.left = <-q.asks:
		case p := <-q.pings:
			return q.pong(b, p), newPlace(p.to), true
		case <-closed:
			return 0, nil, false
		}
	}
	q.left--
	q.slots <- struct{}{}
	binary.BigEndian.PutUint64(q.target, q.random.Uint64())
	binary.BigEndian.PutUint64(q.target[8:], q.random.Uint64())
	return copy(b, q.query), q.asker, true
}

// sent counts an answer, or has a ping answered.
func (q *questions) sent(b []byte, to netip.AddrPort) {
	if !bytes.HasSuffix(b, []byte("1:y1:re")) {
		if t, ok := tidAfter(b, []byte("1:q4:ping1:t")); ok && q.who.Load() != nil {
			q.pings <- pinged{to, t}
		}
		return
	}
	if len(b) < 8*26 {
		q.thin.Add(1)
	}
	if q.tap != nil {
		q.tap(b, to)
	}
	<-q.slots
	if q.answered.Add(1) == q.goal.Load() {
		q.done <- struct{}{}
	}
}

// pong is the answer of a contact to a ping, empty when nobody is there.
func (q *questions) pong(b []byte, p pinged) int {
	id, ok := (*q.who.Load())[p.to]
	if !ok {
		return 0
	}
	out := append(b[:0], "d1:rd2:id20:"...)
	out = append(out, id[:]...)
	out = append(out, "e1:t"...)
	out = append(out, p.t.b[:p.t.n]...)
	return len(append(out, "1:y1:re"...))
}
