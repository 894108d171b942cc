package pseudonym

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// BenchmarkID is an ID each time another.
func BenchmarkID(b *testing.B) {
	key := testKey(b, 1)
	var id kad.ID
	for b.Loop() {
		id = key.ID(id)
	}
}

func BenchmarkAddr4(b *testing.B) {
	key := testKey(b, 1)
	var a [4]byte
	n := uint32(0)
	for b.Loop() {
		n += 0x9e3779b1 // 2^32 divided by the golden ratio: all over the space
		binary.BigEndian.PutUint32(a[:], n)
		key.Addr(netip.AddrFrom4(a))
	}
}

func BenchmarkAddr6(b *testing.B) {
	key := testKey(b, 1)
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	n := uint64(0)
	for b.Loop() {
		n += 0x9e3779b97f4a7c15
		binary.BigEndian.PutUint64(a[4:], n)
		key.Addr(netip.AddrFrom16(a))
	}
}

func BenchmarkHash(b *testing.B) {
	key := testKey(b, 1)
	var hash kad.ID
	for b.Loop() {
		hash = key.Hash(hash)
	}
}

// BenchmarkNewKey is what a key costs before it has seen an address.
func BenchmarkNewKey(b *testing.B) {
	for b.Loop() {
		newKey(testSecret(1))
	}
}

// BenchmarkFill is the table that the first address of a family waits for.
func BenchmarkFill(b *testing.B) {
	key := testKey(b, 1)
	for b.Loop() {
		key.four.pan.fill()
	}
}
