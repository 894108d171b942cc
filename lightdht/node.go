// Package lightdht is a node of the BitTorrent mainline DHT (BEP 5) made for
// research: it keeps every contact it ever hears of, answers like an ordinary
// client, and asks what a researcher wants to know.
//
//	node, err := lightdht.Listen(":6881", lightdht.Config{})
//	defer node.Close()
//
//	reply, err := node.Ping(ctx, addr)                    // one query, waiting for its answer
//	node.Go(ctx, addr, krpc.FindNode{Target: id}, then)   // the same, calling back
//	res, err := node.FindPeers(ctx, infohash)             // a lookup of peers
//	for step, err := range node.Lookup(ctx, target) { … } // a lookup of nodes, watched step by step
//	for c := range node.Contacts() { … }                  // everything ever seen
//	n, err := node.Restore(saved)                         // and what was seen before
//
//	lightdht.Config{Trace: &lightdht.Trace{Query: func(p *lightdht.Packet) { … }}} // watch every packet
//	lightdht.Config{Handler: lightdht.Methods{"xyz": mine}.Handle}                 // answer differently
//	lightdht.Config{Recorder: store}                                               // keep what it saw, row by row
//
// A node that called Bootstrap is a member of the network until it is closed: it
// keeps a core of contacts fresh (see [UpkeepConfig]), notices when the network is
// away and joins again. It keeps within [Limits], which on the public network are
// set by default. A node has a socket and a table for each address family; the two are two DHTs
// (BEP 32) that share our ID.
//
// Promises:
//
//   - A callback runs exactly once: with the reply, a KRPC error, a time-out, the
//     end of its context or of the node. Its goroutine does nothing else until it
//     returns and no lock is held, so it may do anything, waiting for other queries
//     included.
//   - Do and Go are one mechanism.
//   - A reply counts only from the address that was asked, under the transaction
//     id that was sent there; who answered is told apart from who was expected.
//   - An answer of ours names only contacts that answered us, each ID and each
//     address once.
//   - Nothing that reached the node is dropped without a [Counter] that says so.
//   - Nobody is bad because our own network was away: a time-out counts against a
//     contact only while others answer. Where nobody else is left, nobody is bad.
//
// Where things are, by the way a packet goes:
//
//	socket, udp*, delay, refusal*    the system's sockets, and what they tell besides packets
//	packet, limits, pacer, guard     what is read and sent, and how much
//	ledger, optout, commons          what was sent to whom, to whom never; what vantages share
//	trace, handler, serve, samples   hooks, and answers to queries; peers and token for them
//	call, pending, holding, reaper   queries of ours, from their sending to their end
//	watch, teller, spare             their contexts; who runs callbacks; calls used again
//	observe, roster, restore         sightings, on their way to recorder, table and core; histories
//	rows, showed                     what else the recorder is told, and what messages show
//	walk, seed, shortlist, lookup    lookups; scrape, explore and bootstrap are made of them
//	upkeep, agenda, reach            what the node does on its own; core, bucket, place: for whom
//	lifeline, wallclock              whether the network is there, and what time it is
//	identity, ballot, vicinity       our ID and address; which addresses belong together
//
// Those that think (pacer, window, guard, ledger, pending, core, shortlist,
// lifeline, ballot, vain, token) have no clock and no socket: they are told the
// time, and tested in prose.
package lightdht

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// Node is a DHT node. All its methods may be called from any goroutine.
type Node struct {
	cfg     Config
	self    atomic.Pointer[kad.ID] // our ID
	follows bool                   // it follows our address
	private bool
	handled bool        // by a Handler of the caller's
	ends    []*endpoint // one for each family it has, IPv4 first
	began   time.Time

	pending *pending
	wake    chan struct{} // tells the reaper that a first call waits
	tokens  *tokens
	rtt     rttEstimator
	count   counters
	greeter greeter
	held    holding  // calls that wait for their turn
	tellers *tellers // who runs callbacks
	spares  spares   // calls to be used again
	guard   *guard
	steps   clockSteps
	*commons

	joined  atomic.Bool   // it is to be a member of the network
	calling atomic.Int32  // Bootstraps under way, which upkeep leaves the joining to
	rejoin  atomic.Bool   // it is to look up its own ID again
	stir    chan struct{} // wakes upkeep

	entrances  addrSet      // where all places to begin with are
	routers    addrSet      // of these, Config.Routers
	introduced atomic.Int64 // when they were asked last, in Unix nanoseconds

	introductions introductions

	ctx     context.Context    // ends with the node
	cancel  context.CancelFunc // ends it
	closing sync.Mutex         // nothing is added to wg once ctx has ended
	wg      sync.WaitGroup     // read loops, the reaper, and bootstrapping
}

