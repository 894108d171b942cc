package lightdht

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A wall clock that leaps forward, as after the machine slept, is counted and
// has the node look up its own ID again; one that is set back is counted.
func TestKeeperWatchesTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Node{began: time.Now()}
		n.cfg.Logger = Config{}.withDefaults(nil).Logger
		k := newKeeper(n)
		k.watchClock(time.Now())
		k.clock.wall = k.clock.wall.Add(time.Hour) // as if it had been later then
		time.Sleep(time.Minute)
		k.watchClock(time.Now())
		if n.Count(ClockSteps) != 1 || n.rejoin.Load() {
			t.Errorf("set back: %d steps, to join again: %v", n.Count(ClockSteps), n.rejoin.Load())
		}
		k.clock.wall = k.clock.wall.Add(-time.Hour)
		time.Sleep(time.Minute)
		k.watchClock(time.Now())
		back := ClockStep{time.Now().Round(0).Add(-time.Minute), -time.Hour}
		if got := n.ClockSteps(); !slices.Equal(got, []ClockStep{back, {time.Now().Round(0), time.Hour}}) {
			t.Errorf("the steps are %v", got)
		}
		if n.Count(ClockSteps) != 2 || !n.rejoin.Load() {
			t.Errorf("leapt: %d steps, to join again: %v", n.Count(ClockSteps), n.rejoin.Load())
		}
	})
}
