package kad_test

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Sorting by distance to a target.
func ExampleID_CompareDistance() {
	target := kad.MustParseID("6000000000000000000000000000000000000000")
	ids := []kad.ID{
		kad.MustParseID("8000000000000000000000000000000000000000"),
		kad.MustParseID("5fffffffffffffffffffffffffffffffffffffff"),
		kad.MustParseID("7000000000000000000000000000000000000000"),
	}
	slices.SortFunc(ids, target.CompareDistance)
	for _, id := range ids {
		fmt.Println(id, target.Distance(id).Fraction())
	}
	// Output:
	// 7000000000000000000000000000000000000000 0.0625
	// 5fffffffffffffffffffffffffffffffffffffff 0.25
	// 8000000000000000000000000000000000000000 0.875
}

// A zone of the ID space: the unit of a partial crawl.
func ExamplePrefix() {
	zone := kad.MustParseID("a3f1c52b00000000000000000000000000000000").Prefix(10)
	fmt.Println(zone)
	fmt.Println(zone.First())
	fmt.Println(zone.Last())
	fmt.Println(zone.Child(0), zone.Child(1))
	// Output:
	// a3c/10
	// a3c0000000000000000000000000000000000000
	// a3ffffffffffffffffffffffffffffffffffffff
	// a3c/11 a3e/11
}

// An ID that other nodes accept from this address (BEP 42).
func ExampleSecureID() {
	addr := netip.MustParseAddr("124.31.75.21")
	id := kad.SecureID(addr, kad.RandomID())
	fmt.Println(kad.IsSecureID(id, addr))
	fmt.Println(kad.IsSecureID(id, netip.MustParseAddr("21.75.31.124")))
	// Output:
	// true
	// false
}
