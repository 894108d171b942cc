package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht"
)

// queryColumns are the columns of the query log.
var queryColumns = []string{"time", "querier_id", "ip", "port", "method", "target", "asked_id"}

// queryTime is RFC 3339 with microseconds.
const queryTime = "2006-01-02T15:04:05.000000Z07:00"

const (
	logQueue  = 16 << 10 // rows that wait for the writer, of about 150 bytes each
	logChunk  = 64 << 10 // bytes that are written at once
	logBehind = 4 << 20  // bytes kept while nothing can be written
	logEvery  = time.Second
	logEnding = 5 * time.Second // for what is left at the end
)

// queryLog writes a row for every query received. Whoever adds a row never waits
// for the disk: rows go through a queue to a goroutine that writes them, at the
// latest a second later. What the queue or the disk had no room for is counted;
// at the end a disk, or whoever reads a pipe, has logEnding to take the rest.
// A nil queryLog takes everything and writes nothing.
type queryLog struct {
	name  string // of the file; "-": standard output
	say   func(format string, args ...any)
	queue chan queryRow
	again chan struct{} // the file is to be opened anew
	done  chan struct{} // closed when all is written

	rows    atomic.Uint64 // that the queue took
	skipped atomic.Uint64 // that it had no room for
	written atomic.Uint64 // of rows: in full
	lost    atomic.Uint64 // of rows: that could not be written
	given   atomic.Bool   // up: nothing more is to be written

	// These belong to the writer until done.
	out     logFile
	failing bool  // it has been told that nothing can be written
	err     error // why rows were lost, or may have been
	closed  error // why closing the file failed
}

// openQueryLog opens the log. What keeps it from being written later is told
// with say, and when that is over.
func openQueryLog(name string, stdout io.Writer, say func(string, ...any)) (*queryLog, error) {
	l := &queryLog{
		name: name, say: say, queue: make(chan queryRow, logQueue),
		again: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if name == "-" {
		if isClosed(stdout) {
			return nil, errors.New("standard output is closed, or the null device: rows would be lost")
		}
		l.out.w = stdout
		l.out.begin()
	} else if err := l.out.open(name); err != nil {
		return nil, err
	}
	go l.run()
	return l, nil
}

// add adds a query. It neither waits nor allocates, and may be called from
// several goroutines.
func (l *queryLog) add(p *lightdht.Packet) {
	if l == nil {
		return
	}
	select {
	case l.queue <- rowOf(p):
		l.rows.Add(1)
	default:
		l.skipped.Add(1)
	}
}

// reopen makes the log go on in a file of the same name: a new one, if the old
// one was renamed. Rows that are still in the queue may go to either.
func (l *queryLog) reopen() {
	if l == nil || l.name == "-" {
		return
	}
	select {
	case l.again <- struct{}{}:
	default: // it is to be opened already
	}
}

// close writes what is left, for which it takes at most logEnding. Nothing may be
// added any more. The error says what could not be written.
func (l *queryLog) close() error {
	if l == nil {
		return nil
	}
	close(l.queue)
	select {
	case <-l.done:
	case <-time.After(logEnding):
		return l.giveUp()
	}
	lost := l.lost.Load()
	switch {
	case lost > 0:
		return fmt.Errorf("query log: %w; %s lost: make room, or name another file with --log-queries", l.err, some(int(lost), "row"))
	case l.closed != nil:
		return fmt.Errorf("query log: %w; the last rows may be lost", l.closed)
	}
	return nil
}

// giveUp leaves the writer alone, who is in the midst of a write that does not
// end. What it has not told as written is lost, even if a part of it was taken.
func (l *queryLog) giveUp() error {
	l.given.Store(true)
	lost := l.rows.Load() - l.written.Load()
	l.lost.Store(lost)
	return fmt.Errorf("query log: nobody took all that was left within %s; %s lost: look at what reads it, or at the disk", logEnding, some(int(lost), "row"))
}

// run is the writer.
func (l *queryLog) run() {
	defer close(l.done)
	tick := time.NewTicker(logEvery)
	defer tick.Stop()
	for {
		select {
		case row, more := <-l.queue:
			if !more {
				l.flush()
				l.end()
				return
			}
			l.take(row)
		case <-tick.C:
			l.flush()
		case <-l.again:
			l.flush()
			lost, err := l.out.reopen(l.name)
			if l.lost.Add(lost); err != nil {
				l.say("query log: %s; going on in the file that is open", oneLine(err))
			}
		}
	}
}

// take puts a row where it is written from.
func (l *queryLog) take(row queryRow) {
	if len(l.out.buf) > logBehind {
		l.lost.Add(1)
		return
	}
	l.out.buf = row.append(l.out.buf)
	if len(l.out.buf) >= logChunk && !l.out.stuck {
		l.flush()
	}
}

// flush writes what is to be written, as far as that can be done.
func (l *queryLog) flush() {
	for len(l.out.buf) > 0 && !l.given.Load() {
		err := l.out.flush()
		if l.given.Load() {
			return
		}
		l.written.Store(uint64(l.out.rows))
		if l.note(err); err != nil {
			return
		}
	}
}

// note tells when writing begins to fail, and when it no longer does.
func (l *queryLog) note(err error) {
	switch {
	case err == nil && l.failing:
		l.say("query log: writing again; %s lost so far", some(int(l.lost.Load()), "row"))
	case err != nil && !l.failing:
		l.say("query log: %s; trying on, and keeping rows as long as there is room", oneLine(err))
	}
	if l.failing = err != nil; err != nil {
		l.err = err
	}
}

// end closes the file.
func (l *queryLog) end() {
	lost, err := l.out.close()
	if !l.given.Load() {
		l.lost.Add(lost)
	}
	l.closed = err
}

// isClosed reports whether an output was closed when the program began. The Go
// runtime has then put the null device in its place, which can be read as well:
// one that a shell was asked for can only be written to.
func isClosed(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return true
	}
	null, err := os.Stat(os.DevNull)
	if err != nil || !os.SameFile(info, null) {
		return false
	}
	_, err = file.Read(make([]byte, 1))
	return err == io.EOF
}
