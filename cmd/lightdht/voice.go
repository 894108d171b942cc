package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	voiceQueue  = 1024        // writes that wait for who reads
	voiceEnding = time.Second // for what is left at the end
)

// voice writes to an output from a goroutine of its own, so that who speaks never
// waits for who reads: a terminal that was stopped with Ctrl-S, a pager, a pipe.
// What there is no room for is left out, and how much is told at the end.
type voice struct {
	w    io.Writer
	done chan struct{} // closed when all is written

	mu     sync.Mutex
	queue  chan []byte
	left   int // writes left out
	closed bool
}

func newVoice(w io.Writer) *voice {
	v := &voice{w: w, done: make(chan struct{}), queue: make(chan []byte, voiceQueue)}
	go v.run()
	return v
}

// run is the writer. That nobody reads any more is no reason to stop.
func (v *voice) run() {
	defer close(v.done)
	for p := range v.queue {
		v.w.Write(p)
	}
	v.mu.Lock()
	left := v.left
	v.mu.Unlock()
	if left > 0 {
		fmt.Fprintf(v.w, "%s left out here: nobody read them in time\n", some(left, "line"))
	}
}

// Write takes p, or leaves it out, at once.
func (v *voice) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return len(p), nil
	}
	select {
	case v.queue <- append([]byte(nil), p...):
	default:
		v.left++
	}
	return len(p), nil
}

// close writes what is left, for which it takes at most voiceEnding.
func (v *voice) close() {
	v.mu.Lock()
	if !v.closed {
		v.closed = true
		close(v.queue)
	}
	v.mu.Unlock()
	select {
	case <-v.done:
	case <-time.After(voiceEnding):
	}
}
