package lightdht_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

func TestListenErrors(t *testing.T) {
	taken, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := lightdht.Listen(taken.Addr(kad.IPv4).String(), lightdht.Config{}); !errors.Is(err, syscall.EADDRINUSE) && runtime.GOOS != "windows" {
		t.Errorf("a port in use: %v", err)
	}
	for addr, want := range map[string]string{
		"":                "want host:port",
		"6881":            "want host:port",
		"127.0.0.1":       "want host:port",
		"127.0.0.1:dht":   "the port is a number",
		"127.0.0.1:-1":    "the port is a number",
		"127.0.0.1:65536": "the port is a number",
		":":               "the port is a number",
	} {
		if _, err := lightdht.Listen(addr, lightdht.Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", addr, err, want)
		}
	}
	if _, err := lightdht.Listen("192.0.2.1:0", lightdht.Config{}); err == nil {
		t.Error("an address that is not ours")
	}
}

// Two nodes on real sockets, of IPv4 alone and, where the system has it, of IPv6.
func TestListenOnLoopback(t *testing.T) {
	for addr, family := range map[string]kad.Family{"127.0.0.1:0": kad.IPv4, "[::1]:0": kad.IPv6} {
		a, err := lightdht.Listen(addr, lightdht.Config{})
		if err != nil && family == kad.IPv6 {
			t.Logf("skipped: this system has no IPv6: %v", err)
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := lightdht.Listen(addr, lightdht.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		reply, err := a.Ping(t.Context(), b.Addr(family))
		if err != nil || reply.ID != b.ID() || reply.From != b.Addr(family) || reply.IP != a.Addr(family) || reply.RTT <= 0 {
			t.Errorf("%s: %v, %v", addr, reply, err)
		}
		if a.Addr(family.Other()).IsValid() || a.Table(family.Other()) != nil || a.Network() != lightdht.Private {
			t.Errorf("%s: the other family is at %s; %s", addr, a.Addr(family.Other()), a.Network())
		}
	}
}

// With no host a node has both families, at one port.
func TestListenOnBothFamilies(t *testing.T) {
	for _, addr := range []string{":0", "[::]:0"} {
		a, err := lightdht.Listen(addr, lightdht.Config{Network: lightdht.Private})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		four, six := a.Addr(kad.IPv4), a.Addr(kad.IPv6)
		if !four.IsValid() || four.Port() == 0 {
			t.Errorf("%s: IPv4 at %s", addr, four)
		}
		if !six.IsValid() {
			t.Skipf("this system has no IPv6: %s listens at %s alone", addr, four)
		}
		if six.Port() != four.Port() {
			t.Errorf("%s: IPv4 at %s, IPv6 at %s", addr, four, six)
		}
		b, err := lightdht.Listen("[::1]:0", lightdht.Config{})
		if err != nil {
			t.Skipf("this system has no IPv6 loopback: %v", err)
		}
		defer b.Close()
		to := netip.AddrPortFrom(netip.MustParseAddr("::1"), six.Port())
		if reply, err := b.Ping(t.Context(), to); err != nil || reply.ID != a.ID() {
			t.Errorf("%s: %v", addr, err)
		}
	}
	a, err := lightdht.Listen("0.0.0.0:0", lightdht.Config{Network: lightdht.Private})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if a.Addr(kad.IPv6).IsValid() || a.Addr(kad.IPv4).Addr() != netip.IPv4Unspecified() {
		t.Errorf("0.0.0.0 listens at %s and %s", a.Addr(kad.IPv4), a.Addr(kad.IPv6))
	}
}

func TestCloseTwice(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Errorf("on a socket: %v", err)
	}
}

// When Close returns, the callers that waited have ErrClosed, and the address is
// free.
func TestCloseEndsEverything(t *testing.T) {
	inLab(t, func(l *lab) {
		a := l.node(addrA, lightdht.Config{})
		var ended atomic.Int32
		for range 50 {
			go func() {
				if _, err := a.Ping(l.ctx, at(addrB)); errors.Is(err, lightdht.ErrClosed) {
					ended.Add(1)
				}
			}()
		}
		synctest.Wait()
		began := time.Now()
		a.Close()
		synctest.Wait()
		if ended.Load() != 50 || time.Since(began) != 0 {
			t.Errorf("after %v %d of 50 calls had ErrClosed", time.Since(began), ended.Load())
		}
		l.node(addrA, lightdht.Config{})
	})
}

// failing is a conn whose reads and writes fail now and then, and whose Close
// does.
type failing struct {
	lightdht.PacketConn
	reads, writes atomic.Int32
}

var errBroken = errors.New("broken")

func (f *failing) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	if f.reads.Add(-1) >= 0 {
		return 0, netip.AddrPort{}, errBroken
	}
	return f.PacketConn.ReadFromUDPAddrPort(b)
}

func (f *failing) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if f.writes.Add(-1) >= 0 {
		return 0, errBroken
	}
	return f.PacketConn.WriteToUDPAddrPort(b, to)
}

func (f *failing) Close() error { f.PacketConn.Close(); return errBroken }

// Errors of the socket are counted and logged, and the node lives on.
func TestSocketErrors(t *testing.T) {
	inLab(t, func(l *lab) {
		var log bytes.Buffer
		conn := &failing{PacketConn: l.listen(addrA)}
		conn.reads.Store(5)
		conn.writes.Store(2)
		a, err := lightdht.Listen("", lightdht.Config{Conn4: conn, Network: lightdht.Private, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		b := l.peer(addrB, answering)
		b.raw(at(addrA), string(b.encode(krpc.Ping{}))) // the greeting to b, or the answer, cannot be written, nor the other
		synctest.Wait()
		l.counts(a, map[lightdht.Counter]uint64{lightdht.ReadErrors: 5, lightdht.WriteErrors: 2, lightdht.PacketsOut: 0})
		if reply, err := a.Ping(l.ctx, at(addrB)); err != nil || reply.ID != b.id {
			t.Errorf("afterwards: %v", err)
		}
		conn.writes.Store(1)
		if _, err := a.Ping(l.ctx, at(addrB)); !errors.Is(err, errBroken) {
			t.Errorf("a query that cannot be written: %v", err)
		}
		if err := a.Close(); !errors.Is(err, errBroken) {
			t.Errorf("close: %v", err)
		}
		for _, want := range []string{"listening", "broken"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, &log)
			}
		}
	})
}

// A node whose socket breaks for good does not spin: after 100 failures its
// pauses grow by a millisecond each, which makes 346 more in a minute.
func TestBrokenSocketDoesNotSpin(t *testing.T) {
	inLab(t, func(l *lab) {
		conn := &failing{PacketConn: l.listen(addrA)}
		conn.reads.Store(1 << 30)
		a := l.node("", lightdht.Config{Conn4: conn})
		time.Sleep(time.Minute)
		if n := a.Count(lightdht.ReadErrors); n > 500 || n < 100 {
			t.Errorf("%d reads in a minute", n)
		}
		a.Close()
	})
}

// A PacketConn is what *net.UDPConn already is.
var _ lightdht.PacketConn = (*net.UDPConn)(nil)

// The system's resolver, and a name that it has from a file.
func TestBootstrapAtLocalhost(t *testing.T) {
	b, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	place := net.JoinHostPort("localhost", strconv.Itoa(int(b.Addr(kad.IPv4).Port())))
	a, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Bootstrap: []string{place}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Bootstrap(t.Context()); err != nil || a.Len() != 1 {
		t.Errorf("%v, %d contacts", err, a.Len())
	}
}
