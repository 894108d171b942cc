package lightdht_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// Every answer is full of a victim's addresses, with ever new IDs next to the
// target. What a minute of lookups, upkeep and Explore sends there is little.
func TestNodeListsFullOfAVictim(t *testing.T) {
	for name, c := range map[string]struct {
		victim func(i int) netip.AddrPort
		zone   string
	}{
		"one address": {func(i int) netip.AddrPort { return at(fmt.Sprintf("9.9.9.9:%d", 1+i%65535)) }, "9.9.9.9/32"},
		"a /24":       {func(i int) netip.AddrPort { return at(fmt.Sprintf("9.9.9.%d:%d", i%256, 1+i%65521)) }, "9.9.9.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				evil := honest(80) // but for what they say
				made := 0
				w := l.world(ours, func(to netip.AddrPort, q *krpc.Message) *krpc.Message {
					info, is := evil.at[to]
					if !is {
						return nil
					}
					nodes := evil.closest(topicOf(q), 8)
					for range 3 {
						made++
						nodes = append(nodes, kad.NodeInfo{ID: beside(topicOf(q), 40, fmt.Sprint(made)), Addr: c.victim(made)})
					}
					return says(info.ID, nodes...)
				})
				a := l.public(lightdht.Config{
					Bootstrap: []string{evil.nodes[0].Addr.String(), evil.nodes[1].Addr.String()},
					Upkeep:    lightdht.UpkeepConfig{Discover: true, SelfLookup: 10 * time.Second},
				})
				minuteOfLookups(l, a)
				all, victims := w.packets(netip.MustParsePrefix(c.zone))
				t.Logf("%d packets, %d of them to the victim, %d in one second; %d lookups of its own", len(all), len(victims), inAnySecond(victims), a.Count(lightdht.UpkeepLookups))
				if len(victims) > lightdht.VainTries {
					t.Errorf("the victim was sent %d packets, %d in one second", len(victims), inAnySecond(victims))
				}
				if most := inAnySecond(victims); name == "one address" && most > 4 {
					t.Errorf("%d in one second", most)
				}
				if len(all) < 500 || a.Count(lightdht.CandidatesCrowded) == 0 {
					t.Errorf("%d packets in all, %d crowded", len(all), a.Count(lightdht.CandidatesCrowded))
				}
			})
		})
	}
}

// minuteOfLookups has a node explore and look up targets, two at a time, for a
// minute.
func minuteOfLookups(l *lab, a *lightdht.Node) {
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { a.Explore(ctx) })
	for range 2 {
		all.Go(func() {
			for ctx.Err() == nil {
				a.FindPeers(ctx, kad.RandomID())
				time.Sleep(time.Second)
			}
		})
	}
	all.Wait()
}

// Explore greets few strangers of one neighbourhood, however many it has heard of,
// and goes on to others.
func TestGreetingsSpareAVictim(t *testing.T) {
	inLab(t, func(l *lab) {
		w := l.world(ours, nil)
		a := l.public(lightdht.Config{})
		for i := range 300 {
			a.Add(kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: at(fmt.Sprintf("9.9.9.%d:%d", i%256, i+1))})
		}
		for i := range 100 {
			a.Add(kad.NodeInfo{ID: idOf(fmt.Sprint("other", i)), Addr: place(20, i)})
		}
		for greet := a.Greeting(); a.Count(lightdht.QueriesOut) < 100 && time.Since(w.began) < 10*time.Minute; time.Sleep(6 * time.Second) {
			greet(l.ctx)
		}
		all, victims := w.packets(netip.MustParsePrefix("9.9.9.0/24"))
		if len(victims) > 2*lightdht.VainTries || len(all) < 100 {
			t.Errorf("%d packets, %d of them to the victim", len(all), len(victims))
		}
	})
}
