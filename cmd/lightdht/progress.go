package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress tells how far something is that may take long: nothing in the first
// second, then on a terminal a bar, elsewhere a line now and then:
//
//	dump: 12,345,678 rows, 1.4 M/s, 12 s left
//
// What is to be said meanwhile is written to it: it stands above the bar.
type progress struct {
	w     io.Writer
	what  string
	n     atomic.Int64           // rows
	line  atomic.Pointer[string] // that the bar shows
	stop  chan struct{}          // closed by end
	once  sync.Once
	ended sync.WaitGroup

	pace pace // owned by run

	mu  sync.Mutex // guards bar, and what is written to w
	bar *bar       // on a terminal, once there is something to tell
}

const (
	quietFor  = time.Second // what is done sooner is not told of
	lineEvery = 5 * time.Second
	drawEvery = 150 * time.Millisecond
	barWidth  = 30 // columns
)

// newProgress begins to tell, on w, how far what is: add counts rows, of which
// there are total; 0: that is not known. It goes on until end.
func newProgress(w io.Writer, what string, total int64) *progress {
	return newProgressOf(w, what, "row", total)
}

// newProgressOf is newProgress of something that is not called a row.
func newProgressOf(w io.Writer, what, noun string, total int64) *progress {
	p := &progress{w: w, what: what, stop: make(chan struct{}), pace: pace{began: time.Now(), noun: noun, total: total}}
	p.ended.Go(p.run)
	return p
}

// add counts n more rows. It may be called by several goroutines.
func (p *progress) add(n int) { p.n.Add(int64(n)) }

// end takes the bar away. Ending it again does nothing.
func (p *progress) end() {
	p.once.Do(func() { close(p.stop) })
	p.ended.Wait()
}

// Write writes b, which is whole lines, above the bar.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		return p.bar.container.Write(b)
	}
	return p.w.Write(b)
}

// run tells until end.
func (p *progress) run() {
	tick := time.NewTimer(quietFor)
	defer tick.Stop()
	terminal := newScreen(p.w).isTerminal()
	for {
		select {
		case <-p.stop:
			p.clear()
			return
		case <-tick.C:
		}
		p.pace.read(time.Now(), p.n.Load())
		if terminal {
			p.draw()
			tick.Reset(drawEvery)
			continue
		}
		fmt.Fprintf(p, "%s: %s\n", p.what, p.pace)
		tick.Reset(lineEvery)
	}
}

// draw shows how far it is on a terminal.
func (p *progress) draw() {
	line := p.pace.String()
	p.line.Store(&line)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		p.bar = p.newBar()
	}
	p.bar.SetTotal(max(p.pace.total, p.pace.rows), false)
	p.bar.SetCurrent(p.pace.rows)
}

// bar is a bar and what draws it.
type bar struct {
	*mpb.Bar
	container *mpb.Progress
}

// newBar returns a bar with the line beside it; without a total the line alone.
func (p *progress) newBar() *bar {
	style := mpb.BarFillerBuilder(mpb.NopStyle())
	if p.pace.total > 0 {
		style = mpb.BarStyle()
	}
	container := mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(barWidth), mpb.WithRefreshRate(drawEvery))
	line := func(decor.Statistics) string { return " " + *p.line.Load() } // asked while p.mu is held
	return &bar{container.New(0, style, mpb.PrependDecorators(decor.Name(p.what+":")), mpb.AppendDecorators(decor.Any(line))), container}
}

// clear takes the bar away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Abort(true)
		p.bar.container.Wait()
		p.bar = nil
	}
}
