package table_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// Keep what was seen, and answer a find_node with the nearest good contacts.
func Example() {
	t := table.NewPrefix()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	near := kad.MustParseID("7fffffffffffffffffffffffffffffffffffffff")
	far := kad.MustParseID("8000000000000000000000000000000000000000")
	addr := netip.MustParseAddrPort("198.51.100.7:6881")

	t.Observe(table.Sighting{Node: kad.NodeInfo{ID: far, Addr: addr}, Time: now, Event: table.Replied, RTT: 80 * time.Millisecond})
	t.Observe(table.Sighting{Node: kad.NodeInfo{ID: near, Addr: addr}, Time: now, Event: table.Mentioned})

	for _, c := range t.AppendNearest(nil, near, 8, table.Good(now)) {
		fmt.Println(c.Addr, c.State(now), c.LastRTT)
	}
	fmt.Println(t.Len(), "known")
	// Output:
	// 198.51.100.7:6881 good 80ms
	// 2 known
}

// Walk outward from a target through everything ever seen, and stop at will.
func ExampleTable_nearest() {
	t := table.NewFlat()
	for i, zone := range []string{"e", "2", "3", "8"} {
		p, _ := kad.ParsePrefix(zone)
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 6881)
		t.Observe(table.Sighting{Node: kad.NodeInfo{ID: p.First(), Addr: addr}, Time: time.Unix(1e9, 0), Event: table.Mentioned})
	}
	for c := range t.Nearest(kad.ID{}, table.Filter{}) {
		fmt.Println(c.ID.Prefix(4), c.Origin)
		if c.ID.Bit(0) == 1 {
			break
		}
	}
	// Output:
	// 2/4 mention
	// 3/4 mention
	// 8/4 mention
}
