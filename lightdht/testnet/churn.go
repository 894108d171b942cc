package testnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// errStranger is about a node that is not, or no longer, of the network.
var errStranger = errors.New("the node is not of this network")

// Join starts one more node, which follows from the seed as the first ones do,
// and has it join like a stranger, through what Bootstrap names. It is part of
// the truth once it has joined. After Close the error is lightdht.ErrClosed.
func (t *Net) Join(ctx context.Context) (*lightdht.Node, error) {
	t.mu.Lock()
	i := t.started
	t.started++
	t.mu.Unlock()
	node, err := startNode(t.cfg, i, t.Bootstrap())
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	if t.admit(node) {
		err = node.Bootstrap(ctx)
	}
	if err = t.settle(node, err); err != nil {
		node.Close()
		return nil, fmt.Errorf("join: %w", err)
	}
	return node, nil
}

// admit has Close know of a node that is about to join; false when it is too late.
func (t *Net) admit(node *lightdht.Node) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.joining[node] = true
	}
	return !t.closed
}

// settle makes a node that has joined one of the network, or forgets it. It
// returns why the node is not of the network.
func (t *Net) settle(node *lightdht.Node, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.joining, node)
	if t.closed {
		return lightdht.ErrClosed
	}
	if err == nil {
		t.insert(node)
	}
	return err
}

// insert adds a node to the truth. The caller holds t.mu, or is the only one.
func (t *Net) insert(node *lightdht.Node) {
	i := t.index(node.ID())
	t.nodes = slices.Insert(t.nodes, i, node)
	t.infos = slices.Insert(t.infos, i, kad.NodeInfo{ID: node.ID(), Addr: node.Addr(kad.IPv4)})
}

// Leave takes a node out of the truth and closes it. It tells nobody, as nodes
// do; the others find out.
func (t *Net) Leave(node *lightdht.Node) error {
	t.mu.Lock()
	i := slices.Index(t.nodes, node)
	if i >= 0 {
		t.nodes = slices.Delete(t.nodes, i, i+1)
		t.infos = slices.Delete(t.infos, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		return fmt.Errorf("leave: %w", errStranger)
	}
	return node.Close()
}

// Move gives a node another address, see Memory.Move; the truth has it there
// from then on. The network must live in a Memory.
func (t *Net) Move(node *lightdht.Node, to netip.AddrPort) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.nodes, node)
	switch {
	case i < 0:
		return fmt.Errorf("move: %w", errStranger)
	case t.cfg.Memory == nil:
		return fmt.Errorf("move %s: not on a network in memory", t.infos[i].Addr)
	}
	if err := t.cfg.Memory.Move(t.infos[i].Addr, to); err != nil {
		return err
	}
	t.infos[i].Addr = to
	return nil
}

// Close ends all nodes, those that are joining included.
func (t *Net) Close() error {
	t.mu.Lock()
	t.closed = true
	nodes := slices.Clone(t.nodes)
	for node := range t.joining {
		nodes = append(nodes, node)
	}
	t.mu.Unlock()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { errs[i] = node.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Keep makes the nodes members that keep their places: from then on each looks
// after its contacts as nodes of the DHT do, so that the network stays what it is
// for longer than the 15 minutes in which contacts go stale. It returns when all
// have looked up their own ID, with the first error.
func (t *Net) Keep(ctx context.Context) error {
	var first error
	for _, node := range t.Nodes() {
		if err := node.Bootstrap(ctx); err != nil && first == nil {
			first = err
		}
	}
	return first
}
