package analysis

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
)

func TestMultiplicitiesByHand(t *testing.T) {
	c := throng{r: source(t, 1)}
	addresses := map[string]int{"203.1.2.3": 5, "203.1.2.4": 1, "203.1.9.1": 2, "2a00::1": 3, "2a00::2": 1, "2a00:0:0:1::1": 1}
	for _, ip := range slices.Sorted(func(yield func(string) bool) {
		for ip := range addresses {
			if !yield(ip) {
				return
			}
		}
	}) {
		for range addresses[ip] {
			c.add(randomID(c.r), netip.MustParseAddr(ip), "")
		}
	}
	// One ID of 203.1.2.3 is at 203.1.2.4 too, in the same /24, and elsewhere.
	for _, contact := range c.contacts {
		if contact.Addr.Addr().String() == "203.1.2.3" {
			c.add(contact.ID, netip.MustParseAddr("203.1.2.4"), "")
			c.add(contact.ID, netip.MustParseAddr("2a00:0:0:1::1"), "")
			break
		}
	}
	want := []Multiplicity{
		{
			Of: "IDs", Per: "IP address", Holders: 6, Mean: 15.0 / 6, Median: 2, P90: 5, P99: 5, Most: 5,
			Powers:  []Power{{1, 1, 1}, {2, 2, 3}, {3, 4, 1}, {5, 8, 1}},
			Largest: []Holder{{"203.1.2.3", 5}, {"2a00::1", 3}, {"203.1.2.4", 2}, {"203.1.9.1", 2}, {"2a00:0:0:1::1", 2}, {"2a00::2", 1}},
			Tail:    []TailPoint{{1, 1}, {2, 5.0 / 6}, {3, 2.0 / 6}, {5, 1.0 / 6}},
		},
		{
			Of: "addresses", Per: "ID", Holders: 13, Mean: 15.0 / 13, Median: 1, P90: 1, P99: 3, Most: 3,
			Powers: []Power{{1, 1, 12}, {2, 2, 0}, {3, 4, 1}}, Tail: []TailPoint{{1, 1}, {3, 1.0 / 13}},
		},
		{
			Of: "IDs", Per: "IPv4 /24", Holders: 2, Mean: 4, Median: 2, P90: 6, P99: 6, Most: 6,
			Powers:  []Power{{1, 1, 0}, {2, 2, 1}, {3, 4, 0}, {5, 8, 1}},
			Largest: []Holder{{"203.1.2.0/24", 6}, {"203.1.9.0/24", 2}}, Tail: []TailPoint{{2, 1}, {6, 0.5}},
		},
		{
			Of: "IDs", Per: "IPv6 /64", Holders: 2, Mean: 3, Median: 2, P90: 4, P99: 4, Most: 4,
			Powers:  []Power{{1, 1, 0}, {2, 2, 1}, {3, 4, 1}},
			Largest: []Holder{{"2a00::/64", 4}, {"2a00:0:0:1::/64", 2}}, Tail: []TailPoint{{2, 1}, {4, 0.5}},
		},
	}
	for i, got := range c.sample(t).Multiplicities() {
		if got.Per == "ID" {
			if len(got.Largest) != 10 || got.Largest[0].Count != 3 {
				t.Errorf("largest %+v", got.Largest)
			}
			got.Largest = nil
		}
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%+v,\nwant %+v", got, want[i])
		}
	}
}

// The slow twin counts with maps of texts.
func TestMultiplicitiesAgainstTwin(t *testing.T) {
	r := source(t, 2)
	for range 30 {
		c := throng{r: r}
		c.honest(r.IntN(300), true)
		for range 1 + r.IntN(20) {
			c.vpn(1 + r.IntN(70))
		}
		for range r.IntN(100) {
			ip := v6Addr(0x2a00_0000_0000_0000|r.Uint64N(20), r.Uint64N(20))
			c.add(c.contacts[r.IntN(len(c.contacts))].ID, ip, "")
		}
		for _, m := range c.sample(t).Multiplicities() {
			checkMultiplicity(t, m, twinMultiplicity(c.contacts, m.Of, m.Per))
		}
	}
}

// twinMultiplicity returns how many things each holder has.
func twinMultiplicity(contacts []*Contact, of, per string) map[string]int {
	pairs := map[[2]string]bool{}
	for _, c := range contacts {
		ip, id := c.Addr.Addr(), c.ID.String()
		network4, _ := ip.Prefix(24)
		network6 := netip.PrefixFrom(ip, 64).Masked()
		switch {
		case of == "addresses":
			pairs[[2]string{id, ip.String()}] = true
		case per == "IP address":
			pairs[[2]string{ip.String(), id}] = true
		case per == "IPv4 /24" && ip.Is4():
			pairs[[2]string{network4.String(), id}] = true
		case per == "IPv6 /64" && ip.Is6():
			pairs[[2]string{network6.String(), id}] = true
		}
	}
	holders := map[string]int{}
	for pair := range pairs {
		holders[pair[0]]++
	}
	return holders
}

func checkMultiplicity(t *testing.T, m Multiplicity, holders map[string]int) {
	t.Helper()
	var counts []int
	for _, n := range holders {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	n := len(counts)
	at := func(percent int) int { return counts[(n*percent+99)/100-1] }
	if m.Holders != n || m.Median != at(50) || m.P90 != at(90) || m.P99 != at(99) || m.Most != counts[n-1] {
		t.Errorf("%s per %s: %+v of %v", m.Of, m.Per, m, counts)
	}
	for i, h := range m.Largest {
		if holders[h.Name] != h.Count || h.Count != counts[n-1-i] {
			t.Errorf("%s per %s: %+v is no. %d, with %d", m.Of, m.Per, h, i, holders[h.Name])
		}
	}
	for _, p := range m.Powers {
		inside := 0
		for _, n := range counts {
			if p.From <= n && n <= p.To {
				inside++
			}
		}
		if inside != p.Holders {
			t.Errorf("%s per %s: %+v, want %d", m.Of, m.Per, p, inside)
		}
	}
	for _, p := range m.Tail {
		first, _ := slices.BinarySearch(counts, p.Count)
		if want := float64(n-first) / float64(n); fmt.Sprint(want) != fmt.Sprint(p.Share) {
			t.Errorf("%s per %s: %+v, want %v", m.Of, m.Per, p, want)
		}
	}
}
