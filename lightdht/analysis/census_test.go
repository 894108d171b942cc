package analysis

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// eachOf yields contacts in a buffer of its own, as a store does.
func eachOf(contacts []Contact) iter.Seq2[*Contact, error] {
	return func(yield func(*Contact, error) bool) {
		var c Contact
		for i := range contacts {
			if c = contacts[i]; !yield(&c, nil) {
				return
			}
		}
	}
}

// contactsOf draws contacts that share IDs, addresses and all else, some of them twice.
func contactsOf(r *rand.Rand, n int) []Contact {
	all := make([]Contact, n)
	for i := range all {
		drawContact(r, &all[i])
		all[i].ID = kad.ID{byte(r.IntN(1 + n/3))}
		all[i].ID[19] = byte(r.IntN(2)) // the same beginning, another ID
		ip := netip.AddrFrom4([4]byte{10, byte(r.IntN(3)), byte(r.IntN(1 + n/8)), 1})
		if r.IntN(4) == 0 {
			ip = netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 3: byte(r.IntN(3)), 15: byte(r.IntN(1 + n/8))})
		}
		all[i].Addr = netip.AddrPortFrom(ip, uint16(6881+r.IntN(2)*r.IntN(40000)))
		all[i].Run = fmt.Sprint("run", r.IntN(4))
		if r.IntN(5) == 0 && i > 0 {
			all[i] = all[r.IntN(i)]
			all[i].Client = someClients[r.IntN(5)] // of which one is to count
		}
	}
	return all
}

