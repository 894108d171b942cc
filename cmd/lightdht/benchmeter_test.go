package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Operations take turns, and each is counted.
func TestMeasure(t *testing.T) {
	var first, second, turns int
	last := 0
	op := func(who int, n *int) func() {
		return func() {
			*n++
			if who != last {
				turns++
			}
			last = who
		}
	}
	meters, err := measure(t.Context(), time.Millisecond, op(1, &first), op(2, &second))
	if err != nil {
		t.Fatal(err)
	}
	if rounds := len(meters[0].values); turns != 2+2*rounds || rounds < fewestSlices {
		t.Errorf("%d turns in %d rounds", turns, rounds)
	}
	for i, n := range []int{first, second} {
		m := meters[i]
		if len(m.values) != len(meters[0].values) || n <= len(m.values) {
			t.Errorf("%d slices of %d operations", len(m.values), n)
		}
		for _, ns := range m.values {
			if ns <= 0 {
				t.Errorf("%v ns", ns)
			}
		}
	}
}

// What an operation allocates is told for each.
func TestMeasureAllocations(t *testing.T) {
	meters, err := measure(t.Context(), time.Millisecond, func() { kept, kept2 = new(int), new(int) })
	if err != nil {
		t.Fatal(err)
	}
	if f := meters[0].figure("x", 7); f.allocs < 2 || f.allocs > 2.1 || f.contacts != 7 || f.unit != "ns" {
		t.Errorf("got %+v", f)
	}
	slow := func() {
		for began := time.Now(); time.Since(began) < 200*time.Microsecond; {
		}
	}
	if meters, err = measure(t.Context(), time.Millisecond, slow); err != nil || meters[0].allocs > 0.3 {
		t.Errorf("what allocates nothing allocates %v, %v", meters[0].allocs, err)
	}
}

var kept, kept2 *int

func TestMeasureEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := measure(ctx, time.Hour, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A ratio compares what was measured at about the same time.
func TestRatio(t *testing.T) {
	a, b := meter{laps: laps{values: []float64{20, 200, 2000}}}, meter{laps: laps{values: []float64{10, 100, 400}}}
	if got := a.ratio(&b); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if a.values[2] != 2000 {
		t.Error("the slices were sorted")
	}
}
