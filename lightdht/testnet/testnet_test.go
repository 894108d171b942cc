package testnet_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
)

var hashes = []kad.ID{{0x63, 1}, {0x12, 2}}

// inMemory starts a network in a memory of its own and in a time of its own.
func inMemory(t *testing.T, cfg testnet.Config, f func(t *testing.T, n *testnet.Net)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Memory == nil {
			cfg.Memory = new(testnet.Memory)
		}
		n, err := testnet.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		f(t, n)
	})
}

// told is all that a network says about itself, and whom its nodes know.
func told(n *testnet.Net) string {
	var b strings.Builder
	fmt.Fprintln(&b, n.Infos(), n.Bootstrap())
	for _, node := range n.Nodes() {
		var known []string
		for c := range node.Contacts() {
			known = append(known, c.Info().String())
		}
		slices.Sort(known)
		fmt.Fprintln(&b, known)
	}
	return b.String()
}

// A seed makes one network and its peers, another seed another. (Whom the nodes
// know besides, after the announcements, follows from nothing.)
func TestNetworkFollowsFromItsSeed(t *testing.T) {
	networks, peers := map[string]bool{}, map[string]bool{}
	for _, seed := range []uint64{1, 1, 2, 1} {
		inMemory(t, testnet.Config{Nodes: 40, Seed: seed}, func(_ *testing.T, n *testnet.Net) { networks[told(n)] = true })
		inMemory(t, testnet.Config{Nodes: 40, Seed: seed, Infohashes: hashes}, func(_ *testing.T, n *testnet.Net) {
			peers[fmt.Sprint(n.Peers(hashes[0]), n.Peers(hashes[1]))] = true
		})
	}
	if len(networks) != 2 || len(peers) != 2 {
		t.Errorf("%d networks and %d sets of peers of two seeds", len(networks), len(peers))
	}
}

// The first nodes of a network are the same whatever its size.
func TestLargerNetworkHoldsTheSmaller(t *testing.T) {
	var small, large []kad.NodeInfo
	inMemory(t, testnet.Config{Nodes: 20, Seed: 9}, func(_ *testing.T, n *testnet.Net) { small = n.Infos() })
	inMemory(t, testnet.Config{Nodes: 50, Seed: 9}, func(_ *testing.T, n *testnet.Net) { large = n.Infos() })
	for _, info := range small {
		if !slices.Contains(large, info) {
			t.Errorf("%s is not in the larger network", info)
		}
	}
}

func TestClosestAgainstSorting(t *testing.T) {
	inMemory(t, testnet.Config{Nodes: 100, Seed: 1}, func(t *testing.T, n *testnet.Net) {
		r := rand.New(rand.NewPCG(1, 1))
		all := n.Infos()
		if !slices.IsSortedFunc(all, func(a, b kad.NodeInfo) int { return a.ID.Compare(b.ID) }) {
			t.Error("the nodes are not in order of their IDs")
		}
		for i := range 300 {
			target := kad.RandomID()
			if i%3 == 0 {
				target = all[r.IntN(len(all))].ID
			}
			slices.SortFunc(all, func(a, b kad.NodeInfo) int { return target.Distance(a.ID).Compare(target.Distance(b.ID)) })
			k := r.IntN(120)
			if got, want := n.Closest(target, k), all[:min(k, len(all))]; !slices.Equal(got, want) {
				t.Errorf("target %s, the %d closest:\n got %v\nwant %v", target, k, got, want)
			}
		}
	})
}

// What Peers says was announced by nodes of the network, and a lookup finds it.
func TestPeersAreAnnounced(t *testing.T) {
	for peers, want := range map[int]int{0: 12, 5: 5, 1000: 40} {
		inMemory(t, testnet.Config{Nodes: 40, Seed: 1, Infohashes: hashes, Peers: peers}, func(t *testing.T, n *testnet.Net) {
			for _, infohash := range hashes {
				if got := n.Peers(infohash); len(got) != want {
					t.Errorf("Peers %d: %d announced, want %d", peers, len(got), want)
				}
				for _, p := range n.Peers(infohash) {
					if !slices.ContainsFunc(n.Infos(), func(i kad.NodeInfo) bool { return i.Addr.Addr() == p.Addr() }) || p.Port() < 1024 {
						t.Errorf("%s is the peer of no node", p)
					}
				}
				res, err := n.Nodes()[7].FindPeers(t.Context(), infohash)
				if err != nil {
					t.Fatal(err)
				}
				found, truth := res.Peers, n.Peers(infohash)
				slices.SortFunc(found, netip.AddrPort.Compare)
				slices.SortFunc(truth, netip.AddrPort.Compare)
				if !slices.Equal(found, truth) {
					t.Errorf("Peers %d: found %d, want %d", peers, len(found), len(truth))
				}
			}
			if got := n.Peers(kad.ID{9}); len(got) != 0 {
				t.Errorf("peers of nothing: %v", got)
			}
		})
	}
}

