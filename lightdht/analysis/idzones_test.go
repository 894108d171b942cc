package analysis

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
)

// The slow twin of the tail: the sum of all terms, in rationals.
func TestBinomialTailAgainstTwin(t *testing.T) {
	for _, n := range []int{1, 2, 20, 50} {
		for _, p := range []*big.Rat{big.NewRat(1, 2), big.NewRat(1, 64), big.NewRat(1, 1<<40)} {
			q := new(big.Rat).Sub(big.NewRat(1, 1), p)
			tail := new(big.Rat)
			for k := n; k >= 0; k-- {
				term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(k)))
				for i := range n {
					term.Mul(term, map[bool]*big.Rat{true: p, false: q}[i < k])
				}
				tail.Add(tail, term)
				mean, _ := p.Float64()
				if float64(k) <= mean*float64(n) {
					continue // not asked for there
				}
				exponent := tail.Denom().BitLen() - tail.Num().BitLen()
				scaled, _ := new(big.Rat).Mul(tail, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(exponent)))).Float64()
				want := math.Log(scaled) - float64(exponent)*math.Ln2
				if got := logBinomialTail(k, n, mean); math.Abs(got-want) > 1e-11*max(1, math.Abs(want)) {
					t.Errorf("ln P(%d of %d, %v) = %v, want %v", k, n, p, got, want)
				}
			}
		}
	}
	for _, c := range []struct {
		k, n int
		p    float64
		want float64
	}{{0, 10, 0.1, 0}, {5, 10, 0.5, 0}, {11, 10, 0.5, math.Inf(-1)}, {3, 10, 1, 0}} {
		if got := logBinomialTail(c.k, c.n, c.p); got != c.want {
			t.Errorf("ln P(%d of %d, %v) = %v, want %v", c.k, c.n, c.p, got, c.want)
		}
	}
}

// stretchesTwin is the slow twin of cusum: the sum over each and every bin, one
// after the other, empty ones too.
func stretchesTwin(keys []uint64, depth int, least int) (all []stretch) {
	counts := make([]int, 1<<depth)
	for _, key := range keys {
		counts[key>>(64-depth)]++
	}
	e := float64(len(keys)) / float64(len(counts))
	r := 1 + 4/math.Sqrt(e)
	for i := 0; i < len(counts); {
		sum, peak, end, inside, atPeak := 0.0, 0.0, i, 0, 0
		for j := i; j < len(counts); j++ {
			sum += float64(counts[j])*math.Log(r) - (r-1)*e
			inside += counts[j]
			if sum > peak {
				peak, end, atPeak = sum, j, inside
			}
			if sum < 0 || sum < peak-12 {
				break
			}
		}
		if atPeak >= least {
			all = append(all, stretch{uint64(i), uint64(end), atPeak})
		}
		i = end + 1
	}
	return all
}

func TestStretchesAgainstTwin(t *testing.T) {
	r := source(t, 1)
	for range 60 {
		n := 20 + r.IntN(800)
		points := drawPoints(r, n)
		for range r.IntN(3) {
			zone, size := randomID(r).Prefix(r.IntN(12)), r.IntN(n/4)
			for i := range size {
				points[i*3] = zone.Fill(points[i*3])
			}
		}
		slices.SortFunc(points, kad.ID.Compare)
		keys := leadingKeys(points)
		for depth := 1; depth <= 13; depth++ {
			all := binFamily{n: n, depth: depth, bins: math.Ldexp(1, depth), families: 1}.prepare()
			var got []stretch
			all.each(keys, func(s stretch) { got = append(got, s) })
			if want := stretchesTwin(keys, depth, all.cusum.least); !slices.Equal(got, want) {
				t.Fatalf("%d points, depth %d: stretches %v, the twin's %v", n, depth, got, want)
			}
		}
	}
}

// Sixteen neighbours of 25 bits are one zone of 21 where they begin with it, and
// never all of what is searched.
func TestShortestStretch(t *testing.T) {
	f := binFamily{n: 100, depth: 25, bins: math.Ldexp(1, 25), families: 1}
	for _, c := range []struct {
		first, last   uint64
		depth         int
		first2, last2 uint64
	}{{0x20, 0x2f, 21, 2, 2}, {0x20, 0x37, 22, 4, 6}, {0x21, 0x30, 25, 0x21, 0x30}, {7, 7, 25, 7, 7}, {0, 1<<25 - 1, 1, 0, 1}} {
		of, s := f.shortest(stretch{c.first, c.last, 9})
		if of.depth != c.depth || of.bins != math.Ldexp(1, c.depth) || s != (stretch{c.first2, c.last2, 9}) {
			t.Errorf("%x-%x of 25 bits: %+v of %+v, want %x-%x of %d", c.first, c.last, s, of, c.first2, c.last2, c.depth)
		}
	}
	inner := binFamily{n: 100, depth: 25, bins: 16, families: 9}
	if of, s := inner.shortest(stretch{0x20, 0x27, 9}); of.depth != 22 || of.bins != 2 || s.first != 4 || s.last != 4 {
		t.Errorf("inside 21 bits: %+v of %+v", s, of)
	}
}

