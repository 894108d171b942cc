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

	// BoundByAddress: BEP 42 binds IDs to the 20 bits of an IPv4 address that it
	// looks at, and to 36 of an IPv6 /64: all nodes whose addresses agree in those
	// are left the same 8 prefixes of 21 bits. Of IDs that it allows, those of one
	// such place that share their first 21 bits are one cell, and each cell is a
	// uniform point of its own. So is each ID that it does not allow, and those of
	// local addresses, which may have any.
	//
	// That takes the places for independent. A CRC is linear, so that those of
	// consecutive addresses lie in a pattern: the 8 prefixes of one address more
	// evenly than chance would have it, and where networks are full, one node at each
	// address, now and then a zone too crowded; and of 20,000 nodes in only 100
	// networks of /16 the gaps are found odd at 5 % in 10 of 100 samples, not in 5
	// (in 300 networks, in no more than 5). Of pseudonyms, which do not tell the
	// 20 bits, a whole address (IPv6: /64) is a place: nodes of few networks, whose
	// addresses agree in those bits more often than by chance, then seem to crowd.
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
		r := resident{id: run[0].id, home: s.home(run)}
		if len(zone) > 0 && leading(zone[0].id, boundBits) != leading(r.id, boundBits) {
			points = appendCells(points, zone)
			zone = zone[:0]
		}
		zone = append(zone, r)
	}
	return appendCells(points, zone)
}

// resident is a distinct ID with the place that it is bound to.
type resident struct {
	id   kad.ID
	home binding
}

// binding is what BEP 42 binds IDs to: the bits of an address that it looks at.
type binding struct {
	family kad.Family // 0: the ID is not bound
	bits   uint64
}

// The bits of an IPv4 address, and of an IPv6 /64, that BEP 42 looks at.
const (
	boundMask4 = 0x030f3fff
	boundMask6 = 0x0103070f1f3f7fff
)

// home returns the place that an ID is bound to, of those where it was seen: the
// first that BEP 42 allows it for.
func (s *IDSample) home(run []idRecord) binding {
	for i := range run {
		r := &run[i]
		switch {
		case !r.secure || !s.options.Hidden && kad.IsLocal(r.addr()):
		case r.is4() && s.options.Hidden:
			return binding{kad.IPv4, uint64(r.v4())}
		case r.is4():
			return binding{kad.IPv4, uint64(r.v4() & boundMask4)}
		case s.options.Hidden:
			return binding{kad.IPv6, r.upper()}
		default:
			return binding{kad.IPv6, r.upper() & boundMask6}
		}
	}
	return binding{}
}

// appendCells appends one ID of each cell of a zone of 21 bits. It is the one
// whose last bytes are lowest: as good as drawn, and the same each time.
func appendCells(points IDPoints, zone []resident) IDPoints {
	if len(zone) == 1 {
		return append(points, zone[0].id)
	}
	begin := len(points)
	slices.SortFunc(zone, func(a, b resident) int {
		return cmp.Or(cmp.Compare(a.home.family, b.home.family), cmp.Compare(a.home.bits, b.home.bits),
			slices.Compare(a.id[12:], b.id[12:]), a.id.Compare(b.id))
	})
	for i, r := range zone {
		if i == 0 || r.home.family == 0 || r.home != zone[i-1].home {
			points = append(points, r.id)
		}
	}
	slices.SortFunc(points[begin:], kad.ID.Compare)
	return points
}
