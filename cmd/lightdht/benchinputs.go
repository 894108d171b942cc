package main

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// source makes nodes from their numbers, so that who is known need not be kept
// anywhere: fetching one of millions from memory would cost as much as what is
// measured. Words come from a counter that is mixed as in splitmix64 (Steele,
// Lea and Flood, 2014).
type source struct {
	seed         uint64
	center, mask [3]uint64 // IDs have the bits of center where mask has ones
	first        uint32    // address of number 0
}

// The sources of a run. They differ in their seeds, and those of nodes in their
// addresses, too.
const (
	forContacts = iota
	forTargets
	forCrowd
	forCrowdTargets
	forShared
	forSharedTargets
	forUniform
	forOrder
)

// newSource returns a source of uniform IDs.
func newSource(seed uint64, what uint64, first int) source {
	return source{seed: mix(mix(seed) + what), first: 1<<24 + uint32(first)}
}

// sharing returns a source like s whose IDs share their first n bits with each
// other and with those of any other source that was made so with the same seed.
func (s source) sharing(n int, seed uint64) source {
	for k := range s.mask {
		s.mask[k] = ^(^uint64(0) >> min(max(n-64*k, 0), 64))
		s.center[k] = mix(seed+uint64(k)*golden) & s.mask[k]
	}
	return s
}

const golden = 0x9e3779b97f4a7c15

// mix spreads every bit of x over all of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *source) word(i uint64, k int) uint64 {
	return s.center[k] | mix(s.seed+(3*i+uint64(k))*golden)&^s.mask[k]
}

// id returns the i-th ID.
func (s *source) id(i uint64) (id kad.ID) {
	binary.BigEndian.PutUint64(id[0:], s.word(i, 0))
	binary.BigEndian.PutUint64(id[8:], s.word(i, 1))
	binary.BigEndian.PutUint32(id[16:], uint32(s.word(i, 2)>>32))
	return id
}

// node returns the i-th ID at the i-th address.
func (s *source) node(i uint64) kad.NodeInfo {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], s.first+uint32(i))
	return kad.NodeInfo{ID: s.id(i), Addr: netip.AddrPortFrom(netip.AddrFrom4(ip), 6881)}
}

// draw returns the i-th of a sequence of random numbers below n.
func (s *source) draw(i uint64, n int) uint64 {
	high, _ := bits.Mul64(mix(s.seed+i*golden), uint64(n))
	return high
}

// benchTime is when everything happens: a table does not look at the clock.
var benchTime = time.Unix(1_800_000_000, 0)

const benchRTT = 40 * time.Millisecond

// answered is a sighting of who answered.
func answered(n kad.NodeInfo) table.Sighting {
	return table.Sighting{Node: n, Time: benchTime, Event: table.Replied, RTT: benchRTT}
}

// mentioned is a sighting of who never answered.
func mentioned(n kad.NodeInfo) table.Sighting {
	return table.Sighting{Node: n, Time: benchTime, Event: table.Mentioned}
}

// failed returns the contact that s creates, after it has failed too often.
func failed(s table.Sighting) table.Contact {
	c := table.Contact{
		ID: s.Node.ID, Addr: s.Node.Addr, FirstSeen: s.Time.UTC(), LastSeen: s.Time.UTC(),
		Failures: table.BadAfter, Origin: table.FromMention,
	}
	if s.Event == table.Replied {
		c.LastReply, c.LastRTT, c.Replies, c.Origin = c.LastSeen, s.RTT, 1, table.FromReply
	}
	return c
}

// oneGood is how many contacts there are for one that is not bad, when most are.
const oneGood = 10

// spoil makes nine of ten bad: of the first n of s, which have been seen as
// sighting says. It calls after after each.
func spoil(t table.Table, s *source, n int, sighting func(kad.NodeInfo) table.Sighting, after func(i int) error) error {
	for i := range n {
		if i%oneGood != 0 {
			t.Restore(failed(sighting(s.node(uint64(i)))))
		}
		if err := after(i); err != nil {
			return err
		}
	}
	return nil
}

// observe observes the first n of s.
func observe(t table.Table, s *source, n int, sighting func(kad.NodeInfo) table.Sighting, after func(i int) error) error {
	for i := range n {
		t.Observe(sighting(s.node(uint64(i))))
		if err := after(i); err != nil {
			return err
		}
	}
	return nil
}

// costOfInputs returns how many nanoseconds it takes to make the sighting of a
// random one of n contacts, which no input costs more than.
func costOfInputs(seed uint64, n int) float64 {
	s, order := newSource(seed, forContacts, 0), newSource(seed, forOrder, 0)
	const many = 20_000
	var costs [benchSlices]float64
	var i uint64
	for slice := range costs {
		began := time.Now()
		for range many {
			sighted = answered(s.node(order.draw(i, n)))
			i++
		}
		costs[slice] = float64(time.Since(began)) / many
	}
	return median(costs[:])
}

// sighted keeps the compiler from leaving out what makes it.
var sighted table.Sighting
