package main

import (
	"fmt"
	"io"
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
)

// queryLog writes a row for every query received. Whoever adds a row never waits
// for the disk: rows go through a queue to a goroutine that writes them, at the
// latest a second later. What the queue or the disk had no room for is counted.
// A nil queryLog takes everything and writes nothing.
type queryLog struct {
	name  string // of the file; "-": standard output
	say   func(format string, args ...any)
	queue chan queryRow
	again chan struct{} // the file is to be opened anew
	done  chan struct{} // closed when all is written

	rows    atomic.Uint64 // taken from the queue
	skipped atomic.Uint64 // that the queue had no room for
	lost    atomic.Uint64 // of rows: that could not be written

	out logFile // belongs to the writer until done
}

// openQueryLog opens the log. What keeps it from being written later is told
// with say, once.
func openQueryLog(name string, stdout io.Writer, say func(string, ...any)) (*queryLog, error) {
	l := &queryLog{
		name: name, say: say, queue: make(chan queryRow, logQueue),
		again: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if name == "-" {
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

// close writes what is left. Nothing may be added any more. The error says what
// could not be written.
func (l *queryLog) close() error {
	if l == nil {
		return nil
	}
	close(l.queue)
	<-l.done
	if l.out.err == nil {
		return nil
	}
	return fmt.Errorf("query log: %w; %s lost: make room, or name another file with --log-queries", l.out.err, some(int(l.lost.Load()), "row"))
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
				l.lost.Add(l.out.close())
				return
			}
			l.take(row)
		case <-tick.C:
			l.flush()
		case <-l.again:
			l.flush()
			lost, err := l.out.reopen(l.name)
			l.lost.Add(lost)
			l.note(err)
		}
	}
}

// take puts a row where it is written from.
func (l *queryLog) take(row queryRow) {
	l.rows.Add(1)
	if len(l.out.buf) > logBehind {
		l.lost.Add(1)
		return
	}
	l.out.buf = row.append(l.out.buf)
	if len(l.out.buf) >= logChunk && !l.out.stuck {
		l.flush()
	}
}

func (l *queryLog) flush() { l.note(l.out.flush()) }

// note tells of the first error.
func (l *queryLog) note(err error) {
	if err == nil || l.out.err != nil {
		return
	}
	l.out.err = err
	l.say("query log: %s; trying on, and keeping rows as long as there is room", oneLine(err))
}
