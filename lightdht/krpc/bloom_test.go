package krpc

import (
	"crypto/sha1"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

// The test vector of BEP 33: 192.0.2.0 to 192.0.2.255 and 2001:db8:: to
// 2001:db8::3e7.
const bloomVector = `
F6C3F5EA A07FFD91 BDE89F77 7F26FB2B FF37BDB8 FB2BBAA2 FD3DDDE7 BACFFF75 EE7CCBAE
FE5EEDB1 FBFAFF67 F6ABFF5E 43DDBCA3 FD9B9FFD F4FFD3E9 DFF12D1B DF59DB53 DBE9FA5B
7FF3B8FD FCDE1AFB 8BEDD7BE 2F3EE71E BBBFE93B CDEEFE14 8246C2BC 5DBFF7E7 EFDCF24F
D8DC7ADF FD8FFFDF DDFFF7A4 BBEEDF5C B95CE81F C7FCFF1F F4FFFFDF E5F7FDCB B7FD79B3
FA1FC77B FE07FFF9 05B7B7FF C7FEFEFF E0B8370B B0CD3F5B 7F2BD93F EB4386CF DD6F7FD5
BFAF2E9E BFFFFEEC D67ADBF7 C67F17EF D5D75EBA 6FFEBA7F FF47A91E B1BFBB53 E8ABFB57
62ABE8FF 237279BF EFBFEEF5 FFC5FEBF DFE5ADFF ADFEE1FB 737FFFFB FD9F6AEF FEEE76B6
FD8F72EF`

func bloomVectorAddrs() (addrs []netip.Addr) {
	addr := netip.MustParseAddr("192.0.2.0")
	for range 256 {
		addrs, addr = append(addrs, addr), addr.Next()
	}
	addr = netip.MustParseAddr("2001:db8::")
	for range 1000 {
		addrs, addr = append(addrs, addr), addr.Next()
	}
	return addrs
}

func TestBloomVector(t *testing.T) {
	var b Bloom
	for _, addr := range bloomVectorAddrs() {
		b.Insert(addr)
	}
	want := strings.ToLower(strings.Join(strings.Fields(bloomVector), ""))
	if got := hex.EncodeToString(b[:]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := sha1.Sum(b[:]); hex.EncodeToString(got[:]) != "e4dabf3c822dcd0030ee21df8369bfef2594b52b" {
		t.Errorf("its SHA-1 is %x", got)
	}
	if got := b.Size(); math.Abs(got-1224.9308898207498) > 1e-9 || b.zeros() != 619 {
		t.Errorf("size %v, zeros %d", got, b.zeros())
	}
	for _, addr := range bloomVectorAddrs() {
		if !b.Has(addr) {
			t.Fatalf("%s is not in it", addr)
		}
	}
}

func TestBloomKey(t *testing.T) {
	want := BloomKey{1711, 1831}
	for _, s := range []string{"192.168.1.1", "::ffff:192.168.1.1"} {
		if got := BloomKeyOf(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
	zoned := netip.MustParseAddr("fe80::1%eth0")
	if BloomKeyOf(zoned) != BloomKeyOf(zoned.WithZone("")) {
		t.Error("the zone counts")
	}
	var b Bloom
	b.Insert(netip.MustParseAddr("192.168.1.1"))
	if b[1711/8] != 1<<(1711%8) || b[1831/8] != 1<<(1831%8) || b.zeros() != bloomBits-2 {
		t.Errorf("%x", b)
	}
	BloomKeyOf(netip.Addr{}) // must not panic
}

// The ends of the scale.
func TestBloomEmptyAndFull(t *testing.T) {
	var b Bloom
	if b.Size() != 0 || b.StdErr() != 0 || b.Has(netip.MustParseAddr("192.0.2.1")) {
		t.Errorf("empty: %v ± %v", b.Size(), b.StdErr())
	}
	for i := range b {
		b[i] = 0xff
	}
	full := b.Size()
	if math.Abs(full-7805.70) > 0.005 || !math.IsInf(b.StdErr(), 1) {
		t.Errorf("full: %v ± %v", full, b.StdErr())
	}
	b[17] = 0xfe
	if b.Size() != full || math.IsInf(b.StdErr(), 0) {
		t.Errorf("with one bit left: %v ± %v", b.Size(), b.StdErr())
	}
}

// Over many filters of a size the estimates are right on average and spread as
// the standard error says.
func TestBloomEstimates(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 0))
	for _, n := range []int{1, 2, 12, 100, 1000, 4000} {
		const rounds = 100
		var sum, squares, told float64
		for range rounds {
			b := randomBloom(r, n)
			size := b.Size()
			sum += size
			squares += (size - float64(n)) * (size - float64(n))
			told += b.StdErr()
		}
		mean, spread := sum/rounds, math.Sqrt(squares/rounds)
		told /= rounds
		if limit := 5*told/math.Sqrt(rounds) + 0.01*float64(n); math.Abs(mean-float64(n)) > limit {
			t.Errorf("%d: mean %v, off by more than %v", n, mean, limit)
		}
		if n >= 12 && (spread < 0.8*told || spread > 1.25*told) { // few have no bit in common: nothing spreads
			t.Errorf("%d: spread %v, told %v", n, spread, told)
		}
	}
}

func randomBloom(r *rand.Rand, n int) *Bloom {
	var b Bloom
	for range n {
		var ip [16]byte
		for i := range ip {
			ip[i] = byte(r.Uint32())
		}
		b.Insert(netip.AddrFrom16(ip))
	}
	return &b
}

// A union is the filter of all addresses together.
func TestBloomUnion(t *testing.T) {
	addrs := bloomVectorAddrs()
	var all, even, odd Bloom
	for i, addr := range addrs {
		all.Insert(addr)
		if i%2 == 0 {
			even.Insert(addr)
		} else {
			odd.Insert(addr)
		}
	}
	before := odd
	even.Union(&odd)
	if even != all || odd != before {
		t.Error("the union is another filter")
	}
}

func TestFilters(t *testing.T) {
	m := Message{SeedFilter: []byte(filter)}
	seeds, peers := m.Filters()
	if seeds == nil || string(seeds[:]) != filter || peers != nil {
		t.Errorf("%v, %v", seeds, peers)
	}
	m = Message{SeedFilter: []byte(filter[1:]), PeerFilter: []byte(filter + "x")}
	if seeds, peers := m.Filters(); seeds != nil || peers != nil {
		t.Errorf("of other lengths: %v, %v", seeds, peers)
	}
}

func TestBloomAllocatesNothing(t *testing.T) {
	addr := netip.MustParseAddr("2001:db8::1")
	var b Bloom
	if got := testing.AllocsPerRun(100, func() { b.Insert(addr); b.Has(addr) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
