package testnet_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht/testnet"
)

// Jitter is uniform, from nothing to all of it.
func TestJitterIsUniform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		m.Seed(3)
		m.Paths(always(testnet.Path{Delay: 20 * ms, Jitter: 100 * ms}))
		a, arrived := listen(t, &m, here), record(listen(t, &m, there))
		const n, deciles = 10000, 10
		var tenth [deciles]int
		inOrder, last := true, ""
		for range n / 500 {
			began := time.Now()
			for i := range 500 {
				a.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, uint32(i)), there)
			}
			offset := time.Until(began)
			time.Sleep(time.Minute)
			for _, p := range arrived.take() {
				after := (p.at+offset)%time.Minute - 20*ms
				if after < 0 || after >= 100*ms {
					t.Fatalf("it took %v", after+20*ms)
				}
				tenth[after*deciles/(100*ms)]++
				inOrder, last = inOrder && p.b > last, p.b
			}
		}
		for i, got := range tenth {
			if math.Abs(float64(got)-n/deciles) > 5*math.Sqrt(n/deciles) {
				t.Errorf("seed 3: %d of %d in tenth %d", got, n, i)
			}
		}
		if inOrder {
			t.Error("nobody overtook anybody")
		}
	})
}

// Loss, duplication, corruption and holding back happen as often as they are
// said to, and are counted; what arrives is what the counts say.
func TestChances(t *testing.T) {
	const n = 10000
	for _, p := range []float64{0, 0.02, 0.3, 1, 7, -1} {
		synctest.Test(t, func(t *testing.T) {
			for kind, path := range map[string]testnet.Path{
				"loss": {Loss: p}, "duplicate": {Duplicate: p}, "corrupt": {Corrupt: p}, "reorder": {Reorder: p},
			} {
				var m testnet.Memory
				m.Seed(11)
				m.Paths(always(path))
				a, arrived := listen(t, &m, here), record(listen(t, &m, there))
				numbered(a, there, n)
				s := lawful(t, &m)
				a.Close()
				q := min(max(p, 0), 1)
				counts := map[string]uint64{"loss": s.Lost, "duplicate": s.Duplicated, "corrupt": s.Corrupted, "reorder": s.Reordered}
				for other, count := range counts {
					if other != kind && count != 0 {
						t.Errorf("%s %v: %d by %s", kind, p, count, other)
					}
				}
				if got := float64(counts[kind]); math.Abs(got-n*q) > 5*math.Sqrt(n*q*(1-q)) {
					t.Errorf("seed 11: %s %v: %v of %d", kind, p, got, n)
				}
				if got := uint64(len(arrived.take())); got != s.Delivered || s.Sent != n || s.UnderWay != 0 {
					t.Errorf("%s %v: %d arrived: %+v", kind, p, got, s)
				}
			}
		})
	}
}

// What is corrupted is never what was sent; half is cut short, the rest has 1 to
// 4 bytes in a row changed. The sender's bytes stay, and of nothing nothing is spoiled.
func TestCorruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		m.Seed(5)
		m.Paths(always(testnet.Path{Corrupt: 1}))
		a := listen(t, &m, here)
		const n = 2000
		short, runs := 0, map[int]int{}
		for range n {
			sent := []byte("0123456789")
			a.WriteToUDPAddrPort(sent, here)
			got, _ := read(t, a)
			switch {
			case string(sent) != "0123456789":
				t.Fatal("the sender's bytes were changed")
			case len(got) < len(sent):
				short++
				if got != string(sent[:len(got)]) {
					t.Errorf("cut: %q", got)
				}
			default:
				runs[changed(got, string(sent))]++
			}
		}
		if math.Abs(float64(short)-n/2) > 5*math.Sqrt(n/4) || runs[1] == 0 || runs[4] == 0 || runs[1]+runs[2]+runs[3]+runs[4] != n-short {
			t.Errorf("seed 5: %d of %d were cut, runs changed: %v", short, n, runs)
		}
		a.WriteToUDPAddrPort(nil, here)
		if got, _ := read(t, a); got != "" || m.Stats().Corrupted != n {
			t.Errorf("nothing became %q: %+v", got, m.Stats())
		}
	})
}

// changed returns how many bytes of a and b differ, 0 when not all in a row.
func changed(a, b string) int {
	first, last, n := -1, 0, 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if n++; first < 0 {
				first = i
			}
			last = i
		}
	}
	if n == 0 || last-first+1 != n || len(a) != len(b) {
		return 0
	}
	return n
}

// The copies of a duplicate are damaged one by one.
func TestDuplicatesAreSeparate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m testnet.Memory
		m.Seed(6)
		m.Paths(always(testnet.Path{Delay: 10 * ms, Jitter: 10 * ms, Duplicate: 1, Corrupt: 0.5}))
		a, arrived := listen(t, &m, here), record(listen(t, &m, there))
		whole := map[int]int{}
		for range 200 {
			a.WriteToUDPAddrPort([]byte("0123456789"), there)
			time.Sleep(20 * ms)
			got := arrived.take()
			if len(got) != 2 || got[0].at == got[1].at {
				t.Fatalf("arrived: %v", got)
			}
			n := 0
			for _, p := range got {
				if p.b == "0123456789" {
					n++
				}
			}
			whole[n]++
		}
		if whole[0] < 20 || whole[1] < 60 || whole[2] < 20 {
			t.Errorf("seed 6: whole copies of two: %v", whole)
		}
	})
}

// What becomes of the packets of a pair follows from the seed and the two
// addresses alone: not from what others send.
func TestChancesFollowFromTheSeed(t *testing.T) {
	fate := func(seed uint64, from, to netip.AddrPort, others bool) (told string) {
		synctest.Test(t, func(t *testing.T) {
			var m testnet.Memory
			m.Paths(always(testnet.Path{Loss: 0.5}))
			a := listen(t, &m, from)
			a.WriteToUDPAddrPort([]byte("x"), to) // before Seed, which begins anew
			m.Seed(seed)
			for range 64 {
				before := m.Stats().Lost
				a.WriteToUDPAddrPort([]byte("x"), to)
				told += fmt.Sprint(m.Stats().Lost - before)
				if others {
					a.WriteToUDPAddrPort([]byte("x"), elsewhere)
				}
			}
		})
		return told
	}
	base := fate(1, here, there, false)
	if again := fate(1, here, there, true); again != base {
		t.Errorf("one seed, two fates:\n%s\n%s", base, again)
	}
	for name, other := range map[string]string{
		"seed": fate(2, here, there, false), "receiver": fate(1, here, elsewhere, false),
		"sender": fate(1, elsewhere, there, false), "direction": fate(1, there, here, false),
	} {
		if other == base {
			t.Errorf("another %s makes no difference", name)
		}
	}
}
