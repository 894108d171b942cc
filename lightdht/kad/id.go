// Package kad holds the values that everything else is about: an [ID] in the
// 160-bit space of the mainline DHT, the XOR [Distance] between two of them, a
// [Prefix] (a zone of the space), and a [NodeInfo] (an ID at an address).
//
// They are small comparable values: map keys, no pointers of ours, no I/O,
// useful zero values. What most readers need:
//
//	id, err := kad.ParseID("6a3f…")        // 40 hex digits
//	d := target.Distance(id)               // XOR metric (Kademlia, section 2.1)
//	near := target.Closer(a, b)            // is a nearer to target than b?
//	zone := id.Prefix(12)                  // the 12-bit zone that id lies in
//	ours := kad.SecureID(addr, random)     // an ID bound to an address, BEP 42
//
// Everything here is a pure function but for [RandomID] and [Prefix.Random],
// which draw from the system's generator.
package kad

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// Size and Bits are the length of an ID in bytes and in bits.
const (
	Size = 20
	Bits = 8 * Size
)

// ID is a node ID, an infohash or any other point of the 160-bit space, most
// significant byte first. The zero ID is a valid point, the lowest one.
type ID [Size]byte

// ParseID reads 40 hexadecimal digits of either case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 2*Size {
		return ID{}, fmt.Errorf("an ID has %d hex digits, not %d: %q", 2*Size, len(s), clip(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("an ID has hex digits only: %q", s)
	}
	return id, nil
}

// MustParseID is ParseID for constants: it panics on a malformed ID.
func MustParseID(s string) ID {
	id, err := ParseID(s)
	if err != nil {
		panic("kad: " + err.Error())
	}
	return id
}

// IDFromBytes copies b into an ID; ok is false unless b has exactly 20 bytes.
func IDFromBytes(b []byte) (id ID, ok bool) {
	if len(b) != Size {
		return ID{}, false
	}
	return ID(b), true
}

// RandomID returns a uniformly random ID from the system's generator.
func RandomID() ID {
	var id ID
	rand.Read(id[:]) // never fails: it aborts the program instead
	return id
}

// String returns id as 40 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// AppendText appends the 40 hex digits of id to b.
func (id ID) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, id[:]), nil }

// MarshalText returns the 40 hex digits of id; it never fails.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(make([]byte, 0, 2*Size)) }

// UnmarshalText is ParseID into id, which stays as it was on an error.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err == nil {
		*id = parsed
	}
	return err
}

// IsZero reports whether id is the lowest point of the space.
func (id ID) IsZero() bool { return id == ID{} }

// Compare orders IDs as unsigned numbers: -1, 0 or +1.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Bit returns bit i of id, 0 being the most significant; it panics unless
// 0 <= i < Bits.
func (id ID) Bit(i int) int { return int(id[uint(i)/8]>>(7-uint(i)%8)) & 1 }

// Distance returns id XOR other.
func (id ID) Distance(other ID) Distance {
	var d Distance
	for i := range d {
		d[i] = id[i] ^ other[i]
	}
	return d
}

// Closer reports whether a is strictly nearer to id than b.
func (id ID) Closer(a, b ID) bool { return id.CompareDistance(a, b) < 0 }

// CompareDistance is -1 when a is nearer to id than b, +1 when b is nearer,
// and 0 when a == b.
func (id ID) CompareDistance(a, b ID) int {
	for i := 0; i < 16; i += 8 {
		x, y := binary.BigEndian.Uint64(a[i:]), binary.BigEndian.Uint64(b[i:])
		if x != y {
			return xorOrder(binary.BigEndian.Uint64(id[i:]), x, y)
		}
	}
	x, y := binary.BigEndian.Uint32(a[16:]), binary.BigEndian.Uint32(b[16:])
	if x == y {
		return 0
	}
	return xorOrder(uint64(binary.BigEndian.Uint32(id[16:])), uint64(x), uint64(y))
}

func xorOrder(target, x, y uint64) int {
	if target^x < target^y {
		return -1
	}
	return +1
}

// CommonPrefixLen returns how many leading bits a and b share: 0 to 160.
func CommonPrefixLen(a, b ID) int { return a.Distance(b).LeadingZeros() }

// clip keeps an error line short when somebody passes a file for an ID.
func clip(s string) string {
	if len(s) > 64 {
		return s[:61] + "..."
	}
	return s
}

// Distance is the XOR of two IDs, read as an unsigned 160-bit number.
type Distance [Size]byte

// Compare orders distances as numbers: -1, 0 or +1.
func (d Distance) Compare(other Distance) int { return bytes.Compare(d[:], other[:]) }

// LeadingZeros is the number of leading zero bits: the length of the prefix
// that the two IDs share, 160 for equal ones.
func (d Distance) LeadingZeros() int {
	for i, b := range d {
		if b != 0 {
			return 8*i + bits.LeadingZeros8(b)
		}
	}
	return Bits
}

// Fraction returns d as a share of the whole space, d/2^160, to within one unit
// in the last place however small d is. Distances within 2^-54 of the whole
// space round to 1.
func (d Distance) Fraction() float64 {
	return float64(binary.BigEndian.Uint64(d[0:]))*0x1p-64 +
		float64(binary.BigEndian.Uint64(d[8:]))*0x1p-128 +
		float64(binary.BigEndian.Uint32(d[16:]))*0x1p-160
}

// String returns d as 40 hex digits.
func (d Distance) String() string { return hex.EncodeToString(d[:]) }
