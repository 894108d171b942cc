package lightdht

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// lookup runs the shortlists of one lookup, one for each family, in the
// goroutine of its caller.
type lookup struct {
	n     *Node
	cfg   LookupConfig
	began time.Time
	ends  []*endpoint // the families that it walks in
	lists map[kad.Family]*shortlist
	res   LookupResult
	peers map[netip.AddrPort]bool
	told  chan lookupEnd
	over  chan struct{} // closed when nobody reads told any more

	introduced bool  // the bootstrap nodes were asked
	refills    int   // walks that nobody answered, after which it went on
	trouble    error // that they did not answer
	left       bool  // yield returned false
	concluded  bool  // res is complete
	recorded   bool  // the Recorder is told of its end
}

// lookupEnd is a query of a lookup that has come to its end.
type lookupEnd struct {
	list *shortlist
	who  *candidate
	call *call
}

func (n *Node) newLookup(target kad.ID, cfg LookupConfig) *lookup {
	l := &lookup{
		n: n, cfg: cfg.over(n.cfg.Lookup), began: time.Now(), lists: map[kad.Family]*shortlist{},
		res: LookupResult{Target: target}, peers: map[netip.AddrPort]bool{},
		told: make(chan lookupEnd), over: make(chan struct{}),
		recorded: n.cfg.Recorder != nil && n.ctx.Err() == nil,
	}
	l.cfg.Width = max(l.cfg.Width, l.cfg.K)
	l.ends = n.present()
	for _, e := range l.ends {
		l.lists[e.family] = newShortlist(target, l.cfg, !n.private && !l.cfg.Crowds)
	}
	return l
}

// present returns the ends in families whose network is not away; all, when all
// are.
func (n *Node) present() []*endpoint {
	there := slices.DeleteFunc(slices.Clone(n.ends), func(e *endpoint) bool { return e.life.isAway() })
	if len(there) == 0 {
		return n.ends
	}
	return there
}

// run is the whole lookup. What is under way at a natural end stays so: late
// answers and failures are still recorded.
func (l *lookup) run(ctx context.Context, yield func(Step) bool) error {
	defer close(l.over)
	err := l.seed(ctx)
	for more := true; more && err == nil; {
		if err = l.walk(ctx, yield); err == nil {
			more, err = l.again(ctx)
		}
	}
	l.conclude()
	if err != nil || l.left {
		l.record(cmp.Or(err, errAbandoned))
		l.cancel()
		return err
	}
	l.n.looked(&l.res)
	err = l.verdict()
	l.record(err)
	if !yield(Step{Event: Done, At: l.res.Duration, Result: &l.res}) {
		return nil
	}
	return err
}

// verdict returns why a lookup that is over found nobody, nil if it did.
func (l *lookup) verdict() error {
	switch {
	case l.res.Answered > 0:
		return nil
	case l.trouble != nil:
		return l.trouble
	}
	return l.failure(fmt.Errorf("%w (%d asked)", ErrNoAnswer, l.res.Asked))
}

// walk asks and listens until every list is done, ctx ends, or yield returns
// false.
func (l *lookup) walk(ctx context.Context, yield func(Step) bool) error {
	patience := time.NewTimer(0)
	defer patience.Stop()
	for ctx.Err() == nil {
		for _, e := range l.ends {
			if l.left = !l.askAll(l.lists[e.family], yield); l.left {
				return nil
			}
		}
		switch {
		case l.n.ctx.Err() != nil: // the calls of a closed node fail at once
			return l.failure(ErrClosed)
		case l.done():
			return nil
		}
		l.rearm(patience)
		select {
		case end := <-l.told:
			l.left = !l.take(end, yield)
		case <-patience.C:
			l.left = !l.giveUp(yield)
		case <-ctx.Done():
		case <-l.n.ctx.Done():
			return l.failure(ErrClosed)
		}
		if l.left {
			return nil
		}
	}
	return l.failure(context.Cause(ctx))
}

// failure returns err with what it ended.
func (l *lookup) failure(err error) error { return fmt.Errorf("%s%w", l.title(), err) }

// title is what an error of the lookup begins with.
func (l *lookup) title() string { return "lookup of " + l.res.Target.String() + ": " }

func (l *lookup) done() bool {
	for _, list := range l.lists {
		if !list.done() {
			return false
		}
	}
	return true
}

