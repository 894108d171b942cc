package analysis

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// twin counts as the comment says, with maps.
type twin map[string]map[string]int // by section, by class

func (t twin) add(section, class string) {
	if t[section] == nil {
		t[section] = map[string]int{}
	}
	t[section][class]++
}

// is reports which contact counts: it tells the same as censusRow by other means.
func standsFor(a, b *Contact) bool {
	if a.Replies != b.Replies {
		return a.Replies > b.Replies
	}
	if a.Failures != b.Failures {
		return a.Failures < b.Failures
	}
	x, y := a.Addr.Addr().As16(), b.Addr.Addr().As16()
	if c := strings.Compare(string(x[:]), string(y[:])); c != 0 {
		return c < 0
	}
	if a.Addr.Port() != b.Addr.Port() {
		return a.Addr.Port() < b.Addr.Port()
	}
	if c := a.ID.Compare(b.ID); c != 0 {
		return c < 0
	}
	if (a.Client == "") != (b.Client == "") {
		return a.Client != ""
	}
	return a.Client < b.Client
}

// groupTwin returns the contacts, each once, in groups.
func groupTwin[K comparable](contacts []Contact, key func(*Contact) K) map[K][]Contact {
	type pair struct {
		id   kad.ID
		addr netip.AddrPort
	}
	merged := map[pair]Contact{}
	beps := map[pair]string{}
	for _, c := range contacts {
		p := pair{c.ID, c.Addr}
		if was, ok := merged[p]; !ok || standsFor(&c, &was) {
			merged[p] = c
		}
		beps[p] += " " + c.BEPs
	}
	groups := map[K][]Contact{}
	for p, c := range merged {
		c.BEPs = beps[p]
		groups[key(&c)] = append(groups[key(&c)], c)
	}
	return groups
}

// countTwin counts groups of contacts.
func countTwin[K comparable](contacts []Contact, key func(*Contact) K, all bool) twin {
	t := twin{}
	for _, group := range groupTwin(contacts, key) {
		t.count(group, all)
	}
	return t
}

func (t twin) count(group []Contact, all bool) {
	best := group[0]
	families, seen := map[string]bool{}, map[string]bool{}
	replies, failures := 0, 0
	for _, c := range group {
		if standsFor(&c, &best) {
			best = c
		}
		families[kad.FamilyOf(c.Addr.Addr()).String()] = true
		for _, n := range strings.Fields(c.BEPs) {
			seen["BEP "+n] = true
		}
		replies += int(c.Replies)
		failures += int(c.Failures)
	}
	t.add(States, best.State)
	if replies+failures > 0 {
		t.add("asked", fmt.Sprint(replies > 0))
	}
	if !all && replies == 0 {
		return
	}
	family := "both"
	if len(families) == 1 {
		family = slices.Collect(maps.Keys(families))[0]
	}
	orUnknown := func(s string) string {
		if s == "" {
			return Unknown
		}
		return s
	}
	t.add(Families, family)
	t.add(Clients, orUnknown(best.Client))
	t.add(Versions, orUnknown(best.Version))
	t.add(Ports, fmt.Sprint(best.Addr.Port()))
	t.add(Countries, orUnknown(best.Country))
	if best.ASN == 0 {
		t.add(Systems, Unknown)
	} else {
		t.add(Systems, fmt.Sprint("AS", best.ASN))
	}
	for name := range seen {
		t.add(Extensions, name)
	}
	if len(seen) == 0 {
		t.add(Extensions, NoneSeen)
	}
	for name, bits := range map[string]int{Nets8: 8, Nets16: 16, Nets32: 32} {
		if p, err := best.Addr.Addr().Prefix(bits); err == nil && best.Addr.Addr().Is4() == (bits < 32) {
			t.add(name, p.String())
		}
	}
	if best.RTT > 0 {
		t.add("rtt", "known")
	}
}

// compare holds a census, in which all classes are named, against the twin.
func (t twin) compare(test *testing.T, c *Census, by Counting) {
	test.Helper()
	for _, name := range []string{States, Families, Clients, Versions, Ports, Extensions, Nets8, Nets16, Nets32, Countries, Systems} {
		s := c.Section(name)
		if s == nil {
			if len(t[name]) > 0 {
				test.Errorf("no section %q, want %v", name, t[name])
			}
			continue
		}
		left := maps.Clone(t[name])
		for _, class := range s.Classes {
			if got, want := int(class.Shares[by].Count), left[class.Name]; got != want {
				test.Errorf("%s by %v: %q is %d, want %d", name, by, class.Name, got, want)
			}
			delete(left, class.Name)
		}
		if len(left) > 0 {
			test.Errorf("%s by %v: there is nothing of %v", name, by, left)
		}
	}
	if got := c.Asked.Nodes[by]; int(got.Of) != t["asked"]["true"]+t["asked"]["false"] || int(got.Count) != t["asked"]["true"] {
		test.Errorf("by %v: %v of %v asked answered, want %v", by, got.Count, got.Of, t["asked"])
	}
	if got := c.RTT.Quantiles[0].At[by].Samples; got != t["rtt"]["known"] {
		test.Errorf("by %v: %d round trips, want %d", by, got, t["rtt"]["known"])
	}
}