// Every node knows those that are the 16 nearest with it, and 8 of every zone next to its own that has
// as many: those of a long-lived network do.
func TestNodesKnowEachOther(t *testing.T) {
	inMemory(t, testnet.Config{Nodes: 120, Seed: 6}, func(t *testing.T, n *testnet.Net) {
		for _, node := range n.Nodes() {
			known := node.Table(kad.IPv4)
			for _, near := range n.Closest(node.ID(), 16)[1:] {
				if c, ok := known.Get(near); !ok || c.State(time.Now()) != table.StateGood {
					t.Errorf("%s does not know its neighbour %s", node.ID(), near.ID)
				}
			}
			for bit := range 10 {
				zone := node.ID().Prefix(bit).Child(1 - node.ID().Bit(bit))
				size := 0
				for _, info := range n.Infos() {
					if zone.Contains(info.ID) {
						size++
					}
				}
				if got := known.Count(zone); got < min(8, size) {
					t.Errorf("%s knows %d of %d in %s", node.ID(), got, size, zone)
				}
			}
			if known.Len() > 80 {
				t.Errorf("%s knows %d of 120", node.ID(), known.Len())
			}
		}
	})
}

func TestBootstrapNamesAFew(t *testing.T) {
	for size, want := range map[int]int{1: 1, 2: 2, 4: 4, 100: 4} {
		inMemory(t, testnet.Config{Nodes: size, Seed: 6, Infohashes: hashes}, func(t *testing.T, n *testnet.Net) {
			if got := n.Bootstrap(); len(got) != want || n.Len() != size || len(n.Nodes()) != size {
				t.Errorf("%d nodes: %v", size, got)
			}
			for _, place := range n.Bootstrap() {
				if !slices.ContainsFunc(n.Infos(), func(i kad.NodeInfo) bool { return i.Addr.String() == place }) {
					t.Errorf("%s is no node", place)
				}
			}
		})
	}
}

func TestStartErrors(t *testing.T) {
	for _, size := range []int{0, -1} {
		if _, err := testnet.Start(t.Context(), testnet.Config{Nodes: size}); err == nil {
			t.Errorf("%d nodes", size)
		}
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := testnet.Start(ctx, testnet.Config{Nodes: 10, Infohashes: hashes, Memory: new(testnet.Memory)}); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
}

// When all that was asked for is taken, a node takes its next address: two
// networks of one seed live side by side.
func TestAddressesInUse(t *testing.T) {
	memory := new(testnet.Memory)
	for _, m := range []*testnet.Memory{memory, nil} {
		var nets []*testnet.Net
		for range 2 {
			n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 10, Seed: 11, Memory: m})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			nets = append(nets, n)
		}
		for i, info := range nets[0].Infos() {
			if other := nets[1].Infos()[i]; other.ID != info.ID || other.Addr == info.Addr {
				t.Errorf("%s and %s", info, other)
			}
		}
	}
}

// 200 nodes on loopback, and a node that comes from outside.
func TestStartOnLoopback(t *testing.T) {
	n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 200, Seed: 12345, Infohashes: hashes})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, info := range n.Infos() {
		if !info.Addr.Addr().IsLoopback() {
			t.Errorf("%s is not on loopback", info)
		}
	}
	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Bootstrap: n.Bootstrap(), Lookup: lightdht.LookupConfig{Width: 24}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	found := func() (peers, closest bool) {
		res, err := node.FindPeers(t.Context(), hashes[0])
		if err != nil {
			t.Fatal(err)
		}
		var infos []kad.NodeInfo
		for _, c := range res.Closest {
			infos = append(infos, c.NodeInfo)
		}
		missing := slices.DeleteFunc(n.Peers(hashes[0]), func(p netip.AddrPort) bool { return slices.Contains(res.Peers, p) })
		return len(missing) == 0, slices.Equal(infos, n.Closest(hashes[0], 8))
	}
	peers, closest := found()
	for try := 1; try < 4 && !(peers && closest); try++ { // on a busy machine somebody may have been too slow
		peers, closest = found()
	}
	if !peers || !closest {
		t.Errorf("all peers found: %v; the true closest found: %v", peers, closest)
	}
	if err := errors.Join(n.Close(), n.Close()); err != nil {
		t.Error(err)
	}
}
