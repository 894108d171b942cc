package lightdht

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

// returns tells when there is something for drain.
func (c *udpConn) returns() <-chan struct{} { return c.sys.failed }

// drainBatch is how many errors are read before others get hold of the socket.
const drainBatch = 64

// drain reads the error queue until it is empty, or a batch beyond limit, and
// returns how many errors there were. What take is given is its own until it
// returns.
func (c *udpConn) drain(limit int, take func(returned)) (n int) {
	for more := true; more && n <= limit; {
		err := c.raw.Control(func(fd uintptr) {
			for range drainBatch {
				var r returned
				c.sys.queue.Lock()
				r, more = c.nextReturned(int(fd))
				c.sys.queue.Unlock()
				if !more {
					return
				}
				n++
				take(r)
			}
		})
		more = more && err == nil
	}
	return n
}

// nextReturned reads one error; false when there is none. It never waits. Having
// read it, the kernel fails what is done next with the socket on account of the
// one behind it; that is taken back, or else reads would do little but fail until
// all are read.
func (c *udpConn) nextReturned(fd int) (r returned, ok bool) {
	var oob [256]byte
	size, told, _, to, err := syscall.Recvmsg(fd, c.sys.quoted, oob[:], syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
	if err != nil {
		return returned{}, false
	}
	syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	r.to, r.payload = addrPortOf(to), c.sys.quoted[:size]
	for b := oob[:told]; ; {
		level, kind, data, rest, ok := cutControl(b)
		if !ok {
			return r, true
		}
		if level == syscall.SOL_IP && kind == syscall.IP_RECVERR || level == syscall.SOL_IPV6 && kind == syscall.IPV6_RECVERR {
			r.takeError(data)
		}
		b = rest
	}
}

// takeError reads a struct sock_extended_err of linux/errqueue.h, and behind it
// the address of who sent the ICMP packet:
//
//	0       4       5     6     7     8     12    16
//	| errno | origin | type | code | pad | info | data | sockaddr
func (r *returned) takeError(b []byte) {
	const size = 16
	if len(b) < size {
		return
	}
	switch b[4] {
	case 2: // SO_EE_ORIGIN_ICMP
		r.family = icmp4
	case 3: // SO_EE_ORIGIN_ICMP6
		r.family = icmp6
	}
	r.kind, r.code = b[5], b[6]
	b = b[size:]
	switch {
	case len(b) >= 8 && binary.NativeEndian.Uint16(b) == syscall.AF_INET:
		r.by = netip.AddrFrom4([4]byte(b[4:8]))
	case len(b) >= 24 && binary.NativeEndian.Uint16(b) == syscall.AF_INET6:
		r.by = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	}
}

// addrPortOf returns an address of the system as the read loop would tell it.
func addrPortOf(sa syscall.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *syscall.SockaddrInet6:
		addr := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 {
			addr = addr.WithZone(zoneName(int(sa.ZoneId)))
		}
		return netip.AddrPortFrom(addr, uint16(sa.Port))
	}
	return netip.AddrPort{}
}
