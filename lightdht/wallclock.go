package lightdht

import (
	"slices"
	"sync"
	"time"
)

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

// ClockStep is that the wall clock was stepped, or that the machine slept: between
// what was seen before and after it, there is that much more or less time.
type ClockStep struct {
	At time.Time     // when it was noticed, by the clock as it was then; within a minute
	By time.Duration // forward when above zero
}

// maxClockSteps is how many steps are remembered.
const maxClockSteps = 100

// clockSteps is the last steps.
type clockSteps struct {
	mu   sync.Mutex
	last []ClockStep // oldest first
}

func (c *clockSteps) add(step ClockStep) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.last) == maxClockSteps {
		c.last = slices.Delete(c.last, 0, 1)
	}
	c.last = append(c.last, step)
}

// ClockSteps returns the steps of the wall clock since the node began, oldest
// first, and only the last 100: the counter of that name has the number of all.
func (n *Node) ClockSteps() []ClockStep {
	n.steps.mu.Lock()
	defer n.steps.mu.Unlock()
	return slices.Clone(n.steps.last)
}
