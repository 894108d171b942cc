package lightdht

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// A ban comes with the packet that is one too many, lasts just as long as it
// should, whoever asks on, and leaves nothing behind.
func TestGuardBan(t *testing.T) {
	g, now := newGuard(Limits{Inbound: 3, BanFor: time.Minute}), time.Unix(1e9, 0)
	addr, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	admits := func(a netip.Addr, ok, banned bool) {
		t.Helper()
		if gotOK, gotBanned := g.admit(now, a); gotOK != ok || gotBanned != banned {
			t.Errorf("%s at %s: %v, %v, want %v, %v", a, now, gotOK, gotBanned, ok, banned)
		}
	}
	for range 2 { // after a ban it begins anew
		for range 3 {
			admits(addr, true, false)
		}
		admits(addr, false, true)
		admits(addr, false, false)
		admits(other, true, false)
		now = now.Add(time.Minute - 1)
		admits(addr, false, false)
		if bans := g.bans(now); !slices.Equal(bans, []netip.Addr{addr}) {
			t.Errorf("bans: %v", bans)
		}
		now = now.Add(1)
	}
	if bans := g.bans(now); len(bans) != 0 || len(g.banned) != 0 || g.order != nil {
		t.Errorf("left behind: %v, %d, %v", bans, len(g.banned), g.order)
	}
}

// A ban shorter than what is counted ends all the same.
func TestGuardShortBan(t *testing.T) {
	g, now, addr := newGuard(Limits{Inbound: 1, BanFor: time.Second}), time.Unix(1e9, 0), numbered(1)
	for i, want := range []bool{true, false, false} {
		if ok, _ := g.admit(now, addr); ok != want {
			t.Errorf("packet %d: %v", i, ok)
		}
	}
	if ok, _ := g.admit(now.Add(time.Second), addr); !ok {
		t.Error("still banned")
	}
}

func TestGuardForEver(t *testing.T) {
	g, now, addr := newGuard(Limits{Inbound: 1, BanFor: 1<<63 - 1}), time.Unix(1e9, 0), numbered(1)
	g.admit(now.Add(-time.Hour), numbered(2))
	g.admit(now, addr)
	g.admit(now, addr)
	if ok, _ := g.admit(now.Add(50*365*24*time.Hour), addr); ok {
		t.Error("the ban has ended")
	}
}

// The addresses of a /64 are one, those of IPv4 are each their own, and no two
// sources are mixed up.
func TestGuardSources(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "0.0.0.0": "0.0.0.0", "255.255.255.255": "255.255.255.255",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "::1": "::", "fe80::1%eth0": "fe80::", "::ffff:0:0:0:1": "::ffff:0:0:0:0",
	} {
		if got := hostOf(hostKey(netip.MustParseAddr(in))); got != netip.MustParseAddr(want) {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	g, now := newGuard(Limits{Inbound: 2, BanFor: time.Minute}), time.Unix(1e9, 0)
	for i, addr := range []string{"2001:db8:1:2::1", "2001:db8:1:3::1", "::1", "0.0.0.0", "2001:db8:1:2::2", "::2", "2001:db8:1:2::3"} {
		if ok, _ := g.admit(now, netip.MustParseAddr(addr)); ok != (i < 6) {
			t.Errorf("packet %d from %s: %v", i, addr, ok)
		}
	}
}

// Against a twin that keeps every packet: nobody is banned who sent no more in
// the last ten seconds than is allowed, everybody is who did in the last nine.
func TestGuardAgainstTwin(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		limit, banFor := 1+r.IntN(30), time.Duration(1+r.IntN(40))*time.Second
		g, now := newGuard(Limits{Inbound: limit, BanFor: banFor}), time.Unix(1e9, 0)
		since := func(times []time.Time, span time.Duration) (n int) {
			for _, at := range times {
				if now.Sub(at) < span {
					n++
				}
			}
			return n
		}
		sent, bans := map[netip.Addr][]time.Time{}, map[netip.Addr]time.Time{}
		for i := range 2000 {
			if r.IntN(100) == 0 {
				now = now.Add(time.Duration(r.IntN(30)) * time.Second)
			}
			now = now.Add(time.Duration(r.Int64N(int64(400 * time.Millisecond))))
			maps.DeleteFunc(bans, func(_ netip.Addr, until time.Time) bool { return !until.After(now) })
			addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(3))})
			ok, banned := g.admit(now, addr)
			if _, is := bans[addr]; is {
				if ok || banned {
					t.Fatalf("seed %d, step %d: %v, %v of a banned one", seed, i, ok, banned)
				}
			} else {
				sent[addr] = append(sent[addr], now)
				ten, nine := since(sent[addr], 10*time.Second), since(sent[addr], 9*time.Second)
				if ok == banned || banned && ten <= limit || ok && nine > limit {
					t.Fatalf("seed %d, step %d: %v, %v after %d in 10 s, %d in 9 s, of %d", seed, i, ok, banned, ten, nine, limit)
				}
				if banned {
					sent[addr], bans[addr] = nil, now.Add(banFor)
				}
			}
			want := slices.SortedFunc(maps.Keys(bans), netip.Addr.Compare)
			if got := g.bans(now); !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: bans %v, want %v", seed, i, got, want)
			}
		}
	}
}

