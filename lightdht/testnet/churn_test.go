package testnet_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// in reports whether a node is in the truth: all of it says the same.
func in(t *testing.T, n *testnet.Net, node *lightdht.Node) bool {
	t.Helper()
	info := kad.NodeInfo{ID: node.ID(), Addr: node.Addr(kad.IPv4)}
	closest, all, nodes := n.Closest(node.ID(), 1), n.Infos(), n.Nodes()
	is := slices.Contains(closest, info)
	if is != slices.Contains(all, info) || is != slices.Contains(nodes, node) || len(all) != n.Len() || len(nodes) != n.Len() {
		t.Errorf("%s: nearest %v, all %v, nodes %v of %d", info, is, slices.Contains(all, info), slices.Contains(nodes, node), n.Len())
	}
	return is
}

// Who joins is the next node of the seed, is in the truth, and finds its way: it
// and the others look up the true closest.
func TestJoin(t *testing.T) {
	var large []kad.NodeInfo
	inMemory(t, testnet.Config{Nodes: 64, Seed: 9}, func(_ *testing.T, n *testnet.Net) { large = n.Infos() })
	inMemory(t, testnet.Config{Nodes: 60, Seed: 9}, func(t *testing.T, n *testnet.Net) {
		for range 4 {
			node, err := n.Join(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !in(t, n, node) {
				t.Error("who joined is not in the truth")
			}
			for _, asker := range []*lightdht.Node{node, n.Nodes()[5]} {
				res, err := asker.FindClosest(t.Context(), node.ID())
				if err != nil {
					t.Fatal(err)
				}
				want := slices.DeleteFunc(n.Closest(node.ID(), 9), func(i kad.NodeInfo) bool { return i.ID == asker.ID() })[:8]
				for i, a := range res.Closest {
					if a.NodeInfo != want[i] {
						t.Errorf("%s found %s, want %s", asker.ID(), a.NodeInfo, want[i])
					}
				}
			}
		}
		if got := n.Infos(); !slices.Equal(got, large) {
			t.Errorf("60 nodes and 4 that joined are not the 64 of the same seed")
		}
	})
}

// A node joins through the places that Bootstrap named, and nobody else told it
// of any other.
func TestJoinIsThatOfAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		var joining *lightdht.Config
		n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 30, Seed: 4, Memory: &m, Node: func(i int, cfg *lightdht.Config) {
			if i >= 30 {
				joining = cfg
			} else if len(cfg.Bootstrap) != 0 {
				t.Errorf("node %d begins with %v", i, cfg.Bootstrap)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		want := n.Bootstrap()
		var mu sync.Mutex
		first := map[netip.AddrPort]netip.AddrPort{} // whom a sender wrote to first
		m.Tap(func(from, to netip.AddrPort, _ []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			if _, ok := first[from]; !ok {
				first[from] = to
			}
			return true
		})
		node, err := n.Join(t.Context())
		if err != nil || !slices.Equal(joining.Bootstrap, want) {
			t.Fatalf("it began with %v, want %v: %v", joining.Bootstrap, want, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if to := first[node.Addr(kad.IPv4)]; !slices.Contains(want, to.String()) {
			t.Errorf("it asked %s first", to)
		}
	})
}

// Node is told the number of each node, and its address, and may change anything.
func TestNodeChangesTheConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		addrs := map[int]string{}
		n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 5, Seed: 1, Memory: new(testnet.Memory), Node: func(i int, cfg *lightdht.Config) {
			addrs[i] = cfg.Conn4.LocalAddr().String()
			cfg.ID = kad.ID{byte(10 - i)}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		if _, err := n.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		for k, node := range n.Nodes() {
			if i := 5 - k; node.ID() != (kad.ID{byte(10 - i)}) || node.Addr(kad.IPv4).String() != addrs[i] {
				t.Errorf("node %d is %s at %s, was at %s", i, node.ID(), node.Addr(kad.IPv4), addrs[i])
			}
		}
	})
}

// Who leaves is closed and in no truth; the peers it announced stay.
func TestLeave(t *testing.T) {
	inMemory(t, testnet.Config{Nodes: 30, Seed: 2, Infohashes: hashes}, func(t *testing.T, n *testnet.Net) {
		node, asker, peers := n.Nodes()[11], n.Nodes()[3], n.Peers(hashes[0])
		if err := n.Leave(node); err != nil {
			t.Error(err)
		}
		if in(t, n, node) || n.Len() != 29 || !slices.Equal(n.Peers(hashes[0]), peers) {
			t.Errorf("it is in the truth of %d nodes, or the peers changed", n.Len())
		}
		if _, err := asker.Ping(t.Context(), node.Addr(kad.IPv4)); !errors.Is(err, lightdht.ErrTimeout) {
			t.Errorf("it answers: %v", err)
		}
		if _, err := node.Ping(t.Context(), asker.Addr(kad.IPv4)); !errors.Is(err, lightdht.ErrClosed) {
			t.Errorf("it is not closed: %v", err)
		}
		if n.Leave(node) == nil || n.Len() != 29 {
			t.Error("it left twice")
		}
	})
}

