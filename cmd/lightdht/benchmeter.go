package main

import (
	"context"
	"runtime"
	"slices"
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
	batch  int       // operations between two looks at the clock
	values []float64 // nanoseconds for each operation, by slice
	allocs uint64
	ops    int
}

// measure has each of ops run for a time in all, slices of them in turn, so that
// a machine that is busy for a while disturbs them alike.
func measure(ctx context.Context, total time.Duration, ops ...func()) ([]meter, error) {
	meters := make([]meter, len(ops))
	for i, op := range ops {
		meters[i] = meter{ctx: ctx, slice: max(total/benchSlices, 1)}
		meters[i].calibrate(op)
	}
	for range benchSlices {
		for i, op := range ops {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			meters[i].run(op)
		}
	}
	return meters, ctx.Err()
}

// figure returns what was measured of a table.
func (m *meter) figure(what string, contacts int) figure {
	values := slices.Clone(m.values)
	return figure{what, contacts, median(values), "ns", float64(m.allocs) / float64(m.ops), spread(values)}
}

// ratio returns the median of what m needs for each of what other needs, slices
// that were measured one after the other being compared.
func (m *meter) ratio(other *meter) float64 {
	ratios := make([]float64, len(m.values))
	for i := range ratios {
		ratios[i] = m.values[i] / other.values[i]
	}
	return median(ratios)
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
