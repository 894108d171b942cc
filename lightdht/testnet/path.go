package testnet

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Path is what happens to packets on the way from one address to another. The
// zero Path is the best there is: at once, in the sender's goroutine, with no
// timer. Probabilities are from 0, never, to 1, always.
//
// Packets from one address to another arrive in the order in which they were
// written as long as their Path stays the same and has neither Jitter nor Reorder.
type Path struct {
	Delay     time.Duration // how long every packet takes
	Jitter    time.Duration // each takes longer by a random time below this
	Loss      float64       // the probability that a packet never arrives
	Duplicate float64       // that one that is not lost arrives twice, each copy with a delay and damage of its own
	Corrupt   float64       // that a copy is cut short (one half of them) or has 1 to 4 bytes in a row changed
	Reorder   float64       // that a copy takes 50 ms longer, so that later ones overtake it
}

// holdBack is how much longer a packet takes that others are to overtake.
const holdBack = 50 * time.Millisecond

// Paths has f choose the path of each packet, when it is written; nil: every
// path is the zero Path. f runs in the sender's goroutine.
func (m *Memory) Paths(f func(from, to netip.AddrPort) Path) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules.paths = f
}

// Seed sets what the chances of paths follow from, 0 until then. Each pair of
// sender and receiver has a sequence of its own, so that what becomes of the
// n-th packet between two addresses does not depend on what others send.
func (m *Memory) Seed(seed uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dice = dice{seed: seed}
}

// rules are functions of the caller's that decide about packets.
type rules struct {
	taps  []func(from, to netip.AddrPort, b []byte) bool
	cut   func(from, to netip.AddrPort) bool
	paths func(from, to netip.AddrPort) Path
}

// judge returns the path of a packet; false when it is lost before.
func (r *rules) judge(from, to netip.AddrPort, b []byte) (Path, bool) {
	for _, tap := range r.taps {
		if !tap(from, to, b) {
			return Path{}, false
		}
	}
	if r.cut != nil && r.cut(from, to) {
		return Path{}, false
	}
	if r.paths == nil {
		return Path{}, true
	}
	return r.paths(from, to), true
}

// send sends a packet on its path. It takes b.
func (m *Memory) send(from, to netip.AddrPort, b []byte, path Path) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Sent++
	if path == (Path{Delay: path.Delay}) { // nothing is left to chance
		m.launch(from, to, b, path.Delay)
		return
	}
	chance := m.dice.of(from, to)
	if chance.Float64() < path.Loss {
		m.stats.Lost++
		return
	}
	if chance.Float64() < path.Duplicate {
		m.stats.Duplicated++
		m.sendCopy(from, to, append([]byte(nil), b...), path, chance)
	}
	m.sendCopy(from, to, b, path, chance)
}

// lose counts a packet that was lost on its first step.
func (m *Memory) lose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Sent++
	m.stats.Lost++
}

func (m *Memory) sendCopy(from, to netip.AddrPort, b []byte, path Path, chance *rand.Rand) {
	delay := path.Delay
	if path.Jitter > 0 {
		delay += time.Duration(chance.Int64N(int64(path.Jitter)))
	}
	if len(b) > 0 && chance.Float64() < path.Corrupt {
		m.stats.Corrupted++
		b = corrupt(b, chance)
	}
	if chance.Float64() < path.Reorder {
		m.stats.Reordered++
		delay += holdBack
	}
	m.launch(from, to, b, delay)
}

// corrupt returns b spoiled, in place: never what it was. b is not empty.
func corrupt(b []byte, chance *rand.Rand) []byte {
	if chance.IntN(2) == 0 {
		return b[:chance.IntN(len(b))]
	}
	first := chance.IntN(len(b))
	for i := range b[first:min(len(b), first+1+chance.IntN(4))] {
		b[first+i] ^= byte(1 + chance.IntN(255))
	}
	return b
}

// dice has a generator for every directed pair of addresses.
type dice struct {
	seed, era uint64
	pairs     map[pair]*rand.Rand
}

type pair struct{ from, to netip.AddrPort }

// maxPairs bounds the generators kept, some 130 bytes each. When there are more
// pairs all begin anew, with sequences that were not there before.
const maxPairs = 1 << 18

func (d *dice) of(from, to netip.AddrPort) *rand.Rand {
	chance := d.pairs[pair{from, to}]
	if chance != nil {
		return chance
	}
	if len(d.pairs) >= maxPairs {
		clear(d.pairs)
		d.era++
	}
	if d.pairs == nil {
		d.pairs = map[pair]*rand.Rand{}
	}
	chance = d.begin(from, to)
	d.pairs[pair{from, to}] = chance
	return chance
}

func (d *dice) begin(from, to netip.AddrPort) *rand.Rand {
	b := binary.BigEndian.AppendUint64(nil, d.seed)
	b = binary.BigEndian.AppendUint64(b, d.era)
	b = append(b, from.String()+">"+to.String()...)
	sum := sha256.Sum256(b)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}
