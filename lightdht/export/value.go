package export

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// The values that look the same in CSV, in text lines and, between quotes, in JSON
// are appended by the functions of this file. All are pure: bytes in, bytes out.

// appendValue appends the value of a row, which is not absent.
type appendValue func(dst []byte, v *Vector, row int) []byte

// The first ones are of a column: they take the value out of it.

func appendIntValue(dst []byte, v *Vector, row int) []byte {
	return strconv.AppendInt(dst, v.Ints[row], 10)
}

func appendIDValue(dst []byte, v *Vector, row int) []byte { return appendID(dst, &v.IDs[row]) }

func appendAddrValue(dst []byte, v *Vector, row int) []byte { return appendAddr(dst, v.Addrs[row]) }

func appendTimeValue(dst []byte, v *Vector, row int) []byte { return appendTime(dst, v.Ints[row]) }

func appendBoolValue(dst []byte, v *Vector, row int) []byte {
	return strconv.AppendBool(dst, v.Ints[row] != 0)
}

// appendFloatValue returns a function that writes the shortest decimal that reads
// back to the same number; JSON takes that too. What is no number is absent.
func appendFloatValue(absent string) appendValue {
	return func(dst []byte, v *Vector, row int) []byte {
		f := v.Floats[row]
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, absent...)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
}

// hexPairs holds the two digits of each byte.
var hexPairs = func() (t [256][2]byte) {
	for i := range t {
		copy(t[i][:], fmt.Sprintf("%02x", i))
	}
	return t
}()

// appendID appends 40 hex digits, lower case, two for each look into the table.
func appendID(dst []byte, id *kad.ID) []byte {
	var digits [2 * kad.Size]byte
	for i, b := range id {
		pair := hexPairs[b]
		digits[2*i], digits[2*i+1] = pair[0], pair[1]
	}
	return append(dst, digits[:]...)
}

// octet appends a number below 256, as strconv would, which first has to find out
// that it is so small.
func octet(dst []byte, n byte) []byte {
	switch {
	case n < 10:
		return append(dst, '0'+n)
	case n < 100:
		return append(dst, pairs[2*n], pairs[2*n+1])
	}
	rest := n % 100
	return append(dst, '0'+n/100, pairs[2*rest], pairs[2*rest+1])
}

// appendAddr appends an address: most are IPv4, and quickly written.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if !a.Is4() {
		return a.WithZone("").AppendTo(dst) // a zone means nothing on another machine
	}
	ip := a.As4()
	dst = append(octet(dst, ip[0]), '.')
	dst = append(octet(dst, ip[1]), '.')
	dst = append(octet(dst, ip[2]), '.')
	return octet(dst, ip[3])
}

// fits returns an error when a batch is not one of the schema, which would else be
// found out far from whoever filled it.
func (s Schema) fits(b *Batch) error {
	if len(b.Cols) != len(s) {
		return fmt.Errorf("a batch of %d columns for a table of %d", len(b.Cols), len(s))
	}
	for i, c := range s {
		v := &b.Cols[i]
		if v.Type != c.Type {
			return fmt.Errorf("column %s: a batch has %v in it, the table %v", c.Name, v.Type, c.Type)
		}
		if n := v.len(); n != b.Len || len(v.Null) != b.Len {
			return fmt.Errorf("column %s: %d values in a batch of %d rows", c.Name, n, b.Len)
		}
	}
	return nil
}

// len returns how many values a column has.
func (v *Vector) len() int {
	switch v.Type {
	case ID, Hash:
		return len(v.IDs)
	case Addr:
		return len(v.Addrs)
	case Text:
		return len(v.Texts)
	case Float:
		return len(v.Floats)
	}
	return len(v.Ints)
}
