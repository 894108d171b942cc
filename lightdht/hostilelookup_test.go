package lightdht_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Somebody holds all of one neighbourhood, with the IDs nearest to a target. One
// of them is among the k, and the others are the true closest; to announce
// reaches those. Whether the crowd answers or is silent, it is hardly asked.
func TestCrowdAroundATarget(t *testing.T) {
	v6 := func(i int) netip.AddrPort { return at(fmt.Sprintf("[2a00:%x:1:1::1]:6881", i+1)) }
	for name, c := range map[string]struct {
		us     string
		honest func(i int) netip.AddrPort
		crowd  func(i int) netip.AddrPort
		zone   string
	}{
		"a /24": {
			ours, func(i int) netip.AddrPort { return place(20, i) },
			func(i int) netip.AddrPort { return at(fmt.Sprintf("9.9.9.%d:6881", i)) }, "9.9.9.0/24",
		},
		"one address": {
			ours, func(i int) netip.AddrPort { return place(20, i) },
			func(i int) netip.AddrPort { return at(fmt.Sprintf("9.9.9.9:%d", i+1)) }, "9.9.9.0/24",
		},
		"a /64": {
			"[2a00:1450::1]:6881", v6, func(i int) netip.AddrPort { return at(fmt.Sprintf("[2600:1:2:3::%x]:6881", i+1)) }, "2600:1:2:3::/64",
		},
	} {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/silent=%v", name, silent), func(t *testing.T) {
				inLab(t, func(l *lab) {
					good, bad := &census{}, &census{}
					for i := range 300 {
						good.add(kad.NodeInfo{ID: idOf(c.honest(i).String()), Addr: c.honest(i)})
					}
					for i := range 256 {
						bad.add(kad.NodeInfo{ID: beside(infohash, 100, fmt.Sprint(i)), Addr: c.crowd(i)})
					}
					w := l.world(c.us, func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
						evil, is := bad.at[to]
						switch {
						case is && silent:
							return nil
						case is:
							return says(evil.ID, bad.closest(topicOf(q), 16)...)
						}
						return says(good.at[to].ID, slices.Concat(bad.closest(topicOf(q), 8), good.closest(topicOf(q), 8))...)
					})
					a := l.node(c.us, lightdht.Config{Network: lightdht.Public, Routers: []string{"router.test:1"}})
					know(a, good.nodes[7], now())
					want := good.closest(infohash, 8)
					if !silent {
						want = want[:7]
					}
					done, err := a.Announce(l.ctx, infohash, 1)
					if err != nil {
						t.Fatal(err)
					}
					var reached []kad.NodeInfo
					crowd := netip.MustParsePrefix(c.zone)
					for _, info := range done.Stored {
						if !crowd.Contains(info.Addr.Addr()) {
							reached = append(reached, info)
						}
					}
					slices.SortFunc(reached, func(x, y kad.NodeInfo) int { return infohash.CompareDistance(x.ID, y.ID) })
					if !slices.Equal(reached, want) {
						t.Errorf("announced to %v of the honest, want %v", reached, want)
					}
					if in := len(done.Stored) - len(reached); in > 1 {
						t.Errorf("announced to %d of the crowd", in)
					}
					if _, asked := w.packets(crowd); len(asked) > 4 {
						t.Errorf("the crowd was sent %d packets", len(asked))
					}
					if a.Count(lightdht.CandidatesCrowded) == 0 {
						t.Error("nobody was counted as crowded")
					}
				})
			})
		}
	}
}

// everNearer answers every query about a target with nodes that nobody has heard
// of, each nearer than all before and each in a /24 of its own.
func everNearer() func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
	made, who := 0, map[netip.AddrPort]kad.ID{}
	return func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
		var nodes []kad.NodeInfo
		for range 8 {
			made++
			id := topicOf(q)
			far := 0xffffff - made
			id[5], id[6], id[7] = id[5]^byte(far>>16), id[6]^byte(far>>8), id[7]^byte(far) // nearer than anybody real
			nodes = append(nodes, kad.NodeInfo{ID: id, Addr: place(20, made)})
			who[place(20, made)] = id
		}
		return says(who[to], nodes...)
	}
}

// Replies that name ever nearer nodes end with MaxAsked, even when each comes
// just before its time is over, within the time that LookupConfig tells.
func TestLookupIsNotKeptGoingForEver(t *testing.T) {
	const timeout = 5 * time.Second
	for delay, longest := range map[time.Duration]time.Duration{
		50 * time.Millisecond: time.Minute, timeout - 1: 1000/4*timeout + 2*timeout,
	} {
		inLab(t, func(l *lab) {
			w := l.world(ours, everNearer())
			w.delay = delay
			a := l.public(lightdht.Config{})
			know(a, kad.NodeInfo{ID: idOf("first"), Addr: at("9.9.9.9:1")}, now())
			res, err := a.FindClosest(l.ctx, infohash)
			if err != nil || res.Asked != 1000 {
				t.Errorf("asked %d: %v", res.Asked, err)
			}
			if res.Duration > longest {
				t.Errorf("answers after %v kept it going for %v", delay, res.Duration)
			}
			t.Logf("answers after %v: %v", delay, res.Duration)
			addsUp(t, res)
		})
	}
}

