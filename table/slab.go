package table

import (
	"encoding/binary"
	"net/netip"
)

// slab holds the records of a zone. Nothing is ever taken out of it: a record
// keeps its position for good, so that the indexes and the cursors of iterations
// can be positions.
type slab struct {
	records list[record]
	sixes   list[[16]byte] // the IPv6 addresses
}

func (s *slab) at(pos uint32) *record { return s.records.at(pos) }

func (s *slab) size() uint32 { return uint32(s.records.len()) }

// add keeps r with the key k and returns its position.
func (s *slab) add(k *key, r record) uint32 {
	r.id, r.port = k.id, k.port
	if k.six {
		r.addr = s.sixes.add(k.addr)
		r.flags |= flagSix
	} else {
		r.addr = k.four()
	}
	return s.records.add(r)
}

// is reports whether r is of the contact with this key.
func (s *slab) is(r *record, k *key) bool {
	if r.id != k.id || r.port != k.port || k.six != (r.flags&flagSix != 0) {
		return false
	}
	if k.six {
		return *s.sixes.at(r.addr) == k.addr
	}
	return r.addr == k.four()
}

// key returns the key of r.
func (s *slab) key(r *record) key {
	k := key{id: r.id, port: r.port, six: r.flags&flagSix != 0}
	if k.six {
		k.addr = *s.sixes.at(r.addr)
	} else {
		k.addr[10], k.addr[11] = 0xff, 0xff
		binary.BigEndian.PutUint32(k.addr[12:], r.addr)
	}
	return k
}

// addr returns the address of r.
func (s *slab) addr(r *record) netip.AddrPort {
	if r.flags&flagSix != 0 {
		return netip.AddrPortFrom(netip.AddrFrom16(*s.sixes.at(r.addr)), r.port)
	}
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], r.addr)
	return netip.AddrPortFrom(netip.AddrFrom4(four), r.port)
}
