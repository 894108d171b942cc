package testnet_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	here  = netip.MustParseAddrPort("10.0.0.1:1")
	there = netip.MustParseAddrPort("[2001:db8::1]:2")
)

func listen(t *testing.T, m *testnet.Memory, addr netip.AddrPort) lightdht.PacketConn {
	t.Helper()
	conn, err := m.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// read returns what waits at conn, one packet.
func read(t *testing.T, conn lightdht.PacketConn) (string, netip.AddrPort) {
	t.Helper()
	b := make([]byte, 1<<16)
	n, from, err := conn.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), from
}

// A packet arrives whole, once, with its sender, in order; and it is a copy.
func TestMemoryDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		a, b := listen(t, &m, here), listen(t, &m, there)
		buf := []byte("one")
		if n, err := a.WriteToUDPAddrPort(buf, there); n != 3 || err != nil {
			t.Errorf("wrote %d: %v", n, err)
		}
		copy(buf, "xxx")
		a.WriteToUDPAddrPort(nil, there)
		b.WriteToUDPAddrPort([]byte("to itself"), there)
		for _, want := range []struct {
			b    string
			from netip.AddrPort
		}{{"one", here}, {"", here}, {"to itself", there}} {
			if got, from := read(t, b); got != want.b || from != want.from {
				t.Errorf("%q from %s, want %q from %s", got, from, want.b, want.from)
			}
		}
		if a.LocalAddr().String() != here.String() || a.LocalAddr().Network() != "udp" {
			t.Errorf("it is at %s", a.LocalAddr())
		}
	})
}

// What is longer than the buffer is cut, as with UDP.
func TestMemoryCutsLongPackets(t *testing.T) {
	var m testnet.Memory
	a := listen(t, &m, here)
	a.WriteToUDPAddrPort([]byte("0123456789"), here)
	b := make([]byte, 4)
	if n, _, err := a.ReadFromUDPAddrPort(b); n != 4 || err != nil || string(b) != "0123" {
		t.Errorf("%d bytes %q: %v", n, b, err)
	}
}

// To where nobody listens, or no longer, a packet is written and lost.
func TestMemoryLosesWhatNobodyHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		a, b := listen(t, &m, here), listen(t, &m, there)
		a.WriteToUDPAddrPort([]byte("lost"), netip.MustParseAddrPort("10.0.0.1:9"))
		b.Close()
		if n, err := a.WriteToUDPAddrPort([]byte("lost"), there); n != 4 || err != nil {
			t.Errorf("wrote %d: %v", n, err)
		}
		b = listen(t, &m, there)
		a.WriteToUDPAddrPort([]byte("heard"), there)
		if got, _ := read(t, b); got != "heard" {
			t.Errorf("heard %q", got)
		}
	})
}

func TestMemoryAddressInUse(t *testing.T) {
	var m, other testnet.Memory
	a := listen(t, &m, here)
	if _, err := m.Listen(here); !errors.Is(err, testnet.ErrAddrInUse) {
		t.Error(err)
	}
	listen(t, &other, here)
	a.Close()
	listen(t, &m, here)
	a.Close() // the second time it takes nobody's place
	if _, err := m.Listen(here); !errors.Is(err, testnet.ErrAddrInUse) {
		t.Error(err)
	}
}

// Close ends a read that waits, and all that follow; it may be called again.
func TestMemoryClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		a := listen(t, &m, here)
		time.AfterFunc(time.Second, func() { a.Close() })
		began := time.Now()
		_, _, err := a.ReadFromUDPAddrPort(nil)
		if !errors.Is(err, net.ErrClosed) || time.Since(began) != time.Second {
			t.Errorf("read after %v: %v", time.Since(began), err)
		}
		if _, err := a.WriteToUDPAddrPort([]byte("x"), there); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// A conn that nobody reads keeps 1,024 packets, the first ones.
func TestMemoryQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		a, b := listen(t, &m, here), listen(t, &m, there)
		for i := range 2000 {
			a.WriteToUDPAddrPort([]byte{byte(i >> 8), byte(i)}, there)
		}
		if s := lawful(t, &m); s != (testnet.MemoryStats{Sent: 2000, Delivered: 1024, Overflowed: 976}) {
			t.Errorf("%+v", s)
		}
		var last string
		for range 1024 {
			last, _ = read(t, b)
		}
		if last != string([]byte{1023 >> 8, 1023 & 0xff}) {
			t.Errorf("the last is %x", last)
		}
		a.WriteToUDPAddrPort([]byte("next"), there)
		if got, _ := read(t, b); got != "next" {
			t.Errorf("then comes %x", got)
		}
	})
}

// Taps see every packet, even to nobody, and lose those that they refuse.
func TestMemoryTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		a, b := listen(t, &m, here), listen(t, &m, there)
		var seen []string
		m.Tap(func(from, to netip.AddrPort, p []byte) bool {
			seen = append(seen, from.String()+" > "+to.String()+": "+string(p))
			return !bytes.Equal(p, []byte("bad"))
		})
		second := 0
		m.Tap(func(netip.AddrPort, netip.AddrPort, []byte) bool { second++; return true })
		a.WriteToUDPAddrPort([]byte("bad"), there)
		a.WriteToUDPAddrPort([]byte("good"), there)
		b.WriteToUDPAddrPort([]byte("void"), netip.MustParseAddrPort("10.0.0.1:9"))
		want := []string{"10.0.0.1:1 > [2001:db8::1]:2: bad", "10.0.0.1:1 > [2001:db8::1]:2: good", "[2001:db8::1]:2 > 10.0.0.1:9: void"}
		if got, _ := read(t, b); got != "good" || !slices.Equal(seen, want) || second != 2 {
			t.Errorf("%q arrived; seen %q; the second tap saw %d", got, seen, second)
		}
		if s := lawful(t, &m); s != (testnet.MemoryStats{Sent: 3, Delivered: 1, Lost: 1, Nowhere: 1}) {
			t.Errorf("%+v", s)
		}
	})
}
