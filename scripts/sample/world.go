package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// host is a node of the world, and with it the truth about one.
type host struct {
	id      kad.ID
	addr    netip.AddrPort
	version []byte        // what it calls itself; empty: it does not
	delay   time.Duration // of a packet to it or from it
	alive   bool          // else it has left before the measurement
	planted bool          // it is one of the crowd in crowdedZone
}

// software is what hosts run. The shares are made up, and add up to 100.
var software = []struct {
	percent int
	version string
	secure  bool // its IDs follow BEP 42
}{
	{30, "LT\x02\x0b", true},
	{14, "LT\x02\x08", true},
	{8, "LT\x01\x0e", true},
	{22, "UT\xb4\x3f", true},
	{9, "JC\x00\x00", false},
	{5, "ml\x00\x19", false},
	{12, "", false},
}

const (
	crowd      = 16 // planted nodes, at crowdHosts addresses of one /24
	crowdHosts = 2
	farms      = 4 // addresses with farmed nodes each, that all run one program, farmRuns
	farmed     = 30
	carriers   = 30 // addresses with carried nodes each, behind a NAT
	carried    = 6
	farmRuns   = 4 // in software
)

// crowdedZone is where the planted nodes are: 2 of 2,000 would be there by chance.
var crowdedZone = kad.ID{0xd8, 0xc0}.Prefix(10)

// population is all hosts, which follow from the seed: those alive, then those
// that leave.
func population(alive, left int, seed uint64) []host {
	rng := rand.New(rand.NewPCG(seed, 0))
	taken := map[netip.AddrPort]bool{}
	all := make([]host, alive+left)
	for i := range all {
		h := &all[i]
		h.alive, h.planted = i < alive, i < crowd
		h.addr = place(rng, i, alive, taken)
		h.delay = time.Duration(45e6 * math.Exp(0.6*rng.NormFloat64())) // ns; half of them below 45 ms
		h.delay = min(max(h.delay, 4*time.Millisecond), 400*time.Millisecond)
		h.become(rng, inFarm(i, alive))
	}
	return all
}

// inFarm reports whether the i-th host is one of a farm. Farms are a 16th of the
// hosts at most.
func inFarm(i, alive int) bool { return i >= crowd && i-crowd < min(farms*farmed, alive/16) }

// place draws an address that nobody has. All are of 198.18.0.0/15, which is set
// aside for tests of networks (RFC 2544) and is nobody's.
func place(rng *rand.Rand, i, alive int, taken map[netip.AddrPort]bool) netip.AddrPort {
	for {
		ip := [4]byte{198, byte(18 + rng.IntN(2)), byte(rng.IntN(256)), byte(1 + rng.IntN(254))}
		switch behind := i - crowd - farms*farmed; {
		case i < crowd:
			ip = [4]byte{198, 19, 77, byte(10 + i%crowdHosts)}
		case inFarm(i, alive):
			ip = [4]byte{198, 19, 200, byte(1 + (i-crowd)/farmed)}
		case 0 <= behind && behind < min(carriers*carried, alive/10):
			ip = [4]byte{198, 18, byte(behind / carried), 1}
		}
		addr := netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(10000+rng.IntN(50000)))
		if rng.IntN(3) == 0 {
			addr = netip.AddrPortFrom(addr.Addr(), 6881) // what many programs begin with
		}
		if !taken[addr] {
			taken[addr] = true
			return addr
		}
	}
}

// become draws what a host runs, and its ID.
func (h *host) become(rng *rand.Rand, farmed bool) {
	h.id = randomID(rng)
	at, lot := 0, rng.IntN(100)
	for lot >= software[at].percent {
		lot -= software[at].percent
		at++
	}
	if farmed {
		at = farmRuns
	}
	h.version = []byte(software[at].version)
	switch {
	case h.planted:
		h.id = crowdedZone.Fill(h.id)
	case software[at].secure:
		h.id = kad.SecureID(h.addr.Addr(), h.id)
	}
}

// settle has the i-th node of a test network be this host.
func (h *host) settle(memory *testnet.Memory, cfg *lightdht.Config) error {
	conn, err := memory.Listen(h.addr)
	if err != nil {
		return fmt.Errorf("a host of the world: %w", err)
	}
	cfg.Conn4.Close() // the address that the test network drew
	cfg.Conn4, cfg.ID, cfg.Version = conn, h.id, h.version
	return nil
}
