package kad

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// BEP 42 binds the first 21 bits of a node's ID to its address, so that a host
// can hold only a few places of the space:
//
//	masked = address & mask, with r (3 bits) in the top bits of its first byte
//	id     = crc32c(masked)[:21 bits] | random … | byte with r in its low 3 bits
//
// The checksum covers the 4 masked bytes of an IPv4 address or the 8 of the
// upper half of an IPv6 address. (The text of the BEP says 8 for both; its
// vectors hold for 4.)

var (
	bep42Mask4 = [4]byte{0x03, 0x0f, 0x3f, 0xff}
	bep42Mask6 = [8]byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// bep42Bits is how many leading bits of an ID BEP 42 fixes.
const bep42Bits = 21

// SecureID returns the ID for addr that BEP 42 allows and that takes all its
// free bits from random: the 131 bits after the 21st up to the last byte, and
// the last byte, whose low three bits choose one of the eight prefixes. It
// binds exempt addresses too (see [IsSecureID]), which does no harm.
// For the zero Addr it returns random.
func SecureID(addr netip.Addr, random ID) ID {
	if !addr.IsValid() {
		return random
	}
	id := random
	crc := bep42CRC(addr, random[Size-1])
	id[0] = byte(crc >> 24)
	id[1] = byte(crc >> 16)
	id[2] = byte(crc>>8)&0xf8 | random[2]&0x07
	return id
}

// IsSecureID reports whether id is one that BEP 42 allows for addr. Loopback,
// private and link-local addresses ([IsLocal]) are exempt: any ID is allowed
// there. No ID is allowed for the zero Addr.
// A random ID passes for one address with probability 2^-21.
func IsSecureID(id ID, addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	if IsLocal(addr) {
		return true
	}
	crc := bep42CRC(addr, id[Size-1])
	return binary.BigEndian.Uint32(id[:])>>(32-bep42Bits) == crc>>(32-bep42Bits)
}

// bep42CRC is the CRC-32C of the masked address with the low three bits of
// rand in its top bits.
func bep42CRC(addr netip.Addr, rand byte) uint32 {
	addr = addr.Unmap()
	r := (rand & 7) << 5
	if addr.Is4() {
		b := addr.As4()
		for i := range b {
			b[i] &= bep42Mask4[i]
		}
		b[0] |= r
		return crc32c(b[:])
	}
	full := addr.As16()
	b := [8]byte(full[:8])
	for i := range b {
		b[i] &= bep42Mask6[i]
	}
	b[0] |= r
	return crc32c(b[:])
}

// crc32c is crc32.Checksum with the Castagnoli table, but for a few bytes that
// stay on the stack: the assembler behind Checksum makes them escape.
func crc32c(p []byte) uint32 {
	crc := ^uint32(0)
	for _, v := range p {
		crc = castagnoli[byte(crc)^v] ^ crc>>8
	}
	return ^crc
}
