package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// measure makes the runs, one after the other, each with its part of the targets.
func (p plan) measure(ctx context.Context, memory *testnet.Memory, entrances []string, targets []kad.ID) error {
	store, err := dataset.Create(p.store, p.network())
	if err != nil {
		return err
	}
	for i := range p.runs {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 19, 255, byte(255 - i)}), 6881) // where no host is
		conn, err := memory.Listen(at)
		if err != nil {
			return err
		}
		cfg := lightdht.Config{
			ID: randomID(rand.New(rand.NewPCG(p.seed, uint64(2+i)))), Network: lightdht.Private,
			Conn4: conn, Bootstrap: entrances, Timeout: 2 * time.Second,
		}
		if err := p.keep(ctx, store, cfg, targets[i*p.lookups:][:p.lookups]); err != nil {
			return err
		}
	}
	return nil
}

// network names the network in the store and in manifests.
func (p plan) network() string { return fmt.Sprintf("sample-%d-%d", p.seed, p.alive) }

// keep makes one run: it keeps all that a node sees that looks up the targets, then
// looks around.
func (p plan) keep(ctx context.Context, store *dataset.Store, cfg lightdht.Config, targets []kad.ID) (err error) {
	var node *lightdht.Node
	run, err := store.Begin(p.story(), dataset.Settings{Describe: func(m *dataset.Manifest) { describe(m, node) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	cfg.Recorder = run
	if node, err = lightdht.Listen("", cfg); err != nil {
		return err
	}
	defer node.Close()
	if _, err := survey.Targets(ctx, node, targets, survey.Config{Width: p.width, Again: p.again}); err != nil {
		return err
	}
	look, enough := context.WithTimeout(ctx, p.around)
	defer enough()
	return node.Explore(look)
}

// story is what the manifest of a run says of its making.
func (p plan) story() dataset.Manifest {
	return dataset.Manifest{
		Tool: dataset.ThisTool("sample", ""), Command: "sample", Seed: &p.seed,
		Parameters: map[string]string{
			"nodes": fmt.Sprint(p.alive), "left": fmt.Sprint(p.left), "runs": fmt.Sprint(p.runs),
			"lookups": fmt.Sprint(p.lookups),
			"width":   fmt.Sprint(p.width), "again": fmt.Sprint(p.again), "around": p.around.String(),
		},
	}
}

// describe adds to a manifest how the node is, once there is one.
func describe(m *dataset.Manifest, node *lightdht.Node) {
	if node == nil {
		return
	}
	m.Vantages = []dataset.Vantage{{ID: node.ID(), Local: []string{node.Addr(kad.IPv4).String()}}}
	for c, n := range node.Counters() {
		if c.Drops() {
			m.Drops[c.String()] = n
		} else {
			m.Counters[c.String()] = n
		}
	}
}
