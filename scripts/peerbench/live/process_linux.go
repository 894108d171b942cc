package live

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	out  tail
}

// start starts a server. The calling goroutine must be locked to its thread,
// with which the server ends.
func start(p peer, s site) (*process, error) {
	command, err := p.command(s)
	if err != nil {
		return nil, err
	}
	c := &process{cmd: exec.Command(command[0], command[1:]...), done: make(chan struct{})}
	c.cmd.Dir = s.dir
	c.cmd.Env = append(os.Environ(), "HOME="+s.dir, "TERM=dumb")
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.out
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

func (c *process) pid() int { return c.cmd.Process.Pid }

func (c *process) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// end kills the server and whatever it started: all that they may leave behind
// is in its folder.
func (c *process) end() {
	syscall.Kill(-c.pid(), syscall.SIGKILL)
	<-c.done
}

// said returns the last that the server wrote, as the end of an error.
func (c *process) said() string {
	if s := strings.TrimSpace(c.out.String()); s != "" {
		return fmt.Sprintf("; it said: %q", s)
	}
	return ""
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 300

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	t.b = t.b[max(0, len(t.b)-tailSize):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.ToValidUTF8(t.b, nil))
}
