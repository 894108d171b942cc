//go:build unix || windows

package lightdht

import (
	"bytes"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// The log tells of each socket what buffers were granted, and what to do about
// small ones.
func TestBuffersAreLogged(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what is granted is known of Linux")
	}
	var log bytes.Buffer
	n, err := Listen("127.0.0.1:0", Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c := n.ends[0].udp
	raw, _ := c.UDPConn.SyscallConn()
	var in, out int
	raw.Control(func(fd uintptr) {
		in = socketOption(syscall.GetsockoptInt, fd, syscall.SO_RCVBUF)
		out = socketOption(syscall.GetsockoptInt, fd, syscall.SO_SNDBUF)
	})
	if 2*c.in != in || 2*c.out != out || in == 0 {
		t.Errorf("buffers of %d and %d, doubled %d and %d", c.in, c.out, in, out)
	}
	said := log.String()
	for _, want := range []string{"level=INFO", "addr=127.0.0.1", "receive_buffer=", "send_buffer="} {
		if !strings.Contains(said, want) {
			t.Errorf("the log has no %q: %s", want, said)
		}
	}
	for _, size := range []struct{ in, out int }{{bufferWanted, bufferWanted}, {bufferWanted - 1, bufferWanted}, {bufferWanted, 1}} {
		c := &udpConn{in: size.in, out: size.out}
		said := slog.Group("", c.buffers()...).String()
		if small := size.in+size.out < 2*bufferWanted; strings.Contains(said, "rmem_max") != small {
			t.Errorf("%v: %s", size, said)
		}
	}
}

// Buffers that are larger than what we ask for are left so.
func TestBuffersNeverShrink(t *testing.T) {
	conn := openUDP(t, "127.0.0.1:0")
	before := newUDPConn(conn)
	before.forceBuffer(syscall.SO_RCVBUF)
	size := 0
	before.grow(syscall.SO_RCVBUF, func(n int) error { size = n; return nil })
	switch {
	case before.in >= bufferWanted && size != 0:
		t.Errorf("%d was had, %d asked for", before.in, size)
	case before.in < bufferWanted && size != bufferWanted:
		t.Errorf("%d was had, %d asked for", before.in, size)
	}
}

// A system that refuses a size outright is asked for less.
func TestBuffersByHalves(t *testing.T) {
	c := newUDPConn(openUDP(t, "127.0.0.1:0"))
	const limit = 300000
	c.SetReadBuffer(1 << 13)
	var asked []int
	c.grow(syscall.SO_RCVBUF, func(size int) error {
		if asked = append(asked, size); size > limit {
			return errors.New("too much")
		}
		return nil
	})
	if len(asked) != 5 || asked[4] != bufferWanted/16 {
		t.Errorf("asked for %v", asked)
	}
	asked = nil
	c.SetReadBuffer(1 << 13)
	c.grow(syscall.SO_RCVBUF, func(size int) error { asked = append(asked, size); return errors.New("no") })
	if len(asked) != 7 {
		t.Errorf("asked for %v", asked)
	}
}
