package testnet_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/testnet"
)

const ms = time.Millisecond

// arrival is a packet read from a connection.
type arrival struct {
	b    string
	from netip.AddrPort
	at   time.Duration // since record
}

// inbox reads a connection to its end.
type inbox struct {
	mu  sync.Mutex
	got []arrival
}

func record(conn lightdht.PacketConn) *inbox {
	l, began := new(inbox), time.Now()
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			l.mu.Lock()
			l.got = append(l.got, arrival{string(b[:n]), from, time.Since(began)})
			l.mu.Unlock()
		}
	}()
	return l
}

// take returns what has arrived until now, and forgets it.
func (l *inbox) take() []arrival {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}

// always has every packet take one path.
func always(p testnet.Path) func(from, to netip.AddrPort) testnet.Path {
	return func(netip.AddrPort, netip.AddrPort) testnet.Path { return p }
}

// numbered sends the numbers from 0 to n-1, at most so many at once as a queue
// holds twice of, and waits until all is quiet.
func numbered(conn lightdht.PacketConn, to netip.AddrPort, n int) {
	for i := range n {
		conn.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, uint32(i)), to)
		if i%500 == 499 {
			time.Sleep(time.Minute)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
}

// lawful holds counts to their law and returns them.
func lawful(t *testing.T, m *testnet.Memory) testnet.MemoryStats {
	t.Helper()
	s := m.Stats()
	if s.Sent+s.Duplicated != s.Delivered+s.Lost+s.Nowhere+s.Blocked+s.Overflowed+s.UnderWay {
		t.Errorf("it does not add up: %+v", s)
	}
	return s
}

// Two real nodes 30 ms apart measure a round trip of 60 ms, and one of 25 ms
// when the ways are 5 ms and 20 ms.
func TestRoundTripIsExact(t *testing.T) {
	for _, ways := range [][2]time.Duration{{30 * ms, 30 * ms}, {5 * ms, 20 * ms}, {0, 7 * ms}, {}} {
		synctest.Test(t, func(t *testing.T) {
			var m testnet.Memory
			m.Paths(func(from, _ netip.AddrPort) testnet.Path {
				if from == here {
					return testnet.Path{Delay: ways[0]}
				}
				return testnet.Path{Delay: ways[1]}
			})
			a := startNode(t, &m, here)
			startNode(t, &m, elsewhere)
			reply, err := a.Ping(t.Context(), elsewhere)
			if err != nil || reply.RTT != ways[0]+ways[1] {
				t.Errorf("there %v, back %v: %v, %v", ways[0], ways[1], reply.RTT, err)
			}
		})
	}
}

var elsewhere = netip.MustParseAddrPort("10.0.0.2:1")

func startNode(t *testing.T, m *testnet.Memory, addr netip.AddrPort) *lightdht.Node {
	t.Helper()
	node, err := lightdht.Listen("", lightdht.Config{Conn4: listen(t, m, addr), Network: lightdht.Private})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	return node
}

// On the zero Path a packet has arrived when the write returns.
func TestZeroPathIsAtOnce(t *testing.T) {
	var m testnet.Memory
	a := listen(t, &m, here)
	for _, paths := range []func(from, to netip.AddrPort) testnet.Path{nil, always(testnet.Path{}), always(testnet.Path{Delay: -1, Jitter: -1}), nil} {
		m.Paths(paths)
		before := m.Stats().Delivered
		a.WriteToUDPAddrPort([]byte("x"), here)
		if s := lawful(t, &m); s.Delivered != before+1 || s.UnderWay != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// Whatever the delays, each packet arrives when it is due, those due together in
// the order of sending: as sorting them says.
func TestDelaysAgainstSorting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seed = 7
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		var m testnet.Memory
		var delay time.Duration
		m.Paths(func(netip.AddrPort, netip.AddrPort) testnet.Path { return testnet.Path{Delay: delay} })
		a, arrived := listen(t, &m, here), record(listen(t, &m, there))
		var want []arrival
		began := time.Now()
		for i := range 3000 {
			delay = time.Duration(1+r.IntN(40)) * ms
			b := fmt.Sprint(i)
			a.WriteToUDPAddrPort([]byte(b), there)
			want = append(want, arrival{b, here, time.Since(began) + delay})
			if r.IntN(3) == 0 {
				time.Sleep(time.Duration(r.IntN(30)) * ms)
			}
		}
		slices.SortStableFunc(want, func(a, b arrival) int { return int(a.at - b.at) })
		time.Sleep(40 * ms)
		if got := arrived.take(); !slices.Equal(got, want) {
			t.Errorf("%d arrived of %d, or others, or at other times", len(got), len(want))
		}
		lawful(t, &m)
	})
}

// A lossy path loses nothing of what the other way sends.
func TestPathIsDirected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		m.Paths(func(from, to netip.AddrPort) testnet.Path {
			m.Stats() // it holds no lock
			if from == here && to == there {
				return testnet.Path{Loss: 1}
			}
			return testnet.Path{}
		})
		a, b := listen(t, &m, here), listen(t, &m, there)
		toA, toB := record(a), record(b)
		a.WriteToUDPAddrPort([]byte("x"), there)
		b.WriteToUDPAddrPort([]byte("y"), here)
		if len(toA.take()) != 1 || len(toB.take()) != 0 {
			t.Error("the wrong way")
		}
	})
}

// A packet held back comes 50 ms later; those written in between overtake it.
func TestReorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		path := testnet.Path{Delay: 20 * ms, Reorder: 1}
		m.Paths(func(netip.AddrPort, netip.AddrPort) testnet.Path { return path })
		a, arrived := listen(t, &m, here), record(listen(t, &m, there))
		a.WriteToUDPAddrPort([]byte("first"), there)
		path.Reorder = 0
		time.Sleep(49 * ms)
		a.WriteToUDPAddrPort([]byte("second"), there)
		time.Sleep(2 * ms)
		a.WriteToUDPAddrPort([]byte("third"), there)
		time.Sleep(time.Second)
		want := []arrival{{"second", here, 69 * ms}, {"first", here, 70 * ms}, {"third", here, 71 * ms}}
		if got := arrived.take(); !slices.Equal(got, want) {
			t.Errorf("arrived: %v", got)
		}
	})
}

// A connection may be closed with packets under way, to it and from it: they
// reach whoever has the address when they arrive.
func TestCloseWithPacketsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		m.Paths(always(testnet.Path{Delay: 30 * ms}))
		a, b := listen(t, &m, here), listen(t, &m, there)
		a.WriteToUDPAddrPort([]byte("to nobody"), there)
		b.Close()
		time.Sleep(20 * ms)
		a.WriteToUDPAddrPort([]byte("to the next"), there)
		a.Close()
		if s := lawful(t, &m); s.UnderWay != 2 {
			t.Errorf("%+v", s)
		}
		time.Sleep(20 * ms)
		next := record(listen(t, &m, there))
		time.Sleep(20 * ms)
		if got := next.take(); len(got) != 1 || got[0] != (arrival{"to the next", here, 10 * ms}) {
			t.Errorf("arrived: %v", got)
		}
		if s := lawful(t, &m); s != (testnet.MemoryStats{Sent: 2, Nowhere: 1, Delivered: 1}) {
			t.Errorf("%+v", s)
		}
	})
}
