package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

func benchCommand() *cli.Command {
	command := &cli.Command{
		Name:      "bench",
		Usage:     "measure what the unbounded table does on this machine",
		ArgsUsage: "table",
		Description: "Fills a table with contacts and prints one figure on a line: table, what, number of contacts, value,\n" +
			"allocations for each operation, detail. --time is divided into slices of a millisecond, or of one\n" +
			"operation if that takes longer; the figure is their median, and \"slices\" says between which values half\n" +
			"of them lie. \"2 + 2\" are 2 goroutines that observe and 2 that search at once, in short turns if there\n" +
			"are fewer cores: the time elapsed is divided by the operations of both of a kind together. Every figure\n" +
			"of an operation includes the making of what it is asked, which stderr tells. \"exact\" counts searches\n" +
			"whose answer was that of a plain scan; if any was not, the exit status is 1. No network is used.",
		Flags: []cli.Flag{
			&cli.GenericFlag{Name: "contacts", Usage: "fill with `N` contacts (1000, 100k, 1M, 10M), 100 to 1000M", Value: new(count), DefaultText: "1M"},
			&cli.StringFlag{Name: "table", Usage: "`KIND` of table: flat, prefix or both", Value: "both"},
			&cli.Uint64Flag{Name: "seed", Usage: "`SEED` that all IDs follow from", Value: 1},
			&cli.DurationFlag{Name: "time", Usage: "how long to measure for each figure", Value: 500 * time.Millisecond},
			&cli.StringFlag{Name: "cpuprofile", Usage: "write a CPU profile to `FILE`, for go tool pprof"},
			formatFlag("text"),
		},
		Action: bench,
	}
	command.BashComplete = func(c *cli.Context) {
		if n := len(os.Args); n > 2 && strings.HasPrefix(os.Args[n-2], "-") {
			cli.DefaultCompleteWithFlags(command)(c)
			return
		}
		fmt.Fprintln(c.App.Writer, "table")
	}
	return command
}

// benchOptions are what the flags of the bench command say.
type benchOptions struct {
	contacts int
	kinds    []string
	seed     uint64
	time     time.Duration
}

// The least has 100 nearest and 10 good ones; with the most, and what is added
// to them, addresses still differ.
const (
	leastBench = 100
	mostBench  = 1_000_000_000
)

func readBenchOptions(c *cli.Context) (o benchOptions, err error) {
	o = benchOptions{contacts: 1_000_000, seed: c.Uint64("seed"), time: c.Duration("time")}
	if c.IsSet("contacts") {
		o.contacts = countOf(c, "contacts")
	}
	if o.kinds, err = benchKinds(c.String("table")); err != nil {
		return o, err
	}
	switch {
	case c.NArg() != 1:
		return o, usagef("name one thing to measure: table: see lightdht bench --help")
	case c.Args().First() != "table":
		return o, usagef("nothing to measure is called %q: want table: see lightdht bench --help", c.Args().First())
	case o.contacts < leastBench || o.contacts > mostBench:
		return o, usagef("--contacts %d: want %d to %dM", o.contacts, leastBench, mostBench/1_000_000)
	case o.time <= 0:
		return o, usagef("--time %s: want a time above zero, such as 500ms", o.time)
	case c.IsSet("cpuprofile") && c.String("cpuprofile") == "":
		return o, usagef("--cpuprofile: want the name of a file")
	}
	return o, nil
}

func benchKinds(kind string) ([]string, error) {
	if kind == "both" {
		return []string{"flat", "prefix"}, nil
	}
	if _, err := table.New(orText(kind, "nothing")); err != nil {
		return nil, usagef("--table: no table %q: choose flat, prefix or both", kind)
	}
	return []string{kind}, nil
}

func bench(c *cli.Context) error {
	o, err := readBenchOptions(c)
	if err != nil {
		return err
	}
	out, err := newRows(c.App.Writer, c.String("format"), figureColumns...)
	if err != nil {
		return err
	}
	if err := checkMemory(o.contacts, freeMemory()); err != nil {
		return err
	}
	defer limitMemory(o.contacts)()
	stop, err := profile(c.String("cpuprofile"))
	if err != nil {
		return err
	}
	screen := newScreen(c.App.ErrWriter)
	err = benchTables(c.Context, o, out, screen)
	screen.clear()
	return errors.Join(err, stop())
}

// benchTables measures the tables one after the other.
func benchTables(ctx context.Context, o benchOptions, out *rows, screen *screen) error {
	defer out.end()
	fmt.Fprintf(screen, "machine: %s\n", machine())
	fmt.Fprintf(screen, "figures: medians of slices of %s, %s in all; they include %s for making what is asked\n",
		nanoseconds(float64(sliceOf(o.time))), o.time, nanoseconds(costOfInputs(&o)))
	for _, kind := range o.kinds {
		b := &tableBench{benchOptions: o, ctx: ctx, kind: kind, out: out, screen: screen, told: time.Now()}
		if err := b.run(); err != nil {
			return err
		}
	}
	return out.close()
}

// profile begins a CPU profile, if there is to be one, that stop ends.
func profile(name string) (stop func() error, err error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, usagef("--cpuprofile: %w", err)
	}
	sink := &firstError{w: file}
	if err := pprof.StartCPUProfile(sink); err != nil {
		file.Close()
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := cmp.Or(sink.err, file.Close()); err != nil {
			return fmt.Errorf("--cpuprofile: %w", err)
		}
		return nil
	}, nil
}

// firstError keeps the first error of writing, for who does not ask.
type firstError struct {
	w   io.Writer
	err error
}

func (f *firstError) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	f.err = cmp.Or(f.err, err)
	return n, err
}
