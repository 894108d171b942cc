package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// sorted returns ids by their distance to target: the slow way to the nearest.
func sorted(ids []kad.ID, target kad.ID) []kad.ID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, target.CompareDistance)
	return ids
}

func TestNearestAgainstSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 5, 8, 100, 1000} {
		c := newCrowd(uint64(n), n, 0)
		for range 50 {
			target, k := drawID(r), 1+r.IntN(20)
			if got, want := nearest(c.ids, target, k), sorted(c.ids, target)[:min(k, n)]; !slices.Equal(got, want) {
				t.Fatalf("the %d of %d nearest to %s are %v, want %v", k, n, target, got, want)
			}
		}
	}
}

// contacts returns all that the i-th node knows, the slow way: some of each zone
// that shares so many bits with it and no more, and the nearest.
func contacts(c *crowd, i int) (known []kad.ID) {
	for bit := range kad.Bits {
		lo, hi, near := len(c.ids), 0, 0
		for j, id := range c.ids {
			switch shared := kad.CommonPrefixLen(id, c.ids[i]); {
			case shared == bit:
				lo, hi = min(lo, j), j+1
			case shared > bit:
				near++
			}
		}
		for _, j := range c.bucket(nil, i, bit, min(lo, hi), hi) {
			known = append(known, c.ids[j])
		}
		if near <= crowdNeighbours {
			break
		}
	}
	around := sorted(c.ids, c.ids[i])[1:]
	return append(known, around[:min(crowdNeighbours, len(around))]...)
}

// A bucket holds its fill of what it may hold, no node twice, anybody, and the
// same ones every time.
func TestBucket(t *testing.T) {
	c, seen := newCrowd(6, 100, 0), map[int]bool{}
	for i := range c.ids {
		const lo, hi = 20, 60
		got := c.bucket([]int{-1}, i, 3, lo, hi)
		if !slices.Equal(got, c.bucket([]int{-1}, i, 3, lo, hi)) || len(got) != 1+crowdBucket || got[0] != -1 {
			t.Fatalf("bucket %v, and another one", got)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 1+crowdBucket || got[1] < lo || got[crowdBucket] >= hi {
			t.Fatalf("bucket %v", got)
		}
		for _, j := range got[1:] {
			seen[j] = true
		}
	}
	if len(seen) != 40 {
		t.Errorf("of 40 nodes %d are known to anybody", len(seen))
	}
}

// Each answer names the nearest 8 of all that a node knows.
func TestAnswersAgainstTables(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for n := 1; n < 80; n++ {
		c := newCrowd(uint64(n), n, 0)
		for range 30 {
			i, target := r.IntN(n), drawID(r)
			if r.IntN(2) == 0 { // near to it
				copy(target[:], c.ids[i][:1+r.IntN(3)])
			}
			want := slices.Compact(sorted(contacts(c, i), target))
			var got []kad.ID
			for _, j := range c.answer(nil, i, target) {
				got = append(got, c.ids[j])
			}
			if !slices.Equal(got, want[:min(crowdAnswer, len(want))]) {
				t.Fatalf("node %d of %d answers about %s with %v, want the first of %v", i, n, target, got, want)
			}
		}
	}
}

// The dead are the share of all that they should be, and of whom answers name.
func TestCrowdHasItsDead(t *testing.T) {
	const living, dead = 3000, 0.4
	c := newCrowd(3, living, dead)
	if len(c.ids) != 5000 || len(c.living) != living || !slices.IsSortedFunc(c.ids, kad.ID.Compare) || !slices.IsSortedFunc(c.living, kad.ID.Compare) {
		t.Fatalf("%d nodes, %d of them alive, or out of order", len(c.ids), len(c.living))
	}
	r, named, silent := rand.New(rand.NewPCG(3, 1)), 0, 0
	for range 2000 {
		for _, j := range c.answer(nil, r.IntN(len(c.ids)), drawID(r)) {
			named++
			if c.silent[j] {
				silent++
			}
		}
	}
	if got := float64(silent) / float64(named); math.Abs(got-dead) > 0.03 {
		t.Errorf("%.3f of those named are dead, want %g", got, dead)
	}
	for i := range c.ids {
		if j, ok := c.whose(c.addr(i)); !ok || j != i {
			t.Fatalf("node %d is at %s, where %d is", i, c.addr(i), j)
		}
	}
	quarters := map[byte]bool{}
	for _, place := range c.entrances() {
		i, ok := c.whose(netip.MustParseAddrPort(place))
		if !ok || c.silent[i] {
			t.Errorf("nobody answers at the entrance %s", place)
		}
		quarters[(c.ids[i][0]+8)>>6] = true // the first of a quarter of the nodes is near one of the space
	}
	if len(quarters) < 4 {
		t.Error("the entrances are close to each other")
	}
	if _, ok := c.whose(seatAddr); ok {
		t.Error("somebody is at the seat")
	}
}

// The living answer each in its time, the dead and strangers never, and as many
// questions are lost as should be.
func TestSeat(t *testing.T) {
	const lost = 0.25
	c := newCrowd(4, 400, 0.5)
	inBubble(func() {
		node := must(lightdht.Listen("", lightdht.Config{
			Conn4: newSeat(c, lost), Network: lightdht.Private, Bootstrap: c.entrances(), Upkeep: lightdht.UpkeepConfig{Off: true},
		}))
		defer node.Close()
		answered, times := 0, map[time.Duration]bool{}
		for i := range c.ids {
			reply, err := node.FindNode(context.Background(), c.addr(i), c.ids[0])
			switch {
			case err == nil && (c.silent[i] || reply.ID != c.ids[i] || reply.Nodes.Len() != crowdAnswer):
				t.Errorf("node %d, which is silent: %t, replied as %s with %d nodes", i, c.silent[i], reply.ID, reply.Nodes.Len())
			case err == nil && (reply.RTT < 20*time.Millisecond || reply.RTT >= 180*time.Millisecond):
				t.Errorf("the round trip to node %d takes %v", i, reply.RTT)
			case err == nil:
				answered++
				times[reply.RTT] = true
			}
		}
		if got := float64(answered) / float64(len(c.living)); math.Abs(got-(1-lost)) > 0.09 || len(times) < answered {
			t.Errorf("%.2f of the living answered, want %g; %d different times", got, 1-lost, len(times))
		}
		if reply, err := node.Do(context.Background(), c.addr(c.index(c.living[0])), krpc.Ping{}); err == nil && reply.Nodes.Len() > 0 {
			t.Error("who was not asked for a target named nodes")
		}
	})
}

// A closed seat reads no more.
func TestSeatCloses(t *testing.T) {
	s := newSeat(newCrowd(5, 1, 0), 0)
	s.Close()
	s.Close()
	if _, _, err := s.ReadFromUDPAddrPort(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
}
