package memory

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
)

// work does an operation n times and fails unless each was done.
type work func(ctx context.Context, n int) error

// meter measures work. It remembers how often the work fits into span, so that
// only the first measurement has to find out.
type meter struct {
	span time.Duration
	n    int
}

// cost is what one operation took.
type cost struct{ ns, allocs, bytes float64 }

func (c cost) String() string {
	return fmt.Sprintf("%.0f allocations, %.0f B", c.allocs, c.bytes)
}

// measure does the work for about a span, at least two thirds of it.
func (m *meter) measure(ctx context.Context, do work) (cost, error) {
	m.n = max(m.n, 1)
	for {
		if err := ctx.Err(); err != nil {
			return cost{}, err
		}
		n := m.n
		c, took, err := timed(ctx, n, do)
		if err != nil {
			return cost{}, err
		}
		fit := float64(n) * float64(m.span) / float64(max(took, 1))
		m.n = max(1, int(min(fit, 100*float64(n))))
		if took >= m.span*2/3 {
			return c, nil
		}
	}
}

// timed does the work n times. What was left over by others is collected before.
func timed(ctx context.Context, n int, do work) (cost, time.Duration, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := do(ctx, n)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	per := func(v uint64) float64 { return float64(v) / float64(n) }
	return cost{
		ns:     per(uint64(took)),
		allocs: per(after.Mallocs - before.Mallocs),
		bytes:  per(after.TotalAlloc - before.TotalAlloc),
	}, took, err
}

// timing makes an entrant whose figure is the time of one operation. prepare is
// called before each measurement.
func timing(name string, span time.Duration, prepare func(context.Context) (work, error)) contest.Entrant {
	m := &meter{span: span}
	return contest.Entrant{Name: name, Run: func(ctx context.Context) (float64, string, error) {
		do, err := prepare(ctx)
		if err != nil {
			return 0, "", err
		}
		c, err := m.measure(ctx, do)
		return c.ns, c.String(), err
	}}
}

// perSecond makes an entrant whose figure is operations per second.
func perSecond(name string, span time.Duration, prepare func(context.Context) (work, error)) contest.Entrant {
	e := timing(name, span, prepare)
	run := e.Run
	e.Run = func(ctx context.Context) (float64, string, error) {
		ns, note, err := run(ctx)
		if err != nil {
			return 0, "", err
		}
		return 1e9 / ns, note, nil
	}
	return e
}

// ready is a prepare of what needs none.
func ready(do work) func(context.Context) (work, error) {
	return func(context.Context) (work, error) { return do, nil }
}
