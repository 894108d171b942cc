package lightdht

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// delayBuckets is enough for every Duration that is not negative.
const delayBuckets = 64

// Delays tells how much a node's read loops lag behind what arrives. Its zero
// value is that of no packet.
type Delays struct {
	Count uint64        // packets measured
	Max   time.Duration // the longest of the delays

	// Arrival says what was measured. If set, the time from a packet's arrival in
	// the kernel to its being read, by the wall clock: the wait for the packets
	// before it and for the processor. Packets that a step of the wall clock made
	// immeasurable are left out, and for some milliseconds after the first socket
	// of the machine asked for times of arrival they are those of reading. Otherwise, where some socket of the node is not a
	// system's or the system is not Linux, the time that a packet read from that
	// one took to be worked on, which delays the next.
	Arrival bool

	Buckets [delayBuckets]uint64 // [0]: no delay at all; [i]: from 1<<(i-1) to 1<<i ns, without the latter
}

// Quantile returns a time that at least the share q (0 to 1) of the packets
// stayed within: less than twice the true quantile, and never over Max. It is 0
// without packets.
func (d Delays) Quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(min(max(q, 0), 1) * float64(d.Count)))
	var seen uint64
	for i, n := range d.Buckets {
		if seen += n; seen > 0 && seen >= rank {
			return min(time.Duration(1)<<i-1, d.Max)
		}
	}
	return d.Max
}

// ReadDelay tells of every packet since the start. No RTT has the delay taken
// off: a delay is a difference of wall clock times, which may be stepped, while
// RTTs are by the monotonic clock alone and contain the lag that is told here.
func (n *Node) ReadDelay() Delays {
	d := Delays{Arrival: true}
	for _, e := range n.ends {
		d.Arrival = d.Arrival && e.stamped()
		e.delays.addTo(&d)
	}
	return d
}

// delays is a histogram that is written and read at the same time.
type delays struct {
	max     atomic.Int64
	buckets [delayBuckets]atomic.Uint64
}

// add counts one delay; a negative one is none.
func (d *delays) add(t time.Duration) {
	t = max(t, 0)
	for old := d.max.Load(); int64(t) > old && !d.max.CompareAndSwap(old, int64(t)); {
		old = d.max.Load()
	}
	d.buckets[bits.Len64(uint64(t))].Add(1)
}

// addTo adds what d has counted to sum.
func (d *delays) addTo(sum *Delays) {
	for i := range d.buckets {
		n := d.buckets[i].Load()
		sum.Buckets[i] += n
		sum.Count += n
	}
	sum.Max = max(sum.Max, time.Duration(d.max.Load()))
}

// arrivals turns the kernel's times of arrival, which are of the wall clock, into
// delays, and tells when that clock was stepped in between.
type arrivals struct {
	offset int64 // of the wall clock to the monotonic one
	valid  int64 // stamps before it are of another clock
}

// newArrivals begins at wall, when the monotonic clock is at 0.
func newArrivals(wall int64) arrivals { return arrivals{offset: wall, valid: wall} }

// stepLeast is what the wall clock must change by to be held for stepped, in
// nanoseconds. Both clocks run at one rate, and to read one after the other
// takes no longer.
const stepLeast = int64(time.Millisecond)

// delay returns the time from stamp to now; false when it cannot be told. stamp
// and wall, which is now, are Unix nanoseconds, and mono is now as the monotonic
// clock has it.
func (a *arrivals) delay(stamp, wall int64, mono time.Duration) (time.Duration, bool) {
	offset := wall - int64(mono)
	if step := offset - a.offset; step > stepLeast || step < -stepLeast {
		a.offset, a.valid = offset, wall
	}
	return time.Duration(wall - stamp), stamp >= a.valid && stamp <= wall
}