// scanned returns the zones under both nulls.
func scanned(t *testing.T, c *throng) (plain, bound Scan) {
	t.Helper()
	s := c.sample(t)
	plain, err1 := s.Zones(OneNodePerAddress, 0.05)
	bound, err2 := s.Zones(BoundByAddress, 0.05)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return plain, bound
}

// overlaps reports whether a zone that was found lies in a prefix or around it.
func (z Zone) overlaps(p kad.Prefix) bool {
	return z.First.First().Compare(p.Last()) <= 0 && z.Last.Last().Compare(p.First()) >= 0
}

// A VPN is a crowd to who expects one node per address, and none to BEP 42.
func TestZonesOfVPN(t *testing.T) {
	c := throng{r: source(t, 1)}
	c.honest(15_000, true)
	c.honest(15_000, false)
	c.vpn(1500)
	plain, bound := scanned(t, &c)
	if len(plain.Zones) != 8 || len(bound.Zones) != 0 {
		t.Errorf("%d and %d zones, want 8 and none", len(plain.Zones), len(bound.Zones))
	}
	for _, z := range plain.Zones {
		if z.Addresses > 2 || z.IDs < 120 || z.IDs != z.Observed || z.P > 1e-100 {
			t.Errorf("zone %+v", z)
		}
	}
}

// Sybils are a crowd to both.
func TestZonesOfSybils(t *testing.T) {
	for i, attack := range []struct {
		n, bits    int
		oneAddress bool
	}{{200, 14, false}, {64, 30, true}, {8, 22, false}, {8, 26, true}, {8, 60, false}, {8, 100, false}} {
		c := throng{r: source(t, uint64(i))}
		c.honest(20_000, true)
		zone := c.sybils(attack.n, attack.bits, attack.oneAddress)
		plain, bound := scanned(t, &c)
		for _, scan := range []Scan{plain, bound} {
			if len(scan.Zones) != 1 || !scan.Zones[0].overlaps(zone) {
				t.Errorf("%+v in %v, %v: zones %+v", attack, zone, scan.Null, scan.Zones)
				continue
			}
			z := scan.Zones[0]
			if given := float64(z.IDs) * math.Ldexp(1, boundBits-z.Depth); scan.Null == BoundByAddress && z.Depth > boundBits && z.Expected < given {
				t.Errorf("%+v: zone %+v expects less than %v, which those in it alone come to", attack, z, given)
			}
			if z.IDs < attack.n*9/10 || z.IDs > attack.n*11/10+2 || z.Expected > 15 {
				t.Errorf("%+v, %v: zone %+v", attack, scan.Null, z)
			}
		}
	}
}

// Two crowds are two zones, however large the first is.
func TestZonesOfTwoAttacks(t *testing.T) {
	c := throng{r: source(t, 3)}
	c.honest(10_000, true)
	for _, first := range []byte{0x40, 0x41, 0xd0} {
		zone := kad.ID{first, 0x80}.Prefix(16)
		for range 300 {
			c.add(zone.Fill(randomID(c.r)), c.address(), "")
		}
	}
	plain, bound := scanned(t, &c)
	if len(plain.Zones) != 3 || len(bound.Zones) != 3 {
		t.Errorf("zones %+v and %+v, want three", plain.Zones, bound.Zones)
	}
}

// Where there is no attack, a zone is found in no more than a share level of
// samples.
func TestZonesFalseDiscoveries(t *testing.T) {
	const seeds, level = 200, 0.05
	r := source(t, 4)
	false1, false2 := 0, 0
	for i := range seeds {
		c := throng{r: r}
		c.honest(100+10*i%1000, i%2 == 0)
		c.vpn(1) // so that runs of one address are there
		plain, bound := scanned(t, &c)
		false1 += min(len(plain.Zones), 1)
		false2 += min(len(bound.Zones), 1)
	}
	most := level + 3.5*math.Sqrt(level*(1-level)/seeds)
	if a, b := float64(false1)/seeds, float64(false2)/seeds; a > most || b > most {
		t.Errorf("zones in %.1f %% and %.1f %% of samples without any, want at most %g %%", 100*a, 100*b, 100*level)
	}
	t.Logf("false zones in %d and %d of %d", false1, false2, seeds)
}

// The one zone's p is that of the comment.
func TestZonesByHand(t *testing.T) {
	c := throng{r: source(t, 5)}
	c.honest(1000, true)
	zone := c.sybils(20, 16, false)
	plain, _ := scanned(t, &c)
	if len(plain.Zones) != 1 {
		t.Fatalf("zones %+v", plain.Zones)
	}
	z := plain.Zones[0]
	l := 1.0
	for last := z.First; last != z.Last; l++ {
		next := last.Last()
		for i := len(next) - 1; ; i-- {
			if next[i]++; next[i] != 0 {
				break
			}
		}
		last = next.Prefix(z.Depth)
	}
	share := l * math.Ldexp(1, -z.Depth)
	p := logBinomialTail(z.Observed, 1020, share) + math.Log(math.Ldexp(l*(l+1), z.Depth))
	if z.Expected != 1020*share || z.Ratio() != float64(z.Observed)/(1020*share) || !close(z.P, 64*math.Exp(p), 1e-9) {
		t.Errorf("%v: zone %+v, want P = %v", zone, z, 64*math.Exp(p))
	}
	if plain.Points != 1020 || plain.Candidates < 1 || plain.Deepest != 64 || plain.Level != 0.05 {
		t.Errorf("%+v", plain)
	}
}

