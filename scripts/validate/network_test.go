package main

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// measured measures some networks of a world, in which seeds make the numbers.
func measured(t *testing.T, w world, networks int) []sized {
	t.Helper()
	t.Logf("%s, %d networks", w, networks)
	return overSeeds("test of a network", networks, w.measure)
}

func mean(found []sized, of func(sized) float64) float64 {
	m, _ := moments(column(found, of))
	return m
}

// Narrow lookups among dead contacts make a size low, wide ones do not; without
// dead contacts nothing is missed. That holds for what is measured and for what
// the estimated recall says of it.
func TestDeadContactsMakeItLow(t *testing.T) {
	for _, c := range []struct {
		dead           float64
		width          int
		least, most    float64 // of the estimate, over that from the true closest
		fewest, utmost float64 // of the recall
	}{
		{0, 8, 1, 1, 1, 1},
		{0.5, 8, 0.65, 0.92, 0.8, 0.95},
		{0.5, 32, 0.985, 1, 0.99, 1},
	} {
		w := world{nodes: 5000, dead: c.dead, width: c.width, lookups: 24}
		found := measured(t, w, 2)
		missed := mean(found, func(s sized) float64 { return s.ratio / s.ideal })
		recall := mean(found, func(s sized) float64 { return s.recall })
		told := mean(found, func(s sized) float64 { return s.told })
		if missed < c.least || missed > c.most || recall < c.fewest || recall > c.utmost {
			t.Errorf("%s: %.3f of what it should be, recall %.3f; want %g to %g and %g to %g", w, missed, recall, c.least, c.most, c.fewest, c.utmost)
		}
		if math.Abs(told-recall) > 0.05 {
			t.Errorf("%s: recall %.3f is estimated to be %.3f", w, recall, told)
		}
	}
}

// What a loss hides is missing at any width, and the estimated recall tells it.
func TestLossMakesItLow(t *testing.T) {
	const lost = 0.2
	found := measured(t, world{nodes: 5000, lost: lost, width: 32, lookups: 24}, 2)
	for i, s := range found {
		if math.Abs(s.recall-(1-lost)) > 0.1 || math.Abs(s.told-s.recall) > 0.1 || math.Abs(s.ratio/s.ideal-s.recall) > 0.1 {
			t.Errorf("network %d: recall %.3f, estimated %.3f, size low by a factor %.3f; want %g for all", i, s.recall, s.told, s.ratio/s.ideal, 1-lost)
		}
	}
}

// The same seed gives the same numbers, to the last bit.
func TestNetworksRepeat(t *testing.T) {
	w := world{nodes: 2000, dead: 0.3, lost: 0.05, width: 16, lookups: 12}
	if a, b := measured(t, w, 2), measured(t, w, 2); a[0] != b[0] || a[1] != b[1] || a[0] == a[1] {
		t.Errorf("%+v, then %+v", a, b)
	}
}

// What a world is held to is told apart from what is shown only, and what misses
// do to a size from what chance does.
func TestFiguresOfWorlds(t *testing.T) {
	var found []sized
	for _, chance := range []float64{0.9, 1.2} { // of which each size is 2 % less, for as many nodes missed
		found = append(found, sized{estimate{0.98 * chance, chance > 1}, chance, 0.98, 0.98})
	}
	for _, c := range []struct {
		w      world
		values map[string]float64
		missed []string // of values: not within their reach
	}{
		{world{width: survey.DefaultWidth, lookups: 256}, map[string]float64{
			"bias": 0.98*1.05 - 1, "of it by missed nodes": -0.02, "SD": 0.98 * 0.3 / math.Sqrt2, "95 % intervals hold": 0.5, "recall": 0.98, "estimated off by": 0,
		}, []string{"bias", "of it by missed nodes"}},
		{world{width: survey.DefaultWidth, lookups: 256, lost: 0.02}, map[string]float64{
			"bias": 0.98*1.05 - 1, "of it by missed nodes": -0.02, "which over recall is": 0, "recall": 0.98, "estimated off by": 0,
		}, nil},
		{world{width: 8, lookups: 256}, map[string]float64{
			"bias": 0.98*1.05 - 1, "of it by missed nodes": -0.02, "95 % intervals hold": 0.5, "recall": 0.98, "estimated off by": 0,
		}, nil},
	} {
		figures := c.w.figures(found)
		if len(figures) != len(c.values) {
			t.Errorf("%s: figures %v", c.w, figures)
		}
		for _, f := range figures {
			if want, ok := c.values[f.name]; !ok || math.Abs(f.value-want) > 1e-12 || f.ok(0) == slices.Contains(c.missed, f.name) {
				t.Errorf("%s: %s, want %g, held to %s", c.w, f, want, f.reach())
			}
		}
	}
}

