package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
)

// Exploring finds everybody, hears from everybody, and calms down.
func TestExploreFindsEverybody(t *testing.T) {
	inLab(t, func(l *lab) {
		net, a := l.town(testnet.Config{Nodes: 80, Seed: 2}, lightdht.Config{})
		ctx, cancel := context.WithTimeout(l.ctx, 3*time.Minute)
		defer cancel()
		began := time.Now()
		if err := a.Explore(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Minute {
			t.Errorf("it took %v", took)
		}
		for _, info := range net.Infos() {
			if c, ok := a.Table(kad.IPv4).Get(info); !ok || c.Replies == 0 {
				t.Errorf("%s: %+v", info, c)
			}
		}
		if sent := a.Count(lightdht.QueriesOut); sent > 10000 {
			t.Errorf("%d queries for 80 nodes", sent)
		}
	})
}

func TestExploreWithoutANetwork(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{Bootstrap: []string{addrB}})
		var b *lightdht.BootstrapError
		if err := a.Explore(l.ctx); !errors.As(err, &b) {
			t.Error(err)
		}
	})
}

func TestExploreEndsWithItsNode(t *testing.T) {
	inLab(t, func(l *lab) {
		_, a := l.town(testnet.Config{Nodes: 10, Seed: 2}, lightdht.Config{})
		time.AfterFunc(time.Minute, func() { a.Close() })
		began := time.Now()
		if err := a.Explore(l.ctx); err != nil || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// Exploring does not wait for contacts that are gone: everybody else has
// answered long before the first ping to one of those times out.
func TestExploreAmongTheDead(t *testing.T) {
	inLab(t, func(l *lab) {
		net, a := l.town(testnet.Config{Nodes: 60}, lightdht.Config{Timeout: time.Minute})
		for i := range 20 {
			if err := a.Add(kad.NodeInfo{ID: idOf(fmt.Sprint("dead ", i)), Addr: at(fmt.Sprintf("127.0.0.9:%d", 1+i))}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(l.ctx, 30*time.Second)
		defer cancel()
		if err := a.Explore(ctx); err != nil {
			t.Fatal(err)
		}
		for _, n := range net.Nodes() {
			info := kad.NodeInfo{ID: n.ID(), Addr: n.Addr(kad.IPv4)}
			if c, ok := a.Table(kad.IPv4).Get(info); !ok || c.Replies == 0 {
				t.Errorf("%s: known %t, replies %d", info, ok, c.Replies)
			}
		}
	})
}

// A contact that stays silent is pinged again only when the last ping to it has
// timed out.
func TestExplorePingsOneAtATime(t *testing.T) {
	const timeout = 5 * time.Second
	inLab(t, func(l *lab) {
		silent := l.peer("127.0.0.9:1", nil)
		_, a := l.town(testnet.Config{Nodes: 20}, lightdht.Config{Timeout: timeout})
		if err := a.Add(kad.NodeInfo{ID: silent.id, Addr: silent.addr}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
		defer cancel()
		if err := a.Explore(ctx); err != nil {
			t.Fatal(err)
		}
		var last time.Time
		for _, q := range silent.took(krpc.KindQuery) {
			if q.Method != krpc.MethodPing {
				continue
			}
			if !last.IsZero() && q.at.Sub(last) < timeout {
				t.Errorf("pinged again after %s", q.at.Sub(last))
			}
			last = q.at
		}
		if last.IsZero() {
			t.Error("never pinged")
		}
	})
}

// However many are silent, all are pinged in the end until they are bad: 16 in a
// round, 64 at a time.
func TestExploreGreetsAllTheSilent(t *testing.T) {
	inLab(t, func(l *lab) {
		const silent = 200
		a := l.node(addrA, lightdht.Config{})
		for i := range silent {
			if err := a.Add(kad.NodeInfo{ID: idOf(fmt.Sprint("silent ", i)), Addr: at(fmt.Sprintf("10.8.0.9:%d", 1+i))}); err != nil {
				t.Fatal(err)
			}
		}
		pinged := map[netip.AddrPort]int{}
		l.net.Tap(func(_, to netip.AddrPort, _ []byte) bool {
			if to != at(addrA) && (l.hum == nil || to != l.hum.addr) {
				pinged[to]++
			}
			return true
		})
		greet := a.Greeting()
		for round := range 800 {
			before := a.Count(lightdht.QueriesOut)
			greet(l.ctx)
			calls, _ := a.Waiting()
			if sent := a.Count(lightdht.QueriesOut) - before; sent > 16 || calls > 64 || round < 4 && sent != 16 {
				t.Fatalf("round %d: %d pings, %d under way", round, sent, calls)
			}
			l.heard(a)
			time.Sleep(100*time.Millisecond + 1) // never at the moment of a time-out
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		for addr, n := range pinged {
			if n != table.BadAfter {
				t.Errorf("%s was pinged %d times, want %d", addr, n, table.BadAfter)
			}
		}
		if len(pinged) != silent {
			t.Errorf("%d of %d were pinged", len(pinged), silent)
		}
	})
}

// While there is no news the pauses stay short for 8 rounds, or one for every
// 4 contacts, but no more than 256; then they double up to 5 s.
func TestExploreCalmsDown(t *testing.T) {
	for contacts, short := range map[int]int{1: 8, 30: 8, 40: 10, 400: 100, 1200: 256} {
		inLab(t, func(l *lab) {
			a := l.node(addrA, lightdht.Config{})
			b := l.peer(addrB, answering)
			know(a, kad.NodeInfo{ID: b.id, Addr: b.addr}, now())
			for i := range contacts - 1 { // nobody asks these
				a.Table(kad.IPv4).Observe(table.Sighting{
					Node: kad.NodeInfo{ID: idOf(fmt.Sprint(i)), Addr: at(fmt.Sprintf("10.8.%d.%d:1", i/250, i%250+1))},
					Time: now(), Event: table.Replied, Router: true,
				})
			}
			ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
			defer cancel()
			began := time.Now()
			if err := a.Explore(ctx); err != nil {
				t.Fatal(err)
			}
			var want []time.Duration
			at, pause := time.Duration(0), 100*time.Millisecond
			for round := 0; at < time.Minute; round++ {
				want = append(want, at)
				if round > short { // the first round is news
					pause = min(2*pause, 5*time.Second)
				}
				at += pause
			}
			got := times(b, began)[1:] // without that of joining
			if !slices.Equal(got, want) {
				t.Errorf("%d contacts: %d rounds, want %d:\n%v\n%v", contacts, len(got), len(want), got, want)
			}
		})
	}
}
