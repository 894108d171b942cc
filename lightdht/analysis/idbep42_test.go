package analysis

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestCompliance(t *testing.T) {
	c := throng{r: source(t, 1)}
	c.honest(30, true) // LT
	c.honest(10, false)
	c.vpn(5) // UT
	again := *c.contacts[0]
	again.Addr = netip.AddrPortFrom(again.Addr.Addr(), 1) // the same node by another port
	c.contacts = append(c.contacts, &again)
	for i := range 4 {
		ip := v6Addr(0x2a00_0000_0000_0000, uint64(i))
		id := randomID(c.r)
		if i > 0 {
			id = kad.SecureID(ip, id)
		}
		c.add(id, ip, "")
	}
	c.add(randomID(c.r), netip.MustParseAddr("192.168.1.2"), "LT")
	c.add(randomID(c.r), netip.MustParseAddr("127.0.0.1"), "XX")
	want := []Compliance{
		{Family: kad.IPv4, Total: true, Nodes: 45, Secure: 35, Exempt: 2},
		{Family: kad.IPv4, Client: "LT", Nodes: 40, Secure: 30, Exempt: 1},
		{Family: kad.IPv4, Client: "UT", Nodes: 5, Secure: 5},
		{Family: kad.IPv4, Client: "XX", Exempt: 1},
		{Family: kad.IPv6, Total: true, Nodes: 4, Secure: 3},
		{Family: kad.IPv6, Client: "", Nodes: 4, Secure: 3},
	}
	got := c.sample(t).Compliance()
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if want[i].Nodes > 0 {
			want[i].Interval = ClopperPearson(want[i].Secure, want[i].Nodes, 0.95)
		}
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if got[0].Share() != 35.0/45 {
		t.Errorf("share %v", got[0].Share())
	}
	// Of pseudonyms nobody knows which are local.
	hidden, err := GatherIDs(inTurn(c.contacts), IDOptions{Hidden: true})
	if err != nil {
		t.Fatal(err)
	}
	if total := hidden.Compliance()[0]; total.Exempt != 0 || total.Nodes != 47 || total.Secure != 37 {
		t.Errorf("of pseudonyms: %+v", total)
	}
	unjudged, err := GatherIDs(inTurn(c.contacts), IDOptions{Hidden: true, Unjudged: true})
	if err != nil {
		t.Fatal(err)
	}
	if all := unjudged.Compliance(); all != nil || !slices.Equal(unjudged.Points(BoundByAddress), unjudged.Points(OneNodePerAddress)) {
		t.Errorf("of nobody knows whom: %+v", all)
	}
}

// A random ID is allowed with the chance that is said: eight prefixes of 21 bits,
// of which the ID's own last bits choose the one.
func TestChanceSecure(t *testing.T) {
	const draws = 40_000_000
	if testing.Short() {
		t.Skip("draws 40 M IDs")
	}
	r := source(t, 2)
	ip := netip.MustParseAddr("203.1.2.3")
	hits := 0
	for range draws / 1000 { // the first 21 bits of a thousand, one after the other
		id := randomID(r)
		secure := kad.SecureID(ip, id)
		for range 1000 {
			if x := r.Uint32(); (x^uint32(secure[0])<<24^uint32(secure[1])<<16^uint32(secure[2])<<8)>>11 == 0 {
				hits++
			}
		}
	}
	if want := draws * ChanceSecure; float64(hits) < want-3.5*4.4 || float64(hits) > want+3.5*4.4 {
		t.Errorf("%d of %d random IDs are allowed, want %v", hits, draws, want)
	}
}
