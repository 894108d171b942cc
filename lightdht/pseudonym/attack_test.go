package pseudonym

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// An attacker holds shared data about nodes that keep to BEP 42, and for each
// node a list of addresses, of which one is that of the node. By what the ID
// says of the address, he scores the list. His rank is the share of the wrong
// addresses that score better than the right one, and half of those that score
// the same: 0 is success, and the mean of a blind guess is 1/2.

// victim is a row of the data with what stands in it for what.
type victim struct {
	addr, shownAddr netip.Addr
	id, shownID     kad.ID
}

// view is how the attacker sees a node.
type view func(key *Key, v victim) victim

// disguised is the data as it is shared, undressed the same with the IDs left as
// they are, which proves the attack.
func disguised(key *Key, v victim) victim {
	v.shownAddr, v.shownID = key.Addr(v.addr), key.ID(v.id)
	return v
}

func undressed(key *Key, v victim) victim {
	v.shownAddr, v.shownID = key.Addr(v.addr), v.id
	return v
}

func publicAddr(r *rand.Rand) netip.Addr {
	for {
		if a := randomAddr(r, 4); a.IsGlobalUnicast() && !a.IsPrivate() {
			return a
		}
	}
}

// newVictim is a node at an address with an ID of the eight that BEP 42 allows
// there and bits at random.
func newVictim(r *rand.Rand, a netip.Addr) victim {
	return victim{addr: a, id: kad.SecureID(a, randomID(r))}
}

// bound returns the first 21 bits, in the lowest of the result, of the ID that
// BEP 42 allows at an address with the value r (0 to 7) in the last byte.
func bound(a netip.Addr, r byte) uint32 { return head(kad.SecureID(a, kad.ID{kad.Size - 1: r})) }

func head(id kad.ID) uint32 {
	return uint32(id[0])<<13 | uint32(id[1])<<5 | uint32(id[2])>>3
}

// alike is how many leading bits of 21 are the same.
func alike(a, b uint32) int { return bits.LeadingZeros32(a^b) - (32 - 21) }

// fit is how well an ID fits an address: the bits that it shares with the best of
// the eight. That the last byte names one of them would help with IDs as they
// are, and is left out: the attack wins without.
func fit(id kad.ID, a netip.Addr) int {
	best := 0
	for r := range byte(8) {
		best = max(best, alike(head(id), bound(a, r)))
	}
	return best
}

// ranks are those of an attack in each of several worlds.
type ranks struct{ worlds []world }

// world has a key of its own. Within one the ranks hang together: when the first
// bit of the tree happens not to be flipped, that helps the attacker with half of
// the IDs, though he cannot tell. So deviations are those between worlds.
type world struct {
	sum    float64
	n, won int // won: the right one is alone in front
}

// add counts how the score of the right address stands to those of the others.
func (w *world) add(right int, others []int) {
	better, same := 0.0, 0.0
	for _, s := range others {
		if s > right {
			better++
		} else if s == right {
			same++
		}
	}
	w.sum += (better + same/2) / float64(len(others))
	w.n++
	if better+same == 0 {
		w.won++
	}
}

// mean returns the mean rank and its standard error.
func (r ranks) mean() (mean, err float64) {
	n := float64(len(r.worlds))
	for _, w := range r.worlds {
		mean += w.sum / float64(w.n) / n
	}
	for _, w := range r.worlds {
		d := w.sum/float64(w.n) - mean
		err += d * d / (n - 1) / n
	}
	return mean, math.Sqrt(err)
}

// won is the share of nodes whose address was found.
func (r ranks) won() float64 {
	won, n := 0, 0
	for _, w := range r.worlds {
		won, n = won+w.won, n+w.n
	}
	return float64(won) / float64(n)
}

// checkBlind holds an attack to no better and no worse than a blind guess among
// so many addresses, and to have been sharp enough to tell.
func (r ranks) checkBlind(t *testing.T, addresses int) {
	t.Helper()
	mean, err := r.mean()
	t.Logf("rank %.4f ± %.4f, %.2f %% found", mean, err, 100*r.won())
	if math.Abs(mean-0.5) > 4*err {
		t.Errorf("the right address ranks %.4f ± %.4f: no blind guess", mean, err)
	}
	if err > 0.03 {
		t.Errorf("the deviation of %.3f would hide an attack", err)
	}
	if blind := 1 / float64(addresses); r.won() > 2*blind {
		t.Errorf("%.1f %% of the addresses are found, %.1f %% by a blind guess", 100*r.won(), 100*blind)
	}
}

// checkWins holds an attack to success: else the other tests prove nothing.
func (r ranks) checkWins(t *testing.T) {
	t.Helper()
	mean, err := r.mean()
	t.Logf("rank %.4f ± %.4f, %.2f %% found", mean, err, 100*r.won())
	if mean > 0.01 || r.won() < 0.95 {
		t.Errorf("the attack ranks %.3f and finds %.1f %%: it could not fail where it should", mean, 100*r.won())
	}
}

const (
	keys    = 64
	perKey  = 64 // nodes: 4096 in all
	suspect = 32 // addresses in a list
)

