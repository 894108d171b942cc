package main

import (
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// What a figure says of n lookups is what statistics say of the latest n.
func TestGrowingTakesTheLatest(t *testing.T) {
	var lookups []analysis.Distances
	for i := range 7 { // of a network that grows: each lookup finds its nodes closer
		d := make(analysis.Distances, 8)
		for j := range d {
			d[j] = (float64(j) + 1) / math.Ldexp(1000, i)
		}
		lookups = append(lookups, d)
	}
	in, err := growing(lookups)
	if err != nil {
		t.Fatal(err)
	}
	pooled := in.Estimators[0]
	if pooled.Name != "pooled" || pooled.Points[len(pooled.Points)-1].Lookups != 7 {
		t.Errorf("%+v: want the pooled estimate of up to 7 lookups", pooled)
	}
	for _, p := range pooled.Points {
		want, err := analysis.Sizes(lookups[7-p.Lookups:], confidence)
		if err != nil || p.Nodes != want.Pooled.N {
			t.Errorf("of %d lookups %v nodes, %v, want %v", p.Lookups, p.Nodes, err, want.Pooled.N)
		}
	}
}

// each yields contacts as readers of data do.
func each(contacts []analysis.Contact) iter.Seq2[*analysis.Contact, error] {
	return func(yield func(*analysis.Contact, error) bool) {
		for i := range contacts {
			if !yield(&contacts[i], nil) {
				return
			}
		}
	}
}

// worthOf takes a census as plot rtt does.
func worthOf(t *testing.T, contacts []analysis.Contact) (*analysis.Census, float64) {
	t.Helper()
	var at tripPlaces
	census, err := analysis.TakeCensus(at.noting(each(contacts), false), nil, analysis.CensusOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return census, at.worth()
}

// timedAt returns a contact that answered in 50 ms.
func timedAt(id, host int) analysis.Contact {
	return analysis.Contact{
		ID: kad.ID{byte(id >> 8), byte(id)}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(host)}), 6881),
		Replies: 1, RTT: 50 * time.Millisecond,
	}
}

// IDs of one address are worth one where all have as many, and fewer than addresses
// where some have more.
func TestPlotRTTWorth(t *testing.T) {
	for _, c := range []struct {
		members []int // IDs at each address
		want    float64
	}{
		{[]int{1, 1, 1, 1}, 4}, {[]int{100, 100, 100, 100, 100}, 5}, {[]int{4, 1, 1}, 2}, {[]int{7}, 0}, {[]int{1}, 0},
	} {
		var contacts []analysis.Contact
		for host, n := range c.members {
			for range n {
				contacts = append(contacts, timedAt(len(contacts), host))
			}
		}
		silent := timedAt(5000, 99)
		silent.Replies = 0
		untimed := timedAt(5001, 98)
		untimed.RTT = 0
		if _, got := worthOf(t, append(contacts, silent, untimed)); got != c.want {
			t.Errorf("%v IDs at an address: worth %v, want %v", c.members, got, c.want)
		}
	}
}

// An ID with several contacts counts where a census has it, in whichever order they
// come. Seed 5.
func TestPlotRTTWorthOfBest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0))
	var contacts []analysis.Contact
	for range 3000 {
		c := timedAt(r.IntN(800), r.IntN(60))
		c.Replies, c.Failures = uint32(r.IntN(3)), uint32(r.IntN(2))
		c.RTT *= time.Duration(r.IntN(2))
		contacts = append(contacts, c)
	}
	census, first := worthOf(t, contacts)
	var at tripPlaces
	for range at.noting(each(contacts), false) {
	}
	timed, want := 0, 0
	for _, p := range at.best {
		if p.timed {
			timed++
		}
	}
	for _, b := range census.RTT.Bars[analysis.ByID] {
		want += int(b.Count)
	}
	if timed != want {
		t.Errorf("%d IDs with a round trip, the census has %d", timed, want)
	}
	r.Shuffle(len(contacts), func(i, j int) { contacts[i], contacts[j] = contacts[j], contacts[i] })
	if _, again := worthOf(t, contacts); again != first || first < 20 || first > 60 {
		t.Errorf("worth %v, in another order %v: want the same, 60 addresses at most", first, again)
	}
}
