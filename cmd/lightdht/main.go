package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

// version is what --version tells.
const version = "0.1.0"

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

// run is the whole program: it returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	defer endOnHangup(hangUp)()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	app := newApp(stdin, stdout, stderr)
	args, err := flagsFirst(app, args)
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	return status(err, stderr)
}

// status reports err in one line and returns the exit status it stands for.
func status(err error, stderr io.Writer) int {
	var usage usageError
	var interrupted interruptedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "lightdht: %s\n", oneLine(err))
		return 2
	case errors.As(err, &interrupted):
		fmt.Fprintf(stderr, "lightdht: interrupted; %s\n", interrupted.left)
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "lightdht: interrupted; what was written is complete up to here")
		return 1
	}
	fmt.Fprintf(stderr, "lightdht: %s\n", oneLine(err))
	return 1
}

// usageError is an error about how the program was called.
type usageError struct{ error }

// interruptedError is that a command was interrupted whose output is not complete up
// to there.
type interruptedError struct {
	left string // what that left, a sentence
}

func (e interruptedError) Error() string { return "interrupted; " + e.left }

func (e interruptedError) Unwrap() error { return context.Canceled }

// usagef returns a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                 "lightdht",
		Usage:                "ask and measure the BitTorrent mainline DHT",
		Version:              version,
		Reader:               stdin,
		Writer:               stdout,
		ErrWriter:            stderr,
		EnableBashCompletion: true,
		HideHelpCommand:      true,
		ExitErrHandler:       func(*cli.Context, error) {}, // run decides
		OnUsageError:         onUsageError,
		CommandNotFound:      nil,
		Action:               noCommand,
		Commands: []*cli.Command{
			probeCommand(), pingCommand(), lookupCommand(), announceCommand(), dumpCommand(),
			statsCommand(), plotCommand(), nodeCommand(), storeCommand(), testnetCommand(), benchCommand(), completionCommand(),
		},
	}
	settle(app.Commands)
	return app
}

// settle has commands, and those below them, behave as all do.
func settle(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		settle(c.Subcommands)
	}
}

func noCommand(c *cli.Context) error {
	if name := c.Args().First(); name != "" {
		return usagef("no command %q: see lightdht --help", name)
	}
	return cli.ShowAppHelp(c)
}
