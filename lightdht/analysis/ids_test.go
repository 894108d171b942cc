package analysis

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// throng builds contacts whose truth is known.
type throng struct {
	r        *rand.Rand
	contacts []*Contact
}

func (c *throng) add(id kad.ID, ip netip.Addr, client string) {
	c.contacts = append(c.contacts, &Contact{ID: id, Addr: netip.AddrPortFrom(ip, uint16(1024+c.r.IntN(60000))), Client: client, Replies: 1, Secure: kad.IsSecureID(id, ip)})
}

// address draws a public IPv4 address.
func (c *throng) address() netip.Addr {
	return v4Addr(0x0b000000 + c.r.Uint32N(0x60000000))
}

// honest adds n nodes at addresses of their own, bound to them or not.
func (c *throng) honest(n int, bound bool) {
	for range n {
		ip, id := c.address(), randomID(c.r)
		if bound {
			id = kad.SecureID(ip, id)
		}
		c.add(id, ip, "LT")
	}
}

// vpn adds n nodes at one address, whose IDs BEP 42 allows.
func (c *throng) vpn(n int) {
	ip := c.address()
	for range n {
		c.add(kad.SecureID(ip, randomID(c.r)), ip, "UT")
	}
}

// sybils adds n nodes in a zone of so many bits, and returns it.
func (c *throng) sybils(n, bits int, oneAddress bool) kad.Prefix {
	zone, ip := randomID(c.r).Prefix(bits), c.address()
	for range n {
		if !oneAddress {
			ip = c.address()
		}
		c.add(zone.Fill(randomID(c.r)), ip, "")
	}
	return zone
}

