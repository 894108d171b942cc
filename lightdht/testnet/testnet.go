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
package testnet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
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
}

// Net is a running network.
type Net struct {
	nodes []*lightdht.Node // in order of their IDs
	infos []kad.NodeInfo   // of nodes
	peers map[kad.ID][]netip.AddrPort
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
	t := &Net{peers: map[kad.ID][]netip.AddrPort{}}
	for i := range cfg.Nodes {
		node, err := startNode(cfg, i)
		if err != nil {
			t.Close()
			return nil, startError(err, i, cfg.Nodes)
		}
		t.nodes = append(t.nodes, node)
	}
	slices.SortFunc(t.nodes, func(a, b *lightdht.Node) int { return a.ID().Compare(b.ID()) })
	for _, node := range t.nodes {
		t.infos = append(t.infos, kad.NodeInfo{ID: node.ID(), Addr: node.Addr(kad.IPv4)})
	}
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
func startNode(cfg Config, i int) (node *lightdht.Node, err error) {
	rng := random(cfg.Seed, uint64(i)+1)
	config := lightdht.Config{ID: randomID(rng), Network: lightdht.Private, NewTable: cfg.NewTable}
	for range addressTries {
		addr := loopback(rng)
		err = nil
		if cfg.Memory != nil {
			config.Conn4, err = cfg.Memory.Listen(addr)
		}
		if err == nil {
			node, err = lightdht.Listen(addr.String(), config)
		}
		if err == nil || !inUse(err) {
			return node, err
		}
	}
	return nil, err
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
// system has no other.
func loopback(rng *rand.Rand) netip.AddrPort {
	octet := func() byte { return byte(1 + rng.IntN(254)) }
	ip := [4]byte{127, octet(), octet(), octet()}
	port := uint16(10000 + rng.IntN(20000)) // below the ports that systems hand out
	if runtime.GOOS != "linux" && runtime.GOOS != "windows" {
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

// split returns how many of infos[lo:hi], which share their first bits, have
// the next one clear.
func (t *Net) split(lo, hi, bit int) int {
	n, _ := slices.BinarySearchFunc(t.infos[lo:hi], 1, func(info kad.NodeInfo, one int) int { return info.ID.Bit(bit) - one })
	return n
}

func (t *Net) index(id kad.ID) int {
	i, _ := slices.BinarySearchFunc(t.infos, id, func(info kad.NodeInfo, id kad.ID) int { return info.ID.Compare(id) })
	return i
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

// Len returns the number of nodes.
func (t *Net) Len() int { return len(t.nodes) }

// Nodes returns the nodes in order of their IDs.
func (t *Net) Nodes() []*lightdht.Node { return slices.Clone(t.nodes) }

// Infos returns the IDs and addresses of the nodes in order of their IDs.
func (t *Net) Infos() []kad.NodeInfo { return slices.Clone(t.infos) }

// Peers returns the peers announced for infohash.
func (t *Net) Peers(infohash kad.ID) []netip.AddrPort { return slices.Clone(t.peers[infohash]) }

// Bootstrap returns the addresses of a few nodes to begin with.
func (t *Net) Bootstrap() []string {
	var places []string
	few := min(entrances, len(t.infos))
	for i := range few {
		places = append(places, t.infos[i*len(t.infos)/few].Addr.String())
	}
	slices.Sort(places)
	return places
}

// Closest returns the k nodes nearest to target, nearest first: the truth that
// a lookup is measured against.
func (t *Net) Closest(target kad.ID, k int) []kad.NodeInfo {
	lo, hi := 0, len(t.infos)
	for bit := 0; bit < kad.Bits; bit++ { // to the smallest zone around target that holds k
		mid := lo + t.split(lo, hi, bit)
		if target.Bit(bit) == 0 && mid-lo >= k {
			hi = mid
		} else if target.Bit(bit) == 1 && hi-mid >= k {
			lo = mid
		} else {
			break
		}
	}
	zone := slices.Clone(t.infos[lo:hi])
	slices.SortFunc(zone, func(a, b kad.NodeInfo) int { return target.CompareDistance(a.ID, b.ID) })
	return zone[:min(max(k, 0), len(zone))]
}

// Close ends all nodes.
func (t *Net) Close() error {
	errs := make([]error, len(t.nodes))
	var wg sync.WaitGroup
	for i, node := range t.nodes {
		wg.Go(func() { errs[i] = node.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