// A crowd is like a network of real nodes that know each other so, of whom some
// have left: lookups find as much of the truth, at the same cost.
func TestCrowdIsLikeATestnet(t *testing.T) {
	const living, dead, width, lookups = 300, 0.5, 8, 150
	var crowds, nets []looked
	for seed := range uint64(2) {
		c := newCrowd(seed, living, dead)
		inBubble(func() { crowds = append(crowds, look(t, newSeat(c, 0), c.entrances(), c.living, seed, width, lookups)) })
		inBubble(func() {
			var memory testnet.Memory
			net := leftBehind(t, &memory, seed, living, int(living/(1-dead)))
			defer net.Close()
			conn := must(memory.Listen(seatAddr))
			nets = append(nets, look(t, conn, net.Bootstrap(), idsOf(net), seed, width, lookups))
		})
	}
	a, aSE, aAsked := total(crowds)
	b, bSE, bAsked := total(nets)
	t.Logf("recall %.4f at %.1f queries in crowds, %.4f at %.1f in testnets, standard errors %.4f and %.4f", a, aAsked, b, bAsked, aSE, bSE)
	if math.Abs(a-b) > 3.5*math.Hypot(aSE, bSE) || a > 0.98 {
		t.Errorf("crowds and testnets differ in recall")
	}
	if r := aAsked / bAsked; r < 0.93 || r > 1.07 {
		t.Errorf("crowds and testnets differ in queries")
	}
}

// looked is what lookups found, each by itself.
type looked struct{ recall, asked []float64 }

// total returns the mean recall with its standard error, and the queries of a lookup.
func total(all []looked) (recall, se, asked float64) {
	var joined looked
	for _, l := range all {
		joined.recall = append(joined.recall, l.recall...)
		joined.asked = append(joined.asked, l.asked...)
	}
	recall, sd := moments(joined.recall)
	asked, _ = moments(joined.asked)
	return recall, sd / math.Sqrt(float64(len(joined.recall))), asked
}

// look does lookups from a node at conn.
func look(t *testing.T, conn lightdht.PacketConn, bootstrap []string, truth []kad.ID, seed uint64, width, lookups int) (l looked) {
	r := rand.New(rand.NewPCG(seed, 1))
	node := must(lightdht.Listen("", lightdht.Config{
		ID: drawID(r), Conn4: conn, Bootstrap: bootstrap, Network: lightdht.Private, Upkeep: lightdht.UpkeepConfig{Off: true},
	}))
	defer node.Close()
	found, err := survey.Targets(context.Background(), node, survey.Random(r, lookups), survey.Config{Width: width, Again: -1})
	if err != nil {
		t.Error(err)
	}
	for _, res := range found.Results {
		l.recall = append(l.recall, float64(common(survey.Closest(res, kad.IPv4, 8), nearest(truth, res.Target, 8)))/8)
		l.asked = append(l.asked, float64(res.Asked))
	}
	return l
}

// leftBehind starts a network, most of whose nodes then leave: living stay, who
// still name the others.
func leftBehind(t *testing.T, memory *testnet.Memory, seed uint64, living, nodes int) *testnet.Net {
	net, err := testnet.Start(context.Background(), testnet.Config{
		Nodes: nodes, Seed: seed, Memory: memory, Node: func(_ int, cfg *lightdht.Config) { cfg.Upkeep.Off = true },
	})
	if err != nil {
		t.Fatal(err)
	}
	all := net.Nodes()
	for _, i := range rand.New(rand.NewPCG(seed, 2)).Perm(nodes)[living:] {
		if err := net.Leave(all[i]); err != nil {
			t.Error(err)
		}
	}
	return net
}

func idsOf(net *testnet.Net) (ids []kad.ID) {
	for _, info := range net.Infos() {
		ids = append(ids, info.ID)
	}
	return ids
}
