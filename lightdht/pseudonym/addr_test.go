package pseudonym

import (
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestAddrIsItsSlowTwin(t *testing.T) {
	r := source(t, 1)
	secret := testSecret(1)
	key := testKey(t, 1)
	for range 100 {
		for size, family := range map[int]string{4: "IPv4 ", 16: "IPv6 "} {
			a := randomAddr(r, size)
			var id kad.ID
			copy(id[:], a.AsSlice())
			id = slowTree(derive(secret, family+"tree"), id)
			want := slowPAn(derive(secret, family+"Crypto-PAn"), id[:size])
			if got := key.Addr(a).AsSlice(); shared(got, want) != 8*size {
				t.Fatalf("%v is %x, want %x", a, got, want)
			}
		}
	}
}

func TestAddrKeepsPrefixes(t *testing.T) {
	r := source(t, 2)
	for n := byte(1); n <= 4; n++ {
		key := testKey(t, n)
		for _, size := range []int{4, 16} {
			for length := range 8*size + 1 {
				a := randomAddr(r, size)
				b, _ := netip.AddrFromSlice(parted(r, a.AsSlice(), length))
				if got := shared(key.Addr(a).AsSlice(), key.Addr(b).AsSlice()); got != length {
					t.Fatalf("%v and %v share %d bits, their stand-ins %d", a, b, length, got)
				}
			}
		}
	}
}

// All /16 have different stand-ins, and so have all addresses of one.
func TestAddrIsAPermutation(t *testing.T) {
	key := testKey(t, 1)
	var nets, hosts [1 << 16]bool
	for i := range 1 << 16 {
		hi, lo := byte(i>>8), byte(i)
		net := key.Addr(netip.AddrFrom4([4]byte{hi, lo, 77, 1})).As4()
		nets[int(net[0])<<8|int(net[1])] = true
		host := key.Addr(netip.AddrFrom4([4]byte{77, 1, hi, lo})).As4()
		hosts[int(host[2])<<8|int(host[3])] = true
	}
	for i := range 1 << 16 {
		if !nets[i] || !hosts[i] {
			t.Fatalf("nothing has %d.%d in front or behind for a stand-in", i>>8, i&0xff)
		}
	}
}

func TestAddrAtTheDoor(t *testing.T) {
	key := testKey(t, 1)
	same := func(a, b string) {
		t.Helper()
		if x, y := key.Addr(netip.MustParseAddr(a)), key.Addr(netip.MustParseAddr(b)); x != y {
			t.Errorf("%s is %s, %s is %s", a, x, b, y)
		}
	}
	same("::ffff:192.0.2.1", "192.0.2.1")
	same("fe80::1%eth0", "fe80::1")
	if got := key.Addr(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is %v", got)
	}
}

// The families have a key each: what is known of one says nothing of the other.
func TestFamiliesAreUnrelated(t *testing.T) {
	r := source(t, 3)
	const rounds = 100
	length := 0
	for range rounds {
		key := newKey(randomSecret(r))
		b := randomAddr(r, 16).As16()
		four, six := key.Addr(netip.AddrFrom4([4]byte(b[:]))), key.Addr(netip.AddrFrom16(b))
		length += shared(four.AsSlice(), six.AsSlice())
	}
	if length > rounds+70 { // one each is expected, with a deviation of 1.4
		t.Errorf("addresses that begin alike share %d bits in %d keys", length, rounds)
	}
}

// Over all keys, what stands for an address is as likely to share n bits with it
// as any address is. With Crypto-PAn alone it shares 2 bits on average, not 1.
func TestAddrForgetsTheAddress(t *testing.T) {
	r := source(t, 4)
	const rounds = 400
	length := 0
	for range rounds {
		a := randomAddr(r, 4)
		length += shared(a.AsSlice(), newKey(randomSecret(r)).Addr(a).AsSlice())
	}
	if off := length - rounds; off < -140 || off > 140 { // five deviations
		t.Errorf("addresses share %d bits with their stand-ins in %d keys", length, rounds)
	}
}
