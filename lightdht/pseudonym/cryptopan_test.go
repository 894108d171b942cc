package pseudonym

import (
	"bufio"
	"crypto/aes"
	"encoding/hex"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func source(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomBytes(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

func randomAddr(r *rand.Rand, size int) netip.Addr {
	b := make([]byte, size)
	randomBytes(r, b)
	a, _ := netip.AddrFromSlice(b)
	return a
}

// parted returns bytes that share exactly n bits with b, all when b has no more.
func parted(r *rand.Rand, b []byte, n int) []byte {
	c := make([]byte, len(b))
	randomBytes(r, c)
	for i := range min(n+1, 8*len(b)) {
		bit := byte(0x80) >> (i % 8)
		c[i/8] = c[i/8]&^bit | b[i/8]&bit
		if i == n {
			c[i/8] ^= bit
		}
	}
	return c
}

// shared is how many leading bits a and b share.
func shared(a, b []byte) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 8 * len(a)
}

// slowPAn is Crypto-PAn as its authors describe it, a bit at a time.
func slowPAn(key [secretSize]byte, addr []byte) []byte {
	block, _ := aes.NewCipher(key[:16])
	pad := make([]byte, 16)
	block.Encrypt(pad, key[16:])
	stand := make([]byte, len(addr))
	for i := range 8 * len(addr) {
		in := make([]byte, 16)
		for j := range 128 {
			from := pad
			if j < i {
				from = addr
			}
			in[j/8] |= from[j/8] & (0x80 >> (j % 8))
		}
		out := make([]byte, 16)
		block.Encrypt(out, in)
		bit := addr[i/8]>>(7-i%8)&1 ^ out[0]>>7
		stand[i/8] |= bit << (7 - i%8)
	}
	return stand
}

func TestCryptoPAnVectors(t *testing.T) {
	file, err := os.Open("testdata/cryptopan.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	families := map[bool]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		key, err := hex.DecodeString(words[0])
		if err != nil || len(words) != 3 {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		addr := netip.MustParseAddr(words[1])
		got := addr.AsSlice()
		newCryptoPAn([secretSize]byte(key)).permute(got)
		if want := netip.MustParseAddr(words[2]); shared(got, want.AsSlice()) != addr.BitLen() {
			t.Errorf("%s is %x, want %s", addr, got, want)
		}
		families[addr.Is4()]++
	}
	if families[true] < 70 || families[false] < 6 {
		t.Errorf("%v vectors", families)
	}
}

func TestCryptoPAnIsItsSlowTwin(t *testing.T) {
	r := source(t, 1)
	key := [secretSize]byte(testSecret(1))
	p := newCryptoPAn(key)
	for range 300 {
		for _, size := range []int{4, 16} {
			a := randomAddr(r, size)
			got := a.AsSlice()
			p.permute(got)
			if want := slowPAn(key, a.AsSlice()); shared(got, want) != 8*size {
				t.Fatalf("%v is %x, want %x", a, got, want)
			}
		}
	}
}
