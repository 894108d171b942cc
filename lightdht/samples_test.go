package lightdht

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// samplesOf returns the sample of a store as a set.
func samplesOf(t *testing.T, p *peerStore, now time.Time) map[kad.ID]bool {
	t.Helper()
	b, num := p.appendInfohashes(nil, now)
	set := map[kad.ID]bool{}
	for infohash := range (&krpc.Message{Samples: b}).Infohashes() {
		if set[infohash] {
			t.Fatalf("%s twice", infohash)
		}
		set[infohash] = true
	}
	if len(b)%kad.Size != 0 || len(set) != len(b)/kad.Size || len(set) > sampleSize || num != len(p.swarms) {
		t.Fatalf("%d bytes, %d infohashes, num %d of %d", len(b), len(set), num, len(p.swarms))
	}
	return set
}

func same(a, b map[kad.ID]bool) bool {
	for x := range a {
		if !b[x] {
			return false
		}
	}
	return len(a) == len(b)
}

// fillHashes makes the store have n infohashes: those that begin with 1, 2, …
func fillHashes(p *peerStore, now time.Time, n int) {
	for i := range n {
		p.add(now, kad.ID{byte(i + 1)}, peerAt(i), false)
	}
}

// A store of few tells all it has at any time.
func TestSampleOfFew(t *testing.T) {
	p, now := storeOf(time.Hour, 10, 100), time.Unix(1000, 0)
	for n := range sampleSize + 1 {
		fillHashes(p, now, n)
		if got := samplesOf(t, p, now); len(got) != n {
			t.Errorf("%d of %d", len(got), n)
		}
	}
}

// A full sample stays the same until the interval has passed, whatever comes and
// goes.
func TestSampleStaysForTheInterval(t *testing.T) {
	p, began := storeOf(time.Hour, 10, 250), time.Unix(1000, 0)
	fillHashes(p, began, 100)
	first := samplesOf(t, p, began)
	if len(first) != sampleSize {
		t.Fatalf("%d infohashes", len(first))
	}
	fillHashes(p, began.Add(time.Minute), 200)
	if !same(first, samplesOf(t, p, began.Add(time.Minute))) {
		t.Error("another sample after infohashes came")
	}
	p.sweep(began.Add(2 * time.Hour))
	if !same(first, samplesOf(t, p, began.Add(sampleInterval-1))) {
		t.Error("another sample just before the interval has passed")
	}
	if got := samplesOf(t, p, began.Add(sampleInterval)); len(got) != 0 {
		t.Errorf("after it: %v, though none is left", got)
	}
	fillHashes(p, began, 200)
	second := samplesOf(t, p, began.Add(sampleInterval))
	if same(first, second) { // by chance once in 10^27
		t.Error("the same sample in the next interval")
	}
}

// Each infohash is as likely as any other to be in a sample: within 5 standard
// errors.
func TestSampleOfInfohashesIsFair(t *testing.T) {
	const hashes, rounds = 60, 5000
	p, now := storeOf(time.Hour, 10, 100), time.Unix(1000, 0)
	fillHashes(p, now, hashes)
	chosen := map[kad.ID]int{}
	for i := range rounds {
		for infohash := range samplesOf(t, p, now.Add(time.Duration(i)*sampleInterval)) {
			chosen[infohash]++
		}
	}
	const share = float64(sampleSize) / hashes
	se := math.Sqrt(share * (1 - share) * rounds)
	for i := range hashes {
		if n := float64(chosen[kad.ID{byte(i + 1)}]); math.Abs(n-share*rounds) > 5*se {
			t.Errorf("infohash %d was chosen %v times, want %v ± %.0f", i, n, share*rounds, se)
		}
	}
}

// Random announcements and a plain loop over them agree on seeds and other peers.
func TestFiltersAgainstAMap(t *testing.T) {
	type told struct {
		expires time.Time
		seed    bool
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		p, twin, now := storeOf(time.Minute, 1000, 10), map[int]told{}, time.Unix(1000, 0)
		for range 500 {
			now = now.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
			i, isSeed := r.IntN(100), r.IntN(2) == 0
			p.add(now, kad.ID{}, peerAt(i), isSeed)
			twin[i] = told{now.Add(time.Minute), isSeed}
			if r.IntN(20) == 0 {
				p.sweep(now)
			}
			var wantSeeds, wantPeers, seeds, peers krpc.Bloom
			for i, x := range twin {
				switch {
				case !x.expires.After(now):
				case x.seed:
					wantSeeds.Insert(peerAt(i).Addr())
				default:
					wantPeers.Insert(peerAt(i).Addr())
				}
			}
			if known := p.filters(now, kad.ID{}, &seeds, &peers); !known || seeds != wantSeeds || peers != wantPeers {
				t.Fatalf("seed %d: other filters", seed)
			}
		}
	}
}
