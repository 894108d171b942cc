package lightdht

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// LookupConfig says how a lookup goes. The zero value is good.
//
// A lookup ends on its own, whatever it is told, since no more than MaxAsked are
// asked: within MaxAsked/Parallel+2 times Config.Timeout, which is 21 minutes
// when all those are attackers and answer just in time; twice that if Limits hold
// back every query besides. A context sets a limit.
type LookupConfig struct {
	Peers    bool // ask with get_peers instead of find_node
	Scrape   bool // ask for the filters of BEP 33 too, see LookupResult.Scrape; implies Peers
	K        int  // how many of the closest are returned; 0: 8
	Width    int  // how many must have answered before it ends, while there is anybody to ask, at least K; 0: K. A wider lookup finds the true closest more surely
	Parallel int  // queries under way at a time in each family, not counting those that are silent for longer than is usual; 0: 4
	MaxAsked int  // nodes asked in each family, at most; 0: 1,000

	// Crowds counts all nodes of a neighbourhood (/24, /64) on the public network,
	// of which else only the nearest one does: for who measures how dense the ID
	// space is, and finds it too thin when some are left out.
	Crowds bool

	// Purpose says why, for the Recorder; "": nothing in particular. The node's own
	// lookups say "self" (of its own ID, to join the network and stay joined),
	// "survey" (of the zones next to its own, once it has joined), "refresh" (of a
	// part of the ID space that nothing was heard of) and "explore" (all over it).
	Purpose string
}

func (c LookupConfig) withDefaults() LookupConfig {
	return c.over(LookupConfig{K: 8, Parallel: 4, MaxAsked: 1000})
}

// over returns c with its zero fields taken from base.
func (c LookupConfig) over(base LookupConfig) LookupConfig {
	c.Crowds = c.Crowds || base.Crowds
	c.K = or(c.K, base.K)
	c.Width = or(c.Width, base.Width)
	c.Parallel = or(c.Parallel, base.Parallel)
	c.MaxAsked = or(c.MaxAsked, base.MaxAsked)
	c.Purpose = cmp.Or(c.Purpose, base.Purpose)
	return c
}

// Event is what happened in a step of a lookup.
type Event uint8

// The events of a lookup.
const (
	Asked    Event = iota + 1 // a query was sent
	Answered                  // it replied
	Silent                    // it is no longer counted on, though its answer may come
	TimedOut                  // it did not answer in time
	Failed                    // it answered with an error, or could not be asked
	Done                      // the lookup is over
)

// String returns "asked", "answered", "silent", "timed out", "failed" or "done".
func (e Event) String() string {
	names := [...]string{"?", "asked", "answered", "silent", "timed out", "failed", "done"}
	if int(e) < len(names) {
		return names[e]
	}
	return names[0]
}

// Step is one thing that happened in a lookup.
type Step struct {
	Event Event
	At    time.Duration // since the lookup began
	Node  kad.NodeInfo  // who was asked; after Answered, who answered
	Hop   int           // 1: known before the lookup; else one more than who named it
	Reply *krpc.Reply   // of Answered
	New   int           // of Answered: nodes named that the lookup had not heard of

	Peers  []netip.AddrPort // of Answered: peers told that are new to the lookup
	Err    error            // of TimedOut and Failed
	Result *LookupResult    // of Done
}

// Answer is one of the closest nodes that answered a lookup.
type Answer struct {
	kad.NodeInfo
	Hop   int
	RTT   time.Duration
	Token []byte      // to announce there with; nil unless the lookup asked for peers
	Reply *krpc.Reply // all that it said
}

// LookupResult says what a lookup found and what happened on the way.
//
//	Asked == Answered + TimedOut + Failed + Silent
type LookupResult struct {
	Target   kad.ID
	Closest  []Answer         // the K closest of each family that answered, IPv4's before IPv6's, nearest first
	Peers    []netip.AddrPort // every peer told, once, in order of arrival; see PeersRefused
	Asked    int              // queries sent
	Answered int              // replies, from whomever
	Strange  int              // of Answered: from another ID than the one asked
	TimedOut int              // no answer in time
	Failed   int              // KRPC errors, and queries that could not be sent
	Silent   int              // still waited for when the lookup was over
	Hops     int              // the longest way to one of Closest, 1 being a node known before
	BytesOut int              // UDP payload of the queries
	BytesIn  int              // and of the replies
	Duration time.Duration
}

