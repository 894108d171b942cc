// Package testnet is a DHT on this machine whose truth is known: real nodes,
// each with a socket of its own on loopback (or on a network in memory), whose
// IDs, addresses and announced peers follow from a seed.
//
//	net, err := testnet.Start(ctx, testnet.Config{Nodes: 200, Seed: 1, Infohashes: []kad.ID{infohash}})
//	defer net.Close()
//
//	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Bootstrap: net.Bootstrap()})
//	res, err := node.FindPeers(ctx, infohash)   // finds what net.Peers(infohash) says
//	want := net.Closest(target, 8)              // what a perfect lookup returns
//
// The nodes know each other as those of a network do that has been running for
// long: of every zone next to its own a node knows up to 8 at random, and its
// nearest neighbours. They speak to each other only on loopback.
//
// [Net.Join] and [Net.Leave] make the network change, [Memory] makes it a bad
// one, and inside testing/synctest days of it pass in seconds:
//
//	synctest.Test(t, func(t *testing.T) {
//		var memory testnet.Memory
//		memory.Paths(func(from, to netip.AddrPort) testnet.Path { return testnet.Path{Delay: 30 * time.Millisecond, Loss: 0.02} })
//		net, err := testnet.Start(t.Context(), testnet.Config{Nodes: 300, Memory: &memory})
//		…
package testnet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Config says which network to make. Only Nodes must be set.
type Config struct {
	Nodes      int      // how many nodes; at least 1
	Seed       uint64   // what everything follows from
	Infohashes []kad.ID // what peers are announced for
	Peers      int      // peers announced for each of them; 0: 12, and never more than Nodes
	Memory     *Memory  // the network to live in; nil: loopback

	NewTable func() table.Table // the nodes' tables; nil: theirs by default
	PeerTTL  time.Duration      // how long they keep announced peers; 0: as long as nodes do by default

	// Node changes the configuration of the i-th node, counted from 0 with those
	// that join later, before it starts. On a Memory, Conn4 is set and tells the
	// address; on loopback Node is called again when an address was taken. nil:
	// nothing is changed.
	Node func(i int, cfg *lightdht.Config)
}

// Net is a running network. Its methods may be called from any goroutine.
type Net struct {
	cfg   Config
	peers map[kad.ID][]netip.AddrPort // not changed after Start

	mu      sync.Mutex              // guards everything below
	started int                     // nodes that ever were
	nodes   []*lightdht.Node        // in order of their IDs
	infos   []kad.NodeInfo          // of nodes
	joining map[*lightdht.Node]bool // not in nodes yet
	closed  bool
}

const (
	defaultPeers = 12
	bucketSize   = 8  // contacts that a node knows of each zone next to its own
	neighbours   = 16 // nearest nodes that it knows all of
	entrances    = 4  // nodes that Bootstrap names
	addressTries = 20 // before a node gives up finding a free address
)

// Start makes the network and announces its peers. Cancelling ctx ends the
// start, not the network.
func Start(ctx context.Context, cfg Config) (*Net, error) {
	if cfg.Nodes < 1 {
		return nil, fmt.Errorf("a test network has at least one node, not %d", cfg.Nodes)
	}
	t := &Net{cfg: cfg, peers: map[kad.ID][]netip.AddrPort{}, joining: map[*lightdht.Node]bool{}}
	for i := range cfg.Nodes {
		node, err := startNode(cfg, i, nil)
		if err != nil {
			t.Close()
			return nil, startError(err, i, cfg.Nodes)
		}
		t.insert(node)
	}
	t.started = cfg.Nodes
	t.acquaint(cfg.Seed)
	if err := t.announceAll(ctx, cfg); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// startError says what to do when the system allows no more sockets.
func startError(err error, started, wanted int) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return fmt.Errorf("test network: this system allows %d of %d sockets: raise the limit of open files (ulimit -n) or start fewer nodes", started, wanted)
	}
	return fmt.Errorf("test network: node %d of %d: %w", started+1, wanted, err)
}

