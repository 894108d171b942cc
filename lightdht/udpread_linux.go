package lightdht

import (
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"
)

const (
	// inboxSize is how many packets are read at once. They have arrived
	// already: nothing waits for them.
	inboxSize = 16

	// inboxStride is what a packet has room in. It is no power of two, so that
	// the beginnings of packets do not compete for the same lines of a cache.
	inboxStride = maxDatagram + 1 + 3*64
)

// inbox is what a socket's packets are read into, some at a time (recvmmsg(2)),
// each with the address of its sender and its control messages. Its memory is
// made once, and touched no further than packets are large.
type inbox struct {
	heads  [inboxSize]mmsghdr
	parts  [inboxSize]syscall.Iovec
	names  [inboxSize]sockaddr
	oob    [inboxSize][128]byte
	buf    []byte
	next   int // heads[next:filled] are of packets that were read and not yet taken
	filled int

	failed  syscall.Errno
	receive func(fd uintptr) bool // in's own, made once
	zone    zoneCache
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	syscall.Msghdr
	size uint32 // of the packet
}

func newInbox() *inbox {
	in := &inbox{buf: make([]byte, inboxSize*inboxStride)}
	for i := range in.heads {
		in.parts[i].Base = &in.buf[i*inboxStride]
		in.parts[i].SetLen(maxDatagram)
		h := &in.heads[i].Msghdr
		h.Name, h.Iov, h.Iovlen, h.Control = &in.names[i][0], &in.parts[i], 1, &in.oob[i][0]
	}
	in.next, in.filled = inboxSize, inboxSize // emptied, and to be made ready
	in.receive = in.fill
	return in
}

// fill reads what has arrived, having been emptied; false when that is nothing.
// The scheduler is not told, since it would take longer than to read.
func (in *inbox) fill(fd uintptr) bool {
	for i := range in.heads[:in.filled] { // the kernel has written into these
		in.heads[i].Namelen = uint32(len(in.names[i]))
		in.heads[i].SetControllen(len(in.oob[i]))
	}
	n, _, failed := syscall.RawSyscall6(syscall.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&in.heads)), inboxSize, syscall.MSG_DONTWAIT, 0, 0)
	in.next, in.filled, in.failed = 0, int(n), failed
	if failed != 0 {
		in.filled = 0
	}
	return failed != syscall.EAGAIN
}

// take returns the next packet that was read, which stays until fill, with its
// sender and control messages; false when there is none.
func (in *inbox) take() (b []byte, from netip.AddrPort, oob []byte, ok bool) {
	i := in.next
	if !in.more() {
		return nil, netip.AddrPort{}, nil, false
	}
	in.next++
	h := &in.heads[i]
	b = in.buf[i*inboxStride:][:h.size:h.size]
	from, scope := in.names[i].addrPort()
	if scope != 0 {
		from = netip.AddrPortFrom(from.Addr().WithZone(in.zone.name(scope, time.Now())), from.Port())
	}
	return b, from, in.oob[i][:h.Controllen], true
}

// more reports whether packets have been read and not yet taken.
func (in *inbox) more() bool { return in.next < in.filled }

// read reads one packet, which stays until the next read. stamp is when it
// arrived by the kernel's wall clock, in Unix nanoseconds, or 0. An error about a
// packet that came back is not one of reading: there are packets to read behind
// it.
func (c *udpConn) read() (b []byte, from netip.AddrPort, stamp int64, err error) {
	in := c.sys.in
	for range 1 << 16 { // the kernel tells each once; a system that does not must not make us spin
		b, from, oob, ok := in.take()
		if ok {
			return b, from, c.takeControl(oob), nil
		}
		err = c.raw.Read(in.receive)
		if err == nil && in.failed != 0 {
			err = os.NewSyscallError("recvmmsg", in.failed)
		}
		if err != nil && !c.undelivered(err) {
			break
		}
	}
	return nil, netip.AddrPort{}, 0, err
}
