package table_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// epoch is when the tests begin.
var epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// both runs a test on each kind of table.
func both(t *testing.T, test func(t *testing.T, kind string)) {
	for _, kind := range []string{"flat", "prefix"} {
		t.Run(kind, func(t *testing.T) { test(t, kind) })
	}
}

func newTable(tb testing.TB, kind string) table.Table {
	tb.Helper()
	t, err := table.New(kind)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// seeded returns a generator whose seed is printed when the test fails.
func seeded(tb testing.TB) *rand.Rand {
	seed := rand.Uint64()
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func randomID(r *rand.Rand) (id kad.ID) {
	binary.BigEndian.PutUint64(id[0:], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64())
	binary.BigEndian.PutUint32(id[16:], r.Uint32())
	return id
}

// sharing returns an ID that shares its first bits with like.
func sharing(r *rand.Rand, like kad.ID, bits int) kad.ID {
	return like.Prefix(bits).Fill(randomID(r))
}

// addr4 and addr6 return the i-th address of a family.
func addr4(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)
}

func addr6(i int) netip.AddrPort {
	a := [16]byte{0: 0x20, 1: 0x01, 12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
	return netip.AddrPortFrom(netip.AddrFrom16(a), 6881)
}

func replied(id kad.ID, addr netip.AddrPort, now time.Time) table.Sighting {
	return table.Sighting{Node: kad.NodeInfo{ID: id, Addr: addr}, Time: now, Event: table.Replied, RTT: time.Millisecond}
}

// fill adds n contacts that answered, with random IDs, and returns them.
func fill(t table.Table, r *rand.Rand, n int) []table.Contact {
	cs := make([]table.Contact, n)
	for i := range cs {
		cs[i], _ = t.Observe(replied(randomID(r), addr4(i), epoch))
	}
	return cs
}

// same fails the test unless got is want.
func same(tb testing.TB, what string, got, want []table.Contact) {
	tb.Helper()
	if slices.Equal(got, want) {
		return
	}
	if len(got) != len(want) {
		tb.Fatalf("%s: %d contacts, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			tb.Fatalf("%s: number %d of %d is\n\t%v, want\n\t%v", what, i, len(got), got[i], want[i])
		}
	}
}

func TestNew(t *testing.T) {
	for kind, want := range map[string]string{"": "*table.Prefix", "prefix": "*table.Prefix", "flat": "*table.Flat"} {
		if got := fmt.Sprintf("%T", newTable(t, kind)); got != want {
			t.Errorf("New(%q) is a %s, want %s", kind, got, want)
		}
	}
	if _, err := table.New("round"); err == nil {
		t.Error("New takes any name")
	}
}

func TestEmpty(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb := newTable(t, kind)
		if got := tb.AppendNearest(nil, kad.ID{}, 8, table.Filter{}); got != nil {
			t.Errorf("nearest of none: %v", got)
		}
		if got := tb.Sample(seeded(t), 8, kad.Prefix{}, table.Filter{}); len(got) != 0 {
			t.Errorf("sample of none: %v", got)
		}
		for c := range tb.All() {
			t.Errorf("all of none: %v", c)
		}
		for c := range tb.Nearest(kad.ID{}, table.Filter{}) {
			t.Errorf("nearest of none: %v", c)
		}
		if _, ok := tb.Get(kad.NodeInfo{}); ok || tb.Len() != 0 || tb.Count(kad.Prefix{}) != 0 {
			t.Error("an empty table holds something")
		}
	})
}

// Three known, eight asked, three returned, behind what dst held.
func TestFewerThanAsked(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, r := newTable(t, kind), seeded(t)
		fill(tb, r, 3)
		got := tb.AppendNearest(make([]table.Contact, 2), randomID(r), 8, table.Filter{})
		if len(got) != 5 || got[0] != (table.Contact{}) || got[2] == (table.Contact{}) {
			t.Errorf("AppendNearest gave %v", got)
		}
		for _, n := range []int{0, -1} {
			if got := tb.AppendNearest(nil, kad.ID{}, n, table.Filter{}); got != nil {
				t.Errorf("asked for %d, got %v", n, got)
			}
		}
	})
}

