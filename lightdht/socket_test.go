package lightdht

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// A port that cannot be had is told from a family that the system lacks.
func TestTaken(t *testing.T) {
	listen := func(err error) error {
		return &net.OpError{Op: "listen", Net: "udp6", Err: os.NewSyscallError("bind", err)}
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("strange"), false},
		{listen(syscall.EADDRINUSE), true},
		{listen(syscall.EACCES), false}, // as a port below 1024
		{fmt.Errorf("listen: %w", listen(syscall.EADDRINUSE)), true},
		{listen(syscall.Errno(10048)), true}, // Windows: in use
		{listen(syscall.EAFNOSUPPORT), false},
		{listen(syscall.EADDRNOTAVAIL), false},
		{&net.AddrError{Err: "no suitable address", Addr: ":1"}, false},
	} {
		if got := taken(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// What says that the system lacks a family, and nothing else, lets a node do
// without it.
func TestMissing(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{syscall.EADDRINUSE, false},
		{syscall.EMFILE, false},
		{syscall.EACCES, false},
		{os.NewSyscallError("socket", syscall.EAFNOSUPPORT), true},
		{os.NewSyscallError("bind", syscall.EADDRNOTAVAIL), true},
		{syscall.Errno(10047), true}, // Windows
		{&net.OpError{Op: "listen", Err: &net.AddrError{Err: "no suitable address"}}, true},
	} {
		if got := missing(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// held opens a UDP port of one family that is free in the other.
func held(t *testing.T, network, other string) (conn *net.UDPConn, port int) {
	t.Helper()
	for range 20 {
		conn, err := net.ListenUDP(network, nil)
		if err != nil {
			t.Skipf("this system has no %s: %v", network, err)
		}
		t.Cleanup(func() { conn.Close() })
		port := conn.LocalAddr().(*net.UDPAddr).Port
		free, err := net.ListenUDP(other, &net.UDPAddr{Port: port})
		if err == nil {
			free.Close()
			return conn, port
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Skipf("this system has no %s: %v", other, err)
		}
	}
	t.Skip("no port found that is free in one family")
	return nil, 0
}

// A port in use in one family is an error, and nothing of the other one is kept.
func TestListenOnAPortHalfInUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the system numbers its errors otherwise")
	}
	for network, other := range map[string]string{"udp6": "udp4", "udp4": "udp6"} {
		conn, port := held(t, network, other)
		n, err := Listen(fmt.Sprintf(":%d", port), Config{Network: Private})
		if err == nil {
			n.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("%s in use: %v", network, err)
		}
		free, err := net.ListenUDP(other, &net.UDPAddr{Port: port})
		if err != nil {
			t.Fatalf("%s in use: afterwards %s: %v", network, other, err)
		}
		free.Close()
		conn.Close()
		if n, err = Listen(fmt.Sprintf(":%d", port), Config{Network: Private}); err != nil {
			t.Fatalf("%s free again: %v", network, err)
		}
		if four, six := n.Addr(kad.IPv4), n.Addr(kad.IPv6); int(four.Port()) != port || four.Port() != six.Port() {
			t.Errorf("it listens at %s and %s", four, six)
		}
		n.Close()
	}
}
