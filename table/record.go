package table

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// key is what tells contacts apart: an ID at an address. IPv6 zones are dropped.
type key struct {
	id   kad.ID
	port uint16
	six  bool     // addr is an IPv6 address, and not the IPv6 form of an IPv4 one
	addr [16]byte // the IPv6 form of any
}

func keyOf(n kad.NodeInfo) key {
	addr := n.Addr.Addr()
	return key{n.ID, n.Addr.Port(), !addr.Unmap().Is4(), addr.As16()}
}

// four returns the IPv4 address.
func (k *key) four() uint32 { return binary.BigEndian.Uint32(k.addr[12:]) }

// record is a contact as it is kept: 64 bytes without a pointer, which is one
// line of the cache.
//
//	 0 id    20 address    24 port, version    28 first, last, query, reply
//	44 queries, replies    52 rtt (low)    56 slot    60 rtt (high), failures, flags, origin
//
// Times are seconds since 1970, 0 for never. An IPv6 address is kept elsewhere,
// by its number.
type record struct {
	id               kad.ID
	addr             uint32 // an IPv4 address, or with flagSix the number of an IPv6 one
	port             uint16
	version          uint16 // a number in versions
	first, last      uint32
	query, reply     uint32
	queries, replies uint32 // these stop at their highest value
	rtt              uint32 // the low 32 of the 40 bits of nanoseconds
	slot             uint32 // where the index of its class keeps it; the index's own
	rttHigh          uint8
	failures         uint8 // stops at 255
	flags            uint8
	origin           Origin
}

const (
	flagReadOnly = 1 << iota
	flagRouter
	flagSix    // it has an IPv6 address
	flagQueued // it is in the queue of the living; not part of the history

	flagsHistory = flagReadOnly | flagRouter
)

const maxRTT = 1<<40 - 1 // 18 minutes and 19 seconds

// seconds clamps a time into what a record holds; no time becomes "never".
func seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 1), math.MaxUint32))
}

// secondsOrNever is seconds of a time that may be the zero time.
func secondsOrNever(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return seconds(t)
}

func timeOf(sec uint32) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(int64(sec), 0).UTC()
}

// newRecord returns the record of a contact that s is the first sighting of,
// to which s itself is still to be applied, and the key.
func newRecord(s *Sighting) record {
	sec := seconds(s.Time)
	origin := s.Origin
	if origin == 0 {
		origin = s.Event.origin()
	}
	return record{first: sec, last: sec, origin: origin}
}

// recordOf returns the record of a contact with all its history, as far as a
// record can hold it, but without the key.
func recordOf(c *Contact, v *versions) record {
	var version [maxVersion + 1]byte // one more, so that a cut is noticed
	rtt := min(max(c.LastRTT, 0), maxRTT)
	r := record{
		version:  v.number(version[:copy(version[:], c.Version)]),
		first:    seconds(c.FirstSeen),
		last:     seconds(c.LastSeen),
		query:    secondsOrNever(c.LastQuery),
		reply:    secondsOrNever(c.LastReply),
		queries:  c.Queries,
		replies:  c.Replies,
		rtt:      uint32(rtt),
		rttHigh:  uint8(rtt >> 32),
		failures: uint8(min(max(c.Failures, 0), math.MaxUint8)),
		origin:   c.Origin,
	}
	if c.ReadOnly {
		r.flags |= flagReadOnly
	}
	if c.Router {
		r.flags |= flagRouter
	}
	return r
}

// become gives r the history of another record. The key, and what the table's own
// structures keep in it, stay.
func (r *record) become(other *record) {
	was := *r
	*r = *other
	r.id, r.addr, r.port, r.slot = was.id, was.addr, was.port, was.slot
	r.flags |= was.flags &^ flagsHistory
}

// apply adds a sighting to the history, whose times never go backwards: of two
// sightings that arrive in the wrong order, the later one decides what "last"
// means.
func (r *record) apply(s *Sighting, v *versions) {
	sec := seconds(s.Time)
	r.first = min(r.first, sec)
	if s.Router {
		r.flags |= flagRouter
	}
	if s.Event == Failed {
		r.failures += increment(r.failures)
		return
	}
	r.last = max(r.last, sec)
	switch s.Event {
	case Queried:
		r.tell(s, sec, v)
		r.queried(s, sec)
	case Replied:
		r.tell(s, sec, v)
		r.replied(s, sec)
	}
}

// tell keeps the client version of s unless a later sighting told one.
func (r *record) tell(s *Sighting, sec uint32, v *versions) {
	if s.Version != nil && sec >= r.query && sec >= r.reply {
		r.version = v.number(s.Version)
	}
}

func (r *record) queried(s *Sighting, sec uint32) {
	if sec >= r.query {
		r.query = sec
		r.flags &^= flagReadOnly
		if s.ReadOnly {
			r.flags |= flagReadOnly
		}
	}
	r.queries += increment(r.queries)
}

func (r *record) replied(s *Sighting, sec uint32) {
	if sec >= r.reply {
		r.reply = sec
		rtt := min(max(s.RTT, 0), maxRTT)
		r.rtt, r.rttHigh = uint32(rtt), uint8(rtt>>32)
	}
	r.replies += increment(r.replies)
	r.failures = 0
}

// increment returns 1, or 0 when n is at its highest value.
func increment[N uint8 | uint32](n N) N {
	if n == ^N(0) {
		return 0
	}
	return 1
}

// contact returns the record, which is one of s, as callers see it.
func (r *record) contact(s *slab, v *versions) Contact {
	return Contact{
		ID:        r.id,
		Addr:      s.addr(r),
		FirstSeen: timeOf(r.first),
		LastSeen:  timeOf(r.last),
		LastQuery: timeOf(r.query),
		LastReply: timeOf(r.reply),
		LastRTT:   time.Duration(r.rttHigh)<<32 | time.Duration(r.rtt),
		Failures:  int(r.failures),
		Queries:   r.queries,
		Replies:   r.replies,
		Version:   v.text(r.version),
		ReadOnly:  r.flags&flagReadOnly != 0,
		Router:    r.flags&flagRouter != 0,
		Origin:    r.origin,
	}
}
