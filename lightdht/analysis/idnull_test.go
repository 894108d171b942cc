package analysis

import (
	"maps"
	"math"
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// cellsOf is the slow twin of Points(BoundByAddress): how many pairs of network and
// prefix of 21 bits there are in each zone of depth bits, each ID at one network.
func cellsOf(contacts []*Contact, depth int) map[kad.Prefix]int {
	homes := map[kad.ID]*Contact{}
	for _, c := range contacts {
		h := homes[c.ID]
		if h == nil || c.Secure && !h.Secure || c.Secure == h.Secure && c.Addr.Addr().Less(h.Addr.Addr()) {
			homes[c.ID] = c
		}
	}
	type cell struct {
		network netip.Prefix
		prefix  kad.Prefix
	}
	cells := map[cell]bool{}
	for id, c := range homes {
		size := 32
		if c.Addr.Addr().Is6() {
			size = 64
		}
		network, _ := c.Addr.Addr().Prefix(size)
		cells[cell{network, id.Prefix(21)}] = true
	}
	counts := map[kad.Prefix]int{}
	for c := range cells {
		counts[c.prefix.First().Prefix(depth)]++
	}
	return counts
}

func TestCellsAgainstTwin(t *testing.T) {
	c := throng{r: source(t, 1)}
	c.honest(500, true)
	c.honest(500, false)
	c.vpn(300)
	c.vpn(7)
	c.sybils(30, 20, true)
	c.sybils(30, 22, false)
	for i := range 200 { // four /64, of which each has fifty addresses
		ip := v6Addr(0x2001_0db8_0000_0000|uint64(i%4), c.r.Uint64())
		c.add(kad.SecureID(ip, randomID(c.r)), ip, "LT")
	}
	for i := range 20 { // the same IDs elsewhere
		c.add(c.contacts[40*i].ID, c.address(), "LT")
		c.add(c.contacts[1000+i].ID, netip.AddrFrom4([4]byte{11, 0, 0, byte(i)}), "UT") // of the first VPN
	}
	s := c.sample(t)
	cells := s.Points(BoundByAddress)
	if len(cells) > 1150 || len(cells) < 1040 {
		t.Errorf("%d cells", len(cells))
	}
	for _, depth := range []int{1, 4, 13, 20, 21} {
		got := map[kad.Prefix]int{}
		for prefix, n := range cells.Counts(depth) {
			got[zonePrefix(kad.Prefix{}, prefix<<(64-depth), depth)] = n
		}
		if want := cellsOf(c.contacts, depth); !maps.Equal(got, want) {
			t.Errorf("%d cells by %d bits differ from the twin's", len(cells), depth)
		}
	}
	if ids := s.Points(OneNodePerAddress); len(ids) != s.IDs {
		t.Errorf("%d points of %d IDs", len(ids), s.IDs)
	}
}

// Which ID stands for its cell must not lean to either side.
func TestCellsDoNotLean(t *testing.T) {
	const cells = 2000
	c := throng{r: source(t, 2)}
	for range cells {
		c.sybils(5, 21, true)
	}
	upper := 0
	points := c.sample(t).Points(BoundByAddress)
	for _, id := range points {
		upper += id.Bit(21)
	}
	if share := float64(upper) / cells; len(points) != cells || math.Abs(share-0.5) > 3.5*0.5/math.Sqrt(cells) {
		t.Errorf("%d cells, %.3f of which are in the upper half of their zone", len(points), share)
	}
}

func TestNullString(t *testing.T) {
	if Nulls[0].String() != "one node per address" || Nulls[1].String() != "BEP 42" {
		t.Errorf("nulls are called %v", Nulls)
	}
}
