package analysis

import (
	"cmp"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Null is what the tests of IDs take for granted of honest nodes. Both are worth
// a look: what stands out under [OneNodePerAddress] alone is a crowd behind few
// addresses, such as a VPN; what stands out under both, BEP 42 does not explain.
type Null uint8

const (
	// OneNodePerAddress: each distinct ID is a uniform point of its own.
	OneNodePerAddress Null = iota

	// BoundByAddress: BEP 42 leaves the nodes of one address (IPv6: of one /64)
	// 8 prefixes of 21 bits. Those of one address that share their first 21 bits
	// are one cell, and each cell is a uniform point of its own. A node with a
	// random ID is a cell of its own, but for a chance of 2^-21.
	//
	// That takes addresses for independent. BEP 42 looks at 20 bits of an IPv4
	// address only, so that some share their prefixes; they do so as if at random,
	// which is what the points are allowed. The 8 prefixes of one address lie more
	// evenly than chance would have it (a CRC is linear), so that where many addresses
	// use all of theirs the tests find less than their level says, never more.
	BoundByAddress
)

// Nulls are both, in the order in which they are told.
var Nulls = [...]Null{OneNodePerAddress, BoundByAddress}

// boundBits is how many leading bits BEP 42 binds to the address.
const boundBits = 21

// String returns "one node per address" or "BEP 42".
func (n Null) String() string {
	if n == BoundByAddress {
		return "BEP 42"
	}
	return "one node per address"
}

// Points returns what is independent and uniform under null: the distinct IDs,
// or one ID of each cell, sorted. It makes a new slice, of 20 bytes a point.
//
// When the sample is of a zone, the points are the bits that follow its prefix: as
// if the zone were the whole space.
func (s *IDSample) Points(null Null) IDPoints {
	points := make(IDPoints, 0, s.IDs)
	if null == OneNodePerAddress {
		for run := range s.byID() {
			points = append(points, run[0].id)
		}
	} else {
		points = s.appendAllCells(points)
	}
	if zone := s.options.Zone.Bits(); zone > 0 {
		for i := range points {
			points[i] = beyond(points[i], zone)
		}
	}
	return points
}

// beyond returns id without its first bits, and zeros behind it.
func beyond(id kad.ID, bits int) (rest kad.ID) {
	for i := range rest {
		if at := i + bits/8; at < len(id) {
			rest[i] = id[at] << (bits % 8)
		}
		if at := i + bits/8 + 1; at < len(id) {
			rest[i] |= id[at] >> (8 - bits%8)
		}
	}
	return rest
}

// appendAllCells appends one ID of each cell.
func (s *IDSample) appendAllCells(points IDPoints) IDPoints {
	var zone []resident // of one prefix of 21 bits
	for run := range s.byID() {
		r := resident{id: run[0].id, network: home(run)}
		if len(zone) > 0 && leading(zone[0].id, boundBits) != leading(r.id, boundBits) {
			points = appendCells(points, zone)
			zone = zone[:0]
		}
		zone = append(zone, r)
	}
	return appendCells(points, zone)
}

// resident is a distinct ID with the network that it is bound to.
type resident struct {
	id      kad.ID
	network uint64
}

// home returns the network that an ID is bound to, of those where it was seen:
// one that BEP 42 allows it for, else the first.
func home(run []idRecord) uint64 {
	for i := range run {
		if run[i].secure {
			return run[i].network()
		}
	}
	return run[0].network()
}

// appendCells appends one ID of each cell of a zone of 21 bits. It is the one
// whose last bytes are lowest: as good as drawn, and the same each time.
func appendCells(points IDPoints, zone []resident) IDPoints {
	if len(zone) == 1 {
		return append(points, zone[0].id)
	}
	begin := len(points)
	slices.SortFunc(zone, func(a, b resident) int {
		return cmp.Or(cmp.Compare(a.network, b.network), slices.Compare(a.id[12:], b.id[12:]), a.id.Compare(b.id))
	})
	for i, r := range zone {
		if i == 0 || r.network != zone[i-1].network {
			points = append(points, r.id)
		}
	}
	slices.SortFunc(points[begin:], kad.ID.Compare)
	return points
}
