package main

import "testing"

// The more are dead, the wider lookups must be; up to a half the usual
// width will do.
func TestWideEnough(t *testing.T) {
	for _, c := range []struct{ asked, timedOut, want int }{{0, 0, 32}, {100, 0, 32}, {100, 30, 32}, {100, 50, 32}, {100, 60, 50}, {100, 70, 67}, {100, 100, 32}} {
		if got := (&sampled{asked: c.asked, timedOut: c.timedOut}).wideEnough(); got != c.want {
			t.Errorf("%d of %d did not answer: width %d, want %d", c.timedOut, c.asked, got, c.want)
		}
	}
}
