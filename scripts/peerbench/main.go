// Command peerbench measures lightdht beside other implementations of the DHT,
// in one run and in turn, and writes a table.
//
//	cd scripts/peerbench && go run . > table.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
	"github.com/lightdht/lightdht/scripts/peerbench/live"
	"github.com/lightdht/lightdht/scripts/peerbench/memory"
	"github.com/lightdht/lightdht/scripts/peerbench/server"
)

// part is a set of contests that -only can choose.
type part struct {
	name     string
	contests func(options) []contest.Contest
}

// parts are all there is to measure.
var parts = []part{
	{"memory", func(o options) []contest.Contest { return memory.Contests(o.contacts) }},
	{"live", func(o options) []contest.Contest {
		return live.Contests(live.Config{Contacts: o.contacts, Span: o.span})
	}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == live.ServeCommand {
		return server.Run(ctx, args[1:], stderr)
	}
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "peerbench:", err)
		return 2
	}
	if o.only == "" || o.only == "live" {
		if status, done := live.Isolate(ctx, args, stdout, stderr); done {
			return status
		}
	}
	var contests []contest.Contest
	for _, p := range parts {
		if o.only == "" || o.only == p.name {
			contests = append(contests, p.contests(o)...)
		}
	}
	if o.list {
		list(stdout, contests)
		return 0
	}
	return measure(ctx, o, contests, stdout, stderr)
}

// list says what there is to measure.
func list(w io.Writer, contests []contest.Contest) {
	for _, c := range contests {
		fmt.Fprintf(w, "%s (%s)\n", c.Name, c.Unit)
		for _, e := range c.Entrants {
			if e.Skip != "" {
				fmt.Fprintf(w, "    %s: skipped, %s\n", e.Name, e.Skip)
			} else {
				fmt.Fprintf(w, "    %s\n", e.Name)
			}
		}
	}
}

// measure writes the table, and what is to be known with it. Ended early, it
// writes what there is.
func measure(ctx context.Context, o options, contests []contest.Contest, stdout, stderr io.Writer) int {
	rows := contest.Run(ctx, contests, o.passes, stderr)
	if err := write(stdout, o, rows); err != nil {
		fmt.Fprintln(stderr, "peerbench:", err)
		return 1
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "peerbench: ended early; the table has what was measured until then")
		return 1
	}
	return failures(rows, stderr)
}

func write(w io.Writer, o options, rows []contest.Row) error {
	if o.brief {
		fmt.Fprintf(w, "%s, and how lightdht does beside each, on %s.\n\n", passes(o.passes), contest.Machine())
		return contest.Brief(w, rows)
	}
	brackets := ", in brackets the least and the greatest"
	if o.passes == 1 {
		brackets = ""
	}
	fmt.Fprintf(w, "%s%s, on %s.\n\n", passes(o.passes), brackets, contest.Machine())
	return contest.Markdown(w, rows)
}

// passes says what the figures are.
func passes(n int) string {
	if n == 1 {
		return "Figures of one pass"
	}
	return fmt.Sprintf("Medians of %d passes", n)
}

// failures says who failed, and returns the exit status for it.
func failures(rows []contest.Row, stderr io.Writer) (status int) {
	for _, r := range rows {
		for _, e := range r.Results {
			if e.Failed > 0 {
				fmt.Fprintf(stderr, "peerbench: %s, %s: %d passes failed\n", r.Name, e.Name, e.Failed)
				status = 1
			}
		}
	}
	return status
}

func known(name string) bool {
	for _, p := range parts {
		if p.name == name {
			return true
		}
	}
	return false
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}