func TestCensusAgainstTwin(t *testing.T) {
	r := source(t, 70)
	for i := range 60 {
		contacts := contactsOf(r, 1+r.IntN(200))
		all := i%2 == 0
		c, err := TakeCensus(eachOf(contacts), nil, CensusOptions{All: all, Top: 1000})
		if answered := slices.ContainsFunc(contacts, func(c Contact) bool { return c.Answered() }); !answered && !all {
			if err == nil {
				t.Fatal("nobody answered, and it counts")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		countTwin(contacts, func(c *Contact) kad.ID { return c.ID }, all).compare(t, c, ByID)
		countTwin(contacts, func(c *Contact) netip.Addr { return c.Addr.Addr() }, all).compare(t, c, ByAddress)
		if t.Failed() {
			t.Fatalf("census %d of %d contacts", i, len(contacts))
		}
	}
}

// The order in which contacts and runs come makes no difference, to the last digit.
func TestCensusInAnyOrder(t *testing.T) {
	r := source(t, 71)
	for range 8 {
		contacts := contactsOf(r, 20+r.IntN(200))
		first := ""
		for range 4 {
			c, err := TakeCensus(eachOf(contacts), eachOf(contacts), CensusOptions{Top: 3})
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprintf("%+v", *c); first == "" {
				first = text
			} else if text != first {
				t.Fatalf("another order, another census:\n%s\n%s", first, text)
			}
			r.Shuffle(len(contacts), func(i, j int) { contacts[i], contacts[j] = contacts[j], contacts[i] })
		}
	}
}

// Per run it is the mean of what each run has by itself.
func TestCensusPerRun(t *testing.T) {
	at := func(i int, client, run string, replies uint32) Contact {
		return Contact{ID: kad.ID{byte(i)}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 6881), Client: client, Run: run, Replies: replies, Failures: 1, RTT: time.Millisecond}
	}
	rows := []Contact{ // LT has 1/2, 1/4 and 0 of those that answered
		at(1, "LT", "a", 1), at(2, "UT", "a", 1), at(3, "UT", "a", 0),
		at(1, "LT", "b", 1), at(2, "UT", "b", 1), at(4, "UT", "b", 1), at(5, "UT", "b", 3),
		at(2, "UT", "c", 1), at(9, "LT", "c", 0),
	}
	c, err := TakeCensus(eachOf(rows), eachOf(rows), CensusOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range c.Section(Clients).Classes {
		if class.Name != "LT" {
			continue
		}
		s := class.Shares[PerRun]
		want := Mean([]float64{0, 0.25, 0.5}, together(2).level()).within(0, 1) // there are two clients
		if want.Interval = together(2).mark(want.Interval); s.Number != want || !close(s.Count, 2.0/3, 1e-12) || !close(s.Of, 7.0/3, 1e-12) {
			t.Errorf("LT per run: %+v, want %+v", s, want)
		}
		if s := class.Shares[ByID]; s.Count != 1 || s.Of != 4 || s.Value != 0.25 || s.Interval != together(2).ofHits(1, 4).Interval {
			t.Errorf("LT by ID: %+v", s)
		}
	}
	if c.Runs != 3 || c.Totals[PerRun].Value != 7.0/3 || c.Totals[ByID].Value != 4 || c.LeftOut != 2 || c.Contacts != 6 {
		t.Errorf("%d runs, totals %+v, %d of %d left out", c.Runs, c.Totals, c.LeftOut, c.Contacts)
	}
	// Of 3, 4 and 2 asked, 2, 4 and 1 answered; of 5, 10 and 3 queries, 2, 6 and 1.
	if got := c.Asked.Nodes[PerRun].Value; !close(got, (2.0/3+1+0.5)/3, 1e-12) {
		t.Errorf("%v of those asked answered", got)
	}
	if got := c.Asked.Queries[PerRun].Value; !close(got, (2.0/5+0.6+1.0/3)/3, 1e-12) {
		t.Errorf("%v of queries were answered", got)
	}
	if n := c.Totals[PerRun]; n.Interval.Lo != 0 || !(n.Interval.Hi > 6) || n.Interval.Level != 0.95 { // 2, 4 and 1: by t from below 0
		t.Errorf("contacts in a run: %+v", n)
	}
	over := c.Over[len(c.Over)-1]
	if over.Over != Clients || over.Nakamoto[PerRun].Value != (2.0+1+1)/3 || over.HHI[PerRun].Samples != 2 || over.Nakamoto[PerRun].Interval.Level != 0 {
		t.Errorf("over clients: %+v", over)
	}
}

func TestCensusOfOne(t *testing.T) {
	one := Contact{ID: kad.ID{1}, Addr: netip.MustParseAddrPort("192.0.2.1:6881"), State: "good", Replies: 1, RTT: 20 * time.Millisecond}
	for _, n := range []int{1, 5} { // the same one again is still one
		c, err := TakeCensus(eachOf(slices.Repeat([]Contact{one}, n)), nil, CensusOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Contacts != 1 || c.Answered != 1 || c.Totals[ByAddress].Value != 1 || !math.IsNaN(c.Totals[PerRun].Value) {
			t.Errorf("%d times: %+v", n, c)
		}
		clients := c.Section(Clients)
		if len(clients.Classes) != 1 || clients.Classes[0].Name != Unknown || clients.Distinct[ByID].Value != 0 {
			t.Errorf("clients: %+v", clients)
		}
		if s := clients.Classes[0].Shares[ByID]; s.Value != 1 || !close(s.Interval.Lo, 0.025, 1e-9) {
			t.Errorf("unknown: %+v", s)
		}
		if q := c.RTT.Quantiles[2].At[ByID]; !close(q.Value, 20_000, 0.001) || q.Interval.Level != 0 {
			t.Errorf("median: %+v", q)
		}
		if len(c.Over) != 1 || c.Over[0].Over != Nets16 || c.Over[0].Nakamoto[ByAddress].Value != 1 {
			t.Errorf("over: %+v", c.Over)
		}
	}
}

func TestCensusRefuses(t *testing.T) {
	silent := []Contact{{ID: kad.ID{1}, Addr: netip.MustParseAddrPort("192.0.2.1:1")}, {ID: kad.ID{2}, Addr: netip.MustParseAddrPort("192.0.2.1:1")}}
	broken := errors.New("it broke")
	fails := func(yield func(*Contact, error) bool) { yield(nil, broken) }
	for _, c := range []struct {
		name         string
		rows, byRun  iter.Seq2[*Contact, error]
		all          bool
		says         string
		isThisBroken bool
	}{
		{"none", eachOf(nil), nil, true, "no contacts", false},
		{"silent", eachOf(silent), nil, false, "none of 2 contacts ever answered", false},
		{"broken", fails, nil, true, "", true},
		{"broken by run", eachOf(silent), fails, true, "", true},
	} {
		got, err := TakeCensus(c.rows, c.byRun, CensusOptions{All: c.all})
		if got != nil || err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, broken) != c.isThisBroken {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	if c, err := TakeCensus(eachOf(silent), nil, CensusOptions{All: true}); err != nil || c.Totals[ByID].Value != 2 || c.Totals[ByAddress].Value != 1 || c.LeftOut != 0 {
		t.Errorf("with all: %+v, %v", c, err)
	}
}

// The classes named are the largest, the rest is Other, and with those unknown they
// are all: shares add up to 1.
func TestCensusClassesAddUp(t *testing.T) {
	r := source(t, 72)
	contacts := contactsOf(r, 2000)
	c, err := TakeCensus(eachOf(contacts), eachOf(contacts), CensusOptions{Top: 2, Tops: map[string]int{Countries: 4}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Sections {
		if s.Name == Extensions {
			continue
		}
		for by := range Counting(Countings) {
			total := 0.0
			for _, class := range s.Classes {
				total += class.Shares[by].Value
			}
			if !close(total, 1, 1e-9) {
				t.Errorf("%s by %v: the shares add up to %v", s.Name, by, total)
			}
		}
	}
	countries := c.Section(Countries).Classes
	for i := range 3 { // the largest first
		if a, b := countries[i].Shares[ByID].Count, countries[i+1].Shares[ByID].Count; a < b {
			t.Errorf("%s with %v comes before %s with %v", countries[i].Name, a, countries[i+1].Name, b)
		}
	}
	if n := len(c.Section(Versions).Classes); n != 4 { // two, others, unknown
		t.Errorf("%d versions are named", n)
	}
	if n := len(c.Section(Countries).Classes); n != 6 {
		t.Errorf("%d countries are named", n)
	}
	if _, err := json.Marshal(c.Section(States)); err != nil {
		t.Error(err)
	}
}

// Of several names of a system the first in the alphabet counts.
func TestCensusNamesSystems(t *testing.T) {
	var contacts []Contact
	for i, org := range []string{"", "Beta", "Alpha", ""} {
		contacts = append(contacts, Contact{ID: kad.ID{byte(i)}, Addr: netip.MustParseAddrPort("192.0.2.1:1"), ASN: 64496, Org: org, Replies: 1})
	}
	c, err := TakeCensus(eachOf(contacts), nil, CensusOptions{})
	if err != nil || c.Section(Systems).Classes[0].Name != "AS64496 Alpha" {
		t.Errorf("%+v, %v", c.Section(Systems), err)
	}
}

// A census keeps nothing of the contacts that it is given, and allocates little for
// each.
func TestCensusAllocatesLittle(t *testing.T) {
	const n = 20_000
	contacts := slices.Collect(func(yield func(Contact) bool) {
		for c := range drawn(n, false) {
			if !yield(*c) {
				return
			}
		}
	})
	allocs := testing.AllocsPerRun(2, func() {
		if _, err := TakeCensus(eachOf(contacts), nil, CensusOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > n {
		t.Errorf("%v allocations for %d contacts", allocs, n)
	}
}
