package lightdht

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// knowsDrops skips a test where the kernel does not tell what it dropped.
func knowsDrops(t *testing.T, c *udpConn) {
	if _, ok := c.countDropped(); !ok {
		t.Skip("this kernel does not tell what it dropped (SO_MEMINFO)")
	}
}

// floodOf sends count packets.
func floodOf(t *testing.T, from *net.UDPConn, to netip.AddrPort, count int, packet []byte) {
	t.Helper()
	for range count {
		if _, err := from.WriteToUDPAddrPort(packet, to); err != nil {
			t.Fatal(err)
		}
	}
}

// What a small buffer had no room for is counted to the last, without a packet
// that comes behind it, and from when the socket became ours.
func TestDropsAreCounted(t *testing.T) {
	onLoopback(t, func(t *testing.T, host string, _ netip.AddrPort) {
		conn, from := openUDP(t, host), openUDP(t, host)
		conn.SetReadBuffer(1 << 13)
		floodOf(t, from, localAddr(conn), 500, make([]byte, 100)) // nobody's yet
		old := newUDPConn(conn)
		knowsDrops(t, old)
		buf := make([]byte, 1<<11)
		eventually(t, "500 packets are read or dropped", func() bool {
			count, _ := old.countDropped()
			return int(count)+unread(t, old, buf) == 500
		})
		c := newUDPConn(conn)
		conn.SetReadBuffer(1 << 13)
		if c.dropped() != 0 {
			t.Fatalf("%d dropped at the beginning", c.dropped())
		}
		total := 0
		for round := range 3 {
			const sent = 1000
			floodOf(t, from, localAddr(conn), sent, make([]byte, 100))
			total += sent
			eventually(t, "some are dropped", func() bool { return c.dropped() > uint64(round*sent)/2 })
		}
		read := 0
		eventually(t, "what was not read was dropped", func() bool {
			read += unread(t, c, buf)
			return read+int(c.dropped()) >= total
		})
		if read+int(c.dropped()) != total || read == 0 {
			t.Errorf("of %d, %d were read, %d dropped", total, read, c.dropped())
		}
		before := c.sys.drops.total()
		floodOf(t, from, localAddr(conn), 500, make([]byte, 100))
		eventually(t, "some more are dropped", func() bool {
			count, _ := c.countDropped()
			return uint64(count) > c.sys.drops.base+before
		})
		c.Close()
		if c.dropped() == before {
			t.Errorf("after the end %d dropped, as before", before)
		}
	})
}

// unread reads what is there and returns how many that was.
func unread(t *testing.T, c *udpConn, buf []byte) (n int) {
	t.Helper()
	raw, err := c.UDPConn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var oob [128]byte
	raw.Control(func(fd uintptr) {
		for {
			_, told, _, _, err := syscall.Recvmsg(int(fd), buf, oob[:], syscall.MSG_DONTWAIT)
			if err != nil {
				return
			}
			c.takeControl(oob[:told])
			n++
		}
	})
	return n
}

// A packet tells what was dropped before it, also where the kernel's count
// cannot be asked for.
func TestDropsAreToldByPackets(t *testing.T) {
	conn, from := openUDP(t, "127.0.0.1:0"), openUDP(t, "127.0.0.1:0")
	c := newUDPConn(conn)
	knowsDrops(t, c)
	conn.SetReadBuffer(1 << 13)
	floodOf(t, from, localAddr(conn), 300, make([]byte, 100))
	buf := make([]byte, 1<<11)
	read := 0
	eventually(t, "300 packets are read or dropped", func() bool {
		count, _ := c.countDropped()
		read += unread(t, c, buf)
		return read+int(count) == 300
	})
	floodOf(t, from, localAddr(conn), 1, []byte("behind them"))
	if size, _, err := c.ReadFromUDPAddrPort(buf); err != nil || string(buf[:size]) != "behind them" {
		t.Fatalf("%q, %v", buf[:size], err)
	}
	if got := c.sys.drops.total(); got != uint64(300-read) {
		t.Errorf("%d were read, %d told to be dropped", read, got)
	}
}

