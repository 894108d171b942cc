package lightdht_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

var simulated = flag.Duration("simulated", 2*time.Hour, "how long TestDaysOfChurn simulates; an hour takes some 3 s of two cores")

// days is a network that lives for days, with nodes that come and go.
type days struct {
	*testing.T
	ctx    context.Context
	memory testnet.Memory
	net    *testnet.Net
	rng    *rand.Rand

	narrow, wide score // of lookups of the usual width, and of twice that
	ever         int   // nodes that ever were
}

// score is how well lookups did.
type score struct{ lookups, exact, found, sought int }

// Nodes with the limits of the public network live on for days: packets take 10
// to 60 ms, and every hour a tenth of the 300 leave without a word and as many
// others join. Whatever is looked up is found: exactly when 16 are to answer, and
// but for one in thousands when 8 are, which cannot always know everybody among
// the nearest. No address is sent more in a second than the limits allow, and no
// more memory is used than what the tables remember.
//
//	go test ./lightdht -run DaysOfChurn -timeout 30m -v -simulated 72h
func TestDaysOfChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &days{T: t, ctx: t.Context(), rng: random(t, 1)}
		d.start(300)
		defer d.net.Close()
		began := time.Now()
		for hour := 1; time.Since(began) < *simulated; hour++ {
			d.hour()
			if every := max(1, int(*simulated/time.Hour/6)); hour%every == 0 {
				d.report(hour)
			}
		}
		d.judge()
	})
}

// start starts nodes that then join as everybody does.
func (d *days) start(nodes int) {
	d.memory.Paths(func(_, _ netip.AddrPort) testnet.Path {
		return testnet.Path{Delay: 10 * time.Millisecond, Jitter: 50 * time.Millisecond}
	})
	var err error
	d.net, err = testnet.Start(d.ctx, testnet.Config{Nodes: nodes, Seed: 1, Memory: &d.memory, Node: func(_ int, cfg *lightdht.Config) {
		cfg.Limits = lightdht.Limits{PerAddr: 4, PerZone: 32, Total: 500, Inbound: 200, Ledger: 1 << 20}
	}})
	if err != nil {
		d.Fatal(err)
	}
	d.ever = nodes
	for _, n := range d.net.Nodes() {
		if err := n.Bootstrap(d.ctx); err != nil {
			d.Fatal(err)
		}
	}
}

// hour lets an hour pass in which a tenth of the nodes change.
func (d *days) hour() {
	changes := d.net.Len() / 10
	for range changes {
		time.Sleep(time.Hour / time.Duration(changes))
		d.net.Leave(d.someone())
		if _, err := d.net.Join(d.ctx); err != nil {
			d.Error(err)
		}
		d.ever++
		d.look(lightdht.LookupConfig{}, &d.narrow)
		d.look(lightdht.LookupConfig{Width: 16}, &d.wide)
	}
}

func (d *days) someone() *lightdht.Node {
	nodes := d.net.Nodes()
	return nodes[d.rng.IntN(len(nodes))]
}

// look has someone look up something, and compares what it finds with the truth.
func (d *days) look(cfg lightdht.LookupConfig, s *score) {
	target, asker := randomID(d.rng), d.someone()
	var got []kad.NodeInfo
	for step, err := range asker.LookupWith(d.ctx, target, cfg) {
		if err != nil {
			d.Error(err)
			return
		}
		if step.Result != nil {
			for _, a := range step.Result.Closest {
				got = append(got, a.NodeInfo)
			}
		}
	}
	want := slices.DeleteFunc(d.net.Closest(target, 9), func(info kad.NodeInfo) bool { return info.ID == asker.ID() })[:8]
	s.lookups++
	s.sought += len(want)
	for _, w := range want {
		if slices.Contains(got, w) {
			s.found++
		}
	}
	if slices.Equal(got, want) {
		s.exact++
	}
}

// report logs how things stand.
func (d *days) report(hour int) {
	contacts, members := 0, 0
	for _, n := range d.net.Nodes() {
		contacts += n.Len()
		members += len(n.Core(kad.IPv4))
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	d.Logf("%2d h: %d nodes, %d ever; each knows %d contacts and keeps %d fresh; heap %d MB; %d packets",
		hour, d.net.Len(), d.ever, contacts/d.net.Len(), members/d.net.Len(), m.HeapAlloc>>20, d.memory.Stats().Sent)
}

// judge holds the whole to what was promised.
func (d *days) judge() {
	for width, s := range map[int]score{8: d.narrow, 16: d.wide} {
		d.Logf("width %d: %d of %d lookups exact, %d of %d of the closest found", width, s.exact, s.lookups, s.found, s.sought)
	}
	if d.wide.exact != d.wide.lookups || d.narrow.found*1000 < d.narrow.sought*999 {
		d.Error("not everything was found")
	}
	peak := 0
	for _, n := range d.net.Nodes() {
		most := n.Ledger().Most()
		if peak = max(peak, most.PeakOut); most.PeakOut > 4 {
			d.Errorf("%s sent %d packets in a second to %s", n.ID(), most.PeakOut, most.Addr)
		}
		for _, c := range []lightdht.Counter{lightdht.QueriesLimited, lightdht.Bans, lightdht.Outages, lightdht.LedgerFull} {
			if n.Count(c) > 0 {
				d.Errorf("%s of %s is %d", c, n.ID(), n.Count(c))
			}
		}
	}
	d.Logf("at most %d packets in a second to one address", peak)
}
