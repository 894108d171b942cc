package load

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batch       = 64   // messages of one system call
	segments    = 16   // datagrams of one message
	room        = 1536 // bytes of a datagram that is received
	bufferBytes = 4 << 20
	control     = 64 // bytes of control messages
)

// socket is a UDP socket that sends from any address of 127.0.0.0/8 and receives
// at all of them, many datagrams in a system call. One goroutine uses it.
type socket struct {
	fd    int
	port  uint16
	in    mailbag
	out   mailbag
	sizes [batch]int // of the datagrams in each message to send
	queue int        // messages to send
	max   int        // datagrams in one message
}

// mailbag is the memory of one system call. The kernel is given addresses of its
// parts, so it must not move: it lives on the heap, where Go moves nothing.
type mailbag struct {
	headers [batch]mmsghdr
	vectors [batch]unix.Iovec
	names   [batch]unix.RawSockaddrInet4
	control [batch][control]byte
	data    [batch][]byte
}

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	length uint32
	_      [unsafe.Sizeof(uintptr(0)) - 4]byte
}

// newSocket opens a socket at a port that is free.
func newSocket() (*socket, error) {
	return newSocketAt(netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
}

func newSocketAt(addr netip.AddrPort) (*socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a socket: %w", err)
	}
	s := &socket{fd: fd, max: segments}
	if err := s.setUp(addr); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("setting up a socket: %w", err)
	}
	s.in.prepare(room)
	s.out.prepare(segments * room)
	return s, nil
}

func (s *socket) setUp(addr netip.AddrPort) error {
	for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF, unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
		unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, option, bufferBytes) // as far as allowed
	}
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1); err != nil {
		return err
	}
	if unix.SetsockoptInt(s.fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 0) != nil {
		s.max = 1 // before Linux 4.18
	}
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}); err != nil {
		return err
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	s.port = uint16(name.(*unix.SockaddrInet4).Port)
	return nil
}

func (s *socket) close() error { return unix.Close(s.fd) }

// prepare points the headers at their parts.
func (m *mailbag) prepare(size int) {
	for i := range m.headers {
		m.data[i] = make([]byte, size)
		m.vectors[i].Base = &m.data[i][0]
		m.vectors[i].SetLen(size)
		h := &m.headers[i].header
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&m.names[i])), unix.SizeofSockaddrInet4
		h.Iov = &m.vectors[i]
		h.SetIovlen(1)
		h.Control = &m.control[i][0]
		h.SetControllen(control)
	}
}

// receive takes what has arrived, without waiting, and returns how many
// datagrams that are.
func (s *socket) receive() (int, error) {
	n, _, no := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.in.headers[0])), batch, unix.MSG_DONTWAIT, 0, 0)
	switch no {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR:
		return 0, nil
	}
	return 0, fmt.Errorf("receiving: %w", no)
}

// received returns datagram i of those received, and who sent it. What the
// kernel changed in its header is set back for the next time.
func (s *socket) received(i int) (b []byte, from *unix.RawSockaddrInet4) {
	h := &s.in.headers[i]
	h.header.Namelen = unix.SizeofSockaddrInet4
	h.header.SetControllen(control)
	return s.in.data[i][:h.length], &s.in.names[i]
}

// receivedAt returns the address that datagram i was sent to.
func (s *socket) receivedAt(i int) (addr [4]byte, ok bool) {
	c := (*unix.Cmsghdr)(unsafe.Pointer(&s.in.control[i][0]))
	if c.Level != unix.IPPROTO_IP || c.Type != unix.IP_PKTINFO {
		return addr, false
	}
	info := (*unix.Inet4Pktinfo)(unsafe.Pointer(&s.in.control[i][unix.CmsgLen(0)]))
	return info.Addr, true
}

// post returns room for a datagram of this size, to be sent with the next flush.
func (s *socket) post(size int, from [4]byte, to *unix.RawSockaddrInet4) ([]byte, error) {
	if last := s.queue - 1; last >= 0 && s.joins(last, size, from, to) {
		at := s.out.vectors[last].Len
		s.out.vectors[last].SetLen(int(at) + size)
		return s.out.data[last][at : int(at)+size], nil
	}
	if s.queue == batch {
		if err := s.flush(); err != nil {
			return nil, err
		}
	}
	i := s.queue
	s.queue++
	s.sizes[i], s.out.names[i] = size, *to
	s.out.vectors[i].SetLen(size)
	s.address(i, from)
	return s.out.data[i][:size], nil
}

// joins reports whether a datagram can go out in message i.
func (s *socket) joins(i, size int, from [4]byte, to *unix.RawSockaddrInet4) bool {
	return s.sizes[i] == size && int(s.out.vectors[i].Len) < s.max*size &&
		s.pktinfo(i).Spec_dst == from && s.out.names[i] == *to
}

func (s *socket) pktinfo(i int) *unix.Inet4Pktinfo {
	return (*unix.Inet4Pktinfo)(unsafe.Pointer(&s.out.control[i][unix.CmsgLen(0)]))
}

// address says where message i comes from, and into what datagrams it is cut.
func (s *socket) address(i int, from [4]byte) {
	b := &s.out.control[i]
	*(*unix.Cmsghdr)(unsafe.Pointer(&b[0])) = cmsghdr(unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
	*s.pktinfo(i) = unix.Inet4Pktinfo{Spec_dst: from}
	size := unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	if s.max > 1 {
		*(*unix.Cmsghdr)(unsafe.Pointer(&b[size])) = cmsghdr(unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
		binary.NativeEndian.PutUint16(b[size+unix.CmsgLen(0):], uint16(s.sizes[i]))
		size += unix.CmsgSpace(2)
	}
	s.out.headers[i].header.SetControllen(size)
}

func cmsghdr(level, kind int32, size int) unix.Cmsghdr {
	c := unix.Cmsghdr{Level: level, Type: kind}
	c.SetLen(unix.CmsgLen(size))
	return c
}

// flush sends what was posted. What the kernel has no room for is lost, like
// what the server has none for.
func (s *socket) flush() error {
	for sent := 0; sent < s.queue; {
		n, _, no := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.out.headers[sent])), uintptr(s.queue-sent), unix.MSG_DONTWAIT, 0, 0)
		switch no {
		case 0:
			sent += int(n)
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS, unix.ECONNREFUSED:
			sent++
		default:
			return fmt.Errorf("sending: %w", no)
		}
	}
	s.queue = 0
	return nil
}

// sockaddr is an address as the kernel has it.
func sockaddr(a netip.AddrPort) (raw unix.RawSockaddrInet4) {
	raw.Family = unix.AF_INET
	raw.Addr = a.Addr().As4()
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&raw.Port))[:], a.Port())
	return raw
}

// doze has the thread sleep, without the Go scheduler taking notice: it would
// wake another thread to take its place.
func doze(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}

// FreePort returns a port of addr that nobody uses, which somebody may by the
// time that it is needed.
func FreePort(addr netip.Addr) (netip.AddrPort, error) {
	s, err := newSocketAt(netip.AddrPortFrom(addr, 0))
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(addr, s.port), s.close()
}
