package table

import "math"

// merge adds the history of other, a record of the same contact, to r. What the
// last query or the last answer told is that of the record whose last one is
// later: r's when both are of one second.
func (r *record) merge(other *record) {
	r.failures = r.failuresWith(other)
	if other.version != 0 && (r.version == 0 || other.heard() > r.heard()) {
		r.version = other.version
	}
	if other.query > r.query {
		r.flags = r.flags&^flagReadOnly | other.flags&flagReadOnly
	}
	if other.reply > r.reply {
		r.rtt, r.rttHigh = other.rtt, other.rttHigh
	}
	if other.first < r.first {
		r.origin = other.origin
	}
	r.flags |= other.flags & flagRouter
	r.first, r.last = min(r.first, other.first), max(r.last, other.last)
	r.query, r.reply = max(r.query, other.query), max(r.reply, other.reply)
	r.queries, r.replies = sum(r.queries, other.queries), sum(r.replies, other.replies)
}

// heard returns when it last asked or answered.
func (r *record) heard() uint32 { return max(r.query, r.reply) }

// failuresWith returns the failures in a row since the last answer of both: those
// of the record that has it, and of the other if that has none and is younger.
func (r *record) failuresWith(other *record) uint8 {
	newer, older := r, other
	if older.reply > newer.reply {
		newer, older = older, newer
	}
	if newer.reply == 0 || older.reply == 0 && older.first > newer.first && older.first >= newer.reply {
		return uint8(min(int(newer.failures)+int(older.failures), math.MaxUint8))
	}
	return newer.failures
}

// sum adds two counts, which stop at their highest value.
func sum(a, b uint32) uint32 { return a + min(b, math.MaxUint32-a) }
