package analysis

import (
	"maps"
	"math"
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// cellsOf is the slow twin of Points(BoundByAddress): how many pairs of what an ID
// is bound to and its prefix of 21 bits there are in each zone of depth bits. Bound to
// the same are addresses for which BEP 42 makes the same of one random ID.
func cellsOf(contacts []*Contact, depth int) map[kad.Prefix]int {
	homes := map[kad.ID]*Contact{}
	for _, c := range contacts {
		h := homes[c.ID]
		if h == nil || c.Secure && !h.Secure || c.Secure == h.Secure && c.Addr.Addr().Less(h.Addr.Addr()) {
			homes[c.ID] = c
		}
	}
	type cell struct{ bound, prefix kad.ID }
	cells := map[cell]bool{}
	for id, c := range homes {
		if ip := c.Addr.Addr(); c.Secure && !kad.IsLocal(ip) {
			cells[cell{kad.SecureID(ip, kad.ID{}), id.Prefix(21).First()}] = true
		} else {
			cells[cell{id, id.Prefix(21).First()}] = true
		}
	}
	counts := map[kad.Prefix]int{}
	for c := range cells {
		counts[c.prefix.Prefix(depth)]++
	}
	return counts
}

func TestCellsAgainstTwin(t *testing.T) {
	c := throng{r: source(t, 1)}
	c.honest(500, true)
	c.honest(500, false)
	c.vpn(300)
	c.vpn(7)
	zone := c.sybils(30, 20, true)
	c.sybils(30, 22, false)
	for i := range 200 { // four /64, of which each has fifty addresses
		ip := v6Addr(0x2001_0db8_0000_0000|uint64(i%4), c.r.Uint64())
		c.add(kad.SecureID(ip, randomID(c.r)), ip, "LT")
	}
	for i := range 20 { // the same IDs elsewhere
		c.add(c.contacts[40*i].ID, c.address(), "LT")
		c.add(c.contacts[1000+i].ID, netip.AddrFrom4([4]byte{11, 0, 0, byte(i)}), "UT") // of the first VPN
	}
	for i := range 60 { // local ones, which may have any ID
		c.add(zone.Fill(randomID(c.r)), netip.AddrFrom4([4]byte{10, 0, 0, byte(i % 2)}), "")
	}
	s := c.sample(t)
	cells := s.Points(BoundByAddress)
	if len(cells) > 1240 || len(cells) < 1120 {
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
	for range cells { // one address of five nodes, of one of the 8 prefixes
		ip, first := c.address(), randomID(c.r)
		for range 5 {
			id := randomID(c.r)
			id[19] = first[19]
			c.add(kad.SecureID(ip, id), ip, "")
		}
	}
	upper := 0
	points := c.sample(t).Points(BoundByAddress)
	for _, id := range points {
		upper += id.Bit(21)
	}
	if share := float64(upper) / float64(len(points)); len(points) < cells-5 || // whose addresses agree in the 20 bits
		math.Abs(share-0.5) > 3.5*0.5/math.Sqrt(cells) {
		t.Errorf("%d cells, %.3f of which are in the upper half of their zone", len(points), share)
	}
}

func TestNullString(t *testing.T) {
	if Nulls[0].String() != "one node per address" || Nulls[1].String() != "BEP 42" {
		t.Errorf("nulls are called %v", Nulls)
	}
}
