package lightdht

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// outbox keeps the answers to packets that were read together until the last of
// these has been worked on, and writes them at once (sendmmsg(2)). It belongs to
// the goroutine that reads.
type outbox struct {
	heads [inboxSize]mmsghdr
	parts [inboxSize]syscall.Iovec
	names [inboxSize]sockaddr
	to    [inboxSize]netip.AddrPort
	buf   [inboxSize][maxAnswer]byte
	next  int // heads[next:count] are to be written
	count int
	sent  int              // by the last write
	write func(fd uintptr) // o's own, made once
}

func newOutbox() *outbox {
	o := &outbox{}
	for i := range o.heads {
		o.parts[i].Base = &o.buf[i][0]
		h := &o.heads[i].Msghdr
		h.Name, h.Iov, h.Iovlen = &o.names[i][0], &o.parts[i], 1
	}
	o.write = o.writeAll
	return o
}

// writeAll writes what it can without waiting. An error is told only when it is
// of the first packet; it is not looked at, since that packet is tried again.
func (o *outbox) writeAll(fd uintptr) {
	n, _, failed := syscall.RawSyscall6(sysSendmmsg, fd, uintptr(unsafe.Pointer(&o.heads[o.next])), uintptr(o.count-o.next), syscall.MSG_DONTWAIT, 0, 0)
	if o.sent = int(n); failed != 0 {
		o.sent = 0
	}
}

// post keeps a packet to be written by flush, if others have been read with the
// one that it answers; false when it is to be written now.
func (c *udpConn) post(b []byte, to netip.AddrPort) bool {
	o, i := c.sys.out, c.sys.out.count
	if i == inboxSize || i == 0 && !c.sys.in.more() || len(b) > maxAnswer {
		return false
	}
	size := o.names[i].set(c.sys.family, to)
	if size == 0 {
		return false
	}
	copy(o.buf[i][:], b)
	o.heads[i].Namelen, o.to[i] = uint32(size), to
	o.parts[i].SetLen(len(b))
	o.count++
	return true
}

// awaits reports whether there are packets to be worked on that were read with
// others.
func (c *udpConn) awaits() bool { return c.sys.in.more() }

// flush writes what was posted, in that order, and tells what became of each. One
// that cannot be written at once, be it on account of an earlier packet that came
// back, is written as any other is, and the rest after it.
func (c *udpConn) flush(done func(i int, err error)) {
	o := c.sys.out
	for o.next = 0; o.next < o.count; {
		o.sent = 0
		c.raw.Control(o.write)
		for range o.sent {
			done(o.next, nil)
			o.next++
		}
		if i := o.next; i < o.count {
			c.announce() // an error behind the first packet is not told, but gone
			_, err := c.WriteToUDPAddrPort(o.buf[i][:o.parts[i].Len], o.to[i])
			done(i, err)
			o.next++
		}
	}
	o.count = 0
}
