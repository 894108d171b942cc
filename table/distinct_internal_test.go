package table

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// counting counts how often an index is read.
type counting struct {
	index
	reads *int
}

func (c counting) next(dst []near, q *query, after cursor, want int) []near {
	*c.reads++
	return c.index.next(dst, q, after, want)
}

// What one host made up around a target costs a few more reads of an index, not
// one for each.
func TestDistinctReadsAhead(t *testing.T) {
	crowds(t, func(t *testing.T, c crowd) {
		center := kad.RandomID()
		for i := range 2000 {
			var four [4]byte
			binary.BigEndian.PutUint32(four[:], uint32(i))
			n := kad.NodeInfo{ID: center.Prefix(10).Random(), Addr: netip.AddrPortFrom(netip.AddrFrom4(four), 1)}
			if i >= 20 {
				n = kad.NodeInfo{ID: center.Prefix(40).Random(), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i % 7)}), 1)}
			}
			c.Observe(Sighting{Node: n, Time: time.Unix(start, 0), Event: Replied})
		}
		reads := 0
		z := c.zone(center)
		z.nearest[classLive] = counting{z.nearest[classLive], &reads}
		if got := c.AppendNearest(nil, center, 8, Filter{Distinct: true}); len(got) != 8 || reads > 20 {
			t.Errorf("%d contacts after reading %d times", len(got), reads)
		}
	})
}
