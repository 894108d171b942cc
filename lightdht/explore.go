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
	exploreLong       = 256                    // but no more than that
	exploreGreets     = 16                     // contacts that never answered, pinged in a round
	exploreGreeting   = 64                     // of these pings under way at a time
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
	under := greetings{map[netip.AddrPort]bool{}, make(chan netip.AddrPort, exploreGreeting)}
	known, quiet, pause := 0, 0, exploreFirstPause
	for round := uint32(0); ctx.Err() == nil && n.ctx.Err() == nil; round++ {
		n.lookAround(ctx, evenTarget(start, round), "explore")
		n.greetSilent(ctx, under)
		if now := n.Len(); now > known {
			known, quiet, pause = now, 0, exploreFirstPause
		} else if quiet++; quiet > min(max(exploreQuiet, known/4), exploreLong) {
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

// greetings are the pings of Explore that are under way: the addresses they
// went to, and of those the ones whose ping has ended. Explore alone reads them.
type greetings struct {
	addrs map[netip.AddrPort]bool
	ends  chan netip.AddrPort // has room for all
}

// greetSilent pings some of the contacts that have not answered us yet. It does
// not wait for them: many are gone, and each would take a whole Timeout.
func (n *Node) greetSilent(ctx context.Context, under greetings) {
	for len(under.ends) > 0 {
		delete(under.addrs, <-under.ends)
	}
	silent := table.Filter{
		Now: time.Now(), States: table.StateQuestionable, Public: true,
	}
	silent.Match = func(c table.Contact) bool {
		return c.Replies == 0 && !under.addrs[c.Addr] && !n.inVain(c, silent.Now)
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for _, e := range n.ends {
		room := min(exploreGreets, exploreGreeting-len(under.addrs))
		for _, c := range e.table().Sample(rng, room, kad.Prefix{}, silent) {
			ping := &call{to: c.Info(), named: true, deliver: func(end *call) { under.ends <- end.to.Addr }}
			if !under.addrs[c.Addr] && n.try(ping) {
				under.addrs[c.Addr] = true
				n.start(ctx, ping, krpc.Ping{})
			}
		}
	}
}
