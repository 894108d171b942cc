package testnet

import (
	"net/netip"
	"slices"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// Len returns the number of nodes.
func (t *Net) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.nodes)
}

// Nodes returns the nodes in order of their IDs.
func (t *Net) Nodes() []*lightdht.Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.nodes)
}

// Infos returns the IDs and addresses of the nodes in order of their IDs.
func (t *Net) Infos() []kad.NodeInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.infos)
}

// Peers returns the peers that Start announced for infohash, those of nodes that
// have left included. Nodes keep a peer for 30 minutes unless their Config says
// otherwise, and nobody announces it again.
func (t *Net) Peers(infohash kad.ID) []netip.AddrPort { return slices.Clone(t.peers[infohash]) }

// Bootstrap returns the addresses of a few nodes to begin with, none of which
// has left.
func (t *Net) Bootstrap() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
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
	t.mu.Lock()
	defer t.mu.Unlock()
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
