package lightdht

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"sync"
	"syscall"
	"unsafe"
)

const (
	bufferFactor = 2 // socket(7): the kernel doubles the size, and tells the doubled one
	bufferAdvice = "sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304"
)

// system is what Linux offers beyond a PacketConn.
type system struct {
	family int // AF_INET, AF_INET6; 0: not known
	stamps bool
	in     *inbox    // of the goroutine that reads
	out    *outbox   // of the goroutine that reads
	outs   sync.Pool // of *parcel
	drops  wide
	queue  sync.Mutex    // held while the error queue is read
	failed chan struct{} // has one when the error queue is to be read
	quoted []byte        // of the goroutine that drains: the packet that came back
}

// setUp asks for times of arrival, counts of what was dropped, and what came
// back. A socket of both families has two sources of the latter.
func (c *udpConn) setUp() {
	c.sys.failed = make(chan struct{}, 1)
	c.sys.quoted = make([]byte, 1<<11)
	c.sys.in, c.sys.out, c.sys.outs.New = newInbox(), newOutbox(), newParcel
	c.raw.Control(func(fd uintptr) {
		c.sys.family, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_DOMAIN)
		set := syscall.SetsockoptInt
		c.sys.stamps = set(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1) == nil
		set(int(fd), syscall.SOL_SOCKET, syscall.SO_RXQ_OVFL, 1)
	})
	c.hearReturns(true)
	if count, ok := c.countDropped(); ok {
		c.sys.drops.from(count)
	}
}

// hearReturns says whether to be told of packets that came back. What was told
// and not yet read is lost when it is turned off.
func (c *udpConn) hearReturns(on bool) {
	v := 0
	if on {
		v = 1
	}
	c.raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_IP, syscall.IP_RECVERR, v)
		syscall.SetsockoptInt(int(fd), syscall.SOL_IPV6, syscall.IPV6_RECVERR, v)
	})
}

// forceBuffer asks for a buffer beyond the limit that is set for ordinary users.
func (c *udpConn) forceBuffer(which int) {
	force := map[int]int{syscall.SO_RCVBUF: syscall.SO_RCVBUFFORCE, syscall.SO_SNDBUF: syscall.SO_SNDBUFFORCE}
	c.raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, force[which], bufferWanted)
	})
}

// stamped reports whether packets come with their time of arrival.
func (c *udpConn) stamped() bool { return c.sys.stamps }

// undelivered reports whether err may be about a packet that came back, and has
// the error queue read then.
func (c *udpConn) undelivered(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) || !slices.Contains(icmpErrnos, no) {
		return false
	}
	c.announce()
	return true
}

// announce has the error queue read.
func (c *udpConn) announce() {
	select {
	case c.sys.failed <- struct{}{}:
	default:
	}
}

// icmpErrnos is what the kernel makes of ICMP: icmp_err_convert of its
// net/ipv4/icmp.c, tab_unreach and icmpv6_err_convert of net/ipv6/icmp.c.
var icmpErrnos = []syscall.Errno{
	syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENONET,
	syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EMSGSIZE, syscall.EPROTO, syscall.EACCES,
}

// takeControl reads what came with a packet.
func (c *udpConn) takeControl(b []byte) (stamp int64) {
	for {
		level, kind, data, rest, ok := cutControl(b)
		switch {
		case !ok:
			return stamp
		case level != syscall.SOL_SOCKET:
		case kind == syscall.SO_TIMESTAMPNS:
			stamp = unixNano(data)
		case kind == syscall.SO_RXQ_OVFL && len(data) >= 4:
			c.sys.drops.see(binary.NativeEndian.Uint32(data))
		}
		b = rest
	}
}

// cutControl cuts the first control message off b: a cmsghdr, whose length
// includes itself and is as wide as a pointer, and data padded to that width.
func cutControl(b []byte) (level, kind int, data, rest []byte, ok bool) {
	if len(b) < syscall.SizeofCmsghdr {
		return 0, 0, nil, nil, false
	}
	const word = bits.UintSize / 8
	size := uint64(binary.NativeEndian.Uint32(b))
	if word == 8 {
		size = binary.NativeEndian.Uint64(b)
	}
	if size < syscall.SizeofCmsghdr || size > uint64(len(b)) {
		return 0, 0, nil, nil, false
	}
	level = int(int32(binary.NativeEndian.Uint32(b[word:])))
	kind = int(int32(binary.NativeEndian.Uint32(b[word+4:])))
	next := min(uint64(len(b)), (size+word-1)&^(word-1))
	return level, kind, b[syscall.SizeofCmsghdr:size], b[next:], true
}

// unixNano reads a timespec, of two words of the machine; 0 when it is none.
func unixNano(b []byte) int64 {
	switch len(b) {
	case 16:
		return int64(binary.NativeEndian.Uint64(b))*1e9 + int64(binary.NativeEndian.Uint64(b[8:]))
	case 8:
		return int64(int32(binary.NativeEndian.Uint32(b)))*1e9 + int64(binary.NativeEndian.Uint32(b[4:]))
	}
	return 0
}

// dropped returns how many datagrams the kernel dropped since the socket became
// ours. A packet tells the count at its arrival, which keeps the count wide;
// what was dropped after the last packet is asked for.
func (c *udpConn) dropped() uint64 {
	if count, ok := c.countDropped(); ok {
		c.sys.drops.see(count)
	}
	return c.sys.drops.total()
}

// countDropped reads the kernel's own count; false before Linux 4.12, and when
// the socket is closed.
func (c *udpConn) countDropped() (count uint32, ok bool) {
	const soMemInfo, vars, drops = 55, 9, 8 // SO_MEMINFO of asm-generic/socket.h, SK_MEMINFO_* of linux/sock_diag.h
	err := c.raw.Control(func(fd uintptr) {
		var info [vars]uint32
		size := uint32(unsafe.Sizeof(info))
		_, _, no := syscall.Syscall6(sysGetsockopt, fd, syscall.SOL_SOCKET, soMemInfo,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		count, ok = info[drops], no == 0 && size > 4*drops
	})
	return count, ok && err == nil
}
