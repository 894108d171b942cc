package testnet_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

// world is a Memory with three ends: a, at here, and two others.
type world struct {
	testnet.Memory
	a, b, c          lightdht.PacketConn
	toA, toB, toC    *inbox
	atA, atB, atC    netip.AddrPort
	other, elsewhere netip.AddrPort // free addresses: another port of a's machine, another machine
}

func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{atA: here, atB: there, atC: elsewhere}
		w.other, w.elsewhere = netip.AddrPortFrom(here.Addr(), 99), netip.MustParseAddrPort("10.0.0.3:3")
		w.a, w.b, w.c = listen(t, &w.Memory, w.atA), listen(t, &w.Memory, w.atB), listen(t, &w.Memory, w.atC)
		w.toA, w.toB, w.toC = record(w.a), record(w.b), record(w.c)
		f(t, w)
		lawful(t, &w.Memory)
	})
}

// hears reports whether what from sends to an address comes to an inbox at once,
// and fails the test when it comes from elsewhere than seen.
func hears(t *testing.T, from lightdht.PacketConn, to netip.AddrPort, in *inbox, seen netip.AddrPort) bool {
	t.Helper()
	in.take()
	if _, err := from.WriteToUDPAddrPort([]byte("x"), to); err != nil {
		t.Error(err)
	}
	got := in.take()
	if len(got) > 0 && got[0].from != seen {
		t.Errorf("it came from %s, want %s", got[0].from, seen)
	}
	return len(got) == 1
}

// Behind a NAT come only those who were sent to, at that port, not longer ago
// than it holds; what they send does not hold it open.
func TestNAT(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const hold = 30 * time.Second
		w.NAT(w.atA, hold)
		if hears(t, w.b, w.atA, w.toA, w.atB) {
			t.Error("a stranger came in")
		}
		if !hears(t, w.a, w.atB, w.toB, w.atA) || !hears(t, w.b, w.atA, w.toA, w.atB) {
			t.Error("no answer came in")
		}
		if hears(t, w.c, w.atA, w.toA, w.atC) || hears(t, listen(t, &w.Memory, netip.AddrPortFrom(w.atB.Addr(), 9)), w.atA, w.toA, w.atB) {
			t.Error("somebody else came in, through the hole for another")
		}
		time.Sleep(hold)
		if !hears(t, w.b, w.atA, w.toA, w.atB) {
			t.Error("it closed early")
		}
		time.Sleep(time.Nanosecond)
		if hears(t, w.b, w.atA, w.toA, w.atB) {
			t.Error("it did not close")
		}
		if s := w.Stats(); s.Blocked != 4 {
			t.Errorf("%+v", s)
		}
		w.NAT(w.atA, 0)
		if !hears(t, w.c, w.atA, w.toA, w.atC) {
			t.Error("the NAT is still there")
		}
	})
}

// Sending again holds the NAT open from then on; it is looked at when a packet
// arrives, not when it is sent.
func TestNATIsHeldOpen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.NAT(w.atA, 30*time.Second)
		for range 5 {
			w.a.WriteToUDPAddrPort(nil, w.atB)
			time.Sleep(20 * time.Second)
		}
		if !hears(t, w.b, w.atA, w.toA, w.atB) {
			t.Error("it closed")
		}
		w.Paths(always(testnet.Path{Delay: 11 * time.Second}))
		w.b.WriteToUDPAddrPort([]byte("too late"), w.atA)
		time.Sleep(20 * time.Second)
		if got := w.toA.take(); len(got) != 0 || w.Stats().Blocked != 1 {
			t.Errorf("arrived: %v", got)
		}
	})
}

