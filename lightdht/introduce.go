package lightdht

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// introduction is one round over the places to begin with. All of it belongs to
// the goroutine that runs it; the others only tell it what happened.
type introduction struct {
	n         *Node
	events    chan introductionEvent
	over      chan struct{}      // closed when nobody reads events any more
	resolving int                // places whose addresses are being looked up
	waiting   map[kad.Family]int // addresses that were asked and have not come to an end
	answered  map[kad.Family]bool
	asked     map[netip.AddrPort]bool
	failures  []BootstrapFailure
}

// introductionEvent is that a place has addresses, or the end of asking one.
type introductionEvent struct {
	place    place
	resolved bool
	addrs    []netip.AddrPort // of a place that resolved
	addr     netip.AddrPort   // that was asked
	err      error
}

// introduceOnce asks all addresses of all places once. It returns when of each
// family one has answered or all have failed, or when those of one family have
// been waited for long enough after another's answer. Answers that come later
// are recorded all the same; places whose names resolve later are not asked.
func (n *Node) introduceOnce(ctx context.Context, places []place) (failures []BootstrapFailure, ok bool) {
	in := &introduction{
		n: n, events: make(chan introductionEvent), over: make(chan struct{}), resolving: len(places),
		waiting: map[kad.Family]int{}, answered: map[kad.Family]bool{},
		asked: map[netip.AddrPort]bool{},
	}
	defer close(in.over)
	n.introduced.Store(time.Now().UnixNano())
	for _, p := range places {
		if !n.spawn(func() { in.resolve(ctx, p) }) {
			return nil, false
		}
	}
	var enough <-chan time.Time
	for !in.settled() {
		select {
		case ev := <-in.events:
			in.take(ctx, ev)
		case <-enough:
			return nil, true
		case <-ctx.Done():
			return in.failures, len(in.answered) > 0
		case <-n.ctx.Done():
			return in.failures, false
		}
		if enough == nil && len(in.answered) > 0 {
			enough = time.After(min(firstPatience, n.cfg.Timeout))
		}
	}
	return in.failures, len(in.answered) > 0
}

// settled reports whether there is nothing to wait for.
func (in *introduction) settled() bool {
	for _, e := range in.n.ends {
		if !in.answered[e.family] && (in.resolving > 0 || in.waiting[e.family] > 0) {
			return false
		}
	}
	return true
}

// resolve looks up the addresses of one place. It is known who is there even if
// nobody waits for that any more. A resolver has as long as an answer, and ends
// with the node.
func (in *introduction) resolve(ctx context.Context, p place) {
	ctx, cancel := context.WithTimeout(ctx, in.n.cfg.Timeout)
	defer cancel()
	defer context.AfterFunc(in.n.ctx, cancel)()
	addrs, err := in.n.resolve(ctx, p.host)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("its name was not resolved in time")
	}
	in.n.entrances.add(addrs...)
	if p.router {
		in.n.routers.add(addrs...)
	}
	in.tell(introductionEvent{place: p, resolved: true, addrs: addrs, err: err})
}

// tell brings an event to the introduction, if it still listens.
func (in *introduction) tell(ev introductionEvent) {
	select {
	case in.events <- ev:
	case <-in.over:
	}
}

// take notes what happened, and asks the addresses of a place that has resolved.
func (in *introduction) take(ctx context.Context, ev introductionEvent) {
	family := kad.FamilyOf(ev.addr.Addr())
	switch {
	case ev.err != nil:
		in.failures = append(in.failures, BootstrapFailure{Host: ev.place.host, Addr: ev.addr, Err: ev.err})
	case !ev.resolved:
		in.answered[family] = true
	}
	if ev.resolved {
		in.resolving--
		in.ask(ctx, ev)
	} else {
		in.waiting[family]--
	}
}

// ask asks the addresses of a place that no other place has had asked.
func (in *introduction) ask(ctx context.Context, ev introductionEvent) {
	for _, addr := range ev.addrs {
		if in.asked[addr] { // several names may stand for one address
			continue
		}
		in.asked[addr] = true
		in.waiting[kad.FamilyOf(addr.Addr())]++
		tell := func(c *call) { go in.tell(introductionEvent{place: ev.place, addr: addr, err: cause(c.err)}) }
		in.n.start(ctx, &call{to: kad.NodeInfo{Addr: addr}, deliver: tell},
			krpc.FindNode{Target: in.n.ID(), Want: in.n.want()})
	}
}
