package main

import (
	"net"
	"strconv"
	"strings"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// listenAll starts a node for each ID, all with what the first has in common
// with them: tables, limits on sending and ledger. They
// listen at ports that follow each other, or wherever the system likes when the
// first port is 0.
func listenAll(listen string, ids []kad.ID, cfg lightdht.Config) (nodes []*lightdht.Node, err error) {
	addrs, err := consecutive(listen, len(ids))
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		cfg.ID = id
		n, err := lightdht.Listen(addrs[i], cfg)
		if err != nil {
			for _, n := range nodes {
				n.Close()
			}
			return nil, adviseListen(err)
		}
		cfg.Share = n
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// consecutive returns n places to listen at, the first being given.
func consecutive(listen string, n int) ([]string, error) {
	host, port, err := splitPlace(listen, 0)
	if err != nil {
		return nil, usagef("--listen %w", err)
	}
	if port > 0 && int(port)+n-1 > 65535 {
		return nil, usagef("--listen %s: no room for %d ports from there on", listen, n)
	}
	addrs := make([]string, n)
	for i := range addrs {
		at := 0
		if port > 0 {
			at = int(port) + i
		}
		addrs[i] = net.JoinHostPort(host, strconv.Itoa(at))
	}
	return addrs, nil
}

// places says where a node listens.
func places(n *lightdht.Node) string {
	var at []string
	for _, f := range []kad.Family{kad.IPv4, kad.IPv6} {
		if addr := n.Addr(f); addr.IsValid() {
			at = append(at, addr.String())
		}
	}
	return strings.Join(at, " and ")
}

// sum adds up the counters of nodes.
func sum(nodes []*lightdht.Node) (counts [256]uint64) {
	for _, n := range nodes {
		for c, v := range n.Counters() {
			counts[c] += v
		}
	}
	return counts
}

// coreSize returns how many contacts the nodes keep fresh.
func coreSize(nodes []*lightdht.Node) (size int) {
	for _, n := range nodes {
		size += len(n.Core(kad.IPv4)) + len(n.Core(kad.IPv6))
	}
	return size
}
