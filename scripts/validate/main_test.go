package main

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A few seeds of everything, held loosely: what breaks here is broken, and what
// is a little off shows with thousands of seeds.
func TestAllChecks(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run([]string{"-seeds", "60", "-slack", "4.5", "-markdown"}, &stdout, &stderr)
	t.Logf("%s%s", &stdout, &stderr)
	if rows := strings.Count(stdout.String(), "\n"); code != 0 || rows < 2+len(checks) {
		t.Errorf("exit code %d, %d lines", code, rows)
	}
}

// withChecks runs with checks of the test's own.
func withChecks(t *testing.T, own ...check) func(args ...string) (code int, stdout, stderr string) {
	all := checks
	checks = own
	t.Cleanup(func() { checks = all })
	return func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := run(args, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
}

// fixed is a check that finds a bias of 2 % with a standard error of 1 %.
func fixed(name string, within float64) check {
	return check{name, func(seeds int) []row {
		f := figure{"bias", 0.02, 0.01, -within, within, true}
		return []row{{name + " it", "a network", seeds, []figure{f, {"SD", 0.1, 0, math.Inf(-1), math.Inf(1), false}}}}
	}}
}

func TestMissedReach(t *testing.T) {
	run := withChecks(t, fixed("good", 0.02), fixed("bad", 0.015))
	code, stdout, stderr := run("-seeds", "100", "-markdown", "-slack", "0")
	want := "| Estimator or test | Known truth | Seeds | Measured | Held to |\n|---|---|--:|---|---|\n" +
		"| good it | a network | 100 | bias +2 %, SD 10 % | bias ±2 % |\n| bad it | a network | 100 | bias +2 %, SD 10 % | bias ±1.5 % |\n"
	if code != 1 || stdout != want || strings.Count(stderr, "missed:") != 1 || !strings.Contains(stderr, "missed: bad it, a network: bias +2 %, want bias ±1.5 %") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := run("-slack", "0.6"); code != 0 {
		t.Errorf("with slack: exit code %d, %s", code, stderr)
	}
	for seeds, want := range map[string]int{"100": 0, "3999": 0, "4000": 1} {
		if code, _, _ := run("-seeds", seeds); code != want {
			t.Errorf("%s seeds: exit code %d, want %d", seeds, code, want)
		}
	}
	if code, stdout, _ := run("-only", "good"); code != 0 || strings.Contains(stdout, "bad it") || !strings.Contains(stdout, "good it") {
		t.Errorf("one check: exit code %d\n%s", code, stdout)
	}
}

func TestWrongCalls(t *testing.T) {
	run := withChecks(t, fixed("good", 1))
	for _, args := range [][]string{{"-only", "none"}, {"-seeds", "19"}, {"more"}, {"-what"}} {
		if code, stdout, stderr := run(args...); code != 2 || stdout != "" || stderr == "" {
			t.Errorf("%v: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

// full is a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestTableCannotBeWritten(t *testing.T) {
	withChecks(t, fixed("good", 1))
	for _, form := range []string{"-markdown", "-markdown=false"} {
		var stderr bytes.Buffer
		if code := run([]string{form}, full{}, &stderr); code != 1 || !strings.Contains(stderr.String(), "no room") {
			t.Errorf("%s: exit code %d, %s", form, code, &stderr)
		}
	}
}

func TestFigures(t *testing.T) {
	half := append(make([]bool, 50), slices.Repeat([]bool{true}, 50)...)
	for _, c := range []struct {
		f     figure
		text  string
		reach string
		ok    bool
	}{
		{bias([]float64{1.1, 1.3}, 0.21), "bias +20 %", "bias ±21 %", true},
		{bias([]float64{0.7, 0.9}, 0.19), "bias -20 %", "bias ±19 %", false},
		{bias([]float64{0.7, 0.9}, math.Inf(1)), "bias -20 %", "", true},
		{spread([]float64{1, 1.1, 1.2}, 0.11), "SD 10 %", "SD ≤ 11 %", true},
		{spread([]float64{1, 1.1, 1.2}, 0.09), "SD 10 %", "SD ≤ 9 %", false},
		{covers(half), "95 % intervals hold 50 %", "95 % intervals hold 87.4 to 100 %", false},
		{covers(append(slices.Repeat([]bool{true}, 19), false)), "95 % intervals hold 95 %", "95 % intervals hold 77.9 to 100 %", true},
		{coversAbout(half, 0.4, 0.5), "95 % intervals hold 50 %", "95 % intervals hold 40 to 50 %", true},
		{coversAbout(half, 0.4, 0.49), "95 % intervals hold 50 %", "95 % intervals hold 40 to 49 %", false},
		{coversAbout(half, 0.51, 0.9), "95 % intervals hold 50 %", "95 % intervals hold 51 to 90 %", false},
		{misses("below", half), "lie below 50 %", "lie below 0 to 7.96 %", false},
		{misses("above", append(make([]bool, 39), true)), "lie above 2.5 %", "lie above 0 to 11.1 %", true},
		{coversAtLeast(half, 0.5), "95 % intervals hold 50 %", "95 % intervals hold ≥ 50 %", true},
		{coversAtLeast(half, 0.51), "95 % intervals hold 50 %", "95 % intervals hold ≥ 51 %", false},
		{falseAlarms(half, 0.01), "false alarms at 1 %: 50 %", "false alarms at 1 %: 0 to 4.48 %", false},
		{falseAlarms(half, 0.4), "false alarms at 40 %: 50 %", "false alarms at 40 %: 22.9 to 57.1 %", true},
		{finds("8", half, 0.6), "finds 8 50 %", "finds 8 ≥ 60 %", false},
		{finds("8", half, math.Inf(1)), "finds 8 50 %", "", true},
		{finds("all", half, 1), "finds all 50 %", "finds all 100 %", false},
	} {
		if c.f.String() != c.text || c.f.reach() != c.reach || c.f.ok(0) != c.ok {
			t.Errorf("%q, %q, %v; want %q, %q, %v", c.f, c.f.reach(), c.f.ok(0), c.text, c.reach, c.ok)
		}
	}
}

// What is drawn depends on the name and the seed alone.
func TestOverSeeds(t *testing.T) {
	draw := func(name string, seeds int) []uint64 {
		return overSeeds(name, seeds, func(r *rand.Rand) uint64 { return r.Uint64() })
	}
	all := draw("a", 200)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if !slices.Equal(all, draw("a", 200)) || !slices.Equal(all[:50], draw("a", 50)) {
		t.Error("with another number of processors or of seeds it draws something else")
	}
	both := append(draw("b", 200), all...)
	slices.Sort(both)
	if len(slices.Compact(both)) != 400 {
		t.Error("two seeds or two names draw the same")
	}
}

// The closest of a space, against a scan.
func TestSpaceClosest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		s := newSpace(r, 1+r.IntN(300))
		target, n := randomID(r), 1+r.IntN(20)
		if r.IntN(4) == 0 {
			target = s[r.IntN(len(s))]
		}
		all := slices.Clone(s)
		slices.SortFunc(all, target.CompareDistance)
		if got, want := s.closest(target, n), all[:min(n, len(all))]; !slices.Equal(got, want) {
			t.Fatalf("of %d nodes the closest %d to %v are %v, want %v", len(s), n, target, got, want)
		}
	}
}
