// Command validate holds every estimator and test of package analysis against
// networks whose truth is known, over thousands of seeds, on all processors, and
// prints the table of them that the README carries:
//
//	go run ./scripts/validate -markdown -brief   # some 3 minutes on two free processors
//	go run ./scripts/validate -seeds 400 -only size
//
// Each file of checks adds its own; -only NAME runs those of one name. A table
// depends on the seeds alone, not on the processors. With fewer seeds than 4000 chance
// moves the numbers farther, and they may miss their reach by 3.5 standard errors, or
// what -slack says. It exits 1 when a number misses more, 2 when it is called wrongly.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// check is a group of rows that -only can name.
type check struct {
	name string
	run  func(seeds int) []row
}

// checks are those of all files: each adds its own in init.
var checks []check

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("validate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	seeds := flags.Int("seeds", allSeeds, "networks for each row; rows of large networks take a share of them; the usual ones are 4.5 minutes of work, some 3 minutes on two free processors")
	only := flags.String("only", "", "run the checks of this name alone: "+strings.Join(names(), ", "))
	markdown := flags.Bool("markdown", false, "print a Markdown table")
	short := flags.Bool("brief", false, "print a row for each of the main estimators and tests, with what all its settings gave")
	slack := flags.Float64("slack", -1, "standard errors of chance by which a number may miss its reach; below 0: 3.5 for fewer seeds than usual, otherwise none")
	if flags.Parse(args) != nil {
		return 2
	}
	chosen := slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return *only != "" && c.name != *only })
	if *seeds < 20 || flags.NArg() > 0 || len(chosen) == 0 {
		fmt.Fprintf(stderr, "want -seeds of at least 20 and -only one of %s\n", strings.Join(names(), ", "))
		return 2
	}
	rows := runAll(chosen, *seeds, stderr)
	print := printText
	if *markdown {
		print = printMarkdown
	}
	shown := each(rows)
	if *short {
		shown = brief(rows)
	}
	if err := print(stdout, shown); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return verdict(rows, slackOf(*slack, *seeds), stderr)
}

// allSeeds are how many the reaches are made for.
const allSeeds = 4000

// slackOf is the slack that was asked for, or else that of so many seeds.
func slackOf(asked float64, seeds int) float64 {
	switch {
	case asked >= 0:
		return asked
	case seeds < allSeeds:
		return 3.5
	}
	return 0
}

// runAll runs one check after the other, each on all processors.
func runAll(chosen []check, seeds int, stderr io.Writer) (rows []row) {
	for _, c := range chosen {
		begin := time.Now()
		rows = append(rows, c.run(seeds)...)
		fmt.Fprintf(stderr, "%s: %.1f s\n", c.name, time.Since(begin).Seconds())
	}
	return rows
}

// verdict names what missed its reach, and returns the exit code.
func verdict(rows []row, slack float64, stderr io.Writer) (code int) {
	for _, r := range rows {
		for _, f := range r.figures {
			if !f.ok(slack) {
				fmt.Fprintf(stderr, "missed: %s, %s: %s, want %s\n", r.what, r.setting, f, f.reach())
				code = 1
			}
		}
	}
	return code
}

// names are those of the checks, each once.
func names() (all []string) {
	for _, c := range checks {
		if !slices.Contains(all, c.name) {
			all = append(all, c.name)
		}
	}
	return all
}
