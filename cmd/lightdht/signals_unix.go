//go:build !windows

package main

import (
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
// more an error like others. By default it ends the program, which is right for
// whoever writes only for that reader.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }
