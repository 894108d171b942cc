package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
)

// asProgram, in the environment, makes the test binary be the program, as which
// it starts itself.
const asProgram = "PEERBENCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Setenv(asProgram, "1")
	os.Exit(m.Run())
}

func TestAskedWrongly(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"-passes 0", "give 1 or more"},
		{"-contacts 5", "give 1000 to"},
		{"-contacts 9000000", "give 1000 to"},
		{"-seconds NaN", "-seconds NaN"},
		{"-seconds 0", "give 0.1 to"},
		{"-only dead", "choose one of"},
		{"now", `no argument "now"`},
		{"-fast", "-fast"},
	} {
		var out, said bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), &out, &said); code != 2 {
			t.Errorf("%s: exit status %d", c.args, code)
		}
		if out.Len() > 0 || strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), c.says) {
			t.Errorf("%s: it writes %q and says %q", c.args, &out, &said)
		}
	}
}

func TestHelp(t *testing.T) {
	var said bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, io.Discard, &said); code != 0 || !strings.Contains(said.String(), "-passes") {
		t.Errorf("exit status %d: %s", code, &said)
	}
}

// Whatever is there to be measured, it is named, with the reason when it cannot be.
func TestList(t *testing.T) {
	var out, said bytes.Buffer
	if code := run(t.Context(), []string{"-list", "-contacts", "2000", "-only", "live"}, &out, &said); code != 0 {
		t.Fatalf("exit status %d: %s", code, &said)
	}
	for _, want := range []string{"answer find_node", "lightdht, 2,000 contacts", "libtorrent", "rtorrent", "aria2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %s in\n%s", want, &out)
		}
	}
}

// Ended before it began, it writes a table all the same, and fails.
func TestEndedEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, said bytes.Buffer
	contests := []contest.Contest{{Name: "read", Unit: "ns", Entrants: []contest.Entrant{{Name: "lightdht"}, {Name: "other"}}}}
	if code := measure(ctx, options{passes: 1, span: time.Second}, contests, &out, &said); code != 1 ||
		!strings.Contains(out.String(), "| read | ns | not measured | other |") || !strings.Contains(said.String(), "ended early") {
		t.Errorf("exit status %d, it writes\n%s\nand says %s", code, &out, &said)
	}
}

// A failure is said, beside the table, and in the exit status.
func TestFailure(t *testing.T) {
	var out, said bytes.Buffer
	fails := contest.Entrant{Name: "other", Run: func(context.Context) (float64, string, error) { return 0, "", io.ErrUnexpectedEOF }}
	works := contest.Entrant{Name: "lightdht", Run: func(context.Context) (float64, string, error) { return 1, "", nil }}
	contests := []contest.Contest{{Name: "read", Unit: "ns", Entrants: []contest.Entrant{works, fails}}}
	if code := measure(t.Context(), options{passes: 1}, contests, &out, &said); code != 1 || !strings.Contains(said.String(), "read, other: 1 passes failed") {
		t.Errorf("exit status %d, it says %s", code, &said)
	}
	contests[0].Entrants = contests[0].Entrants[:1]
	if code := measure(t.Context(), options{passes: 1}, contests, io.Discard, io.Discard); code != 0 {
		t.Errorf("without a failure: exit status %d", code)
	}
}
