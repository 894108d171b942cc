package lightdht

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// inAny is how to find out whether a network has an address, one by one.
func inAny(networks []netip.Prefix, addr netip.Addr) bool {
	for _, p := range networks {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// near returns the first and last address of a network and their neighbours.
func near(p netip.Prefix) []netip.Addr {
	first, last := p.Masked().Addr(), p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < p.Addr().BitLen(); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	end, _ := netip.AddrFromSlice(last)
	return []netip.Addr{first.Prev(), first, p.Addr(), end, end.Next()}
}

func randomNetwork(r *rand.Rand) netip.Prefix {
	if r.IntN(2) == 0 {
		addr := netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), byte(r.IntN(4)), byte(r.IntN(256))})
		if r.IntN(5) == 0 {
			return netip.PrefixFrom(netip.AddrFrom16(addr.As16()), 96+r.IntN(33))
		}
		return netip.PrefixFrom(addr, r.IntN(33))
	}
	addr := netip.AddrFrom16([16]byte{0x20, 1, byte(r.IntN(2)), 7: byte(r.IntN(4)), 15: byte(r.IntN(256))})
	return netip.PrefixFrom(addr, r.IntN(129))
}

func TestOptOutAgainstTwin(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 6))
		networks := make([]netip.Prefix, r.IntN(12))
		for i := range networks {
			networks[i] = randomNetwork(r)
			if r.IntN(3) > 0 { // few are so wide that all else is in them
				networks[i] = netip.PrefixFrom(networks[i].Addr(), max(networks[i].Bits(), networks[i].Addr().BitLen()-r.IntN(16)))
			}
		}
		o := NewOptOut(networks...)
		if o.Len() > len(networks) {
			t.Errorf("seed %d: %d ranges of %v", seed, o.Len(), networks)
		}
		for _, p := range append(networks, randomNetwork(r), randomNetwork(r)) {
			for _, addr := range near(p) {
				if got, want := o.Has(addr), inAny(networks, addr); got != want {
					t.Errorf("seed %d: %s is in: %v, want %v; %v", seed, addr, got, want, networks)
				}
			}
		}
	}
}

func TestOptOut(t *testing.T) {
	const list = "\ufeff# them\r\n192.0.2.0/25\r\n\r\n  192.0.2.128/25 # and the other half\r\n192.0.2.7\n198.51.100.9/24\n" +
		"2001:db8::/32#\n\t::ffff:203.0.113.0/120\n::ffff:203.0.114.1\n255.255.255.255\nffff::/16\n2001:db8:1::1\n::ffff:1.2.3.4/90"
	o, err := ParseOptOut(strings.NewReader(list))
	if err != nil || o.Len() != 8 {
		t.Fatalf("%v, %v", o, err)
	}
	for addr, want := range map[string]bool{
		"192.0.1.255": false, "192.0.2.0": true, "192.0.2.127": true, "192.0.2.128": true, "192.0.2.255": true, "192.0.3.0": false,
		"198.51.100.0": true, "198.51.101.0": false, "203.0.113.255": true, "203.0.114.0": false, "203.0.114.1": true,
		"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff": false, "2001:db8::": true, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": true, "2001:db9::": false,
		"::ffff:192.0.2.1": true, "2001:db8::1%eth0": true, "255.255.255.255": true, "255.255.255.254": false,
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": true, "0.0.0.0": false, "::": false,
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff%eth0": true, "::ffc1:0:1": true, "1.2.3.4": false, // the last is IPv4
	} {
		if got := o.Has(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is in: %v", addr, got)
		}
	}
	if o.Has(netip.Addr{}) {
		t.Error("no address is in")
	}
}

func TestOptOutNobody(t *testing.T) {
	empty, err := ParseOptOut(strings.NewReader("\n# nobody\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*OptOut{nil, NewOptOut(), NewOptOut(netip.Prefix{}, netip.PrefixFrom(numbered(0), 40)), empty} {
		if o.Len() != 0 || o.Has(numbered(0)) {
			t.Errorf("%v has somebody", o)
		}
	}
}

func TestParseOptOutErrors(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.0/24\n\n# x\n192.0.2.0/33":      `line 4: "192.0.2.0/33" is neither`,
		"spam":                                   `line 1: "spam" is neither an address nor a network: write it like`,
		"192.0.2.0/24 192.0.3.0/24":              "line 1",
		"fe80::1%eth0":                           "line 1",
		"192.0.2":                                "line 1",
		"192.0.2.0/255.255.255.0":                "line 1",
		strings.Repeat("x", 60_000):              "line 1",
		"192.0.2.1\n" + strings.Repeat("x", 1e5): "line 2: too long",
	} {
		o, err := ParseOptOut(strings.NewReader(in))
		if o != nil || err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("%.50q: %v, %v", in, o, err)
		}
	}
	broken := errors.New("broken")
	_, err := ParseOptOut(iotest.DataErrReader(iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// What is read is what a reading line by line finds, and nothing panics.
func FuzzParseOptOut(f *testing.F) {
	for _, s := range []string{"192.0.2.0/24\r\n# x\n2001:db8::1", "::ffff:1.2.3.4/100\n0.0.0.0/0", "::/0#", "1.2.3.4%x", "\ufeff1.2.3.4", "\xff/\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOptOut(strings.NewReader(s))
		if err != nil {
			if o != nil || !strings.Contains(err.Error(), "line ") {
				t.Errorf("%q: %v, %v", s, o, err)
			}
			return
		}
		var networks []netip.Prefix
		for i, line := range strings.Split(s, "\n") {
			if i == 0 {
				line = strings.TrimPrefix(line, "\ufeff")
			}
			line = strings.TrimSpace(strings.Split(line, "#")[0])
			if addr, err := netip.ParseAddr(line); err == nil {
				networks = append(networks, netip.PrefixFrom(addr, addr.BitLen()))
			} else if line != "" {
				networks = append(networks, netip.MustParsePrefix(line))
			}
		}
		for _, p := range networks {
			for _, addr := range near(p) {
				if got, want := o.Has(addr), inAny(networks, addr); got != want {
					t.Errorf("%q: %s is in: %v, want %v", s, addr, got, want)
				}
			}
		}
	})
}

func BenchmarkOptOutHas(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 7))
	var networks []netip.Prefix
	for range 10_000 {
		networks = append(networks, netip.PrefixFrom(randomIPv4(r), 24))
	}
	o, addr := NewOptOut(networks...), randomIPv4(r)
	for b.Loop() {
		o.Has(addr)
	}
}
