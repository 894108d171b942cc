package lightdht_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
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
