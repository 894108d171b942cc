package main

import (
	"slices"
	"testing"
	"time"
)

// A slice has at least one operation, and lasts until one ends that makes it full.
func TestLaps(t *testing.T) {
	l, now := laps{slice: time.Millisecond}, benchTime
	var ended []bool
	l.begin(now)
	for _, us := range []int{400, 500, 300, 5000, 999} {
		now = now.Add(time.Duration(us) * time.Microsecond)
		ended = append(ended, l.did(2, now))
	}
	if want := []bool{false, false, true, true, false}; !slices.Equal(ended, want) {
		t.Errorf("slices ended %v, want %v", ended, want)
	}
	if want := []float64{200_000, 2_500_000}; !slices.Equal(l.values, want) {
		t.Errorf("got %v, want %v", l.values, want)
	}
	l.end(now)
	l.end(now.Add(time.Hour)) // nothing was done
	if len(l.values) != 3 || l.values[2] != 499_500 {
		t.Errorf("with the rest %v", l.values)
	}
}

// That another program has the core for a third of the time changes nothing.
func TestPausesDoNotShow(t *testing.T) {
	measured := func(pause time.Duration) figure {
		m, now := meter{laps: laps{slice: sliceOf(500 * time.Millisecond)}}, benchTime
		m.begin(now)
		for i := range 25_000 { // of 20 µs each, with a pause in every tenth slice
			if now = now.Add(20 * time.Microsecond); i%500 == 250 {
				now = now.Add(pause)
			}
			m.did(1, now)
		}
		return m.figure("x", 1)
	}
	undisturbed := measured(0)
	if got := measured(5 * time.Millisecond); got != undisturbed || got.value != 20_000 {
		t.Errorf("got %+v, and without pauses %+v", got, undisturbed)
	}
}

// A short time has its slices, too.
func TestSliceOf(t *testing.T) {
	for total, want := range map[time.Duration]time.Duration{
		1: 1, 9 * time.Microsecond: time.Microsecond, 9 * time.Millisecond: time.Millisecond, time.Hour: time.Millisecond,
	} {
		if got := sliceOf(total); got != want {
			t.Errorf("%s: slices of %s, want %s", total, got, want)
		}
	}
}
