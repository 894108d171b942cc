package main

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/lightdht/lightdht/table"
)

// busyTable is a small table and what is needed to be at work on it.
func busyTable(t *testing.T) *tableBench {
	out, _ := newRows(io.Discard, "text", figureColumns...)
	o := benchOptions{contacts: 2000, seed: 1}
	b := &tableBench{benchOptions: o, ctx: t.Context(), kind: "prefix", out: out, screen: newScreen(io.Discard), told: time.Now()}
	b.begin()
	b.t, b.size = table.NewPrefix(), o.contacts
	if err := observe(b.t, &b.nodes, b.size, answered(), goOn); err != nil {
		t.Fatal(err)
	}
	return b
}

// On a single core too, all work in every slice, so that there are many: by
// themselves, goroutines are let go on for 10 ms each, and there are fewer than 20.
func TestWorkTakesTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := busyTable(t)
	b.time = 400 * time.Millisecond
	hands := b.hands()
	w := &work{b: b, write: func(w int) bool { b.t.Observe(*hands[w].next()); return true }}
	w.run()
	if len(w.writes) < 30 || len(w.reads) != len(w.writes) {
		t.Errorf("%d slices of writing and %d of reading in %s", len(w.writes), len(w.reads), b.time)
	}
}

// A slice divides the time elapsed by what both of a kind did.
func TestWorkSlice(t *testing.T) {
	var w work
	for i, n := range [writers + readers]int64{300, 700, 50, 150} {
		w.done[i].n.Store(n)
	}
	to := w.count()
	w.slice(workCount{at: to.at.Add(-time.Millisecond)}, to)
	if w.writes[0] != 1000 || w.reads[0] != 5000 {
		t.Errorf("%v ns to write and %v ns to read, want 1000 and 5000", w.writes[0], w.reads[0])
	}
}
