package pseudonym_test

import (
	"fmt"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
)

// Neighbours stay neighbours: as many leading bits are the same as before.
func Example() {
	key, err := pseudonym.ParseKey([]byte("8c1f7c0b9a5e4d2f6b3a18e0c7d495f20e6b1a9d3c5f7e8240b6d9a1c3e5f708\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("key", key.Fingerprint())
	for _, s := range []string{"192.0.2.1", "192.0.2.77", "198.51.100.1"} {
		fmt.Println(s, "is", key.Addr(netip.MustParseAddr(s)))
	}
	a, b := kad.MustParseID("6a3f000000000000000000000000000000000000"), kad.MustParseID("6a3fffffffffffffffffffffffffffffffffffff")
	fmt.Println(kad.CommonPrefixLen(a, b), "bits stay", kad.CommonPrefixLen(key.ID(a), key.ID(b)))
	// Output:
	// key c243894ce8d2421a
	// 192.0.2.1 is 126.78.112.138
	// 192.0.2.77 is 126.78.112.244
	// 198.51.100.1 is 122.230.181.220
	// 16 bits stay 16
}
