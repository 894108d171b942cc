package lightdht

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// PacketConn is what a node needs of a socket; *net.UDPConn is one.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// openConns returns the connections that a node is to use, IPv4 first.
func openConns(addr string, cfg Config) ([]PacketConn, error) {
	if cfg.Conn4 == nil && cfg.Conn6 == nil {
		return listenUDP(addr)
	}
	var conns []PacketConn
	for _, c := range []PacketConn{cfg.Conn4, cfg.Conn6} {
		if c != nil {
			conns = append(conns, c)
		}
	}
	return conns, nil
}

// listenUDP opens one socket for a concrete host, or one for each family that
// the system has for an unspecified one.
func listenUDP(addr string) ([]PacketConn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: want host:port, such as :6881 or 127.0.0.1:0", addr)
	}
	if p, err := strconv.Atoi(port); err != nil || p < 0 || p > 65535 {
		return nil, fmt.Errorf("listen address %q: the port is a number from 0 to 65535", addr)
	}
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified()) {
		return only(listenOne("udp", addr))
	} else if host != "" && ip.Is6() {
		host = ""
	}
	return listenBoth(host, port)
}

// listenBoth opens IPv4 and IPv6 at one port, or what the system has of them. A
// port that is in use in either family is an error; one that the system chose
// for IPv4 is given up for another then, a few times.
func listenBoth(host, port string) (conns []PacketConn, err error) {
	for range portTries {
		if conns, err = listenPair(host, port); port != "0" || !taken(err) {
			break
		}
	}
	return conns, err
}

const portTries = 8

func listenPair(host, port string) ([]PacketConn, error) {
	four, err := listenOne("udp4", net.JoinHostPort(host, port))
	switch {
	case host != "" || err != nil && !missing(err):
		return only(four, err)
	case err != nil: // a system without IPv4
		return only(listenOne("udp6", net.JoinHostPort("", port)))
	}
	six, err := listenOne("udp6", net.JoinHostPort("", strconv.Itoa(int(localAddr(four).Port()))))
	switch {
	case err == nil:
		return []PacketConn{four, six}, nil
	case missing(err): // a system without IPv6
		return []PacketConn{four}, nil
	}
	four.Close()
	return nil, err
}

// taken reports whether a port is in use.
func taken(err error) bool {
	const inUse = syscall.Errno(10048) // as Windows numbers it
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, inUse)
}

// missing reports whether the system does not have a family.
func missing(err error) bool {
	const noFamily, noAddress = syscall.Errno(10047), syscall.Errno(10049) // as Windows numbers them
	for _, no := range []error{syscall.EAFNOSUPPORT, syscall.EADDRNOTAVAIL, syscall.EPROTONOSUPPORT, noFamily, noAddress} {
		if errors.Is(err, no) {
			return true
		}
	}
	var unsuitable *net.AddrError
	return errors.As(err, &unsuitable)
}

// only returns a socket as the one there is.
func only(conn *net.UDPConn, err error) ([]PacketConn, error) {
	if err != nil {
		return nil, err
	}
	return []PacketConn{conn}, nil
}

func listenOne(network, addr string) (*net.UDPConn, error) {
	at, err := net.ResolveUDPAddr(network, addr)
	if err != nil {
		return nil, err
	}
	return net.ListenUDP(network, at)
}

// maxDatagram is the largest UDP payload there is.
const maxDatagram = 65535

// readLoop reads e's socket until it is closed. Addresses are unmapped and
// times taken here and nowhere else: a packet's time is when its turn comes, also
// where the system was asked for some at once.
func (n *Node) readLoop(e *endpoint) {
	for failures := 0; ; {
		n.flush(e)
		b, from, stamp, err := e.read()
		now := time.Now()
		if err == nil {
			failures = 0
			if n.ctx.Err() != nil { // what was read together is left, as is what was not read
				n.write(e)
				return
			}
			n.flushLate(e, now)
			n.receive(e, b, kad.Unmap(from), now)
			e.measure(stamp, now)
			continue
		}
		if errors.Is(err, net.ErrClosed) || n.ctx.Err() != nil {
			return
		}
		n.count.add(ReadErrors, 1)
		n.cfg.Logger.Warn("read", "addr", e.local, "err", err)
		if failures++; !n.sleep(n.ctx, readPause(failures)) {
			return
		}
	}
}

// measure counts the delay of a packet that was read at now and has been worked
// on: what Delays.Arrival says.
func (e *endpoint) measure(stamp int64, now time.Time) {
	if !e.stamped() {
		e.delays.add(time.Since(now))
	} else if d, ok := e.clock.delay(stamp, now.UnixNano(), now.Sub(e.began)); ok {
		e.delays.add(d)
	}
}

// readPause keeps a socket that fails again and again from spinning: some
// systems report an unreachable receiver of ours as a failed read, and those
// must not slow the loop down.
func readPause(failures int) time.Duration {
	return min(time.Duration(max(0, failures-100))*time.Millisecond, time.Second)
}
