package main

import "time"

// benchSlice is about how long a slice of the time for a figure is: so short that
// most hold none of the pauses, of a few milliseconds each, in which another
// program has the core. The median of the slices is the figure.
const benchSlice = time.Millisecond

// fewestSlices is how many slices a figure has at least, however long an operation
// takes, but those of what ends by itself.
const fewestSlices = 9

// sliceOf returns how long a slice of a time is: shorter than others if there
// would be too few of them.
func sliceOf(total time.Duration) time.Duration {
	return min(benchSlice, max(total/fewestSlices, 1))
}

// laps divides work into slices. Each has at least one operation, and lasts until
// one is over that ends when the slice is full.
type laps struct {
	slice  time.Duration // how long one is; 0: one for each call of did
	began  time.Time     // when this one did
	n      int           // operations in this one
	values []float64     // nanoseconds for each operation, by slice
}

// begin begins a slice, and forgets what the one under way has.
func (l *laps) begin(now time.Time) { l.began, l.n = now, 0 }

// did counts n more operations, and reports whether they ended a slice, upon which
// the next begins.
func (l *laps) did(n int, now time.Time) (ended bool) {
	l.n += n
	if now.Sub(l.began) < l.slice {
		return false
	}
	l.end(now)
	return true
}

// end ends a slice, full or not, unless it is empty.
func (l *laps) end(now time.Time) {
	if l.n > 0 {
		l.values = append(l.values, float64(now.Sub(l.began))/float64(l.n))
	}
	l.begin(now)
}