// What a node looks up on its own does not go on like that for longer than two
// minutes, so that it is not kept from upkeep.
func TestUpkeepIsNotKeptGoingForEver(t *testing.T) {
	inLab(t, func(l *lab) {
		w := l.world(ours, everNearer())
		w.delay = 5*time.Second - 1
		var lookups []time.Time
		a := l.public(lightdht.Config{Bootstrap: []string{"9.9.9.9:1"}, Upkeep: lightdht.UpkeepConfig{SelfLookup: time.Minute}})
		if err := a.Bootstrap(l.ctx); err != nil {
			t.Fatal(err)
		}
		for seen := a.Count(lightdht.UpkeepLookups); len(lookups) < 10; time.Sleep(time.Second) {
			if n := a.Count(lightdht.UpkeepLookups); n > seen {
				seen, lookups = n, append(lookups, now())
			}
			if len(lookups) > 0 && time.Since(lookups[len(lookups)-1]) > 3*time.Minute {
				t.Fatalf("%d lookups, and then none for 3 minutes", len(lookups))
			}
		}
	})
}

// Attackers who answer with errors, say that others are us, or name addresses
// where nobody can be do not keep a lookup from the honest.
func TestLookupAmongLiars(t *testing.T) {
	inLab(t, func(l *lab) {
		good, a := honest(100), l.public(lightdht.Config{})
		var lies []kad.NodeInfo
		for i := range 100 {
			lies = append(lies, kad.NodeInfo{ID: beside(infohash, 60, fmt.Sprint(i)), Addr: place(40, i)}) // who will answer with errors
		}
		for i, addr := range []string{ours, "10.0.0.1:1", "127.0.0.1:6881", "192.168.1.1:80", "224.0.0.1:5353", "0.0.0.0:1", "9.9.9.9:0", "240.0.0.1:1"} {
			lies = append(lies, kad.NodeInfo{ID: beside(infohash, 100, fmt.Sprint(i)), Addr: at(addr)})
		}
		lies = append(lies, kad.NodeInfo{ID: a.ID(), Addr: place(50, 1)})
		w := l.world(ours, func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
			if info, is := good.at[to]; is {
				return says(info.ID, slices.Concat(lies, good.closest(topicOf(q), 8))...)
			}
			return &krpc.Message{Kind: krpc.KindError, Code: 201, Text: []byte("no")}
		})
		know(a, good.nodes[0], now())
		res, err := a.FindClosest(l.ctx, infohash)
		if want := good.closest(infohash, 8); err != nil || !slices.Equal(found(res), want) {
			t.Errorf("found %v, %v\nwant %v", found(res), err, want)
		}
		if res.Failed != 100 || res.Asked > 150 {
			t.Errorf("asked %d, of whom %d failed", res.Asked, res.Failed)
		}
		all, _ := w.packets(netip.Prefix{})
		for _, p := range all {
			if kad.IsReserved(p.to.Addr()) || p.to.Port() == 0 || p.to == at(ours) || p.to == place(50, 1) {
				t.Errorf("sent to %s", p.to)
			}
		}
		for c := range a.Contacts() {
			if kad.IsReserved(c.Addr.Addr()) || c.Addr.Port() == 0 || c.Addr == at(ours) || c.ID == a.ID() {
				t.Errorf("a contact: %s at %s", c.ID, c.Addr)
			}
		}
		if n, own := a.Count(lightdht.MentionRefused), a.Count(lightdht.OwnID); n == 0 || own == 0 {
			t.Errorf("%d mentions refused, %d of us", n, own)
		}
		addsUp(t, res)
	})
}

// Where everybody answers with errors a lookup ends, without a result.
func TestLookupAmongErrors(t *testing.T) {
	inLab(t, func(l *lab) {
		l.world(ours, func(netip.AddrPort, *krpc.Message) *krpc.Message {
			return &krpc.Message{Kind: krpc.KindError, Code: 202, Text: []byte("no")}
		})
		a := l.public(lightdht.Config{})
		for _, info := range honest(500).nodes {
			know(a, info, now())
		}
		res, err := a.FindClosest(l.ctx, infohash)
		if err == nil || len(res.Closest) != 0 || res.Asked > 1000 {
			t.Errorf("asked %d: %v", res.Asked, err)
		}
		addsUp(t, res)
	})
}
