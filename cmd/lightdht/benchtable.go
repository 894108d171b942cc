package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// tableBench measures one kind of table, beginning with one that holds fresh
// contacts who answered:
//
//	fill ─ one goroutine ─ 2 + 2 at once ─ a crowd joins ─ nine of ten fail │ two small tables
type tableBench struct {
	benchOptions
	ctx    context.Context
	kind   string
	out    *rows
	screen *screen
	told   time.Time // when progress was told

	t     table.Table
	nodes source // of whom t is filled
	size  int    // how many of them are in t
	dst   []table.Contact
	exact tally
}

// run takes all figures.
func (b *tableBench) run() error {
	b.begin()
	return inOrder(b.fill, b.collect, b.checkAll, b.alone, b.atWork, b.crowd, b.mostBad, b.similar, b.tellExact)
}

func (b *tableBench) begin() {
	b.nodes, b.dst = b.contactSource(), make([]table.Contact, 0, 100)
}

// print writes a figure.
func (b *tableBench) print(f figure) error {
	b.screen.clear()
	if b.screen.isTerminal() {
		b.told = time.Time{} // so that what comes next is told
	}
	return b.out.addOr([]any{f.line(b.kind)}, f.row(b.kind)...)
}

// progress tells what is going on: at once on a terminal, elsewhere when nothing
// was told for long.
func (b *tableBench) progress(format string, args ...any) {
	pause := 10 * time.Second
	if b.screen.isTerminal() {
		pause = 100 * time.Millisecond
	}
	if now := time.Now(); now.Sub(b.told) >= pause {
		b.told = now
		line := fmt.Sprintf(format, args...)
		b.screen.show(func(width int) string { return fit([]part{{1, []string{line}}}, width) })
	}
}

// each returns what is to be called after each of n, to tell progress and to end
// on Ctrl-C.
func (b *tableBench) each(what string, n int) func(i int) error {
	return func(i int) error {
		if i%4096 != 0 {
			return nil
		}
		b.progress("%s %s: %s of %s", what, b.kind, amount(i), amount(n))
		return b.ctx.Err()
	}
}

// measure prints the figure of an operation.
func (b *tableBench) measure(what string, op func()) error {
	b.progress("measuring %s: %s", b.kind, what)
	meters, err := measure(b.ctx, b.time, op)
	if err != nil {
		return err
	}
	return b.print(meters[0].figure(what, b.t.Len()))
}

// search measures searches in t for the n nearest to each of targets.
func (b *tableBench) search(what string, targets source, n int, f table.Filter) error {
	op := b.searching(b.t, targets, n, f)
	if err := b.measure(what, op); err != nil {
		return err
	}
	return b.checkFound(what, n)
}

// searching returns an operation that searches for the next of targets.
func (b *tableBench) searching(t table.Table, targets source, n int, f table.Filter) func() {
	var i uint64
	return func() {
		b.dst = t.AppendNearest(b.dst[:0], targets.id(i), n, f)
		i++
	}
}

// checkFound fails unless the latest search found n.
func (b *tableBench) checkFound(what string, n int) error {
	if len(b.dst) != n {
		return fmt.Errorf("WRONG: table %s, %s: %d found, not %d", b.kind, what, len(b.dst), n)
	}
	return nil
}

// fill fills a table, a small one again and again, and prints what a new contact
// costs.
func (b *tableBench) fill() error {
	l := laps{slice: sliceOf(b.time)}
	var before, allocs float64
	began, filled := time.Now(), 0
	for filled == 0 || time.Since(began) < b.time {
		b.t = nil
		before = heapInUse()
		b.t, _ = table.New(b.kind)
		then := mallocs()
		if err := b.fillOnce(&l); err != nil {
			return err
		}
		allocs += float64(mallocs() - then)
		filled += b.size
	}
	err := b.print(figure{"Observe new, while filling", b.size, median(l.values), "ns", allocs / float64(filled), spread(l.values)})
	if err != nil {
		return err
	}
	bytes := (heapInUse() - before) / float64(b.size)
	return b.print(figure{"memory of a fresh contact", b.size, bytes, "bytes", noAllocs, fmt.Sprintf("%s in all", bytesText(uint64(bytes*float64(b.size))))})
}

// fillOnce looks at the clock after each hundred.
func (b *tableBench) fillOnce(l *laps) error {
	const part = 100
	b.size = b.contacts
	tell := b.each("filling", b.size)
	l.begin(time.Now())
	err := observe(b.t, &b.nodes, b.size, answered(), func(i int) error {
		if (i+1)%part == 0 {
			l.did(part, time.Now())
		}
		return tell(i)
	})
	l.n += b.size % part
	l.end(time.Now())
	return err
}

// collect prints how long a garbage collection takes when there is the table and
// nothing else.
func (b *tableBench) collect() error {
	b.progress("measuring %s: garbage collection", b.kind)
	var l laps
	for began := time.Now(); len(l.values) < 5 || time.Since(began) < b.time; {
		l.begin(time.Now())
		runtime.GC()
		l.did(1, time.Now())
		if err := b.ctx.Err(); err != nil {
			return err
		}
	}
	return b.print(figure{"full garbage collection", b.t.Len(), median(l.values) / 1e6, "ms", noAllocs, fmt.Sprintf("median of %d", len(l.values))})
}

// alone takes the figures of one goroutine.
func (b *tableBench) alone() error {
	known, targets, r := newKnowns(&b.benchOptions, b.size, 0), newSource(b.seed, forTargets, 0), rand.New(rand.NewPCG(b.seed, forOrder))
	return inOrder(
		func() error { return b.measure("Observe known", func() { b.t.Observe(*known.next()) }) },
		func() error { return b.search("AppendNearest 8", targets, 8, table.Filter{}) },
		func() error { return b.search("AppendNearest 100", targets, 100, table.Filter{}) },
		func() error { return b.measure("Get", func() { b.t.Get(known.next().Node) }) },
		func() error {
			return b.measure("Sample 100", func() { b.t.Sample(r, 100, kad.Prefix{}, table.Filter{}) })
		},
		b.iterate,
	)
}

// iterate prints what each contact of an iteration over all costs. A large table
// may not be iterated to its end.
func (b *tableBench) iterate() error {
	b.progress("measuring %s: All", b.kind)
	runtime.GC()
	l := laps{slice: sliceOf(b.time)}
	before, n, end := mallocs(), 0, time.Now().Add(b.time)
	for n == 0 || time.Now().Before(end) && b.ctx.Err() == nil {
		n += b.iterateOnce(&l, end)
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	return b.print(figure{"All, each contact", b.t.Len(), median(l.values), "ns", float64(mallocs()-before) / float64(n), spread(l.values)})
}

// iterateOnce returns how many contacts it saw until the end, which it looks at
// now and then.
func (b *tableBench) iterateOnce(l *laps, end time.Time) (n int) {
	const part = 256
	l.begin(time.Now())
	for range b.t.All() {
		if n++; n%part != 0 {
			continue
		}
		now := time.Now()
		if l.did(part, now); now.After(end) && len(l.values) > 0 || b.ctx.Err() != nil {
			return n
		}
	}
	l.n += n % part
	l.end(time.Now())
	return n
}

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
