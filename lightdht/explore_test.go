package lightdht_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/testnet"
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
