package table

import "time"

// living tells who of the class that answers may still be good, so that a
// search for the good need not read those who answered long ago.
//
// Whoever answers or asks enters a queue and with it classLive. Whoever comes
// out of it and was not heard of since leaves for classStale; the others queue
// again. Nobody is looked at in between, so classLive holds some for up to
// twice staleAfter, or longer when no sightings come. Each zone has a queue of its
// own, and one where nobody is seen is tended on account of others.
//
//	judge ─ push ─ tail │ positions │ … │ positions │ head ─ pop ─ judge
//
// A search that reads classLive alone is exact all the same, because lastStale
// says which times that is right for. So no order of sightings and no clock
// that steps can make an answer wrong; they can only make classStale be read.
//
// The queue holds a contact at most once (flagQueued) and costs 4 bytes for
// each: the time of entry is kept for a chunk at a time.
type living struct {
	head, tail *livingChunk
	at, end    int          // in the head, the next to come out; in the tail, the first free place
	spare      *livingChunk // one that was used up, so that a queue that turns allocates nothing

	// lastStale is a time after which nobody in classStale answered or asked.
	// Whoever enters moves it on, and it never goes back.
	lastStale uint32

	// clock is the latest time that Restore and Merge know of: that of the last
	// Observe or a later one of a contact put in since.
	clock uint32
}

// livingChunk is 256 bytes.
type livingChunk struct {
	next  *livingChunk
	since uint32 // when its first one entered
	pos   [61]uint32
}

const (
	// staleAfter is how many seconds one who was not heard of stays in
	// classLive. The minute above FreshFor lets a search whose Now is a little
	// behind the sightings leave out classStale.
	staleAfter = uint32((FreshFor + time.Minute) / time.Second)

	// sweepMax is how many one sighting takes out of the queue at most. It puts
	// in one, so that a queue always gets shorter when it can.
	sweepMax = 4
)

// judge decides at the time now whether a contact that is in no queue and whose
// class is classStale enters the queue, and with it classLive.
func (l *living) judge(pos uint32, r *record, now uint32) {
	heard := r.heard()
	if uint64(heard)+uint64(staleAfter) < uint64(now) {
		l.lastStale = max(l.lastStale, heard)
		return
	}
	l.push(pos, now)
	r.flags |= flagQueued
}

func (l *living) push(pos, now uint32) {
	if l.tail == nil || l.end == len(l.tail.pos) {
		l.extend(now)
	}
	l.tail.pos[l.end] = pos
	l.end++
}

func (l *living) extend(now uint32) {
	chunk := l.spare
	if l.spare = nil; chunk == nil {
		chunk = new(livingChunk)
	}
	chunk.next, chunk.since = nil, now
	if l.tail == nil {
		l.head, l.at = chunk, 0
	} else {
		l.tail.next = chunk
	}
	l.tail, l.end = chunk, 0
}

// pop takes one out whose time is up. One who entered later than now has it up
// as well (the subtraction wraps): a clock that was ahead for a while must not
// hold up the queue for years.
func (l *living) pop(now uint32) (pos uint32, ok bool) {
	if l.head == nil || l.head == l.tail && l.at == l.end || now-l.head.since <= staleAfter {
		return 0, false
	}
	pos = l.head.pos[l.at]
	if l.at++; l.at == len(l.head.pos) {
		l.shorten()
	}
	return pos, true
}

func (l *living) shorten() {
	l.spare, l.head, l.at = l.head, l.head.next, 0
	if l.head == nil {
		l.tail = nil
	}
}
