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

// crowd builds contacts whose truth is known.
type crowd struct {
	r        *rand.Rand
	contacts []*Contact
}

func (c *crowd) add(id kad.ID, ip netip.Addr, client string) {
	c.contacts = append(c.contacts, &Contact{ID: id, Addr: netip.AddrPortFrom(ip, uint16(1024+c.r.IntN(60000))), Client: client, Replies: 1, Secure: kad.IsSecureID(id, ip)})
}

// address draws a public IPv4 address.
func (c *crowd) address() netip.Addr {
	return v4Addr(0x0b000000 + c.r.Uint32N(0x60000000))
}

// honest adds n nodes at addresses of their own, bound to them or not.
func (c *crowd) honest(n int, bound bool) {
	for range n {
		ip, id := c.address(), randomID(c.r)
		if bound {
			id = kad.SecureID(ip, id)
		}
		c.add(id, ip, "LT")
	}
}

// vpn adds n nodes at one address, whose IDs BEP 42 allows.
func (c *crowd) vpn(n int) {
	ip := c.address()
	for range n {
		c.add(kad.SecureID(ip, randomID(c.r)), ip, "UT")
	}
}

// sybils adds n nodes in a zone of so many bits, and returns it.
func (c *crowd) sybils(n, bits int, oneAddress bool) kad.Prefix {
	zone, ip := randomID(c.r).Prefix(bits), c.address()
	for range n {
		if !oneAddress {
			ip = c.address()
		}
		c.add(zone.Fill(randomID(c.r)), ip, "")
	}
	return zone
}

func each(contacts []*Contact) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		for _, c := range contacts {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (c *crowd) sample(t testing.TB) *IDSample {
	t.Helper()
	s, err := GatherIDs(each(c.contacts), false)
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

func TestProbe(t *testing.T) {
	r := source(t, 1)
	for _, n := range []int{20, 100, 3000, 100000} {
		pts := drawPoints(r, n)
		for _, d := range pts.Depths() {
			u, err := pts.Uniformity(d)
			t.Logf("%+v %v", u, err)
		}
		k, err := pts.Kolmogorov()
		t.Logf("%+v %v", k, err)
		g, err := pts.Gaps()
		t.Logf("%+v %v", g, err)
	}
	c := crowd{r: r}
	c.honest(100000, true)
	c.vpn(5000)
	z1 := c.sybils(200, 14, false)
	z2 := c.sybils(64, 30, true)
	t.Log(z1, z2)
	s := c.sample(t)
	for _, n := range Nulls {
		scan, err := s.Zones(n, 0.05)
		t.Log(scan.Points, scan.Candidates, err)
		for _, z := range scan.Zones {
			t.Logf("%v %v %+v %.3g", z.First, z.Last, z, z.Ratio())
		}
	}
	t.Logf("%+v", s.Compliance())
	t.Logf("%+v", s.Multiplicities())
	_ = errors.New
	_ = strings.Contains
}
