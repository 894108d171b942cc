package table

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// check holds an index to its invariants: leaves fill aligned runs of the
// directory, hold what belongs there, and the directory is not too big.
func (x *prefixIndex) check(t *testing.T) {
	t.Helper()
	size, leaves := 0, 0
	for slot := 0; slot < len(x.dir); {
		l := x.dir[slot]
		for i := range x.span(l) {
			if x.dir[slot+i] != l {
				t.Fatalf("entry %d of a leaf at %d is another", i, slot)
			}
		}
		if l.tree != nil {
			leaves++
			size += l.tree.Len()
			l.tree.Ascend(func(e entry) bool {
				if x.dir[x.slot(e.id64())] != l {
					t.Fatalf("%x lies in the leaf at %d", e.id64(), slot)
				}
				return true
			})
		}
		slot += x.span(l)
	}
	if size != x.size || leaves != x.leaves {
		t.Fatalf("%d entries in %d leaves, counted %d in %d", size, leaves, x.size, x.leaves)
	}
}

func observeAll(t Table, ids []kad.ID, times int, e Event) {
	for i, id := range ids {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		for range times {
			t.Observe(Sighting{Node: kad.NodeInfo{ID: id, Addr: addr}, Time: time.Unix(1e9, 0), Event: e})
		}
	}
}

func TestDirectory(t *testing.T) {
	const n = 6000
	center := kad.RandomID()
	for name, test := range map[string]struct {
		shared  [2]int // the bits that every other ID shares with center
		maxBits int
	}{
		"uniform":        {[2]int{0, 0}, 8},
		"half crowded":   {[2]int{0, 100}, 9},
		"crowded":        {[2]int{100, 100}, 8},
		"twice crowded":  {[2]int{30, 100}, 8},
		"crowded a bit":  {[2]int{11, 11}, 12},
		"all of one ID":  {[2]int{160, 160}, 8},
		"two IDs in all": {[2]int{159, 159}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			ids := make([]kad.ID, n)
			for i := range ids { // all in one zone
				ids[i] = center.Prefix(max(zoneBits, test.shared[i%2])).Random()
			}
			tb := NewPrefix().(*Prefix)
			observeAll(tb, ids, 1, Replied)
			z := tb.zone(center)
			x := z.nearest[classLive].(*prefixIndex)
			x.check(t)
			if x.size != n || x.bits > test.maxBits {
				t.Errorf("%d contacts, directory of %d bits", x.size, x.bits)
			}
			// All but ten turn bad: what they leave behind must not be walked over.
			observeAll(tb, ids[:n-10], BadAfter, Failed)
			x.check(t)
			z.nearest[classBad].(*prefixIndex).check(t)
			if x.size != 10 || x.leaves > 10 || x.dir[0].depth > 0 {
				t.Errorf("%d contacts left in %d leaves, the first %d deep", x.size, x.leaves, x.dir[0].depth)
			}
		})
	}
}
