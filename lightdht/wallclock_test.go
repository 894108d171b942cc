package lightdht

import (
	"testing"
	"time"
)

// Each case goes on from the one before: the clocks move by wall and mono, and
// the step is what check makes of it.
func TestWallClockSteps(t *testing.T) {
	var w wallClock
	wall, mono := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), 7*time.Hour
	if step := w.check(wall, mono); step != 0 {
		t.Errorf("the first check finds a step of %v", step)
	}
	for _, c := range []struct {
		name             string
		wall, mono, step time.Duration
	}{
		{"both go on", time.Minute, time.Minute, 0},
		{"neither does", 0, 0, 0},
		{"a step forward", time.Hour + time.Minute, time.Minute, time.Hour},
		{"that is told once", time.Minute, time.Minute, 0},
		{"a step back", time.Minute - 2*time.Hour, time.Minute, -2 * time.Hour},
		{"that is told once, too", time.Minute, time.Minute, 0},
		{"sleep, in which the monotonic clock stands still", 8 * time.Hour, 0, 8 * time.Hour},
		{"slow drift forward", time.Minute + 999*time.Millisecond, time.Minute, 0},
		{"and on", time.Minute + 999*time.Millisecond, time.Minute, 0},
		{"slow drift back", time.Minute - 999*time.Millisecond, time.Minute, 0},
		{"the least step forward", time.Minute + time.Second, time.Minute, time.Second},
		{"the least step back", time.Minute - time.Second, time.Minute, -time.Second},
		{"days that a busy machine let go by", 72 * time.Hour, 72 * time.Hour, 0},
	} {
		wall, mono = wall.Add(c.wall), mono+c.mono
		if step := w.check(wall, mono); step != c.step {
			t.Errorf("%s: %v, want %v", c.name, step, c.step)
		}
	}
}

// A time as time.Now gives it has the monotonic clock in it, which must not take
// the place of the wall clock: the difference would always be none.
func TestWallClockIgnoresMonotonicPart(t *testing.T) {
	var w wallClock
	now := time.Now()
	w.check(now, 0)
	if step := w.check(now.Add(time.Hour), time.Minute); step != 59*time.Minute {
		t.Errorf("a step of %v, want 59 minutes", step)
	}
	if w.wall != now.Add(time.Hour).Round(0) {
		t.Errorf("it remembers %v", w.wall)
	}
}

// Of very many steps the last are remembered; what was told before stays as it is.
func TestClockStepsAreBounded(t *testing.T) {
	var n Node
	for i := range 3 * maxClockSteps {
		n.steps.add(ClockStep{By: time.Duration(i)})
	}
	got := n.ClockSteps()
	n.steps.add(ClockStep{})
	if len(got) != maxClockSteps || got[0].By != 2*maxClockSteps || got[maxClockSteps-1].By != 3*maxClockSteps-1 {
		t.Errorf("%d steps: %v", len(got), got)
	}
}
