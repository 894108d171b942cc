package table

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"net/netip"
	"sync"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// keys returns n different keys: of few IDs, addresses of both families, few ports.
func keys(n int) []key {
	ks := make([]key, n)
	for i := range ks {
		var four [4]byte
		binary.BigEndian.PutUint32(four[:], uint32(i/6))
		addr := netip.AddrFrom4(four)
		if i%2 == 1 {
			six := addr.As16()
			six[0] = 0x20
			addr = netip.AddrFrom16(six)
		}
		ks[i] = keyOf(kad.NodeInfo{ID: kad.ID{19: byte(i / 6 % 7)}, Addr: netip.AddrPortFrom(addr, uint16(i%3))})
	}
	return ks
}

// Whoever was added is found where he was, and nobody else: those with the same
// tag in the same bucket, of whom there are some hundred, are told apart.
func TestExact(t *testing.T) {
	var x exact
	var s slab
	seed, ks := maphash.MakeSeed(), keys(20_000)
	for i := range ks {
		k := &ks[i]
		if _, known := x.find(hashKey(seed, k), k, &s); known {
			t.Fatalf("%v is known before it was added", k)
		}
		x.add(hashKey(seed, k), s.add(k, record{}), &s, seed)
	}
	for i := range ks {
		pos, ok := x.find(hashKey(seed, &ks[i]), &ks[i], &s)
		if !ok || int(pos) != i || s.key(s.at(pos)) != ks[i] {
			t.Fatalf("%v: found %v at %d", ks[i], ok, pos)
		}
	}
}

func TestMatches(t *testing.T) {
	for tag := range 256 {
		for place := range 4 {
			tags := []uint8{uint8(tag + 1), uint8(tag + 1), uint8(tag + 1), uint8(tag + 1)}
			if m := matches(tags, uint8(tag)); m != 0 {
				t.Fatalf("tag %d among %d: %x", tag, tags, m)
			}
			if tags[place] = uint8(tag); matches(tags, uint8(tag))&(0x80<<(8*place)) == 0 {
				t.Fatalf("tag %d is not seen in %d", tag, tags)
			}
		}
	}
}

// Many at once learn versions, and all agree on the numbers.
func TestVersionsTogether(t *testing.T) {
	var vs versions
	vs.init()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 5000 {
				want := fmt.Sprintf("v%d", i)
				if got := vs.text(vs.number([]byte(want))); got != want {
					t.Errorf("%q became %q", want, got)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(*vs.texts.Load()); n != 5001 {
		t.Errorf("%d versions, want 5000 and none", n)
	}
	if known := len(*vs.known.Load()); known < 3000 {
		t.Errorf("only %d are found without a lock", known)
	}
}

// A record is of the contact whose ID, address and port it has, and of no other.
func TestIs(t *testing.T) {
	var s slab
	ks := keys(60)
	for i := range ks {
		s.add(&ks[i], record{})
	}
	for i := range ks {
		for pos := range s.size() {
			if got := s.is(s.at(pos), &ks[i]); got != (int(pos) == i) {
				t.Fatalf("record %d is of %v: %v", pos, ks[i], got)
			}
		}
	}
}

// When there is no room for another version, all that have a number are found
// without the lock, and so is it found that others have none.
func TestVersionsFull(t *testing.T) {
	var vs versions
	vs.init()
	for i := range maxVersions {
		vs.number(binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	vs.mu.Lock() // who asked for it would hang
	defer vs.mu.Unlock()
	for i := range maxVersions + 10 {
		want := uint16(i + 1)
		if i >= maxVersions-1 {
			want = 0
		}
		if got := vs.number(binary.BigEndian.AppendUint32(nil, uint32(i))); got != want {
			t.Fatalf("version %d has number %d, want %d", i, got, want)
		}
	}
	if lost := vs.lost.Load(); lost != 12 {
		t.Errorf("%d lost, want 12", lost)
	}
}
