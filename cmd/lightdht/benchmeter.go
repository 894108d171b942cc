package main

import (
	"context"
	"runtime"
	"time"
)

// benchSlices is how many slices the time for a figure has. Each begins with a
// clean heap and one operation that does not count; their median is the figure,
// so that what disturbs some of them does not show.
const benchSlices = 9

// meter measures an operation of one goroutine.
type meter struct {
	ctx    context.Context
	slice  time.Duration
	batch  int // operations between two looks at the clock
	values []float64
	allocs uint64
	ops    int
}

// measure has op run for a time in all, and returns nanoseconds for each
// operation by slice and allocations for each.
func measure(ctx context.Context, total time.Duration, op func()) (values []float64, allocs float64, err error) {
	m := meter{ctx: ctx, slice: max(total/benchSlices, 1)}
	m.calibrate(op)
	for range benchSlices {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		m.run(op)
	}
	return m.values, float64(m.allocs) / float64(m.ops), ctx.Err()
}

// betweenLooks is how long a batch takes at least, so that the clock costs less
// than a hundredth.
const betweenLooks = 10 * time.Microsecond

// calibrate finds the size of a batch.
func (m *meter) calibrate(op func()) {
	for m.batch = 1; m.ctx.Err() == nil; m.batch *= 2 {
		began := time.Now()
		for range m.batch {
			op()
		}
		if time.Since(began) >= betweenLooks {
			return
		}
	}
}

// run measures one slice.
func (m *meter) run(op func()) {
	runtime.GC()
	op()
	before := mallocs()
	ops, elapsed, began := 0, time.Duration(0), time.Now()
	for elapsed < m.slice && m.ctx.Err() == nil {
		for range m.batch {
			op()
		}
		ops += m.batch
		elapsed = time.Since(began)
	}
	m.allocs += mallocs() - before
	m.ops += ops
	m.values = append(m.values, float64(elapsed)/float64(max(ops, 1)))
}

// mallocs returns how many objects were allocated so far.
func mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}

// heapInUse returns the bytes of what is reachable. The second collection frees
// what pools kept over the first.
func heapInUse() float64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc)
}

// laps measures the parts of work that does not repeat.
type laps struct {
	began  time.Time // of this lap
	values []float64
}

// lap ends one of n operations.
func (l *laps) lap(n int) {
	now := time.Now()
	l.values = append(l.values, float64(now.Sub(l.began))/float64(n))
	l.began = now
}