// Bootstrap names nodes that are there, whoever has left; and in a network that
// all have left the next to join is the first.
func TestBootstrapNamesWhoIsThere(t *testing.T) {
	inMemory(t, testnet.Config{Nodes: 12, Seed: 3}, func(t *testing.T, n *testnet.Net) {
		for n.Len() > 0 {
			if err := n.Leave(n.Nodes()[0]); err != nil {
				t.Fatal(err)
			}
			places := n.Bootstrap()
			if len(places) != min(4, n.Len()) {
				t.Errorf("%d nodes: %v", n.Len(), places)
			}
			for _, place := range places {
				if !slices.ContainsFunc(n.Infos(), func(i kad.NodeInfo) bool { return i.Addr.String() == place }) {
					t.Errorf("%s has left", place)
				}
			}
		}
		for range 2 {
			if _, err := n.Join(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if got := n.Nodes(); len(got) != 2 || got[0].Len() != 1 || got[1].Len() != 1 {
			t.Errorf("%d nodes, or they do not know each other", len(got))
		}
	})
}

// A node that could not join is not in the truth and has given its address back.
func TestJoinFails(t *testing.T) {
	for name, end := range map[string]struct {
		after time.Duration
		by    func(n *testnet.Net, cancel func())
		want  error
	}{
		"nobody answers": {time.Hour, nil, nil},
		"cancelled":      {time.Second, func(_ *testnet.Net, cancel func()) { cancel() }, context.Canceled},
		"network closed": {time.Second, func(n *testnet.Net, _ func()) { n.Close() }, lightdht.ErrClosed},
		"closed before":  {0, func(n *testnet.Net, _ func()) { n.Close() }, lightdht.ErrClosed},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := new(testnet.Memory)
			var at netip.AddrPort
			n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 10, Seed: 8, Memory: m, Node: func(_ int, cfg *lightdht.Config) {
				at = netip.MustParseAddrPort(cfg.Conn4.LocalAddr().String())
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			m.Cut(func(netip.AddrPort, netip.AddrPort) bool { return true })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if end.by != nil {
				time.AfterFunc(end.after, func() { end.by(n, cancel) })
				if end.after == 0 {
					synctest.Wait()
				}
			}
			began := time.Now()
			node, err := n.Join(ctx)
			var lost *lightdht.BootstrapError
			if node != nil || n.Len() != 10 || end.want != nil && !errors.Is(err, end.want) || end.want == nil && !errors.As(err, &lost) {
				t.Errorf("%s: %d nodes, %v", name, n.Len(), err)
			}
			if end.by != nil && time.Since(began) != end.after {
				t.Errorf("%s: it took %v", name, time.Since(began))
			}
			conn, err := m.Listen(at)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else {
				conn.Close()
			}
		})
	}
}

// Move takes the truth along, and a node is found where it is.
func TestNetMove(t *testing.T) {
	to := netip.MustParseAddrPort("127.9.9.9:9")
	inMemory(t, testnet.Config{Nodes: 10, Seed: 8}, func(t *testing.T, n *testnet.Net) {
		node, asker := n.Nodes()[4], n.Nodes()[0]
		if err := n.Move(node, n.Infos()[0].Addr); !errors.Is(err, testnet.ErrAddrInUse) {
			t.Error(err)
		}
		for _, next := range []netip.AddrPort{to, netip.AddrPortFrom(to.Addr(), 10)} {
			if err := n.Move(node, next); err != nil {
				t.Fatal(err)
			}
			if got := n.Closest(node.ID(), 1)[0]; got != (kad.NodeInfo{ID: node.ID(), Addr: next}) {
				t.Errorf("the truth is %s", got)
			}
			if reply, err := asker.Ping(t.Context(), next); err != nil || reply.ID != node.ID() {
				t.Errorf("%s: %v", reply.ID, err)
			}
		}
		n.Leave(node)
		if n.Move(node, to) == nil {
			t.Error("who has left moved")
		}
	})
	n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if n.Move(n.Nodes()[0], to) == nil {
		t.Error("a real socket moved")
	}
}

// Nodes come and go while others look at the truth, over paths that are not
// good: in the end all adds up, and every node is closed with the network.
func TestChurn(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		m := new(testnet.Memory)
		m.Seed(seed)
		m.Paths(always(testnet.Path{Delay: 20 * ms, Jitter: 30 * ms, Loss: 0.02, Duplicate: 0.02, Corrupt: 0.02, Reorder: 0.02}))
		n, err := testnet.Start(t.Context(), testnet.Config{Nodes: 40, Seed: seed, Memory: m})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				for range 15 {
					time.Sleep(time.Duration(r.IntN(1000)) * ms)
					node, err := n.Join(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					if !in(t, n, node) || len(n.Bootstrap()) != 4 {
						t.Error("who joined is not in the truth, or nobody is")
					}
					nodes := n.Nodes()
					n.Leave(nodes[r.IntN(len(nodes))]) // unless another was faster
				}
			})
		}
		wg.Wait()
		if n.Len() < 40 || n.Len() > 50 {
			t.Errorf("%d nodes", n.Len())
		}
		n.Close()
		lawful(t, m)
	})
}

// Nodes that keep their places know each other as well after a day as at first.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var memory testnet.Memory
		net, err := testnet.Start(t.Context(), testnet.Config{Nodes: 60, Seed: 1, Memory: &memory})
		if err != nil {
			t.Fatal(err)
		}
		defer net.Close()
		if err := net.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		for i := range 20 {
			asker := net.Nodes()[i]
			target := kad.RandomID()
			res, err := asker.FindClosest(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(net.Closest(target, 9), func(info kad.NodeInfo) bool { return info.ID == asker.ID() })[:8]
			for j, a := range res.Closest {
				if a.NodeInfo != want[j] {
					t.Errorf("%s: the %d-th is %v, want %v", target, j, a.NodeInfo, want[j])
				}
			}
			if res.TimedOut > 0 || len(res.Closest) != 8 {
				t.Errorf("%+v", res)
			}
		}
	})
}