// Lookup walks towards target with find_node and yields every step, the last one
// being Done with the result. Leaving the loop cancels what is under way. It
// bootstraps first if the node knows nobody who answered once and is not bad, and
// if nobody answers; then it goes on to contacts farther away. A family whose
// network is away is left out while the other is there. The loop ends with an
// error when ctx does, when there is nobody to ask, and after Done when nobody
// answered.
func (n *Node) Lookup(ctx context.Context, target kad.ID) iter.Seq2[Step, error] {
	return n.LookupWith(ctx, target, LookupConfig{})
}

// LookupWith is Lookup with settings of its own, such as Peers to ask with
// get_peers; what they leave zero is as in Config.Lookup.
func (n *Node) LookupWith(ctx context.Context, target kad.ID, cfg LookupConfig) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		l := n.newLookup(target, cfg)
		if err := l.run(ctx, func(s Step) bool { return yield(s, nil) }); err != nil {
			yield(Step{}, err)
		}
	}
}

// FindClosest looks up the nodes closest to target. On an error the result holds
// what was found until then.
func (n *Node) FindClosest(ctx context.Context, target kad.ID) (*LookupResult, error) {
	return n.find(ctx, target, LookupConfig{})
}

// FindPeers looks up the peers of infohash, from all of the closest nodes. On an
// error the result holds what was found until then.
func (n *Node) FindPeers(ctx context.Context, infohash kad.ID) (*LookupResult, error) {
	return n.find(ctx, infohash, LookupConfig{Peers: true})
}

func (n *Node) find(ctx context.Context, target kad.ID, cfg LookupConfig) (*LookupResult, error) {
	l := n.newLookup(target, cfg)
	err := l.run(ctx, func(Step) bool { return true })
	l.conclude()
	return &l.res, err
}

// Announced is what came of announcing a peer.
type Announced struct {
	Lookup *LookupResult
	Stored []kad.NodeInfo // the nodes that took it
	Errs   []error        // why the others did not
}

// Announce tells the closest nodes to infohash that there is a peer for it at
// port of our address; port 0 means the port of our socket as they see it.
// It is ErrNotTaken when none of them took it.
func (n *Node) Announce(ctx context.Context, infohash kad.ID, port uint16) (*Announced, error) {
	res, err := n.FindPeers(ctx, infohash)
	if err != nil {
		return nil, err
	}
	return n.AnnounceTo(ctx, res, port)
}

// AnnounceTo is Announce to the closest nodes that FindPeers found.
func (n *Node) AnnounceTo(ctx context.Context, res *LookupResult, port uint16) (*Announced, error) {
	out := &Announced{Lookup: res}
	ends := make(chan *call)
	waiting := 0
	for _, a := range res.Closest {
		if a.Token == nil {
			out.Errs = append(out.Errs, fmt.Errorf("%s gave no token", a.Addr))
			continue
		}
		waiting++
		n.start(ctx, &call{to: a.NodeInfo, named: true, deliver: func(c *call) { go func() { ends <- c }() }},
			n.announcement(res.Target, port, a.Token))
	}
	for ; waiting > 0; waiting-- {
		if c := <-ends; c.err != nil {
			out.Errs = append(out.Errs, c.err)
		} else {
			out.Stored = append(out.Stored, c.to)
		}
	}
	if len(out.Stored) == 0 {
		return out, fmt.Errorf("announce %s: %w (%d asked)%s", res.Target, ErrNotTaken, len(res.Closest), because(out.Errs))
	}
	return out, nil
}

// because names the first of several causes.
func because(errs []error) string {
	if len(errs) == 0 {
		return ""
	}
	return ": " + errs[0].Error()
}
