package lightdht

import (
	"context"
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
	exploreQuiet      = 8                      // rounds without news before the pauses grow
	exploreGreets     = 16                     // contacts that never answered, pinged in a round
)

// Explore looks around until ctx ends: it joins the network, then looks up
// random targets and pings contacts that have never answered. While nothing new
// turns up the rounds come ever more slowly. What it finds is in the tables.
// It returns an error only when joining failed.
func (n *Node) Explore(ctx context.Context) error {
	if err := n.Bootstrap(ctx); err != nil {
		return err
	}
	known, quiet := 0, 0
	for pause := exploreFirstPause; ctx.Err() == nil && n.ctx.Err() == nil; {
		n.FindClosest(ctx, kad.RandomID()) // its failures are in the counters
		n.greetSilent(ctx)
		if now := n.Len(); now > known {
			known, quiet, pause = now, 0, exploreFirstPause
		} else if quiet++; quiet > exploreQuiet {
			pause = min(2*pause, exploreLastPause)
		}
		n.sleep(ctx, pause)
	}
	return nil
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