// After Move a connection is at its new address alone, and nobody at the old one.
func TestMove(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Paths(always(testnet.Path{Delay: ms}))
		w.b.WriteToUDPAddrPort([]byte("under way"), w.atA)
		if err := w.Move(w.atA, w.elsewhere); err != nil {
			t.Fatal(err)
		}
		time.Sleep(ms)
		w.Paths(nil)
		if got := w.toA.take(); len(got) != 0 || w.Stats().Nowhere != 1 {
			t.Errorf("at the old address arrived %v", got)
		}
		if hears(t, w.b, w.atA, w.toA, w.atB) || !hears(t, w.b, w.elsewhere, w.toA, w.atB) {
			t.Error("packets come to the old address, or not to the new one")
		}
		if !hears(t, w.a, w.atB, w.toB, w.elsewhere) || w.a.LocalAddr().String() != w.atA.String() {
			t.Errorf("what it sends is not seen from where it is, or it knows: %s", w.a.LocalAddr())
		}
		if !hears(t, w.b, w.atA, record(listen(t, &w.Memory, w.atA)), w.atB) {
			t.Error("nobody can have the old address")
		}
		w.a.Close()
		if w.a = listen(t, &w.Memory, w.elsewhere); !hears(t, w.b, w.elsewhere, record(w.a), w.atB) {
			t.Error("the new address is not free after Close")
		}
	})
}

func TestMoveErrors(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if err := w.Move(w.atA, w.atB); !errors.Is(err, testnet.ErrAddrInUse) {
			t.Error(err)
		}
		if err := w.Move(w.other, w.elsewhere); err == nil || errors.Is(err, testnet.ErrAddrInUse) {
			t.Error(err)
		}
		if err := w.Move(w.atA, w.atA); err != nil {
			t.Error(err)
		}
		if !hears(t, w.b, w.atA, w.toA, w.atB) || !hears(t, w.a, w.atB, w.toB, w.atA) {
			t.Error("something moved")
		}
	})
}

// A NAT moves along, with its holes closed.
func TestMoveWithNAT(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.NAT(w.atA, time.Minute)
		w.a.WriteToUDPAddrPort(nil, w.atB)
		if err := w.Move(w.atA, w.elsewhere); err != nil {
			t.Fatal(err)
		}
		if hears(t, w.b, w.elsewhere, w.toA, w.atB) {
			t.Error("the old hole is open")
		}
		if !hears(t, w.a, w.atB, w.toB, w.elsewhere) || !hears(t, w.b, w.elsewhere, w.toA, w.atB) {
			t.Error("the new hole is closed")
		}
		if !hears(t, w.c, w.atA, record(listen(t, &w.Memory, w.atA)), w.atC) {
			t.Error("the NAT is still at the old address")
		}
	})
}

// Between addresses that are cut off everything is lost, until the cut is over;
// what was under way arrives.
func TestCut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Paths(always(testnet.Path{Delay: ms}))
		w.a.WriteToUDPAddrPort([]byte("under way"), w.atB)
		w.Cut(func(from, to netip.AddrPort) bool {
			w.Stats() // it holds no lock
			return from == w.atA && to == w.atB
		})
		time.Sleep(ms)
		if len(w.toB.take()) != 1 {
			t.Error("what was under way is lost")
		}
		w.Paths(nil)
		if hears(t, w.a, w.atB, w.toB, w.atA) || w.Stats().Lost != 1 {
			t.Error("it came through the cut")
		}
		if !hears(t, w.b, w.atA, w.toA, w.atB) || !hears(t, w.a, w.atC, w.toC, w.atA) {
			t.Error("more is cut")
		}
		w.Cut(nil)
		if !hears(t, w.a, w.atB, w.toB, w.atA) {
			t.Error("the network is not back")
		}
	})
}

// A machine that is unplugged fails to write, with the error given, and hears
// nothing, on all its ports, wherever they are seen; others do not notice.
func TestUnplug(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		second := listen(t, &w.Memory, w.other)
		if err := w.Move(w.other, w.elsewhere); err != nil {
			t.Fatal(err)
		}
		toSecond := record(second)
		w.Unplug(w.atA.Addr(), syscall.ENETUNREACH)
		for _, conn := range []lightdht.PacketConn{w.a, second} {
			if n, err := conn.WriteToUDPAddrPort([]byte("x"), w.atB); n != 0 || !errors.Is(err, syscall.ENETUNREACH) {
				t.Errorf("wrote %d: %v", n, err)
			}
		}
		if hears(t, w.b, w.atA, w.toA, w.atB) || hears(t, w.b, w.elsewhere, toSecond, w.atB) {
			t.Error("it hears")
		}
		if s := w.Stats(); s.Sent != 2 || s.Lost != 2 {
			t.Errorf("%+v", s)
		}
		if !hears(t, w.b, w.atC, w.toC, w.atB) {
			t.Error("others are unplugged")
		}
		w.Unplug(w.atA.Addr(), nil)
		if !hears(t, w.a, w.atB, w.toB, w.atA) || !hears(t, w.b, w.atA, w.toA, w.atB) {
			t.Error("it is not back")
		}
	})
}

