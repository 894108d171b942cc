package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a program that runs beside the checks.
type process struct {
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	out, err *lines
	cancel   context.CancelFunc
	done     chan struct{} // closed when it has ended
}

// endLimit is how long a process has to end when it is interrupted.
const endLimit = 5 * time.Second

// start starts a program. It lives until end, whatever check started it.
func start(name string, args ...string) (*process, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{
		cmd: exec.CommandContext(ctx, name, args...), cancel: cancel,
		out: newLines(), err: newLines(), done: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = endLimit
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	go p.wait()
	return p, nil
}

func (p *process) wait() {
	p.cmd.Wait() // how it ended is in ProcessState
	p.out.close()
	p.err.close()
	close(p.done)
}

// end interrupts the process, as Ctrl-C does, and waits for its end; one that
// does not heed it is killed. It is an error when the exit status was not 0.
func (p *process) end() error {
	p.cancel()
	<-p.done
	if state := p.cmd.ProcessState; !state.Success() {
		said, _, _ := p.err.get(0)
		return fmt.Errorf("%s: %s: %q", p.cmd.Path, state, said)
	}
	return nil
}

// says waits until the process has written to stderr n lines with what in them.
func (p *process) says(ctx context.Context, n int, what string) error {
	err := p.err.await(ctx, 0, func(line string) bool {
		if strings.Contains(line, what) {
			n--
		}
		return n <= 0
	})
	if err != nil {
		return fmt.Errorf("waiting for %q: %w", what, err)
	}
	return nil
}
