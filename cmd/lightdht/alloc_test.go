//go:build !race

package main

import "testing"

// Adding a row to the log allocates nothing, room or not. (The race detector has
// allocations of its own.)
func TestQueryLogAddAllocatesNothing(t *testing.T) {
	l := &queryLog{queue: make(chan queryRow, 10)}
	p := askedBy(1)
	if n := testing.AllocsPerRun(1000, func() { l.add(p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if l.skipped.Load() == 0 {
		t.Error("a full queue is not counted")
	}
}
