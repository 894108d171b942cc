package kad

import (
	"fmt"
	"strconv"
	"strings"
)

// Prefix is a zone of the ID space: all IDs that begin with the same bits. The
// zero Prefix has no bits and is the whole space. Prefixes are comparable.
type Prefix struct {
	id   ID // bits beyond the prefix are zero
	bits uint8
}

// Prefix returns the zone of the first n bits of id; n is clamped to 0..160.
func (id ID) Prefix(n int) Prefix {
	n = min(max(n, 0), Bits)
	p := Prefix{id: id, bits: uint8(n)}
	for i := range p.id {
		p.id[i] &= byte(uint16(0xff00) >> min(max(n-8*i, 0), 8))
	}
	return p
}

// ParsePrefix reads "hex/bits" ("a3f/12"), or hex digits alone, four bits
// each, or the empty string, which is the whole space. Digits that the length
// asks for and that are not there are zeros; bits set beyond the length are an
// error, and so is a length with a sign or a leading zero.
func ParsePrefix(s string) (Prefix, error) {
	digits, length, hasLength := strings.Cut(s, "/")
	n := 4 * len(digits)
	if hasLength {
		var err error
		if n, err = strconv.Atoi(length); err != nil || n < 0 || n > Bits || strconv.Itoa(n) != length {
			return Prefix{}, fmt.Errorf("a prefix ends in its length in bits, 0 to %d: %q", Bits, clip(s))
		}
	}
	if len(digits) > 2*Size {
		return Prefix{}, fmt.Errorf("a prefix has at most %d hex digits: %q", 2*Size, clip(s))
	}
	id, err := ParseID(digits + strings.Repeat("0", 2*Size-len(digits)))
	if err != nil {
		return Prefix{}, fmt.Errorf("a prefix is hex digits, a slash and its length in bits: %q", clip(s))
	}
	p := id.Prefix(n)
	if p.id != id {
		return Prefix{}, fmt.Errorf("prefix %q has bits set beyond its length", clip(s))
	}
	return p, nil
}

// Bits returns the length of p in bits, 0 to 160.
func (p Prefix) Bits() int { return int(p.bits) }

// First returns the lowest ID of the zone.
func (p Prefix) First() ID { return p.id }

// Last returns the highest ID of the zone.
func (p Prefix) Last() ID {
	last := p.id
	for i := range last {
		last[i] |= byte(0xff) >> min(max(p.Bits()-8*i, 0), 8)
	}
	return last
}

// Contains reports whether id lies in the zone.
func (p Prefix) Contains(id ID) bool { return id.Prefix(p.Bits()) == p }

// Child returns the half of the zone whose next bit is bit (0 or 1). A zone of
// 160 bits has no halves: it returns itself.
func (p Prefix) Child(bit int) Prefix {
	if p.bits == Bits {
		return p
	}
	if bit != 0 {
		p.id[p.bits/8] |= 0x80 >> (p.bits % 8)
	}
	p.bits++
	return p
}

// Random returns a uniformly random ID of the zone.
func (p Prefix) Random() ID { return p.Fill(RandomID()) }

// Fill returns the ID of the zone whose bits beyond the prefix are those of
// tail; with tail uniformly random, so is the result within the zone.
func (p Prefix) Fill(tail ID) ID {
	last := p.Last()
	for i := range tail {
		tail[i] = p.id[i] | tail[i]&last[i]
	}
	return tail
}

// String returns "hex/bits" with as many hex digits as the bits need, which
// ParsePrefix reads back.
func (p Prefix) String() string {
	return p.id.String()[:(p.Bits()+3)/4] + "/" + strconv.Itoa(p.Bits())
}

// MarshalText returns String; it never fails.
func (p Prefix) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePrefix into p, which stays as it was on an error.
func (p *Prefix) UnmarshalText(text []byte) error {
	parsed, err := ParsePrefix(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}
