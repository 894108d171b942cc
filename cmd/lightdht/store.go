package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/urfave/cli/v2"
)

func storeCommand() *cli.Command {
	command := &cli.Command{
		Name:      "store",
		Usage:     "look into a store, check it, make it smaller, take in another",
		ArgsUsage: "info|verify|compact [DIR], merge DIR OTHER…",
		Description: "info tells what runs a store has. verify reads all of it and prints what is wrong, one thing on a line.\n" +
			"compact ends the runs of programs that died and makes one sorted file of each run's contacts. merge copies\n" +
			"into the first store the runs of the others that it does not have.\n" +
			"Without DIR it is the store of --store, or the usual one of --network: public unless it names another.",
		Flags: []cli.Flag{
			storeFlag(),
			&cli.StringFlag{Name: "network", Usage: "the usual store of this `NETWORK`: public, private or private:NAME", Value: "auto", DefaultText: "public"},
			formatFlag("text"),
		},
		Action: doStore,
	}
	command.BashComplete = func(c *cli.Context) {
		if n := len(os.Args); n > 2 && strings.HasPrefix(os.Args[n-2], "-") {
			cli.DefaultCompleteWithFlags(command)(c)
			return
		}
		fmt.Fprintln(c.App.Writer, "info\nverify\ncompact\nmerge")
	}
	return command
}

// doStore does what the first argument says.
func doStore(c *cli.Context) error {
	do := map[string]func(*cli.Context, []string) error{
		"info": storeInfo, "verify": storeVerify, "compact": storeCompact, "merge": storeMerge,
	}[c.Args().First()]
	switch {
	case c.NArg() == 0:
		return usagef("say what to do with the store: info, verify, compact or merge: see lightdht store --help")
	case do == nil:
		return usagef("nothing to do with a store is called %q: want info, verify, compact or merge: see lightdht store --help", c.Args().First())
	case c.IsSet("format") && c.Args().First() != "info":
		return usagef("--format is about store info: leave it out")
	}
	return adviseOwner(do(c, c.Args().Tail()))
}

// adviseOwner adds to an error what to do next when somebody else's store is to
// be read or written.
func adviseOwner(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run it as the owner of the store", err)
	}
	return err
}

// theStore opens the store that the one argument names, or else the flags.
func theStore(c *cli.Context, args []string) (*dataset.Store, error) {
	switch {
	case len(args) > 1:
		return nil, usagef("one store at a time, and not %q too: see lightdht store --help", args[1])
	case len(args) == 1 && c.IsSet("store"):
		return nil, usagef("--store names the store, and %q does: leave one out", args[0])
	case len(args) == 1:
		if err := c.Set("store", args[0]); err != nil {
			return nil, err
		}
	}
	store, err := storeToRead(c)
	if err != nil {
		return nil, err
	}
	store.Problem = func(err error) { fmt.Fprintf(c.App.ErrWriter, "%s\n", oneLine(err)) }
	return store, nil
}

// storeVerify prints what is wrong with a store.
func storeVerify(c *cli.Context, args []string) error {
	store, err := theStore(c, args)
	if err != nil {
		return err
	}
	var v dataset.Verified
	left := store.Dir() + " was not read to its end, and nothing in it was changed"
	err = watching(c, "verify", left, func() (err error) {
		v, err = store.Verify()
		return err
	})
	if err != nil {
		return err
	}
	for _, problem := range v.Problems {
		if _, err := fmt.Fprintln(c.App.Writer, oneLine(problem)); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.App.ErrWriter, "%s: read %s of %s, %s bytes\n", store.Dir(), some(v.Files, "file"), runsOf(v), grouped(v.Bytes))
	if n := len(v.Problems); n > 0 {
		return fmt.Errorf("%s: %s: see above", store.Dir(), some(n, "problem"))
	}
	return nil
}

// runsOf says how many runs were looked at.
func runsOf(v dataset.Verified) string {
	if v.Live == 0 {
		return some(v.Runs, "run")
	}
	return fmt.Sprintf("%s (%d going on)", some(v.Runs, "run"), v.Live)
}

// storeCompact makes a store smaller.
func storeCompact(c *cli.Context, args []string) error {
	store, err := theStore(c, args)
	if err != nil {
		return err
	}
	var before, after int64
	left := store.Dir() + " is whole, but perhaps no smaller: compact it again"
	err = watching(c, "compact", left, func() (err error) {
		before, after, err = store.Compact()
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %s bytes before, %s after\n", store.Dir(), grouped(before), grouped(after))
	return err
}

// storeMerge copies the runs of other stores into one.
func storeMerge(c *cli.Context, args []string) error {
	if !c.IsSet("store") {
		if len(args) == 0 {
			return usagef("name the store that takes the runs, and those that have them: see lightdht store --help")
		}
		if err := c.Set("store", args[0]); err != nil {
			return err
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return usagef("name the stores whose runs are to be taken: see lightdht store --help")
	}
	to, err := theStore(c, nil)
	if err != nil {
		return err
	}
	for _, dir := range args {
		if err := mergeOne(c, to, dir); err != nil {
			return err
		}
	}
	return nil
}

// mergeOne copies the runs of one store into another, and tells how many.
func mergeOne(c *cli.Context, to *dataset.Store, dir string) error {
	from, err := dataset.Open(dir)
	if err != nil {
		return err
	}
	from.Problem = func(err error) { fmt.Fprintln(c.App.ErrWriter, oneLine(err)) }
	var m dataset.Merged
	left := to.Dir() + " is whole, but has not all runs of " + dir + ": merge again"
	err = watching(c, "merge", left, func() (err error) {
		m, err = dataset.Merge(to, from)
		return err
	})
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s: %s taken, %d known already", dir, some(m.Runs, "run"), m.Known)
	if m.Live > 0 {
		line += fmt.Sprintf(", %d going on and left out", m.Live)
	}
	if m.Left > 0 {
		line += fmt.Sprintf(", %d that cannot be read left out", m.Left)
		err = fmt.Errorf("%s: not all runs were taken: see above", dir)
	}
	if m.OtherKey && m.Runs > 0 {
		fmt.Fprintf(c.App.ErrWriter, "%s has another key: one infohash is hashed to one value in its runs and to another in those of %s\n", dir, to.Dir())
	}
	if _, e := fmt.Fprintln(c.App.Writer, line); e != nil {
		return e
	}
	return err
}

// watching does something that may take long, and tells how long it has been
// going on. When the command is interrupted it is left as it is, which left tells:
// a store is whole at any time.
func watching(c *cli.Context, what, left string, do func() error) error {
	p := newProgress(c.App.ErrWriter, what, 0)
	defer p.end()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-c.Context.Done():
		return interruptedError{left}
	}
}