// In a flood from millions of addresses nobody is banned who sent little, who
// sent too much still is, and no more memory is taken.
func TestGuardFlood(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	g, now := newGuard(Limits{Inbound: 200, BanFor: time.Hour}), time.Unix(1e9, 0)
	strict := newGuard(Limits{Inbound: 5, BanFor: time.Hour}) // nobody sends as many
	heavy := netip.MustParseAddr("2001:db8::1")               // nobody in the flood
	banned := 0
	for i := range 1_000_000 { // in ten seconds; the heavy one sends every thousandth
		now = now.Add(10 * time.Microsecond)
		addr := randomIPv4(r)
		if ok, _ := strict.admit(now, addr); !ok {
			t.Fatalf("packet %d banned its sender for others", i)
		}
		if ok, _ := g.admit(now, addr); !ok {
			t.Fatalf("packet %d banned its sender", i)
		}
		if i%1000 == 0 {
			if _, just := g.admit(now, heavy); just {
				banned = i/1000 + 1
			}
		}
	}
	if banned != 201 {
		t.Errorf("banned at its packet %d", banned)
	}
	if len(g.sets) != guardSets || len(g.order) != 1 {
		t.Errorf("%d sets, %d bans", len(g.sets), len(g.order))
	}
}

// There are at most so many bans, the oldest ending early.
func TestGuardMaxBans(t *testing.T) {
	g, now := newGuard(Limits{Inbound: 1, BanFor: time.Hour}), time.Unix(1e9, 0)
	for i := range maxBans + 100 {
		g.admit(now, numbered(i))
		if _, banned := g.admit(now, numbered(i)); !banned {
			t.Fatalf("number %d is not banned", i)
		}
	}
	bans := g.bans(now)
	if len(bans) != maxBans || len(g.banned) != maxBans || bans[0] != numbered(100) || len(g.order) > 2*maxBans {
		t.Errorf("%d bans from %s on, %d, %d", len(bans), bans[0], len(g.banned), len(g.order))
	}
	if bans := g.bans(now.Add(time.Hour)); len(bans) != 0 || len(g.banned) != 0 || g.order != nil {
		t.Errorf("left behind: %d, %d, %d", len(bans), len(g.banned), len(g.order))
	}
}

// No limit costs nothing and bans nobody.
func TestGuardNoLimit(t *testing.T) {
	for _, inbound := range []int{0, -1} {
		g := newGuard(Limits{Inbound: inbound}.withDefaults(false))
		for range 1000 {
			if ok, banned := g.admit(time.Unix(1e9, 0), numbered(1)); !ok || banned {
				t.Fatal("banned")
			}
		}
		if g.sets != nil || len(g.bans(time.Unix(1e9, 0))) != 0 {
			t.Error("something was kept")
		}
	}
}

func BenchmarkGuard(b *testing.B) {
	limits := Limits{}.withDefaults(true)
	b.Run("one", func(b *testing.B) {
		g, now := newGuard(limits), time.Now()
		for b.Loop() {
			now = now.Add(time.Second / 15)
			g.admit(now, numbered(1))
		}
	})
	b.Run("banned", func(b *testing.B) {
		g, now := newGuard(limits), time.Now()
		for b.Loop() {
			g.admit(now, numbered(1))
		}
	})
	b.Run("random", func(b *testing.B) {
		g, now, r := newGuard(limits), time.Now(), rand.New(rand.NewPCG(1, 4))
		for b.Loop() {
			now = now.Add(time.Microsecond)
			g.admit(now, randomIPv4(r))
		}
	})
}
