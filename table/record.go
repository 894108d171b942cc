package table

import (
	"math"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// key is what tells contacts apart: an ID at an address. An IPv4 address is
// kept as the IPv6 address that maps it, so 16 bytes serve both families and
// nothing has to say which it is. IPv6 zones are dropped.
type key struct {
	id   kad.ID
	addr [16]byte
	port uint16
}

func keyOf(n kad.NodeInfo) key {
	return key{id: n.ID, addr: n.Addr.Addr().As16(), port: n.Addr.Port()}
}

func (k *key) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(k.addr).Unmap(), k.port)
}

// record is a contact as it is kept: 76 bytes without a pointer.
//
//	 0 id    20 address    36 port, version    40 first, last, query, reply
//	56 queries, replies    64 rtt (low)    68 slot    72 rtt (high), failures, flags, origin
//
// Times are seconds since 1970, 0 for never.
type record struct {
	key
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
	flagQueued // it is in the queue of the living; not part of the history
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
// to which s itself is still to be applied.
func newRecord(k key, s *Sighting) record {
	sec := seconds(s.Time)
	origin := s.Origin
	if origin == 0 {
		origin = s.Event.origin()
	}
	return record{key: k, first: sec, last: sec, origin: origin}
}

// recordOf returns the record of a contact with all its history, as far as a
// record can hold it.
func recordOf(k key, c *Contact, v *versions) record {
	var version [maxVersion + 1]byte // one more, so that a cut is noticed
	rtt := min(max(c.LastRTT, 0), maxRTT)
	r := record{
		key:      k,
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

// become gives r the history of another record of the same contact. What the
// table's own structures keep in it stays.
func (r *record) become(other *record) {
	slot, queued := r.slot, r.flags&flagQueued
	*r = *other
	r.slot, r.flags = slot, r.flags|queued
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

// contact returns the record as callers see it.
func (r *record) contact(v *versions) Contact {
	return Contact{
		ID:        r.id,
		Addr:      r.addrPort(),
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
