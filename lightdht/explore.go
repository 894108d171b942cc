package lightdht

import (
	"context"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

const (
	exploreFirstPause = 100 * time.Millisecond // between two rounds while there is news
	exploreLastPause  = 5 * time.Second        // between two in a network that has no more to tell
	exploreQuiet      = 8                      // rounds without news before the pauses grow, or one for every 4 contacts
	exploreGreets     = 16                     // contacts that never answered, pinged in a round
)

// Explore looks around until ctx ends: it joins the network, then looks up
// targets all over the ID space and pings contacts that have never answered.
// While nothing new turns up the rounds come ever more slowly. What it finds is
// in the tables. It returns an error only when joining failed.
func (n *Node) Explore(ctx context.Context) error {
	if err := n.Bootstrap(ctx); err != nil {
		return err
	}
	start := kad.RandomID()
	known, quiet, pause := 0, 0, exploreFirstPause
	for round := uint32(0); ctx.Err() == nil && n.ctx.Err() == nil; round++ {
		n.FindClosest(ctx, evenTarget(start, round)) // its failures are in the counters
		n.greetSilent(ctx)
		if now := n.Len(); now > known {
			known, quiet, pause = now, 0, exploreFirstPause
		} else if quiet++; quiet > max(exploreQuiet, known/4) {
			pause = min(2*pause, exploreLastPause)
		}
		n.sleep(ctx, pause)
	}
	return nil
}

// evenTarget returns the i-th of a sequence of targets whose first n lie evenly
// over the ID space for every n, about 1/n of it apart: the sequence of van der
// Corput, moved to begin at start. Random targets would leave gaps much longer.
func evenTarget(start kad.ID, i uint32) kad.ID {
	target := kad.RandomID()
	binary.BigEndian.PutUint32(target[:], binary.BigEndian.Uint32(start[:])^bits.Reverse32(i))
	return target
}

// greetSilent pings some of the contacts that have not answered us yet, and
// waits for them.
func (n *Node) greetSilent(ctx context.Context) {
	now := time.Now()
	silent := table.Filter{
		Now: now, States: table.StateQuestionable, Public: true,
		Match: func(c table.Contact) bool { return c.Replies == 0 },
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	ends := make(chan *call, len(n.ends)*exploreGreets)
	asked := map[netip.AddrPort]bool{}
	for _, e := range n.ends {
		for _, c := range e.table.Sample(rng, exploreGreets, kad.Prefix{}, silent) {
			if !asked[c.Addr] {
				asked[c.Addr] = true
				n.start(ctx, &call{to: c.Info(), deliver: func(end *call) { ends <- end }}, krpc.Ping{})
			}
		}
	}
	for range asked {
		<-ends
	}
}
