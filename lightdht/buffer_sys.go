//go:build unix || windows

package lightdht

import "syscall"

// growBuffers asks for large buffers and notes what was granted.
func (c *udpConn) growBuffers() {
	c.in = c.grow(syscall.SO_RCVBUF, c.SetReadBuffer)
	c.out = c.grow(syscall.SO_SNDBUF, c.SetWriteBuffer)
}

// grow asks for a buffer of bufferWanted, or of what part of it the system does
// not refuse, and returns what was granted. A larger one is left as it is.
func (c *udpConn) grow(which int, set func(int) error) int {
	if had := c.bufferSize(which); had >= bufferWanted {
		return had
	}
	for size := bufferWanted; size >= 1<<16 && set(size) != nil; {
		size /= 2
	}
	if c.bufferSize(which) < bufferWanted {
		c.forceBuffer(which)
	}
	return c.bufferSize(which)
}

// bufferSize reads back the size of a buffer in bytes of payload and overhead;
// 0 when the system does not tell.
func (c *udpConn) bufferSize(which int) (size int) {
	c.raw.Control(func(fd uintptr) { size = socketOption(syscall.GetsockoptInt, fd, which) })
	return size / bufferFactor
}

// socketOption reads an option by get, whose file descriptors are of a type of
// the system's own.
func socketOption[FD ~int | ~uintptr](get func(fd FD, level, opt int) (int, error), fd uintptr, opt int) int {
	v, _ := get(FD(fd), syscall.SOL_SOCKET, opt)
	return v
}