func inTurn(contacts []*Contact) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		for _, c := range contacts {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (c *throng) sample(t testing.TB) *IDSample {
	t.Helper()
	s, err := GatherIDs(inTurn(c.contacts), IDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drawPoints draws n uniform points, sorted.
func drawPoints(r *rand.Rand, n int) IDPoints {
	points := make(IDPoints, n)
	for i := range points {
		binary.BigEndian.PutUint64(points[i][:], r.Uint64())
		binary.BigEndian.PutUint64(points[i][8:], r.Uint64())
		binary.BigEndian.PutUint32(points[i][16:], r.Uint32())
	}
	slices.SortFunc(points, kad.ID.Compare)
	return points
}

// In whatever order contacts come, and however often, the sample is the same.
func TestGatherIDsOrder(t *testing.T) {
	c := throng{r: source(t, 2)}
	c.honest(300, true)
	c.vpn(40)
	c.add(c.contacts[0].ID, c.address(), "LT")
	again := *c.contacts[5]
	again.Addr = netip.AddrPortFrom(again.Addr.Addr(), 1)
	c.contacts = append(c.contacts, &again, c.contacts[7])
	want := c.sample(t)
	if want.Contacts != 342 || want.IDs != 340 || want.Addresses != 302 || want.Silent != 0 {
		t.Errorf("%d contacts, %d IDs, %d addresses, %d silent; want 342, 340, 302, 0", want.Contacts, want.IDs, want.Addresses, want.Silent)
	}
	for range 5 {
		c.r.Shuffle(len(c.contacts), func(i, j int) { c.contacts[i], c.contacts[j] = c.contacts[j], c.contacts[i] })
		got := c.sample(t)
		for i := range got.records {
			a, b := got.records[i], want.records[i]
			if a.id != b.id || a.ip != b.ip || got.clients[a.client] != want.clients[b.client] {
				t.Fatalf("record %d is %+v, and in another order %+v", i, a, b)
			}
		}
		if !slices.Equal(got.Points(BoundByAddress), want.Points(BoundByAddress)) {
			t.Fatal("in another order the cells are others")
		}
	}
}

// Who never answered is no node, unless all count.
func TestGatherIDsSilent(t *testing.T) {
	c := throng{r: source(t, 3)}
	c.honest(10, false)
	for _, contact := range c.contacts[:4] {
		contact.Replies = 0
	}
	for all, want := range map[bool][2]int{false: {6, 4}, true: {10, 0}} {
		s, err := GatherIDs(inTurn(c.contacts), IDOptions{All: all})
		if err != nil || s.IDs != want[0] || s.Silent != want[1] {
			t.Errorf("all %v: %d IDs and %d silent, %v; want %v", all, s.IDs, s.Silent, err, want)
		}
	}
}

func TestGatherIDsRefuses(t *testing.T) {
	r := source(t, 4)
	c := throng{r: r}
	here, id := c.address(), randomID(r)
	for _, test := range []struct {
		name, says string
		fill       func()
	}{
		{"none", "no contacts", func() {}},
		{"silent", "none of 2 contacts ever answered", func() {
			c.honest(2, true)
			c.contacts[0].Replies, c.contacts[1].Replies = 0, 0
		}},
		{"one ID", "one ID alone, " + id.String(), func() { c.add(id, here, ""); c.add(id, c.address(), "") }},
		{"one address", "all 3 IDs are of one address, " + here.String(), func() {
			for range 3 {
				c.add(randomID(r), here, "")
			}
		}},
	} {
		c.contacts = nil
		test.fill()
		if s, err := GatherIDs(inTurn(c.contacts), IDOptions{}); err == nil || s != nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, %v; want an error with %q", test.name, s, err, test.says)
		}
	}
	torn := errors.New("torn")
	_, err := GatherIDs(func(yield func(*Contact, error) bool) { yield(nil, torn) }, IDOptions{All: true})
	if !errors.Is(err, torn) {
		t.Errorf("a stream that ends in %v gives %v", torn, err)
	}
}

// Too few points are refused by each test, with how many it takes.
func TestIDTestsRefuse(t *testing.T) {
	r := source(t, 5)
	few, some := drawPoints(r, 19), drawPoints(r, 100)
	c := throng{r: r}
	c.honest(19, true)
	_, whole := few.Kolmogorov()
	_, gaps := few.Gaps()
	_, shallow := few.Uniformity(1)
	_, deep := some.Uniformity(5)
	_, deeper := some.Uniformity(21)
	_, flat := some.Uniformity(0)
	_, zones := c.sample(t).Zones(OneNodePerAddress, 0.05)
	_, level := c.sample(t).Zones(OneNodePerAddress, 5)
	for _, test := range []struct {
		err  error
		says string
	}{
		{whole, "want at least 20"}, {gaps, "want at least 20"}, {shallow, "want at least 20"}, {zones, "want at least 20"},
		{deep, "want at least 160, 5 in each of 32 zones"}, {deeper, "first 1 to 20 bits, not 21"}, {flat, "not 0"}, {level, "level 5"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.says) {
			t.Errorf("%v; want an error with %q", test.err, test.says)
		}
	}
}

// A zone of a network is judged like a network: what its IDs have in common by
// being there is no crowd.
func TestZoneAsSample(t *testing.T) {
	r := source(t, 6)
	for _, bits := range []int{3, 8, 12, 21, 26} {
		c := throng{r: r}
		zone := randomID(r).Prefix(bits)
		for range 2000 {
			c.add(zone.Fill(randomID(r)), c.address(), "")
		}
		inner := zone.Child(1).Child(0).First().Prefix(bits + 30)
		for range 20 {
			c.add(inner.Fill(randomID(r)), c.address(), "")
		}
		c.honest(500, true) // elsewhere
		s, err := GatherIDs(inTurn(c.contacts), IDOptions{Zone: zone})
		if err != nil || s.IDs < 2020 || s.IDs > 2300 {
			t.Fatal(s, err)
		}
		for _, null := range Nulls {
			scan, err := s.Zones(null, 0.05)
			if err != nil || len(scan.Zones) != 1 || !scan.Zones[0].overlaps(inner) || scan.Zones[0].IDs != 20 || scan.Deepest != bits+64 {
				t.Errorf("%d bits, %v: %+v, %v; want one zone in %v", bits, null, scan, err, inner)
			}
			points := s.Points(null)
			if whole, err := points.Kolmogorov(); err != nil || whole.P < 0.001 {
				t.Errorf("%d bits, %v: %+v, %v", bits, null, whole, err)
			}
		}
	}
}

func TestBeyond(t *testing.T) {
	id := kad.MustParseID("0123456789abcdef0123456789abcdef01234567")
	for bits, want := range map[int]string{
		0: "0123456789abcdef0123456789abcdef01234567", 4: "123456789abcdef0123456789abcdef012345670",
		8: "23456789abcdef0123456789abcdef0123456700", 1: "02468acf13579bde02468acf13579bde02468ace",
		159: "8000000000000000000000000000000000000000", 160: "0000000000000000000000000000000000000000",
	} {
		if got := beyond(id, bits).String(); got != want {
			t.Errorf("%v beyond %d bits is %s, want %s", id, bits, got, want)
		}
	}
}
