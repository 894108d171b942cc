package lightdht

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// parcel is one packet on its way to the kernel.
type parcel struct {
	packet []byte
	to     sockaddr
	size   int // of to
	failed syscall.Errno
	send   func(fd uintptr) // p's own, made once
}

func newParcel() any {
	p := &parcel{}
	p.send = p.sendTo
	return p
}

// sendTo writes the packet, without waiting. The scheduler is not told, which
// would cost a tenth of the time that it takes to write.
func (p *parcel) sendTo(fd uintptr) {
	_, _, p.failed = syscall.RawSyscall6(sysSendto, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p.packet))), uintptr(len(p.packet)),
		syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&p.to)), uintptr(p.size))
}

// writeNow writes one packet if that can be done at once. EAGAIN leaves it to
// package net, which takes longer: the buffer is full, the socket is closed, or
// the address is not simply one of the socket's family.
func (c *udpConn) writeNow(b []byte, to netip.AddrPort) (failed syscall.Errno) {
	p := c.sys.outs.Get().(*parcel)
	defer c.sys.outs.Put(p)
	if p.size = p.to.set(c.sys.family, to); p.size == 0 {
		return syscall.EAGAIN
	}
	p.packet = b
	if c.raw.Control(p.send) != nil {
		p.failed = syscall.EAGAIN
	}
	p.packet = nil
	return p.failed
}

// writeTries is more than enough when nothing but new packets that come back can
// fail a write. A write that fails on its own account, for want of a route,
// costs some microseconds by that.
const writeTries = 8

// WriteToUDPAddrPort writes one packet. An error about an earlier one that came
// back fails the write in its stead, so the write is tried again, while the error
// queue stands still: each error that is read announces the next.
func (c *udpConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (size int, err error) {
	failed := c.writeNow(b, to)
	if failed == 0 {
		return len(b), nil
	}
	if !c.undelivered(failed) {
		size, err = c.UDPConn.WriteToUDPAddrPort(b, to)
		if err == nil || !c.undelivered(err) {
			return size, err
		}
	}
	c.sys.queue.Lock()
	defer c.sys.queue.Unlock()
	for range writeTries {
		size, err = c.UDPConn.WriteToUDPAddrPort(b, to)
		if err == nil || !c.undelivered(err) {
			break
		}
	}
	return size, err
}
