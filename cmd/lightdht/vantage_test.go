package main

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// Eight vantages have an ID and a socket each, and one table: what one of them
// hears, all know.
func TestVantagesShareATable(t *testing.T) {
	net, err := testnet.Start(t.Context(), testnet.Config{Nodes: 20, Seed: *seed})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	ids := kad.Spread(kad.MustParseID(someHash), 8)
	nodes, err := listenAll("127.0.0.1:0", ids, lightdht.Config{Bootstrap: net.Bootstrap()})
	if err != nil {
		t.Fatal(err)
	}
	addrs := map[netip.AddrPort]bool{}
	for i, n := range nodes {
		defer n.Close()
		addrs[n.Addr(kad.IPv4)] = true
		if n.ID() != ids[i] {
			t.Errorf("node %d has the ID %s, want %s", i, n.ID(), ids[i])
		}
	}
	if len(nodes) != 8 || len(addrs) != 8 {
		t.Errorf("%d nodes at %d addresses", len(nodes), len(addrs))
	}
	if err := nodes[3].Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard := nodes[3].Len()
	if heard < 8 || sum(nodes)[lightdht.PacketsIn] == 0 || coreSize(nodes) == 0 {
		t.Errorf("%d contacts, %d packets, %d in cores", heard, sum(nodes)[lightdht.PacketsIn], coreSize(nodes))
	}
	for i, n := range nodes {
		if n.Table(kad.IPv4) != nodes[0].Table(kad.IPv4) || n.Len() < heard {
			t.Errorf("node %d knows %d of %d contacts", i, n.Len(), heard)
		}
	}
}

func TestVantagesAllOrNone(t *testing.T) {
	first, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := listenAll(first.Addr(kad.IPv4).String(), make([]kad.ID, 2), lightdht.Config{}); err == nil {
		t.Error("a port that is taken")
	}
}

func TestConsecutive(t *testing.T) {
	for _, tt := range []struct {
		listen string
		n      int
		want   []string
	}{
		{":0", 2, []string{":0", ":0"}},
		{"127.0.0.1:6881", 3, []string{"127.0.0.1:6881", "127.0.0.1:6882", "127.0.0.1:6883"}},
		{"[::1]:65534", 2, []string{"[::1]:65534", "[::1]:65535"}},
	} {
		if got, err := consecutive(tt.listen, tt.n); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s, %d: got %q, %v", tt.listen, tt.n, got, err)
		}
	}
	usage := usageError{}
	if _, err := consecutive(":65535", 2); !errors.As(err, &usage) {
		t.Errorf("more ports than there are: %v", err)
	}
}