// attackEach scores the list of each node by itself.
func attackEach(r *rand.Rand, see view, score func(v victim, a netip.Addr) int) (all ranks) {
	for range keys {
		key, w := newKey(randomSecret(r)), world{}
		for range perKey {
			v := see(key, newVictim(r, publicAddr(r)))
			others := make([]int, suspect-1)
			for i := range others {
				others[i] = score(v, publicAddr(r))
			}
			w.add(score(v, v.addr), others)
		}
		all.worlds = append(all.worlds, w)
	}
	return all
}

func fitOfID(v victim, a netip.Addr) int { return fit(v.shownID, a) }

// fitOfBoth hopes that something of the address shows in its stand-in, too.
func fitOfBoth(v victim, a netip.Addr) int {
	return fit(v.shownID, a) + shared(v.shownAddr.AsSlice(), a.AsSlice())
}

func TestAttackByID(t *testing.T) {
	attackEach(source(t, 1), undressed, fitOfID).checkWins(t)
	attackEach(source(t, 2), disguised, fitOfID).checkBlind(t, suspect)
}

func TestAttackByIDAndAddress(t *testing.T) {
	attackEach(source(t, 3), undressed, fitOfBoth).checkWins(t)
	attackEach(source(t, 4), disguised, fitOfBoth).checkBlind(t, suspect)
}

// The stand-ins of addresses say who has a network in common. So the attacker
// asks which network it is: which of a list of /24 explains the IDs of all nodes
// in it best, with whatever last byte. This needs no list of full addresses, and
// finds the network where a single ID says nothing: each /24 has 2048 IDs.
func attackNetworks(r *rand.Rand, see view) (all ranks) {
	const neighbours, networks = 8, 8
	for range keys {
		key, w := newKey(randomSecret(r)), world{}
		for range 2 {
			home := publicAddr(r)
			group := make([]victim, neighbours)
			for i := range group {
				group[i] = see(key, newVictim(r, inNetwork(home, byte(r.Uint32()))))
			}
			others := make([]int, networks-1)
			for i := range others {
				others[i] = explains(publicAddr(r), group)
			}
			w.add(explains(home, group), others)
		}
		all.worlds = append(all.worlds, w)
	}
	return all
}

// inNetwork is an address in the /24 of another.
func inNetwork(a netip.Addr, last byte) netip.Addr {
	b := a.As4()
	b[3] = last
	return netip.AddrFrom4(b)
}

// explains sums up how well the IDs of a group fit any address of a /24.
func explains(network netip.Addr, group []victim) (score int) {
	ids := make([]uint32, 0, 8*256)
	for last := range 256 {
		for r := range byte(8) {
			ids = append(ids, bound(inNetwork(network, byte(last)), r))
		}
	}
	slices.Sort(ids)
	for _, v := range group {
		id := head(v.shownID)
		i, _ := slices.BinarySearch(ids, id) // the best is a neighbour in order
		best := alike(id, ids[min(i, len(ids)-1)])
		score += max(best, alike(id, ids[max(i-1, 0)]))
	}
	return score
}

func TestAttackByNetwork(t *testing.T) {
	attackNetworks(source(t, 5), undressed).checkWins(t)
	attackNetworks(source(t, 6), disguised).checkBlind(t, 8)
}

// The limit that the package comment tells of: with n nodes of his own in the
// data, the attacker reads about log2(n)+1 bits of each ID, off that of his nodes
// which is nearest to it, and strikes all addresses from the list that have no
// such ID. It is here so that what is said of it stays true.
func TestAttackWithKnownNodes(t *testing.T) {
	r := source(t, 7)
	const known = 256
	left, struck := 0, 0
	for range keys {
		key := newKey(randomSecret(r))
		own := make([]victim, known)
		for i := range own {
			own[i] = disguised(key, newVictim(r, publicAddr(r)))
		}
		for range perKey {
			v := disguised(key, newVictim(r, publicAddr(r)))
			id, n := read(v, own)
			if n = min(n, 21); kad.CommonPrefixLen(id, v.id) < n || fit(id, v.addr) < n {
				t.Fatalf("%v is read as %v to %d bits", v.id, id, n)
			}
			for range suspect - 1 {
				if fit(id, publicAddr(r)) >= n {
					left++
				} else {
					struck++
				}
			}
		}
	}
	share := float64(left) / float64(left+struck)
	t.Logf("%.4f of the others are left, %.2f/n", share, share*known)
	if share < 5./known || share > 7./known {
		t.Errorf("%.2f/n of the others are left: the package comment says 6/n", share*known)
	}
}

// read returns an ID that begins like v's, as far as the attacker's own tell, and
// how many bits that is: those which v shares with the nearest, and the next, in
// which they differ.
func read(v victim, own []victim) (id kad.ID, n int) {
	n = -1
	for _, o := range own {
		if same := kad.CommonPrefixLen(v.shownID, o.shownID); same > n {
			id, n = o.id, same
		}
	}
	if n < kad.Bits {
		id[n/8] ^= 0x80 >> (n % 8)
		n++
	}
	return id, n
}