// A node whose read loop is held up tells what it misses meanwhile, and every
// packet is either received or dropped. The one that waited longest is measured.
func TestNodeCountsDrops(t *testing.T) {
	stampsNow(t)
	stall := &stalling{Table: table.NewFlat(), entered: make(chan struct{}), leave: make(chan struct{})}
	conn, from := openUDP(t, "127.0.0.1:0"), openUDP(t, "127.0.0.1:0")
	n, err := Listen("", Config{Conn4: conn, NewTable: func() table.Table { return stall }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	knowsDrops(t, n.ends[0].udp)
	conn.SetReadBuffer(1 << 13)
	floodOf(t, from, localAddr(conn), 1, encoded(krpc.Ping{}))
	<-stall.entered
	const sent = 2000
	floodOf(t, from, localAddr(conn), sent, []byte("x"))
	eventually(t, "drops are told while nothing is read", func() bool { return n.Count(KernelDropped) > sent/2 })
	began := time.Now()
	eventually(t, "some time has passed", func() bool { return time.Since(began) > 20*time.Millisecond })
	if in := n.Count(PacketsIn); in != 1 {
		t.Errorf("%d packets were read", in)
	}
	close(stall.leave)
	all := func() uint64 { return n.Count(PacketsIn) + n.Count(KernelDropped) }
	eventually(t, "all is received or dropped", func() bool { return all() >= 1+sent })
	eventually(t, "all is measured", func() bool { return n.ReadDelay().Count >= n.Count(PacketsIn) })
	n.Close()
	if all() != 1+sent {
		t.Errorf("%d packets received, %d dropped of %d", n.Count(PacketsIn), n.Count(KernelDropped), 1+sent)
	}
	d := n.ReadDelay()
	if !d.Arrival || d.Count != n.Count(PacketsIn) || d.Max < 20*time.Millisecond || d.Max > time.Minute {
		t.Errorf("arrival %v: %d packets measured, the longest delay %v", d.Arrival, d.Count, d.Max)
	}
}

// stampsNow waits until the kernel, which begins to stamp packets some time after
// the first socket has asked for it, does so, and has it go on.
func stampsNow(t *testing.T) {
	t.Helper()
	c := newUDPConn(openUDP(t, "127.0.0.1:0"))
	if !c.stamped() {
		t.Skip("this kernel does not tell when packets arrived (SO_TIMESTAMPNS)")
	}
	eventually(t, "packets have times of arrival", func() bool {
		if err := write(c, localAddr(c)); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		eventually(t, "some time has passed", func() bool { return time.Since(sent) > time.Millisecond })
		read := time.Now().UnixNano()
		_, _, stamp, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		return stamp < read
	})
}

// Errors about packets that came back neither end reads nor lose what is
// written, however many there are.
func TestReturnedPacketsHarmNobody(t *testing.T) {
	onLoopback(t, func(t *testing.T, host string, closed netip.AddrPort) {
		a, err := Listen(host, Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c, other := a.ends[0].udp, newUDPConn(openUDP(t, host))
		const count = 5000
		done := make(chan error, 1)
		go func() { done <- readAll(other, count) }()
		for range count {
			// One comes back, one arrives there, and one arrives here.
			if err := errors.Join(write(c, closed), write(c, localAddr(other)), write(other, a.ends[0].local)); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		eventually(t, "all that was sent here is read", func() bool { return a.Count(PacketsIn)+a.Count(KernelDropped) == count })
		if errs := a.Count(ReadErrors); errs != 0 {
			t.Errorf("%d read errors", errs)
		}
	})
}

func write(c *udpConn, to netip.AddrPort) error {
	_, err := c.WriteToUDPAddrPort([]byte("x"), to)
	return err
}

// readAll reads this many packets, what was dropped included.
func readAll(c *udpConn, count uint64) error {
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 100)
	for read := uint64(0); read+c.dropped() < count; read++ {
		if _, _, err := c.ReadFromUDPAddrPort(buf); err != nil {
			return err
		}
	}
	return nil
}

// More packets that come back than are listened to turn hearing of them off, for
// what is left of the second.
func TestReturnedFlood(t *testing.T) {
	n := wired(t, newWire(), 0)
	c := newUDPConn(openUDP(t, "127.0.0.1:0"))
	n.wg.Go(func() { n.watchReturned(c, 50) })
	hears := func() (v int) {
		c.raw.Control(func(fd uintptr) { v, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_IP, syscall.IP_RECVERR) })
		return v
	}
	if hears() != 1 {
		t.Skip("this kernel tells nothing of packets that came back (IP_RECVERR)")
	}
	eventually(t, "a flood is not heard", func() bool {
		for range 100 {
			if err := write(c, netip.MustParseAddrPort("127.211.7.9:9")); err != nil {
				t.Fatal(err)
			}
		}
		return hears() == 0
	})
	eventually(t, "it is listened again", func() bool { return hears() == 1 })
}

// controlOf writes a control message as this machine has it.
func controlOf(level, kind int, data []byte) []byte {
	const word = bits.UintSize / 8
	b := make([]byte, syscall.CmsgSpace(len(data)))
	if word == 8 {
		binary.NativeEndian.PutUint64(b, uint64(syscall.CmsgLen(len(data))))
	} else {
		binary.NativeEndian.PutUint32(b, uint32(syscall.CmsgLen(len(data))))
	}
	binary.NativeEndian.PutUint32(b[word:], uint32(level))
	binary.NativeEndian.PutUint32(b[word+4:], uint32(kind))
	copy(b[syscall.CmsgLen(0):], data)
	return b
}

// Control messages, also such as no kernel writes, against package syscall.
func FuzzCutControl(f *testing.F) {
	f.Add(controlOf(1, 35, make([]byte, 16)))
	f.Add(append(controlOf(1, 40, []byte("1234")), controlOf(41, 25, make([]byte, 44))...))
	f.Add(controlOf(1, 2, []byte("12345"))[:syscall.CmsgLen(5)])
	f.Add(bytes.Repeat([]byte{255}, 40))
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := syscall.ParseSocketControlMessage(bytes.Clone(b))
		rest := b
		for i := 0; ; i++ {
			level, kind, data, next, ok := cutControl(rest)
			if !ok {
				if err == nil && i != len(want) {
					t.Fatalf("%d messages, want %d", i, len(want))
				}
				return
			}
			if err == nil && (i >= len(want) || level != int(want[i].Header.Level) || kind != int(want[i].Header.Type) || !bytes.Equal(data, want[i].Data)) {
				t.Fatalf("message %d: %d, %d, %x", i, level, kind, data)
			}
			if len(next) >= len(rest) {
				t.Fatal("no end")
			}
			rest = next
		}
	})
}

func TestUnixNano(t *testing.T) {
	b := binary.NativeEndian.AppendUint64(nil, 1700000000)
	b = binary.NativeEndian.AppendUint64(b, 5)
	if got := unixNano(b); got != 1700000000_000000005 {
		t.Errorf("64 bits: %d", got)
	}
	b = binary.NativeEndian.AppendUint32(nil, 1700000000)
	b = binary.NativeEndian.AppendUint32(b, 999999999)
	if got := unixNano(b); got != 1700000000_999999999 {
		t.Errorf("32 bits: %d", got)
	}
	if unixNano(nil) != 0 || unixNano(make([]byte, 12)) != 0 {
		t.Error("something of nothing")
	}
}