// An ID claimed from a second address is a second contact.
func TestClaimedID(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, id := newTable(t, kind), kad.RandomID()
		first, added := tb.Observe(replied(id, addr4(2), epoch))
		second, added2 := tb.Observe(table.Sighting{Node: kad.NodeInfo{ID: id, Addr: addr4(1)}, Time: epoch, Event: table.Queried})
		if !added || !added2 || tb.Len() != 2 {
			t.Fatalf("added %v and %v, %d contacts", added, added2, tb.Len())
		}
		if got, _ := tb.Get(first.Info()); got != first {
			t.Errorf("the first became %v", got)
		}
		same(t, "nearest", tb.AppendNearest(nil, id, 8, table.Filter{}), []table.Contact{second, first})
	})
}

func TestFamilies(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, id := newTable(t, kind), kad.RandomID()
		zoned := netip.MustParseAddrPort("[fe80::1%eth0]:1")
		plain := netip.MustParseAddrPort("[fe80::1]:1")
		var want []table.Contact
		for _, addr := range []netip.AddrPort{addr4(1), netip.MustParseAddrPort("[::1]:1"), addr6(1), zoned} {
			c, _ := tb.Observe(replied(id, addr, epoch))
			want = append(want, c)
		}
		if want[0].Addr != addr4(1) || want[2].Addr != addr6(1) || want[3].Addr != plain {
			t.Errorf("addresses came back as %v", want)
		}
		same(t, "IPv4 first, then by address", tb.AppendNearest(nil, id, 8, table.Filter{}), want)
		if _, added := tb.Observe(replied(id, plain, epoch)); added {
			t.Error("a zone makes another contact")
		}
	})
}

func TestVersionsAreBounded(t *testing.T) {
	tb, n := newTable(t, "flat"), kad.NodeInfo{Addr: addr4(1)}
	see := func(version []byte) table.Contact {
		c, _ := tb.Observe(table.Sighting{Node: n, Time: epoch, Event: table.Queried, Version: version})
		return c
	}
	if c := see([]byte("LT\x01\x00")); c.Version != "LT\x01\x00" {
		t.Errorf("version %q", c.Version)
	}
	if c := see(nil); c.Version != "LT\x01\x00" {
		t.Errorf("no version told, now %q", c.Version)
	}
	if c := see(make([]byte, 1000)); len(c.Version) != 64 {
		t.Errorf("%d bytes of version kept", len(c.Version))
	}
	for i := range 65533 {
		see(binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	if c := see([]byte("more")); c.Version != "" {
		t.Errorf("version 65,536 is %q", c.Version)
	}
	if c := see([]byte("LT\x01\x00")); c.Version != "LT\x01\x00" {
		t.Errorf("an old version is %q", c.Version)
	}
	if got, want := tb.Drops(), (table.Drops{VersionsCut: 1, VersionsLost: 1}); got != want {
		t.Errorf("drops %+v, want %+v", got, want)
	}
}

// To ask for more than there can be is to ask for all.
func TestAppendNearestOfAll(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb := newTable(t, kind)
		cs := fill(tb, seeded(t), 100)
		for _, n := range []int{100, 101, math.MaxInt - 1, math.MaxInt} {
			if got := tb.AppendNearest(slices.Clone(cs[:3]), kad.ID{}, n, table.Filter{}); len(got) != 103 {
				t.Errorf("asked for %d, got %d behind 3", n, len(got)-3)
			}
		}
	})
}

// More than are read under one lock come in order, each once.
func TestAppendNearestOfMany(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		tb, r := newTable(t, kind), seeded(t)
		center, target := randomID(r), randomID(r)
		const n = 40_000
		for i := range n { // all in one zone
			tb.Observe(replied(sharing(r, center, 6), addr4(i), epoch))
		}
		got := tb.AppendNearest(nil, target, n, table.Filter{})
		once := map[netip.AddrPort]bool{}
		for _, c := range got {
			once[c.Addr] = true
		}
		if len(once) != n || len(got) != n || !slices.IsSortedFunc(got, func(a, b table.Contact) int { return target.CompareDistance(a.ID, b.ID) }) {
			t.Errorf("%d contacts, %d different ones, want %d in order", len(got), len(once), n)
		}
	})
}
