package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/table"
)

// writers and readers are how many goroutines of a kind are at work at once.
const writers, readers = 2, 2

// work is a table in the hands of several goroutines. The first writer keeps the
// time as well, so that nobody has to be woken for that.
type work struct {
	b     *tableBench
	write func(w int) bool // one sighting by writer w; false when there are no more
	most  int64            // writes in a slice, when they are limited; else 0

	done [writers + readers]struct {
		n atomic.Int64
		_ [120]byte // so that no two share a line of a cache
	}
	stop atomic.Bool

	writes, reads []float64 // nanoseconds for each, by slice
}

// workCount is what was done up to a point in time.
type workCount struct {
	at            time.Time
	writes, reads int64
}

func (w *work) count() (c workCount) {
	for i := range w.done {
		if n := w.done[i].n.Load(); i < writers {
			c.writes += n
		} else {
			c.reads += n
		}
	}
	c.at = time.Now()
	return c
}

// run has all at work until the time is over or there is nothing to write, and
// returns the allocations for each operation.
func (w *work) run() (allocs float64) {
	runtime.GC()
	before, began := mallocs(), w.count()
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { w.keepWriting(i) })
	}
	for i := range readers {
		all.Go(func() { w.keepReading(i) })
	}
	all.Wait()
	end := w.count()
	if len(w.writes) == 0 {
		w.slice(began, end)
	}
	return float64(mallocs()-before) / float64(max(end.writes+end.reads, 1))
}

func (w *work) keepReading(i int) {
	targets, done := newSource(w.b.seed+uint64(i), forTargets, 0), &w.done[writers+i].n
	dst, mine := make([]table.Contact, 0, 8), turn{time.Now()}
	for n := uint64(1); !w.stop.Load(); n++ {
		dst = w.b.t.AppendNearest(dst[:0], targets.id(n), 8, table.Filter{})
		done.Add(1)
		if n%looks == 0 {
			mine.over(time.Now())
		}
	}
}

// looks is how many operations lie between two looks at the clock.
const looks = 8

// turn is for how long one works before it lets others, so that also where there
// are fewer cores than goroutines all of them work in every slice.
type turn struct{ began time.Time }

// over lets the others work when the turn is over, and begins the next.
func (t *turn) over(now time.Time) {
	const length = 50 * time.Microsecond
	if now.Sub(t.began) >= length {
		runtime.Gosched()
		t.began = time.Now()
	}
}

func (w *work) keepWriting(i int) {
	began, done := w.count(), &w.done[i].n
	last, mine := began, turn{began.at}
	for n := 1; !w.stop.Load(); n++ {
		if !w.write(i) {
			break
		}
		done.Add(1)
		if n%looks != 0 {
			continue
		}
		if i == 0 {
			last = w.look(began, last)
		}
		mine.over(time.Now())
	}
	w.stop.Store(true)
}

// fewest is how many operations of either kind a slice has at least, so that the
// one under way at its end counts for little.
const fewest = 8

// look ends the slice if it is full, and the work if its time is over; it returns
// when the slice began.
func (w *work) look(began, last workCount) workCount {
	now := w.count()
	total := w.b.time
	full := now.at.Sub(last.at) >= sliceOf(total) || w.most > 0 && now.writes-last.writes >= w.most
	if full && now.writes-last.writes >= fewest && now.reads-last.reads >= fewest {
		w.slice(last, now)
		last = now
	}
	if now.at.Sub(began.at) >= total && len(w.writes) > 0 || w.b.ctx.Err() != nil {
		w.stop.Store(true)
	}
	return last
}

func (w *work) slice(from, to workCount) {
	elapsed := float64(to.at.Sub(from.at))
	w.writes = append(w.writes, elapsed/float64(max(to.writes-from.writes, 1)))
	w.reads = append(w.reads, elapsed/float64(max(to.reads-from.reads, 1)))
}

// atWork takes the figures of two writers and two readers at once: those see new
// contacts, then known ones.
func (b *tableBench) atWork() error {
	return inOrder(b.newAtWork, b.knownAtWork)
}

// hands returns what each writer draws known contacts with.
func (b *tableBench) hands() (hands [writers]*knowns) {
	for i := range hands {
		hands[i] = newKnowns(&b.benchOptions, b.size, uint64(i))
	}
	return hands
}

func (b *tableBench) newAtWork() error {
	limit, size := addedAtWork(b.contacts), uint64(b.size)
	var next atomic.Uint64
	hands := b.hands()
	w := &work{b: b, most: int64(limit / fewestSlices), write: func(w int) bool {
		i := next.Add(1) - 1
		if i >= uint64(limit) {
			return false
		}
		s := &hands[w].s
		b.nodes.put(&s.Node, size+i)
		b.t.Observe(*s)
		return true
	}}
	err := w.tell("new")
	b.size = int(size) + min(int(next.Load()), limit)
	return err
}

func (b *tableBench) knownAtWork() error {
	hands := b.hands()
	w := &work{b: b, write: func(w int) bool {
		b.t.Observe(*hands[w].next())
		return true
	}}
	return w.tell("known")
}

// tell does the work and prints its two figures. What is allocated is told with
// the writes, and is by both.
func (w *work) tell(what string) error {
	b := w.b
	b.progress("measuring %s: 2 + 2 at once", b.kind)
	size := b.t.Len()
	allocs := w.run()
	if err := b.ctx.Err(); err != nil {
		return err
	}
	err := b.print(figure{"Observe " + what + ", 2 + 2 at once", size, median(w.writes), "ns", allocs, "elapsed / ops of both writers"})
	if err != nil {
		return err
	}
	return b.print(figure{"AppendNearest 8 beside " + what, size, median(w.reads), "ns", noAllocs, "elapsed / ops of both readers"})
}