// A node counts the writes that fail, and says what its system says.
func TestNodeUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		a := startNode(t, &m, here)
		startNode(t, &m, elsewhere)
		m.Unplug(here.Addr(), syscall.ENETUNREACH)
		if _, err := a.Ping(t.Context(), elsewhere); !errors.Is(err, syscall.ENETUNREACH) || a.Count(lightdht.WriteErrors) != 1 {
			t.Errorf("%d write errors: %v", a.Count(lightdht.WriteErrors), err)
		}
		m.Unplug(here.Addr(), nil)
		if _, err := a.Ping(t.Context(), elsewhere); err != nil {
			t.Error(err)
		}
	})
}

// Whatever is done to a network, its counts add up at every moment, and what was
// delivered is what was read.
func TestCountsAddUp(t *testing.T) {
	for seed := range uint64(8) {
		t.Logf("seed %d", seed)
		synctest.Test(t, func(t *testing.T) { shake(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

// shake does things at random to a network of 6 machines.
func shake(t *testing.T, r *rand.Rand) {
	var m testnet.Memory
	m.Seed(r.Uint64())
	m.Paths(func(from, to netip.AddrPort) testnet.Path {
		if from.Port() == to.Port() {
			return testnet.Path{}
		}
		return testnet.Path{Delay: 20 * ms, Jitter: 30 * ms, Loss: 0.1, Duplicate: 0.1, Corrupt: 0.1, Reorder: 0.1}
	})
	place := func() netip.AddrPort {
		return netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:%d", 1+r.IntN(6), 1+r.IntN(2)))
	}
	var conns []lightdht.PacketConn
	var inboxes []*inbox
	for step := range 5000 {
		switch r.IntN(60) {
		case 0:
			if conn, err := m.Listen(place()); err == nil {
				conns, inboxes = append(conns, conn), append(inboxes, record(conn))
			}
		case 1:
			if len(conns) > 6 {
				synctest.Wait() // all that was delivered is read
				conns[r.IntN(len(conns))].Close()
			}
		case 2:
			m.NAT(place(), time.Duration(r.IntN(2000)-1000)*ms)
		case 3:
			m.Move(place(), place())
		case 4:
			away := place()
			m.Cut(func(from, to netip.AddrPort) bool { return from == away || to.Addr() == away.Addr() })
		case 5:
			m.Cut(nil)
		case 6:
			m.Unplug(place().Addr(), []error{nil, syscall.ENETUNREACH}[r.IntN(2)])
		case 7:
			time.Sleep(time.Duration(r.IntN(100)) * ms)
		default:
			for range r.IntN(10) {
				if len(conns) > 0 {
					conns[r.IntN(len(conns))].WriteToUDPAddrPort([]byte("packet"), place())
				}
			}
		}
		if lawful(t, &m); t.Failed() {
			t.Fatalf("in step %d", step)
		}
	}
	time.Sleep(time.Second)
	if s := lawful(t, &m); s.UnderWay != 0 || s.Delivered == 0 || s.Blocked == 0 || s.Nowhere == 0 || s.Lost == 0 || s.Corrupted == 0 {
		t.Errorf("at the end: %+v", s)
	}
	read := 0
	for i, conn := range conns {
		read += len(inboxes[i].take())
		conn.Close()
	}
	if s := m.Stats(); uint64(read) != s.Delivered {
		t.Errorf("%d were read: %+v", read, s)
	}
}
