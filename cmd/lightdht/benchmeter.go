package main

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// meter measures an operation of one goroutine.
type meter struct {
	laps
	ctx    context.Context
	batch  int     // operations between two looks at the clock
	allocs float64 // for each operation
}

// measure has each of ops run for a time in all, slices of them in turn, so that
// a machine that is busy for a while disturbs them alike. It begins with a clean
// heap. Who runs alone is warm after what comes first; those who take turns are
// warmed up in each, since another used the cache meanwhile.
func measure(ctx context.Context, total time.Duration, ops ...func()) ([]meter, error) {
	end := time.Now().Add(total * time.Duration(len(ops)))
	meters := make([]meter, len(ops))
	runtime.GC()
	for i, op := range ops {
		meters[i] = meter{laps: laps{slice: sliceOf(total)}, ctx: ctx}
		meters[i].calibrate(op)
		meters[i].countAllocs(op)
	}
	for round := 0; round < fewestSlices || time.Now().Before(end); round++ {
		for i, op := range ops {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if len(ops) > 1 {
				meters[i].warm(op)
			}
			meters[i].run(op)
		}
	}
	return meters, ctx.Err()
}

// figure returns what was measured of a table.
func (m *meter) figure(what string, contacts int) figure {
	values := slices.Clone(m.values)
	return figure{what, contacts, median(values), "ns", m.allocs, spread(values)}
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

// countAllocs runs for some slices that do not count: to look at the allocations
// stops the program, and would disturb those that do.
func (m *meter) countAllocs(op func()) {
	m.values = make([]float64, 0, fewestSlices)
	before, ops := mallocs(), 0
	for range fewestSlices {
		ops += m.run(op)
	}
	m.allocs = float64(mallocs()-before) / float64(max(ops, 1))
	m.values = m.values[:0]
}

// warm runs for a slice that does not count.
func (m *meter) warm(op func()) {
	m.run(op)
	m.values = m.values[:max(len(m.values)-1, 0)]
}

// run measures one slice, and returns how many operations it had.
func (m *meter) run(op func()) (ops int) {
	m.begin(time.Now())
	for ended := false; !ended && m.ctx.Err() == nil; ops += m.batch {
		for range m.batch {
			op()
		}
		ended = m.did(m.batch, time.Now())
	}
	return ops
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
