package lightdht

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func peerAt(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881)
}

func storeOf(ttl time.Duration, maxPeers, maxHashes int) *peerStore {
	return newPeerStore(Config{PeerTTL: ttl, MaxPeers: maxPeers, MaxInfohashes: maxHashes})
}

// sampled returns the sample of an infohash as a set; a peer twice is an error.
func sampled(t *testing.T, p *peerStore, now time.Time, infohash kad.ID) map[netip.AddrPort]bool {
	t.Helper()
	set := map[netip.AddrPort]bool{}
	p.sample(now, infohash, false, func(a netip.AddrPort) bool {
		if set[a] {
			t.Fatalf("%s twice", a)
		}
		set[a] = true
		return true
	})
	return set
}

func TestPeersExpire(t *testing.T) {
	p, began := storeOf(30*time.Minute, 10, 10), time.Unix(1000, 0)
	infohash := kad.ID{1}
	p.add(began, infohash, peerAt(1), false)
	p.add(began.Add(10*time.Minute), infohash, peerAt(2), false)
	p.add(began.Add(20*time.Minute), infohash, peerAt(1), false) // again: its time begins anew
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{39 * time.Minute, "[10.0.0.1:6881 10.0.0.2:6881]"},
		{40*time.Minute - 1, "[10.0.0.1:6881 10.0.0.2:6881]"},
		{40 * time.Minute, "[10.0.0.1:6881]"},
		{50*time.Minute - 1, "[10.0.0.1:6881]"},
		{50 * time.Minute, "[]"},
	} {
		var got []netip.AddrPort
		for i := range 3 {
			if sampled(t, p, began.Add(c.after), infohash)[peerAt(i)] {
				got = append(got, peerAt(i))
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("after %v: %v, want %s", c.after, got, c.want)
		}
	}
	if p.sweep(began.Add(50 * time.Minute)); len(p.swarms) != 0 {
		t.Errorf("%d infohashes after the sweep", len(p.swarms))
	}
}

// In a full swarm the oldest makes room, unless one has expired.
func TestFullSwarm(t *testing.T) {
	p, now := storeOf(time.Minute, 3, 10), time.Unix(1000, 0)
	infohash := kad.ID{1}
	for i := range 3 {
		if kept, displaced := p.add(now.Add(time.Duration(i)*time.Second), infohash, peerAt(i), false); !kept || displaced {
			t.Errorf("peer %d made somebody lose his place", i)
		}
	}
	p.add(now.Add(3*time.Second), infohash, peerAt(0), false) // now the youngest
	if kept, displaced := p.add(now.Add(4*time.Second), infohash, peerAt(3), false); !kept || !displaced {
		t.Error("the loss of a peer was not told")
	}
	got := sampled(t, p, now.Add(5*time.Second), infohash)
	if len(got) != 3 || got[peerAt(1)] || !got[peerAt(0)] || !got[peerAt(3)] {
		t.Errorf("kept: %v, want all but the oldest", got)
	}
	if kept, displaced := p.add(now.Add(62*time.Second), infohash, peerAt(4), false); !kept || displaced {
		t.Error("one that had expired counts as lost")
	}
}

func TestFullStoreRefusesInfohashes(t *testing.T) {
	p, now := storeOf(time.Minute, 3, 2), time.Unix(1000, 0)
	p.add(now, kad.ID{1}, peerAt(1), false)
	p.add(now, kad.ID{2}, peerAt(1), false)
	if kept, displaced := p.add(now, kad.ID{3}, peerAt(1), false); kept || displaced || len(sampled(t, p, now, kad.ID{3})) != 0 {
		t.Error("a third infohash was taken")
	}
	if kept, _ := p.add(now, kad.ID{2}, peerAt(2), false); !kept {
		t.Error("a peer of a known infohash was refused")
	}
	p.sweep(now.Add(2 * time.Minute))
	if kept, _ := p.add(now.Add(2*time.Minute), kad.ID{3}, peerAt(1), false); !kept {
		t.Error("refused though the others have expired")
	}
}

// Random operations on the store and on a map that forgets nobody but in time
// have the same results.
func TestPeersAgainstAMap(t *testing.T) {
	type entry struct {
		infohash kad.ID
		addr     netip.AddrPort
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		p, twin := storeOf(time.Minute, 1000, 1000), map[entry]time.Time{}
		now := time.Unix(1000, 0)
		for range 1000 {
			now = now.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
			infohash := kad.ID{byte(r.IntN(3))}
			switch op := r.IntN(10); {
			case op < 7:
				e := entry{infohash, peerAt(r.IntN(100))}
				p.add(now, e.infohash, e.addr, false)
				twin[e] = now.Add(time.Minute)
			case op < 9:
				want := map[netip.AddrPort]bool{}
				for e, expires := range twin {
					if e.infohash == infohash && expires.After(now) {
						want[e.addr] = true
					}
				}
				if got := sampled(t, p, now, infohash); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("seed %d: sample %v, want %v", seed, got, want)
				}
			default:
				p.sweep(now)
			}
		}
	}
}

// Each peer is as likely as any other to be in a sample, and in each place of
// it: within 5 standard errors.
func TestSampleIsFair(t *testing.T) {
	const peers, size, rounds = 40, 10, 20000
	p, now := storeOf(time.Minute, peers, 1), time.Unix(1000, 0)
	for i := range peers {
		p.add(now, kad.ID{}, peerAt(i), false)
	}
	chosen, first := map[netip.AddrPort]int{}, map[netip.AddrPort]int{}
	for range rounds {
		n := 0
		p.sample(now, kad.ID{}, false, func(a netip.AddrPort) bool {
			if n == 0 {
				first[a]++
			}
			chosen[a]++
			n++
			return n < size
		})
	}
	check := func(what string, got map[netip.AddrPort]int, share float64) {
		se := math.Sqrt(share * (1 - share) * rounds)
		for i := range peers {
			if n := float64(got[peerAt(i)]); math.Abs(n-share*rounds) > 5*se {
				t.Errorf("peer %d was %s %v times, want %v ± %.0f", i, what, n, share*rounds, se)
			}
		}
	}
	check("chosen", chosen, float64(size)/peers)
	check("first", first, 1.0/peers)
}