// Listen opens the node's sockets and starts it. addr is host:port; without a
// host, or with [::], it listens on both families, if the system has both, at
// one port; port 0 lets the system choose. The node answers from now on; call
// Bootstrap, or any lookup, to join the network.
func Listen(addr string, cfg Config) (*Node, error) {
	conns, err := openConns(addr, cfg)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	local := make([]netip.Addr, len(conns))
	for i, c := range conns {
		local[i] = localAddr(c).Addr()
	}
	follows, handled := cfg.ID.IsZero(), cfg.Handler != nil
	cfg = cfg.withDefaults(local)
	if cfg.Share != nil && cfg.Share.Network() != cfg.Network {
		for _, c := range conns {
			c.Close()
		}
		return nil, fmt.Errorf("a node of the %s network cannot share with one of the %s network", cfg.Network, cfg.Share.Network())
	}
	n := &Node{
		cfg: cfg, follows: follows, private: cfg.Network == Private, handled: handled, began: now,
		pending: newPending(), tellers: newTellers(), wake: make(chan struct{}, 1), stir: make(chan struct{}, 1),
		tokens: newTokens(now), guard: newGuard(cfg.Limits), commons: newCommons(cfg),
	}
	n.self.Store(&cfg.ID)
	n.name(kad.ID{}, cfg.ID)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for _, conn := range conns {
		n.ends = append(n.ends, newEndpoint(conn, cfg, n.commons))
	}
	for _, e := range n.ends {
		n.wg.Go(func() { n.readLoop(e) })
		if e.udp != nil {
			n.wg.Go(func() { n.watchReturned(e.udp, refusalLimit) })
		}
		cfg.Logger.Info("listening", append([]any{"addr", e.local, "id", n.ID(), "network", cfg.Network}, e.buffers()...)...)
	}
	n.wg.Go(n.reap)
	n.wg.Go(n.upkeep)
	return n, nil
}

// Close ends the node: its sockets are closed, its goroutines have ended, and
// every waiting call has been given ErrClosed when Close returns. Callbacks may
// still be at work then, so a callback may call Close. Closing twice is no error.
func (n *Node) Close() error {
	n.closing.Lock()
	n.cancel()
	n.closing.Unlock()
	var errs []error
	for _, e := range n.ends {
		errs = append(errs, e.close())
	}
	for _, c := range n.pending.close() {
		n.end(c, record.Cancelled, ErrClosed)
	}
	for _, c := range n.held.close() {
		n.pacer.release(time.Now(), c.to.Addr.Addr(), c.moment) // others may share it
		n.end(c, record.Cancelled, ErrClosed)
	}
	n.unwatch()
	n.wg.Wait()
	n.tellers.close()
	n.name(n.ID(), kad.ID{})
	return errors.Join(errs...)
}

// spawn runs f in a goroutine that Close waits for; false when it is too late.
func (n *Node) spawn(f func()) bool {
	n.closing.Lock()
	defer n.closing.Unlock()
	if n.ctx.Err() != nil {
		return false
	}
	n.wg.Go(f)
	return true
}

// Network returns the kind of network the node lives in: Public or Private.
func (n *Node) Network() Network { return n.cfg.Network }

// Addr returns the address of the family's socket, as the system tells it; the
// zero AddrPort when the node has none.
func (n *Node) Addr(f kad.Family) netip.AddrPort {
	if e := n.endpoint(f); e != nil {
		return e.local
	}
	return netip.AddrPort{}
}

// Table returns the table of a family; nil when the node has no socket of it.
func (n *Node) Table(f kad.Family) table.Table {
	if e := n.endpoint(f); e != nil {
		return e.table()
	}
	return nil
}

// Ledger returns the ledger of packets, which may be written out; nil, which is
// an empty one, when none is kept.
func (n *Node) Ledger() *Ledger { return n.ledger }

// Core returns the contacts that upkeep keeps fresh in a family, in no particular
// order.
func (n *Node) Core(f kad.Family) []kad.NodeInfo {
	var out []kad.NodeInfo
	if e := n.endpoint(f); e != nil {
		for _, m := range e.core.Load().all() {
			out = append(out, m.node)
		}
	}
	return out
}

// Contacts yields every contact ever heard of, in no particular order. The
// node goes on meanwhile; the loop's body may use it.
func (n *Node) Contacts() iter.Seq[table.Contact] {
	return func(yield func(table.Contact) bool) {
		for _, e := range n.ends {
			for c := range e.table().All() {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// Len returns the number of contacts ever heard of.
func (n *Node) Len() int {
	total := 0
	for _, e := range n.ends {
		total += e.table().Len()
	}
	return total
}

// Add tells the node of contacts that the caller knows from elsewhere. They are
// mentions: not handed out until they have answered.
func (n *Node) Add(nodes ...kad.NodeInfo) error {
	now := time.Now()
	for _, info := range nodes {
		info.Addr = kad.Unmap(info.Addr)
		switch {
		case n.endpoint(kad.FamilyOf(info.Addr.Addr())) == nil:
			return fmt.Errorf("%s: %w", info.Addr, ErrFamily)
		case !n.reachable(info.Addr):
			return fmt.Errorf("%s: %w", info.Addr, n.refusal(info.Addr))
		}
		n.observe(table.Sighting{Node: info, Time: now, Event: table.Mentioned, Origin: table.FromImport}, about{})
	}
	return nil
}

// endpoint returns the node's end in a family, nil when it has none.
func (n *Node) endpoint(f kad.Family) *endpoint {
	for _, e := range n.ends {
		if e.family == f {
			return e
		}
	}
	return nil
}
