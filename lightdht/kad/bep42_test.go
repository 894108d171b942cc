package kad

import (
	"hash/crc32"
	"net/netip"
	"testing"
)

// The table of BEP 42, and two IPv6 addresses that the BEP lacks. The sums are
// the whole 32 bits, of which an ID shows the first 21.
var bep42Vectors = []struct {
	addr string
	rand byte
	crc  uint32
	id   string // "" where the BEP gives none
}{
	{"124.31.75.21", 1, 0x5fbfbdb2, "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
	{"21.75.31.124", 86, 0x5a3ce9b0, "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
	{"65.23.51.170", 22, 0xa5d4344a, "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
	{"84.124.73.14", 65, 0x1b03217b, "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
	{"43.213.53.83", 90, 0xe56f6972, "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
	{"2001:db8:85a3::8a2e:370:7334", 1, 0xdc840c08, ""},
	{"2001:4860:4860::8888", 5, 0xca2af54d, ""},
}

func TestBEP42Vectors(t *testing.T) {
	for _, v := range bep42Vectors {
		addr := netip.MustParseAddr(v.addr)
		if got := bep42CRC(addr, v.rand); got != v.crc {
			t.Errorf("%s with %d: the sum is %08x, want %08x", v.addr, v.rand, got, v.crc)
		}
		bound := SecureID(addr, ID{Size - 1: v.rand})
		if want := (ID{byte(v.crc >> 24), byte(v.crc >> 16), byte(v.crc>>8) & 0xf8, Size - 1: v.rand}); bound != want {
			t.Errorf("SecureID(%s, …%02x) = %v, want %v", v.addr, v.rand, bound, want)
		}
		if v.id == "" {
			continue
		}
		id := MustParseID(v.id)
		if id[Size-1] != v.rand || !IsSecureID(id, addr) {
			t.Errorf("%v is not secure for %s", id, v.addr)
		}
		// The free bits of the example, and its last byte, give the example.
		free := id
		free[0], free[1], free[2] = ^id[0], ^id[1], ^id[2]&0xf8|id[2]&0x07
		if got := SecureID(addr, free); got != id {
			t.Errorf("SecureID(%s, %v) = %v, want %v", v.addr, free, got, id)
		}
	}
}

func TestCRC32C(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 {
		t.Errorf("CRC-32C of the check string = %08x", got)
	}
	r := source(t)
	for range 1000 {
		id := randomID(r)
		p := id[:r.IntN(Size+1)]
		if got, want := crc32c(p), crc32.Checksum(p, castagnoli); got != want {
			t.Fatalf("CRC-32C of %x = %08x, want %08x", p, got, want)
		}
	}
}

// Flipping one of the 21 bound bits must be noticed, and flipping a free bit
// must not; the low three bits of the last byte choose among eight prefixes.
func TestIsSecureIDLooksAtTheBoundBits(t *testing.T) {
	r := source(t)
	for _, v := range bep42Vectors {
		addr := netip.MustParseAddr(v.addr)
		id := SecureID(addr, randomID(r))
		if !IsSecureID(id, addr) {
			t.Fatalf("SecureID(%v) gives %v, which is not secure", addr, id)
		}
		for i := range Bits - 3 {
			flipped := id
			flipped[i/8] ^= 0x80 >> (i % 8)
			if got, want := IsSecureID(flipped, addr), i >= 21; got != want {
				t.Errorf("%v with bit %d flipped: secure is %v for %v", id, i, got, addr)
			}
		}
		prefixes := map[Prefix]bool{}
		for last := range 256 {
			prefixes[SecureID(addr, ID{Size - 1: byte(last)}).Prefix(21)] = true
		}
		if len(prefixes) != 8 {
			t.Errorf("%v has %d prefixes to choose from, want 8", addr, len(prefixes))
		}
	}
}

// The mask: addresses that differ only where it is zero share their IDs.
func TestBEP42Mask(t *testing.T) {
	random := randomID(source(t))
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"124.31.75.21", "128.31.75.21", true}, // beyond 03
		{"124.31.75.21", "125.31.75.21", false},
		{"124.31.75.21", "124.255.75.21", true}, // beyond 0f
		{"124.31.75.21", "124.30.75.21", false},
		{"124.31.75.21", "124.31.203.21", true}, // beyond 3f
		{"124.31.75.21", "124.31.107.21", false},
		{"124.31.75.21", "124.31.75.22", false},
		{"2001:db8::1", "2001:db8::2", true}, // the lower half does not count
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"2001:db8::1", "2001:dba::1", false},
		{"2001:db8::1", "2101:db8::1", false},
		{"2001:db8::1", "2201:db8::1", true},
	} {
		got := SecureID(netip.MustParseAddr(c.a), random) == SecureID(netip.MustParseAddr(c.b), random)
		if got != c.same {
			t.Errorf("%s and %s have the same ID: %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

func TestBEP42Exempt(t *testing.T) {
	r := source(t)
	for _, s := range []string{"127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.5.5", "169.254.1.1", "::1", "fe80::1%eth0", "::ffff:10.1.2.3"} {
		if !IsSecureID(randomID(r), netip.MustParseAddr(s)) {
			t.Errorf("%s is not exempt", s)
		}
	}
	if IsSecureID(randomID(r), netip.Addr{}) {
		t.Error("an ID is secure for no address")
	}
	if random := randomID(r); SecureID(netip.Addr{}, random) != random {
		t.Error("SecureID without an address changes the ID")
	}
}

func TestBEP42MappedAddress(t *testing.T) {
	random := randomID(source(t))
	plain, mapped := netip.MustParseAddr("124.31.75.21"), netip.MustParseAddr("::ffff:124.31.75.21")
	id := SecureID(plain, random)
	if SecureID(mapped, random) != id || !IsSecureID(id, mapped) {
		t.Errorf("%v and %v differ", plain, mapped)
	}
}

func TestBEP42AllocatesNothing(t *testing.T) {
	for _, s := range []string{"124.31.75.21", "2001:4860:4860::8888"} {
		addr := netip.MustParseAddr(s)
		id := ID{Size - 1: 5}
		secure := false
		if n := testing.AllocsPerRun(100, func() { id = SecureID(addr, id) }); n != 0 {
			t.Errorf("SecureID(%s) allocates %v times", s, n)
		}
		if n := testing.AllocsPerRun(100, func() { secure = IsSecureID(id, addr) }); n != 0 || !secure {
			t.Errorf("IsSecureID(%s) allocates %v times, says %v", s, n, secure)
		}
	}
}
