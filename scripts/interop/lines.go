package main

import (
	"bytes"
	"context"
	"errors"
	"sync"
)

// lines keeps what a process writes, line by line, for others to wait for. It
// is the process's stdout or stderr.
type lines struct {
	mu   sync.Mutex
	all  []string
	part []byte        // of a line that has not ended
	more chan struct{} // closed when all has grown or over is set
	over bool          // nothing more will come
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

// Write takes in b. It never fails.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, b...)
	for {
		line, rest, found := bytes.Cut(l.part, []byte{'\n'})
		if !found {
			break
		}
		l.all = append(l.all, string(line))
		l.part = rest
	}
	l.wake()
	return len(b), nil
}

// close says that nothing more will come.
func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.wake()
}

func (l *lines) wake() {
	close(l.more)
	l.more = make(chan struct{})
}

// get returns the lines from position i on.
func (l *lines) get(i int) (fresh []string, more <-chan struct{}, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[i:], l.more, l.over
}

// len returns how many lines there are.
func (l *lines) len() int {
	all, _, _ := l.get(0)
	return len(all)
}

// await shows match the lines from position i on, those to come included, until
// it returns true.
func (l *lines) await(ctx context.Context, i int, match func(line string) bool) error {
	for {
		fresh, more, over := l.get(i)
		for _, line := range fresh {
			if match(line) {
				return nil
			}
		}
		i += len(fresh)
		if over {
			return errors.New("the process ended")
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