// startNode starts the i-th node, at the first free one of its addresses.
func startNode(cfg Config, i int, bootstrap []string) (node *lightdht.Node, err error) {
	rng := random(cfg.Seed, uint64(i)+1)
	config := lightdht.Config{ID: randomID(rng), Network: lightdht.Private, NewTable: cfg.NewTable, Bootstrap: bootstrap}
	for range addressTries {
		node, err = startAt(cfg, i, loopback(rng, cfg.Memory != nil), config)
		if err == nil || !inUse(err) {
			return node, err
		}
	}
	return nil, err
}

func startAt(cfg Config, i int, addr netip.AddrPort, config lightdht.Config) (*lightdht.Node, error) {
	if cfg.Memory != nil {
		conn, err := cfg.Memory.Listen(addr)
		if err != nil {
			return nil, err
		}
		config.Conn4 = conn
	}
	if cfg.Node != nil {
		cfg.Node(i, &config)
	}
	return lightdht.Listen(addr.String(), config)
}

func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, ErrAddrInUse) }

// random returns the generator for one part of the network.
func random(seed, part uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, part)) }

func randomID(rng *rand.Rand) (id kad.ID) {
	for i := 0; i < kad.Size; i += 4 {
		binary.BigEndian.PutUint32(id[i:], rng.Uint32())
	}
	return id
}

// loopback returns a random address of 127.0.0.0/8, or of 127.0.0.1 where the
// system has no other and it is not one in memory.
func loopback(rng *rand.Rand, memory bool) netip.AddrPort {
	octet := func() byte { return byte(1 + rng.IntN(254)) }
	ip := [4]byte{127, octet(), octet(), octet()}
	port := uint16(10000 + rng.IntN(20000)) // below the ports that systems hand out
	if !memory && runtime.GOOS != "linux" && runtime.GOOS != "windows" {
		ip = [4]byte{127, 0, 0, 1}
	}
	return netip.AddrPortFrom(netip.AddrFrom4(ip), port)
}

// acquaint fills the nodes' tables.
func (t *Net) acquaint(seed uint64) {
	now := time.Now()
	for i, node := range t.nodes {
		rng := random(seed, uint64(i)<<32)
		know := func(j int) {
			if j != i {
				node.Table(kad.IPv4).Observe(table.Sighting{Node: t.infos[j], Time: now, Event: table.Replied})
			}
		}
		lo, hi := 0, len(t.infos)
		for bit := 0; bit < kad.Bits && hi-lo > neighbours; bit++ {
			mid := lo + t.split(lo, hi, bit)
			other, size := lo, mid-lo // the half that node is not in
			if node.ID().Bit(bit) == 0 {
				other, size, hi = mid, hi-mid, mid
			} else {
				lo = mid
			}
			for _, k := range rng.Perm(size)[:min(bucketSize, size)] {
				know(other + k)
			}
		}
		for j := lo; j < hi; j++ {
			know(j)
		}
		for _, near := range t.Closest(node.ID(), neighbours) {
			know(t.index(near.ID))
		}
	}
}

// announceAll has nodes chosen by the seed announce peers for every infohash,
// over the wire, as clients do.
func (t *Net) announceAll(ctx context.Context, cfg Config) error {
	peers := cfg.Peers
	if peers <= 0 {
		peers = defaultPeers
	}
	for _, infohash := range cfg.Infohashes {
		rng := random(cfg.Seed, binary.BigEndian.Uint64(infohash[:]))
		for _, i := range rng.Perm(len(t.nodes))[:min(peers, len(t.nodes))] {
			if err := t.announce(ctx, i, infohash, uint16(1024+rng.IntN(60000))); err != nil {
				return fmt.Errorf("test network: %w", err)
			}
		}
	}
	return nil
}

func (t *Net) announce(ctx context.Context, i int, infohash kad.ID, port uint16) error {
	if len(t.nodes) > 1 {
		if _, err := t.nodes[i].Announce(ctx, infohash, port); err != nil {
			return err
		}
		t.peers[infohash] = append(t.peers[infohash], netip.AddrPortFrom(t.infos[i].Addr.Addr(), port))
	}
	return nil
}
