package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// crowd is a network without its nodes: it knows whom each of them knows, and
// works out what it answers when it is asked. A hundred thousand nodes are a list
// of IDs, and a lookup among them costs little more than the node that makes it.
//
// They know each other as the nodes of package testnet do: of every zone next to
// its own a node knows up to 8 at random, and its nearest neighbours. A share of
// them is dead: known to the others as all are, and silent. So of those whom an
// answer names that share is dead, everywhere, and neighbours name the same dead.
//
// It is not changed once it is made.
type crowd struct {
	seed   uint64
	ids    []kad.ID // in order
	silent []bool   // of ids: it is dead
	living []kad.ID // those of ids that answer, in order: the network as it is
}

const (
	crowdBucket     = 8  // contacts known of each zone next to the own one
	crowdNeighbours = 16 // nearest nodes that are all known
	crowdAnswer     = 8  // contacts named in an answer
	crowdPort       = 6881
)

// newCrowd returns a network of so many living nodes, and of as many dead ones as
// make up that share of all.
func newCrowd(seed uint64, living int, dead float64) *crowd {
	rng := rand.New(rand.NewPCG(seed, 0))
	n := int(math.Round(float64(living) / (1 - dead)))
	c := &crowd{seed: seed, ids: make([]kad.ID, n), silent: make([]bool, n)}
	first := make([]uint64, n) // bytes of the IDs, which no two have in common
	for i := range first {
		first[i] = rng.Uint64()
	}
	slices.Sort(first)
	for i := range c.ids {
		c.ids[i] = drawID(rng)
		binary.BigEndian.PutUint64(c.ids[i][:], first[i])
	}
	for _, i := range rng.Perm(n)[:n-living] {
		c.silent[i] = true
	}
	for i, id := range c.ids {
		if !c.silent[i] {
			c.living = append(c.living, id)
		}
	}
	return c
}

// drawID returns a random ID.
func drawID(rng *rand.Rand) (id kad.ID) {
	for i := 0; i < kad.Size; i += 4 {
		binary.BigEndian.PutUint32(id[i:], rng.Uint32())
	}
	return id
}

// addr returns where the i-th node is: they are counted from 127.1.0.0 on.
func (c *crowd) addr(i int) netip.AddrPort {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 127<<24+1<<16+uint32(i))
	return netip.AddrPortFrom(netip.AddrFrom4(ip), crowdPort)
}

// whose returns who is at addr; false for nobody.
func (c *crowd) whose(addr netip.AddrPort) (int, bool) {
	ip := addr.Addr().As4()
	i := int(binary.BigEndian.Uint32(ip[:])) - (127<<24 + 1<<16)
	return i, i >= 0 && i < len(c.ids) && addr.Port() == crowdPort
}

// entrances are a few living nodes to begin with, far from each other.
func (c *crowd) entrances() (places []string) {
	const few = 4
	for i := range few {
		places = append(places, c.addr(c.index(c.living[i*len(c.living)/few])).String())
	}
	return places
}

func (c *crowd) index(id kad.ID) int {
	i, _ := slices.BinarySearchFunc(c.ids, id, kad.ID.Compare)
	return i
}

// answer appends the nodes that the i-th one knows nearest to target.
func (c *crowd) answer(dst []int, i int, target kad.ID) []int {
	shared := kad.CommonPrefixLen(c.ids[i], target)
	for depth := shared; ; depth = max(0, depth-2) {
		known := c.known(dst, i, depth, shared)
		near := known[len(dst):]
		slices.SortFunc(near, func(a, b int) int { return target.CompareDistance(c.ids[a], c.ids[b]) })
		near = slices.Compact(near)
		near = near[:min(crowdAnswer, len(near))]
		// Whoever is left out shares fewer bits with target: is the last one nearer?
		if depth == 0 || len(near) == crowdAnswer && kad.CommonPrefixLen(c.ids[near[len(near)-1]], target) >= depth {
			return known[:len(dst)+len(near)]
		}
	}
}

// known appends those whom the i-th node knows that share its first depth bits,
// and its neighbours, some of them twice. It ends early with a full bucket of
// nodes that share just as many bits with it as a target does.
func (c *crowd) known(dst []int, i, depth, target int) []int {
	lo, hi := 0, len(c.ids)
	for bit := 0; bit < kad.Bits && hi-lo > crowdNeighbours; bit++ {
		mid := split(c.ids, lo, hi, bit)
		from, to := lo, mid // the half that it is not in
		if c.ids[i].Bit(bit) == 0 {
			from, to, hi = mid, hi, mid
		} else {
			lo = mid
		}
		if bit < depth {
			continue
		}
		dst = c.bucket(dst, i, bit, from, to)
		if bit == target && to-from >= crowdAnswer && hi-lo > crowdNeighbours {
			return dst // they make an answer: all others are farther away
		}
	}
	for _, id := range nearest(c.ids, c.ids[i], crowdNeighbours+1)[1:] {
		dst = append(dst, c.index(id))
	}
	return dst
}

// bucket appends up to crowdBucket of ids[lo:hi], at random, but the same ones
// whenever the i-th node is asked about that bit.
func (c *crowd) bucket(dst []int, i, bit, lo, hi int) []int {
	first := len(dst)
	if hi-lo <= crowdBucket {
		for j := lo; j < hi; j++ {
			dst = append(dst, j)
		}
		return dst
	}
	rng := rand.New(rand.NewPCG(c.seed, uint64(i)<<8|uint64(bit)))
	for len(dst) < first+crowdBucket {
		if j := lo + rng.IntN(hi-lo); !slices.Contains(dst[first:], j) {
			dst = append(dst, j)
		}
	}
	return dst
}

// split returns where in ids[lo:hi], which share their first bits, those begin
// that have the next one set.
func split(ids []kad.ID, lo, hi, bit int) int {
	return lo + sort.Search(hi-lo, func(i int) bool { return ids[lo+i].Bit(bit) == 1 })
}

// nearest returns the k of ids, which are in order, that are nearest to target,
// nearest first.
func nearest(ids []kad.ID, target kad.ID, k int) []kad.ID {
	lo, hi := 0, len(ids)
	for bit := range kad.Bits { // to the smallest zone around target that holds k
		from, to := lo, hi
		if mid := split(ids, lo, hi, bit); target.Bit(bit) == 0 {
			to = mid
		} else {
			from = mid
		}
		if to-from < k {
			break
		}
		lo, hi = from, to
	}
	near := slices.Clone(ids[lo:hi])
	slices.SortFunc(near, target.CompareDistance)
	return near[:min(k, len(near))]
}
