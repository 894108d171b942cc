package lightdht_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// A node that runs again is the one that it was, and knows where it is.
func TestLastIdentity(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(publicA, lightdht.Config{Network: lightdht.Public})
		if got := a.Identity(); got != (lightdht.Identity{ID: a.ID()}) {
			t.Errorf("at first it is %+v", got)
		}
		all := l.electorate(10, saying(publicA))
		l.poll(a, all)
		last := a.Identity()
		if last != (lightdht.Identity{ID: a.ID(), Addr4: at(publicA).Addr()}) || !kad.IsSecureID(last.ID, last.Addr4) {
			t.Errorf("after an election it is %+v", last)
		}
		a.Close()
		a = l.node(publicA, lightdht.Config{Network: lightdht.Public, Last: last})
		if got := a.Identity(); got != last || a.PublicAddr(kad.IPv4) != last.Addr4 {
			t.Errorf("it was %+v and is %+v", last, got)
		}
		l.poll(a, all)
		if got := a.Identity(); got != last {
			t.Errorf("it was %+v and is %+v", last, got)
		}
		l.counts(a, map[lightdht.Counter]uint64{lightdht.IDChanges: 0})
	})
}

// Where it was last counts until the first majority says otherwise, which need not
// wait; that one then stands for an hour.
func TestLastAddressGivesWay(t *testing.T) {
	inLab(t, func(l *lab) {
		old := at(publicA).Addr()
		last := lightdht.Identity{ID: kad.SecureID(old, kad.RandomID()), Addr4: old}
		says := publicB
		a := l.node(publicB, lightdht.Config{Network: lightdht.Public, Last: last})
		all := l.electorate(8, func(p *peer, q *packet) { saying(says)(p, q) })
		l.poll(a, all[:7])
		if a.Identity() != last {
			t.Errorf("after seven votes it is %+v", a.Identity())
		}
		l.poll(a, all[7:])
		if got := a.PublicAddr(kad.IPv4); got != at(publicB).Addr() || !kad.IsSecureID(a.ID(), got) || a.ID() == last.ID {
			t.Errorf("after eight it is %+v", a.Identity())
		}
		says = publicA
		l.poll(a, all)
		if got := a.PublicAddr(kad.IPv4); got != at(publicB).Addr() {
			t.Errorf("within the hour it moved to %s", got)
		}
		time.Sleep(2 * time.Hour)
		l.poll(a, all)
		if got := a.PublicAddr(kad.IPv4); got != old {
			t.Errorf("after the hour it is at %s", got)
		}
	})
}

// What a node begins with, by network and by what is known of the last run.
func TestBeginsAs(t *testing.T) {
	four, six, private := at(publicA).Addr(), netip.MustParseAddr("2606:4700::4"), netip.MustParseAddr("10.1.2.3")
	id := idOf("last")
	fits := kad.SecureID(four, id)
	for name, c := range map[string]struct {
		cfg    lightdht.Config
		wantID kad.ID // zero: another that fits
		want4  netip.Addr
		want6  netip.Addr
	}{
		"an ID alone":                {lightdht.Config{Last: lightdht.Identity{ID: id}}, id, netip.Addr{}, netip.Addr{}},
		"one that fits":              {lightdht.Config{Last: lightdht.Identity{ID: fits, Addr4: four, Addr6: six}}, fits, four, six},
		"one that fits no more":      {lightdht.Config{Last: lightdht.Identity{ID: id, Addr4: four}}, kad.ID{}, four, netip.Addr{}},
		"an address alone":           {lightdht.Config{Last: lightdht.Identity{Addr4: four}}, kad.ID{}, four, netip.Addr{}},
		"a mapped address":           {lightdht.Config{Last: lightdht.Identity{ID: id, Addr4: netip.AddrFrom16(four.As16())}}, kad.ID{}, four, netip.Addr{}},
		"the other family decides":   {lightdht.Config{Last: lightdht.Identity{ID: id, Addr6: six}}, id, netip.Addr{}, six},
		"no address of its family":   {lightdht.Config{Last: lightdht.Identity{ID: id, Addr4: six, Addr6: four}}, id, netip.Addr{}, netip.Addr{}},
		"a private address":          {lightdht.Config{Last: lightdht.Identity{ID: id, Addr4: private}}, id, netip.Addr{}, netip.Addr{}},
		"an ID that it is to have":   {lightdht.Config{ID: idOf("own"), Last: lightdht.Identity{ID: id, Addr4: four}}, idOf("own"), four, netip.Addr{}},
		"an ID on a private network": {lightdht.Config{Network: lightdht.Private, Last: lightdht.Identity{ID: id, Addr4: four}}, id, netip.Addr{}, netip.Addr{}},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab) {
				if c.cfg.Network == lightdht.Auto {
					c.cfg.Network = lightdht.Public
				}
				c.cfg.Conn4, c.cfg.Conn6 = l.listen(publicA), l.listen("[2606:4700::4]:6881")
				a := l.node("", c.cfg)
				got := a.Identity()
				if got.Addr4 != c.want4 || got.Addr6 != c.want6 || got.ID != a.ID() {
					t.Errorf("it is %+v", got)
				}
				switch {
				case !c.wantID.IsZero() && got.ID != c.wantID:
					t.Errorf("its ID is %s, want %s", got.ID, c.wantID)
				case c.wantID.IsZero() && !kad.IsSecureID(got.ID, c.want4):
					t.Errorf("its ID is %s", got.ID)
				}
			})
		})
	}
}

// A node of IPv6 alone begins with an ID for where it was there, and one without
// a fitting last address follows the first election.
func TestLastIdentityFollowsAddress(t *testing.T) {
	inLab(t, func(l *lab) {
		six := netip.MustParseAddr("2606:4700::4")
		a := l.node("", lightdht.Config{Network: lightdht.Public, Conn6: l.listen("[2606:4700::4]:6881"),
			Last: lightdht.Identity{ID: idOf("last"), Addr4: at(publicA).Addr(), Addr6: six}})
		if !kad.IsSecureID(a.ID(), six) {
			t.Errorf("it begins as %s", a.ID())
		}
		b := l.node(publicB, lightdht.Config{Network: lightdht.Public, Last: lightdht.Identity{ID: idOf("last")}})
		l.poll(b, l.electorate(8, saying(publicB)))
		if !kad.IsSecureID(b.ID(), at(publicB).Addr()) {
			t.Errorf("its ID does not follow: %s", b.ID())
		}
		l.counts(b, map[lightdht.Counter]uint64{lightdht.IDChanges: 1})
	})
}
