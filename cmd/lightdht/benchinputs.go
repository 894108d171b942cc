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

// contactSource returns the source of the contacts that a table is filled with.
func (o *benchOptions) contactSource() source { return newSource(o.seed, forContacts, 0) }

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

// id returns the i-th ID.
func (s *source) id(i uint64) (id kad.ID) {
	x, step := s.seed+3*i*golden, uint64(golden)
	binary.BigEndian.PutUint64(id[0:], s.center[0]|mix(x)&^s.mask[0])
	binary.BigEndian.PutUint64(id[8:], s.center[1]|mix(x+step)&^s.mask[1])
	binary.BigEndian.PutUint32(id[16:], uint32((s.center[2]|mix(x+2*step)&^s.mask[2])>>32))
	return id
}

// put writes the i-th ID and the i-th address to n. In place it takes a third of
// the time that it takes to hand them on.
func (s *source) put(n *kad.NodeInfo, i uint64) {
	n.ID = s.id(i)
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], s.first+uint32(i))
	n.Addr = netip.AddrPortFrom(netip.AddrFrom4(ip), 6881)
}

// node returns the i-th ID at the i-th address.
func (s *source) node(i uint64) (n kad.NodeInfo) {
	s.put(&n, i)
	return n
}

// draw returns the i-th of a sequence of random numbers below n.
func (s *source) draw(i uint64, n int) uint64 {
	high, _ := bits.Mul64(mix(s.seed+i*golden), uint64(n))
	return high
}

// benchTime is when everything happens: a table does not look at the clock.
var benchTime = time.Unix(1_800_000_000, 0)

const benchRTT = 40 * time.Millisecond

// answered and mentioned return sightings, yet of nobody, of those who answered
// and those who never did.
func answered() table.Sighting {
	return table.Sighting{Time: benchTime, Event: table.Replied, RTT: benchRTT}
}

func mentioned() table.Sighting { return table.Sighting{Time: benchTime, Event: table.Mentioned} }

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

// spoil makes nine of ten bad: of the first n of from, of whom there has been the
// sighting s. It calls after after each.
func spoil(t table.Table, from *source, n int, s table.Sighting, after func(i int) error) error {
	for i := range n {
		if i%oneGood != 0 {
			from.put(&s.Node, uint64(i))
			t.Restore(failed(s))
		}
		if err := after(i); err != nil {
			return err
		}
	}
	return nil
}

// observe has the sighting s of each of the first n of from.
func observe(t table.Table, from *source, n int, s table.Sighting, after func(i int) error) error {
	for i := range n {
		from.put(&s.Node, uint64(i))
		t.Observe(s)
		if err := after(i); err != nil {
			return err
		}
	}
	return nil
}

// knowns draws contacts that are known.
type knowns struct {
	contacts, order source
	n               int // how many there are
	i               uint64
	s               table.Sighting // of the one drawn last
}

func newKnowns(o *benchOptions, n int, who uint64) *knowns {
	return &knowns{contacts: o.contactSource(), order: newSource(o.seed+who, forOrder, 0), n: n, s: answered()}
}

// next returns a sighting of a random one, which is good until the next.
func (k *knowns) next() *table.Sighting {
	k.contacts.put(&k.s.Node, k.order.draw(k.i, k.n))
	k.i++
	return &k.s
}

// costOfInputs returns how many nanoseconds it takes to make the sighting of a
// random contact; no input costs more.
func costOfInputs(o *benchOptions) float64 {
	const many = 20_000
	var costs [fewestSlices]float64
	k := newKnowns(o, o.contacts, 0)
	for slice := range costs {
		began := time.Now()
		for range many {
			k.next()
		}
		costs[slice] = float64(time.Since(began)) / many
	}
	return median(costs[:])
}