// rearm sets the timer to when the next one will have been silent for too long.
func (l *lookup) rearm(timer *time.Timer) {
	var first time.Time
	for _, list := range l.lists {
		if t := list.nextGiveUp(l.patience()); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if first.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(time.Until(first))
}

func (l *lookup) patience() time.Duration { return l.n.rtt.patience(l.n.cfg.Timeout) }

// giveUp stops counting on those who have been silent for too long.
func (l *lookup) giveUp(yield func(Step) bool) bool {
	now := time.Now()
	for _, list := range l.lists {
		for _, c := range list.giveUp(now, l.patience()) {
			if !yield(l.step(Silent, c)) {
				return false
			}
		}
	}
	return true
}

// askAll asks all that list wants asked now.
func (l *lookup) askAll(list *shortlist, yield func(Step) bool) bool {
	for c := list.next(); c != nil; c = list.next() {
		query := &call{to: c.node, named: true, deliver: func(end *call) { go l.tell(lookupEnd{list, c, end}) }}
		if !l.n.try(query) {
			list.settle(c, failed)
			l.n.count.add(CandidatesCrowded, 1)
			continue
		}
		list.ask(c, time.Now())
		l.res.Asked++
		if !yield(l.step(Asked, c)) {
			return false
		}
		c.call = query
		c.since = c.since.Add(l.n.start(context.Background(), c.call, l.query()))
	}
	return true
}

// tell brings the end of a query to the lookup, if it still listens.
func (l *lookup) tell(end lookupEnd) {
	select {
	case l.told <- end:
	case <-l.over:
	}
}

func (l *lookup) query() krpc.Query {
	if l.cfg.Peers || l.cfg.Scrape {
		return krpc.GetPeers{InfoHash: l.res.Target, Want: l.n.want(), Scrape: l.cfg.Scrape}
	}
	return krpc.FindNode{Target: l.res.Target, Want: l.n.want()}
}

func (l *lookup) step(what Event, c *candidate) Step {
	return Step{Event: what, At: time.Since(l.began), Node: c.node, Hop: c.hop}
}

// take works the end of a query into the lists.
func (l *lookup) take(end lookupEnd, yield func(Step) bool) bool {
	c := end.who
	l.res.BytesOut += int(end.call.size.Load())
	l.res.BytesIn += len(end.call.reply.Raw)
	if err := end.call.err; err != nil {
		end.list.settle(c, failed)
		step := l.step(Failed, c)
		if step.Err = err; errors.Is(err, ErrTimeout) {
			step.Event = TimedOut
			l.res.TimedOut++
		} else {
			l.res.Failed++
		}
		return yield(step)
	}
	l.res.Answered++
	reply := &end.call.reply
	if reply.Unexpected() {
		l.res.Strange++
	}
	switch {
	case l.n.insecure(kad.NodeInfo{ID: reply.ID, Addr: reply.From}): // whom it names is of use, itself it does not count
		end.list.settle(c, failed)
	case !reply.Unexpected():
		end.list.settle(c, answered)
	case l.n.isOurs(reply.ID): // nobody is us but we
		end.list.settle(c, failed)
	default:
		c = end.list.replaced(c, reply.ID)
	}
	c.reply = reply
	step := l.step(Answered, c)
	step.Reply, step.New, step.Peers = reply, l.learn(c, reply), l.newPeers(reply)
	return yield(step)
}

// learn takes in the nodes and the token of a reply. It returns how many of the
// nodes are new to the lookup.
func (l *lookup) learn(c *candidate, reply *krpc.Reply) (fresh int) {
	if reply.Has(krpc.FieldToken) {
		c.token = reply.Token
	}
	for _, info := range reply.NodeInfos() {
		fresh += l.offer(info, c.hop+1)
	}
	return fresh
}

// newPeers returns the peers of a reply that the lookup has not heard of, but
// for addresses where nobody can be.
func (l *lookup) newPeers(reply *krpc.Reply) []netip.AddrPort {
	known := len(l.res.Peers)
	for addr := range reply.Values.All() {
		switch {
		case l.peers[addr]:
		case !l.n.reachable(addr):
			l.n.count.add(PeersRefused, 1)
		default:
			l.peers[addr] = true
			l.res.Peers = append(l.res.Peers, addr)
		}
	}
	return slices.Clip(l.res.Peers[known:])
}

// offer puts a node that a reply named on the list of its family, if it may be
// asked.
func (l *lookup) offer(info kad.NodeInfo, hop int) int {
	e := l.n.endpoint(kad.FamilyOf(info.Addr.Addr()))
	if e == nil || l.lists[e.family] == nil || l.n.isOurs(info.ID) || e.isUs(info.Addr) || !l.n.askable(info.Addr) {
		return 0
	}
	if known, ok := e.table().Get(info); ok && (known.Router || silentReader(known)) {
		return 0
	}
	c, left := l.lists[e.family].add(info, hop)
	if left {
		l.n.count.add(CandidatesLeft, 1)
	}
	if c == nil {
		return 0
	}
	return 1
}

// silentReader reports whether a contact is a read-only node that there is no use
// in asking (BEP 43). Anybody can mark a query so in another's name; so one that
// ever answered is none, and one that others name is asked until it fails.
func silentReader(c table.Contact) bool { return c.ReadOnly && c.Replies == 0 && c.Failures > 0 }

// conclude fills in the result, once.
func (l *lookup) conclude() {
	if l.concluded {
		return
	}
	l.concluded = true
	l.res.Duration = time.Since(l.began)
	for _, e := range l.ends {
		list := l.lists[e.family]
		closest, crowded := list.closest(l.cfg.K)
		l.n.count.add(CandidatesCrowded, crowded)
		for _, c := range closest {
			l.res.Hops = max(l.res.Hops, c.hop)
			l.res.Closest = append(l.res.Closest, Answer{NodeInfo: c.node, Hop: c.hop, RTT: c.reply.RTT, Token: c.token, Reply: c.reply})
		}
		for _, c := range list.waiting() {
			l.res.Silent++
			if c.call != nil { // else it was about to be asked
				l.res.BytesOut += int(c.call.size.Load())
			}
		}
	}
}

// cancel ends the queries under way.
func (l *lookup) cancel() {
	for _, list := range l.lists {
		for _, c := range list.waiting() {
			if c.call != nil {
				l.n.abort(c.call, context.Canceled)
			}
		}
	}
}