func TestAdjustedAgainstTwin(t *testing.T) {
	r := source(t, 6)
	for range 300 {
		found := make([]candidate, r.IntN(30))
		m := len(found)
		for i := range found {
			found[i].logP = math.Log(r.Float64() * r.Float64() * r.Float64() * 0.1)
			found[i].depth, found[i].first, found[i].last = 64, uint64(i), uint64(i)
		}
		var ps []float64
		for _, c := range found {
			ps = append(ps, math.Exp(c.logP))
		}
		slices.Sort(ps)
		want := 0 // the greatest k with p(k) <= k/m level
		for k := 1; k <= len(ps); k++ {
			if ps[k-1] <= float64(k)/float64(m)*0.05 {
				want = k
			}
		}
		if got := adjusted(clearest(found), 0.05); len(got) != want {
			t.Fatalf("%d of %v among %d, want %d", len(got), ps, m, want)
		}
	}
}

// A crowd of one address in one prefix of 21 bits is none to BEP 42 where it allows
// those IDs; those that it does not allow are, and so are those of a local address.
func TestZonesOfBoundPrefix(t *testing.T) {
	for _, attack := range []struct {
		name  string
		local bool
		bound bool
		zones int
	}{{"allowed", false, true, 0}, {"not allowed", false, false, 1}, {"local", true, false, 1}} {
		c := throng{r: source(t, 7)}
		c.honest(10_000, true)
		ip := c.address()
		if attack.local {
			ip = netip.MustParseAddr("192.168.1.2")
		}
		zone := randomID(c.r).Prefix(boundBits)
		if attack.bound {
			zone = kad.SecureID(ip, kad.ID{}).Prefix(boundBits)
		}
		for range 300 {
			id := zone.Fill(randomID(c.r))
			id[19] &^= 7
			c.add(id, ip, "")
		}
		if plain, bound := scanned(t, &c); len(plain.Zones) != 1 || len(bound.Zones) != attack.zones {
			t.Errorf("%s: %d and %d zones, want 1 and %d", attack.name, len(plain.Zones), len(bound.Zones), attack.zones)
		}
	}
}

// What is said of pseudonyms does not depend on them: by two keys, and of the data
// itself as if it were pseudonyms, it is the same.
func TestHiddenZonesStay(t *testing.T) {
	c := throng{r: source(t, 8)}
	c.honest(3000, true)
	c.vpn(300)
	c.sybils(60, 14, false)
	c.sybils(20, 13, false)
	c.sybils(9, 30, true)
	type outcome struct {
		depth, observed, addresses int
		p                          float64
	}
	told := func(disguise func(*Contact) *Contact) (all [2][]outcome, g [2]float64) {
		var contacts []*Contact
		for _, contact := range c.contacts {
			contacts = append(contacts, disguise(contact))
		}
		s, err := GatherIDs(inTurn(contacts), IDOptions{Hidden: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, null := range Nulls {
			scan, err := s.Zones(null, 0.05)
			if err != nil {
				t.Fatal(err)
			}
			for _, z := range scan.Zones {
				if z.First != z.Last {
					t.Errorf("%v to %v are not one prefix", z.First, z.Last)
				}
				all[i] = append(all[i], outcome{z.Depth, z.Observed, z.Addresses, z.P})
			}
			slices.SortFunc(all[i], func(a, b outcome) int { return cmp.Or(a.depth-b.depth, a.observed-b.observed, cmp.Compare(a.p, b.p)) })
			u, err := s.Points(null).Uniformity(8)
			if err != nil {
				t.Fatal(err)
			}
			g[i] = u.G.P
		}
		return all, g
	}
	want, wantG := told(func(c *Contact) *Contact { return c })
	if len(want[0]) < 3 || len(want[1]) < 3 {
		t.Errorf("zones %+v: want three or more", want)
	}
	for i := range 3 {
		key, err := pseudonym.ParseKey([]byte(fmt.Sprintf("%02x%s", i, "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")))
		if err != nil {
			t.Fatal(err)
		}
		got, gotG := told(func(c *Contact) *Contact {
			shared := *c
			shared.ID, shared.Addr = key.ID(c.ID), netip.AddrPortFrom(key.Addr(c.Addr.Addr()), c.Addr.Port())
			return &shared
		})
		for null := range got {
			same := func(a, b outcome) bool { // p but for the order in which it is added up
				return a.depth == b.depth && a.observed == b.observed && a.addresses == b.addresses && close(a.p, b.p, 1e-9)
			}
			if !slices.EqualFunc(got[null], want[null], same) || !close(gotG[null], wantG[null], 1e-9) {
				t.Errorf("key %d: zones %+v and p %v, without a key %+v and %v", i, got[null], gotG[null], want[null], wantG[null])
			}
		}
	}
}
