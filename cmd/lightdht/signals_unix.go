//go:build !windows

package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

// hangups returns where SIGHUP is told, when it is wanted; else it ends the
// program, as it does by default. ignore ends the telling.
func hangups(wanted bool) (told <-chan os.Signal, ignore func()) {
	if !wanted {
		return nil, func() {}
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// outliveReaders makes a write to standard output or error that nobody reads any
// more an error like others. By default it ends the program, whatever is still to be
// done.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// endUnread ends the program as one that writes to nobody ends by default: by
// SIGPIPE, without a word.
func endUnread() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // it is ignored no more
	signal.Reset(syscall.SIGPIPE)
	io.WriteString(os.Stdout, "\n")
}
