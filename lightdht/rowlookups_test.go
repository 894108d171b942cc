package lightdht_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// lookupRow is what the row of a lookup should be.
func lookupRow(res *lightdht.LookupResult, want record.Lookup) record.Lookup {
	want.Asked, want.Answered, want.Strange, want.TimedOut, want.Failed, want.Silent = res.Asked, res.Answered, res.Strange, res.TimedOut, res.Failed, res.Silent
	want.Hops, want.Found, want.Sent, want.Got, want.Duration = res.Hops, len(res.Peers), res.BytesOut, res.BytesIn, res.Duration
	for _, a := range res.Closest {
		want.Closest = append(want.Closest, record.Closest{Node: a.NodeInfo, RTT: a.RTT, Hop: a.Hop,
			Bits: kad.CommonPrefixLen(res.Target, a.ID), Distance: res.Target.Distance(a.ID).Fraction()})
	}
	return want
}

// oneLookup returns the one that was recorded.
func oneLookup(t *testing.T, b *book) record.Lookup {
	t.Helper()
	got := b.take().lookups
	if len(got) != 1 {
		t.Fatalf("%d lookups, want one", len(got))
	}
	got[0].Time = got[0].Time.Round(0)
	return got[0]
}

// The row of a lookup has what its result has.
func TestLookupRow(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		_, a := l.town(testnet.Config{Nodes: 60, Seed: 1}, lightdht.Config{Recorder: &b})
		a.Bootstrap(l.ctx)
		if got := oneLookup(t, &b); got.Purpose != "self" || got.Target != (record.Target{ID: a.ID()}) {
			t.Errorf("bootstrapping: %+v", got)
		}
		base := record.Lookup{Self: a.ID(), Target: record.Target{ID: infohash}, K: 8, Width: 8}

		want := base
		want.Time = now().Round(0)
		res, _ := a.FindClosest(l.ctx, infohash)
		sameRow(t, "FindClosest", oneLookup(t, &b), lookupRow(res, want))
		if len(res.Closest) != 8 {
			t.Errorf("%d of 8 found", len(res.Closest))
		}

		a.AnnounceTo(l.ctx, must(a.FindPeers(l.ctx, infohash)), 7)
		b.take()
		want = base
		want.Time, want.Peers, want.Target.Infohash = now().Round(0), true, true
		res, _ = a.FindPeers(l.ctx, infohash)
		if sameRow(t, "FindPeers", oneLookup(t, &b), lookupRow(res, want)); len(res.Peers) != 1 {
			t.Errorf("%d peers", len(res.Peers))
		}

		want.Time = now().Round(0)
		s, _ := a.Scrape(l.ctx, infohash)
		sameRow(t, "Scrape", oneLookup(t, &b), lookupRow(s.Lookup, want))

		want = base
		want.Time, want.K, want.Width, want.Purpose = now().Round(0), 4, 9, "random"
		for step, err := range a.LookupWith(l.ctx, infohash, lightdht.LookupConfig{K: 4, Width: 9, Purpose: "random"}) {
			if err != nil {
				t.Error(err)
			}
			res = step.Result
		}
		sameRow(t, "LookupWith", oneLookup(t, &b), lookupRow(res, want))
	})
}

// must returns a result that there has to be.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// How a lookup came to its end is in its row; which content it was about is not
// in the words.
func TestLookupRowErr(t *testing.T) {
	inLab(t, func(l *lab) {
		var b book
		a := l.node(addrA, lightdht.Config{Recorder: &b, Lookup: lightdht.LookupConfig{Purpose: "mine"}})
		is := func(what, err string, asked int) {
			t.Helper()
			got := oneLookup(t, &b)
			if got.Err != err || got.Asked != asked || got.Purpose != "mine" || got.Asked != got.Answered+got.TimedOut+got.Failed+got.Silent {
				t.Errorf("%s: %+v", what, got)
			}
		}
		a.FindClosest(l.ctx, infohash)
		is("nobody is known", "no node to ask", 0)

		b1, c1 := l.peer(addrB, answering), l.peer(addrC, nil)
		know(a, kad.NodeInfo{ID: b1.id, Addr: b1.addr}, now())
		know(a, kad.NodeInfo{ID: c1.id, Addr: c1.addr}, now())
		for step := range a.LookupWith(l.ctx, infohash, lightdht.LookupConfig{Peers: true}) {
			if step.Event == lightdht.Answered {
				break
			}
		}
		is("left early", "abandoned", 2)
		for step := range a.Lookup(l.ctx, infohash) {
			if step.Event == lightdht.Done {
				break
			}
		}
		is("left at the end", "", 2)

		ctx, cancel := context.WithTimeoutCause(l.ctx, 100*time.Millisecond, fmt.Errorf("no more time"))
		a.FindPeers(ctx, infohash)
		cancel()
		is("cut short", "no more time", 2)

		b1.respond = nil
		_, err := a.FindClosest(l.ctx, infohash)
		is("nobody answers", "nobody answered (2 asked)", 2)
		if want := "lookup of " + infohash.String() + ": nobody answered (2 asked)"; err == nil || err.Error() != want {
			t.Errorf("the error is %v", err)
		}
		time.AfterFunc(time.Second, func() { a.Close() })
		a.FindPeers(l.ctx, infohash)
		is("the node ends", "node is closed", 2)
	})
}

// The lookups that a node makes on its own say why.
func TestLookupPurposes(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		live func(l *lab, a *lightdht.Node)
		own  lightdht.UpkeepConfig
		want []string
	}{
		{func(l *lab, a *lightdht.Node) { a.Bootstrap(l.ctx) }, lightdht.UpkeepConfig{Off: true}, []string{"self"}},
		{func(l *lab, a *lightdht.Node) { a.Bootstrap(l.ctx); time.Sleep(day) }, lightdht.UpkeepConfig{SelfLookup: 2 * time.Hour},
			[]string{"refresh", "self", "survey"}},
		{func(l *lab, a *lightdht.Node) { a.Bootstrap(l.ctx); time.Sleep(day) }, lightdht.UpkeepConfig{SelfLookup: 2 * time.Hour, Discover: true, Discoveries: 2},
			[]string{"explore", "refresh", "self", "survey"}},
		{func(l *lab, a *lightdht.Node) {
			ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
			defer cancel()
			a.Explore(ctx)
		}, lightdht.UpkeepConfig{Off: true}, []string{"explore", "self"}},
	} {
		inLab(t, func(l *lab) {
			var b book
			var places []string
			for i := range 8 {
				places = append(places, l.peer(fmt.Sprintf("10.2.2.%d:2", i), answering).addr.String())
			}
			c.live(l, l.node(addrA, lightdht.Config{Recorder: &b, Bootstrap: places, Upkeep: c.own}))
			all := map[string]bool{}
			for _, row := range b.take().lookups {
				all[row.Purpose] = true
			}
			if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, c.want) {
				t.Errorf("%+v: %q, want %q", c.own, got, c.want)
			}
		})
	}
}
