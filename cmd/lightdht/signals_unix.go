//go:build !windows

package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

// endOnHangup has end called at SIGHUP, which comes when the terminal is closed. It
// comes several times then, of which the first counts: the others find a program
// that is ending. If it was being ignored when the program began, as under nohup,
// it still is. forget ends the waiting.
func endOnHangup(end func()) (forget func()) {
	if signal.Ignored(syscall.SIGHUP) {
		return func() {}
	}
	c, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(c, syscall.SIGHUP)
	go func() {
		select {
		case <-c:
			end()
		case <-done:
		}
	}()
	return func() { signal.Stop(c); close(done) }
}

// hangups returns where SIGHUP is told, when it is wanted, and then ends the
// program no more. ignore ends the telling.
func hangups(wanted bool) (told <-chan os.Signal, ignore func()) {
	if !wanted {
		return nil, func() {}
	}
	c := make(chan os.Signal, 1)
	signal.Ignore(syscall.SIGHUP) // endOnHangup is told no more, and in between nobody is
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
