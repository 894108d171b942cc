package lightdht_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
)

// kept is the configuration of a node with upkeep; in the lab others have none.
func kept(cfg lightdht.Config) lightdht.Config {
	cfg.Upkeep.SelfLookup = 15 * time.Minute
	return cfg
}

// A member that is silent for 15 minutes is pinged then, once, and again 15
// minutes later. Who is no member is left alone.
func TestUpkeepPingsTheQuestionable(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, kept(lightdht.Config{}))
		b := l.peer(addrB, answering)
		stranger := l.peer(addrC, answering)
		a.Add(kad.NodeInfo{ID: stranger.id, Addr: stranger.addr})
		if _, err := a.Ping(l.ctx, b.addr); err != nil {
			t.Fatal(err)
		}
		began := now()
		time.Sleep(time.Hour)
		var at []time.Duration
		for _, q := range b.took(krpc.KindQuery)[1:] {
			if q.Method != krpc.MethodPing {
				t.Errorf("asked %s", q.Method)
			}
			at = append(at, q.at.Sub(began))
		}
		if len(at) != 3 && len(at) != 4 {
			t.Errorf("pinged at %v", at)
		}
		for i, got := range at {
			if want := time.Duration(i+1) * 15 * time.Minute; got < want || got > want+time.Duration(i+1)*time.Minute {
				t.Errorf("ping %d after %v", i+1, got)
			}
		}
		if got := stranger.take(); len(got) != 0 {
			t.Errorf("a stranger was asked %d times", len(got))
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.UpkeepPings: uint64(len(at)), lightdht.UpkeepLookups: 0})
	})
}

// A node that is told to leave upkeep sends nothing, however long it lives.
func TestUpkeepOff(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Upkeep: lightdht.UpkeepConfig{Off: true, Discover: true}, Bootstrap: []string{addrB}})
		b := l.peer(addrB, answering)
		a.Bootstrap(l.ctx)
		b.take()
		time.Sleep(24 * time.Hour)
		if got := b.take(); len(got) != 0 {
			t.Errorf("%d packets", len(got))
		}
	})
}

// lookupsSeen returns the targets that a peer was asked for, and when, each once.
func lookupsSeen(p *peer, began time.Time) (targets []kad.ID, at []time.Duration) {
	for _, q := range p.took(krpc.KindQuery) {
		if q.Method == krpc.MethodFindNode && !slices.Contains(targets, q.Target) || q.Target == idOf("self") {
			targets, at = append(targets, q.Target), append(at, q.at.Sub(began))
		}
	}
	return targets, at
}

// With Discover, every (Discoveries+1)-th lookup on schedule is of our own ID,
// and the others lie evenly over the space.
func TestUpkeepDiscovers(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{ID: idOf("self"), Bootstrap: []string{addrB},
			Upkeep: lightdht.UpkeepConfig{Discover: true, SelfLookup: 50 * time.Minute, Discoveries: 4}})
		b := l.peer(addrB, answering)
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		b.take()
		began := now().Add(-9 * time.Minute)
		time.Sleep(100*time.Minute + 30*time.Second)
		targets, at := lookupsSeen(b, began)
		var scheduled []kad.ID
		for i, when := range at {
			if when%(10*time.Minute) < 30*time.Second {
				scheduled = append(scheduled, targets[i])
			}
		}
		if len(scheduled) != 10 {
			t.Fatalf("%d lookups on schedule, at %v", len(scheduled), at)
		}
		var firsts []int
		for i, target := range scheduled {
			if own := target == idOf("self"); own != (i%5 == 4) {
				t.Errorf("lookup %d is of our own ID: %v", i, own)
			} else if !own {
				firsts = append(firsts, int(target[0]>>5))
			}
		}
		if slices.Sort(firsts); len(slices.Compact(firsts)) != 8 {
			t.Errorf("the discoveries lie in %v of 8 parts", firsts)
		}
	})
}

// town starts a network with upkeep, on the lab's packets, and has all join.
func (l *lab) keptTown(nodes int) *testnet.Net {
	l.Helper()
	net, err := testnet.Start(l.ctx, testnet.Config{Nodes: nodes, Seed: 1, Memory: &l.net})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { net.Close() })
	for _, n := range net.Nodes() {
		if err := n.Bootstrap(l.ctx); err != nil {
			l.Fatal(err)
		}
	}
	return net
}

// exactly wants a lookup to find the truth.
func (l *lab) exactly(net *testnet.Net, asker *lightdht.Node, target kad.ID) {
	l.Helper()
	res, err := asker.FindClosest(l.ctx, target)
	if err != nil {
		l.Fatal(err)
	}
	var got []kad.NodeInfo
	for _, a := range res.Closest {
		got = append(got, a.NodeInfo)
	}
	want := slices.DeleteFunc(net.Closest(target, 9), func(i kad.NodeInfo) bool { return i.ID == asker.ID() })[:8]
	if !slices.Equal(got, want) {
		l.Errorf("found %v, want %v", got, want)
	}
}

// A network that is away for two hours, be it that packets are lost or that the
// system cannot send, is noticed; nobody is bad for it, and soon after it came
// back the node is known and finds everybody.
func TestOutageIsNobodysFault(t *testing.T) {
	for name, cut := range map[string]func(l *lab, away bool){
		"packets are lost": func(l *lab, away bool) {
			l.net.Cut(func(from, to netip.AddrPort) bool { return away && (from == at(addrA) || to == at(addrA)) })
		},
		"the system cannot send": func(l *lab, away bool) {
			var err error
			if away {
				err = syscall.ENETUNREACH
			}
			l.net.Unplug(at(addrA).Addr(), err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				net := l.keptTown(50)
				a := l.node(addrA, kept(lightdht.Config{Bootstrap: net.Bootstrap()}))
				if err := a.Bootstrap(l.ctx); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				bad := inState(a, table.StateBad)
				cut(l, true)
				for range 20 { // a caller goes on as if nothing were
					a.FindClosest(l.ctx, idOf("anything"))
					time.Sleep(6 * time.Minute)
				}
				l.counts(a, map[lightdht.Counter]uint64{lightdht.Outages: 1})
				if got := inState(a, table.StateBad); got != bad {
					t.Errorf("%d are bad, before the outage %d were", got, bad)
				}
				sent := a.Count(lightdht.QueriesOut)
				time.Sleep(time.Hour)
				if sent = a.Count(lightdht.QueriesOut) - sent; sent > 60*8 {
					t.Errorf("%d queries in an hour into nothing", sent)
				}
				cut(l, false)
				back := now()
				for a.Count(lightdht.UpkeepLookups) == 0 || len(a.Core(kad.IPv4)) == 0 || inState(a, table.StateGood) < 8 {
					if time.Sleep(time.Second); time.Since(back) > 90*time.Second {
						t.Fatalf("not back after %v", time.Since(back))
					}
				}
				time.Sleep(time.Minute)
				l.exactly(net, a, idOf("something"))
				l.counts(a, map[lightdht.Counter]uint64{lightdht.Outages: 1})
			})
		})
	}
}

// inState counts the contacts in a state.
func inState(n *lightdht.Node, state table.State) (c int) {
	for contact := range n.Contacts() {
		if contact.State(now()) == state {
			c++
		}
	}
	return c
}

// A node whose network is not there yet when it starts becomes a member later.
func TestUpkeepJoinsLater(t *testing.T) {
	inLab(t, func(l *lab) {
		net := l.keptTown(30)
		l.net.Cut(func(from, to netip.AddrPort) bool { return from == at(addrA) || to == at(addrA) })
		a := l.node(addrA, kept(lightdht.Config{Bootstrap: net.Bootstrap()}))
		var boot *lightdht.BootstrapError
		if err := a.Bootstrap(l.ctx); !errors.As(err, &boot) {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		l.net.Cut(nil)
		time.Sleep(2 * time.Minute)
		if got := len(a.Core(kad.IPv4)); got < 8 {
			t.Errorf("it knows %d", got)
		}
		l.exactly(net, a, idOf("something"))
		res, err := net.Nodes()[3].FindClosest(l.ctx, a.ID().Prefix(40).Random())
		if err != nil || res.Closest[0].ID != a.ID() {
			t.Errorf("it is not found: %+v, %v", res, err)
		}
	})
}

// A node that nobody can ask unless it asked them stays a member that finds
// everything.
func TestUpkeepBehindNAT(t *testing.T) {
	inLab(t, func(l *lab) {
		net := l.keptTown(50)
		l.net.NAT(at(addrA), 2*time.Minute)
		a := l.node(addrA, kept(lightdht.Config{Bootstrap: net.Bootstrap(), ReadOnly: true}))
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			time.Sleep(time.Hour)
			l.exactly(net, a, idOf(fmt.Sprint(i)))
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.Outages: 0})
		for _, n := range net.Nodes() {
			if slices.ContainsFunc(n.Core(kad.IPv4), func(i kad.NodeInfo) bool { return i.ID == a.ID() }) {
				t.Errorf("%s keeps a read-only node", n.ID())
			}
		}
	})
}

// A node whose address changes under it is found at the new one.
func TestUpkeepAfterAnAddressChange(t *testing.T) {
	inLab(t, func(l *lab) {
		net := l.keptTown(50)
		time.Sleep(30 * time.Minute)
		moved := net.Nodes()[7]
		old := moved.Addr(kad.IPv4)
		to := netip.AddrPortFrom(old.Addr(), old.Port()+1)
		if err := net.Move(moved, to); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		l.exactly(net, net.Nodes()[30], moved.ID().Prefix(100).Random())
		asker := net.Nodes()[31]
		if c, _ := asker.Table(kad.IPv4).Get(kad.NodeInfo{ID: moved.ID(), Addr: old}); c.State(now()) == table.StateGood {
			t.Errorf("it is still good at its old address: %+v", c)
		}
	})
}

// What upkeep sends stays within a few packets a minute.
func TestUpkeepIsCheap(t *testing.T) {
	inLab(t, func(l *lab) {
		net := l.keptTown(100)
		time.Sleep(time.Hour)
		before := l.net.Stats().Sent
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		perNode := float64(l.net.Stats().Sent-before) / float64(net.Len()) / 360
		t.Logf("%.1f packets a minute for each node", perNode)
		if perNode > 20 || perNode < 1 {
			t.Errorf("%.1f packets a minute for each node", perNode)
		}
	})
}
