package lightdht

import "time"

// wallClock notices that the wall clock was stepped: that it went another way
// than the monotonic clock, which on most systems stands still while the machine
// sleeps. It has no clock of its own.
type wallClock struct {
	wall time.Time     // of the last check, without a monotonic part
	mono time.Duration // since the node began, at the last check
}

// leastStep is what counts as a step; clocks that are slowly put right stay
// below it.
const leastStep = time.Second

// check compares the two clocks and returns by how much the wall clock was
// stepped since the last check, forward when above zero; 0 for none.
func (w *wallClock) check(wall time.Time, mono time.Duration) time.Duration {
	wall = wall.Round(0)
	before := *w
	w.wall, w.mono = wall, mono
	if before.wall.IsZero() {
		return 0
	}
	step := wall.Sub(before.wall) - (mono - before.mono)
	if step.Abs() < leastStep {
		return 0
	}
	return step
}
