package live

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of the program that Isolate starts.
const inside = "PEERBENCH_ISOLATED"

// Isolate runs this program again, with these arguments, in a network
// namespace that has nothing but loopback, and returns its exit status. It
// returns false when it is that program already, or none can be made.
func Isolate(ctx context.Context, args []string, stdout, stderr io.Writer) (status int, done bool) {
	if os.Getenv(inside) != "" {
		loopbackUp()
		return 0, false
	}
	self, err := os.Executable()
	if err != nil {
		return 0, false
	}
	runtime.LockOSThread() // the other ends with this thread
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.SysProcAttr = namespace()
	if cmd.Start() != nil {
		return 0, false
	}
	cmd.Wait() // how it ended is in ProcessState
	if status := cmd.ProcessState.ExitCode(); status >= 0 {
		return status, true
	}
	return 1, true // by a signal
}

// namespace asks for a network namespace; who is not root gets one within a
// user namespace, where the system allows that.
func namespace() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid := os.Getuid(); uid != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return a
}

// loopbackUp sets up the only interface of a new namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// isolated reports whether there is no interface but loopback.
func isolated() bool {
	all, err := net.Interfaces()
	if err != nil {
		return false
	}
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			return false
		}
	}
	return true
}
