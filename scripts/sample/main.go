// Command sample makes a network in memory whose truth is known, measures it as
// one measures the public one, and keeps what was seen and what was true. The
// sample data set is made with it: scripts/sample/run.
//
//	go run ./scripts/sample -store DIR -truth DIR
//
// The hosts have several client programs, round trips of milliseconds, lost
// packets; some share an address, one program has many IDs at a few addresses, many
// hosts have left, and a few crowd one zone of the ID space. A node that knows four
// of them looks up random targets, then looks around; in the next run another one
// does. Hosts, addresses, targets and delays follow from the seed; which of the
// hosts are asked, and when, depends on the machine a little.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"log"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// plan is what to make and how to measure it.
type plan struct {
	store, truth         string // folders
	alive, left          int
	runs, lookups, again int
	width                int
	around               time.Duration
	seed                 uint64
}

func main() {
	var p plan
	flag.StringVar(&p.store, "store", "", "`folder` of the store to write to")
	flag.StringVar(&p.truth, "truth", "", "`folder` for what was true")
	flag.IntVar(&p.alive, "nodes", 2000, "hosts that are there")
	flag.IntVar(&p.left, "left", 800, "hosts that were there before")
	flag.IntVar(&p.runs, "runs", 2, "runs, one after the other")
	flag.IntVar(&p.lookups, "lookups", 50, "lookups of random targets in each run")
	flag.IntVar(&p.again, "again", 16, "of these done again, twice as wide")
	flag.IntVar(&p.width, "width", survey.DefaultWidth, "how many of the closest must have answered before one ends")
	flag.DurationVar(&p.around, "around", 30*time.Second, "how long to look around after the lookups")
	flag.Uint64Var(&p.seed, "seed", 1, "what hosts and targets follow from")
	flag.Parse()
	if p.store == "" || p.truth == "" || flag.NArg() > 0 || p.alive < 100 || p.left < 0 || p.runs < 1 || p.lookups < 1 || p.again < 1 {
		log.Fatal("want -store DIR -truth DIR, at least 100 -nodes, and one of -runs, -lookups and -again: see sample -help")
	}
	if err := p.run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// run makes the world, measures it and writes its truth.
func (p plan) run(ctx context.Context) error {
	hosts := population(p.alive, p.left, p.seed)
	var memory testnet.Memory
	world, err := p.settle(ctx, &memory, hosts)
	if err != nil {
		return err
	}
	defer world.Close()
	targets := p.targets()
	if err := p.measure(ctx, &memory, world.Bootstrap(), targets); err != nil {
		return err
	}
	if err := p.writeHosts(hosts); err != nil {
		return err
	}
	return p.writeClosest(world, targets)
}

// settle starts all hosts, who know each other, and then takes those out that
// leave: the others do not know of that.
func (p plan) settle(ctx context.Context, memory *testnet.Memory, hosts []host) (*testnet.Net, error) {
	var problem error
	world, err := testnet.Start(ctx, testnet.Config{
		Nodes: len(hosts), Seed: p.seed, Memory: memory,
		Node: func(i int, cfg *lightdht.Config) { problem = errors.Join(problem, hosts[i].settle(memory, cfg)) },
	})
	if err = errors.Join(err, problem); err != nil {
		return nil, err
	}
	left := map[kad.ID]bool{}
	delays := map[netip.AddrPort]time.Duration{}
	for _, h := range hosts {
		left[h.id], delays[h.addr] = !h.alive, h.delay
	}
	for _, node := range world.Nodes() {
		if left[node.ID()] {
			world.Leave(node)
		}
	}
	memory.Seed(p.seed)
	memory.Paths(func(from, to netip.AddrPort) testnet.Path {
		delay := delays[from] + delays[to]
		return testnet.Path{Delay: delay, Jitter: delay / 4, Loss: 0.005}
	})
	return world, nil
}

// targets are random, and follow from the seed.
func (p plan) targets() []kad.ID {
	return survey.Random(rand.New(rand.NewPCG(p.seed, 1)), p.runs*p.lookups)
}

func randomID(rng *rand.Rand) (id kad.ID) {
	for i := 0; i < kad.Size; i += 4 {
		binary.BigEndian.PutUint32(id[i:], rng.Uint32())
	}
	return id
}
