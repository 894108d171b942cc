package main

import (
	"io"
	"os"
	"strconv"
	"sync"
)

// screen is standard error with a line of status at its end. On a terminal that
// line is rewritten in place, and whatever else is written scrolls by above it;
// elsewhere each is a line like any other. It may be used by several goroutines.
type screen struct {
	w     io.Writer
	width func() int // of the terminal, in columns; nil: it is none

	mu   sync.Mutex
	line string // that is shown
}

// newScreen makes a screen of w, a terminal if that is one that can rewrite a
// line.
func newScreen(w io.Writer) *screen {
	s := &screen{w: w}
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return s
	}
	if _, terminal := columns(f); terminal {
		s.width = func() int { width, _ := columns(f); return width }
	}
	return s
}

// assumedColumns is the width of a terminal that does not tell it: $COLUMNS, or
// else 80.
func assumedColumns() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return 80
}

func (s *screen) isTerminal() bool { return s.width != nil }

const wipe = "\r\x1b[K" // to the beginning of the line, and delete it

// Write writes p above the line of status.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		return s.w.Write(p)
	}
	io.WriteString(s.w, wipe)
	n, err := s.w.Write(p)
	io.WriteString(s.w, s.line)
	return n, err
}

// show shows the status that status returns for a width; 0 is any.
func (s *screen) show(status func(width int) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isTerminal() {
		io.WriteString(s.w, status(0)+"\n")
		return
	}
	s.line = status(max(s.width()-1, 1)) // in the last column some terminals begin a new line
	io.WriteString(s.w, wipe+s.line)
}

// clear takes the line of status away.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != "" {
		io.WriteString(s.w, wipe)
	}
	s.line = ""
}
