package main

import (
	"context"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

func TestParseStatus(t *testing.T) {
	got, ok := parseStatus("1h2m0s  36 contacts: 35 good, 1 questionable, 0 bad  60233 queries (5 ping, 60228 get_peers), 501/s" +
		"  packets 501/s in, 501/s out  core 8  1.5k not logged  12 kernel drops  3 dropped")
	want := status{ran: 62 * time.Minute, contacts: 36, queries: 60233, drops: 1515}
	if !ok || got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, line := range []string{"listening on 127.0.0.1:7003 as 06", "contacts: 3 (3 good)", ""} {
		if _, ok := parseStatus(line); ok {
			t.Errorf("%q was taken for a status", line)
		}
	}
}

func TestReadSummary(t *testing.T) {
	lines := []string{
		"1m0s  3 contacts", "ran 2m0s as 06", "contacts: 36 (35 good, 1 questionable, 0 bad), core 8",
		"queries received: 12 (12 ping)", "query log: 9 rows written, 2 skipped because the disk was slow, 1 lost",
		"counters: packets_in 5 stray 7", "dropped by the kernel: 0",
	}
	got, err := readSummary(lines)
	if err != nil {
		t.Fatal(err)
	}
	if got.contacts != 36 || got.good != 35 || got.queries != 12 || got.rows != 9 || got.skipped != 2 || got.lost != 1 || got.counters["stray"] != 7 || len(got.counters) != 2 {
		t.Errorf("got %+v", got)
	}
	if _, err := readSummary(lines[:6]); err == nil {
		t.Error("an end that is torn off is no error")
	}
}

func TestVitals(t *testing.T) {
	if n, err := statusField("Name:\tx\nVmRSS:\t   15360 kB\nThreads:\t8\n", "VmRSS:"); err != nil || n != 15360 {
		t.Errorf("VmRSS: %d, %v", n, err)
	}
	if _, err := statusField("Name:\tx\n", "VmRSS:"); err == nil {
		t.Error("no VmRSS is no error")
	}
	if d, err := cpuTime("7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0"); err != nil || d != 4*time.Second {
		t.Errorf("cpu: %s, %v", d, err)
	}
	if _, err := cpuTime("7 (a)"); err == nil {
		t.Error("a torn stat is no error")
	}
}

func TestDropsIn(t *testing.T) {
	const text = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  511: 0100007F:1B5B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 7
  512: 0201007F:1B62 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0 5
`
	want := netip.MustParseAddrPort("127.0.0.1:7003")
	n, err := dropsIn(text, func(addr netip.AddrPort) bool { return addr == want })
	if err != nil || n != 7 {
		t.Errorf("%d drops, %v, want 7", n, err)
	}
	n, err = dropsIn(text, func(addr netip.AddrPort) bool { return addr == askerAddr(1) })
	if err != nil || n != 5 {
		t.Errorf("%d drops at the second asker, %v, want 5", n, err)
	}
}

func TestSlope(t *testing.T) {
	var points []point
	for minute := range 60 {
		noise := float64(minute%2) * 1e-3
		points = append(points, point{time.Duration(minute) * time.Minute, 20 + 3*float64(minute)/60 + noise})
	}
	if got := slope(points); math.Abs(got-3) > 1e-3 {
		t.Errorf("slope %f, want 3", got)
	}
	if got := slope(points[:1]); got != 0 {
		t.Errorf("slope of one point %f", got)
	}
}

func TestQuantiles(t *testing.T) {
	var all []time.Duration
	for i := range 101 {
		all = append(all, time.Duration(100-i))
	}
	if p50, p99, most := quantiles(all); p50 != 50 || p99 != 99 || most != 100 {
		t.Errorf("got %d, %d, %d", p50, p99, most)
	}
	if _, _, most := quantiles(nil); most != 0 {
		t.Error("quantiles of nothing")
	}
}

// Rows add up over several files; what is no row is told.
func TestLogged(t *testing.T) {
	id, addr := hashOf("x"), netip.MustParseAddrPort("127.0.1.1:7010")
	text := "time,querier_id,ip,port,method,target\r\n2026-01-02T03:04:05.000000Z," + id.String() + ",127.0.1.1,7010,ping,\r\n"
	name := filepath.Join(t.TempDir(), "queries.csv")
	count := logged{by: map[asking]uint64{}}
	for range 2 {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := count.add(name); err != nil {
			t.Fatal(err)
		}
	}
	if n := count.by[asking{id, addr, krpc.MethodPing}]; count.rows != 2 || n != 2 {
		t.Errorf("%d rows, %d of the asker", count.rows, n)
	}
	for what, text := range map[string]string{"a torn row": text[:len(text)-20], "no header": ""} {
		os.WriteFile(name, []byte(text), 0o666)
		if err := count.add(name); err == nil {
			t.Errorf("%s is no error", what)
		}
	}
}

// A round of ten announces for what it has a token for.
func TestAskerRound(t *testing.T) {
	a := unconnected()
	var methods []string
	for range 20 {
		if a.n == 10 {
			a.tokens[1] = []byte("token")
		}
		query, topic := a.next()
		methods = append(methods, query.Method())
		if (topic >= 0) != (query.Method() == krpc.MethodGetPeers) {
			t.Errorf("%s: topic %d", query.Method(), topic)
		}
		a.n++
	}
	count := map[string]int{}
	for _, m := range methods {
		count[m]++
	}
	if count[krpc.MethodFindNode] != 12 || count[krpc.MethodGetPeers] != 7 || count[krpc.MethodAnnouncePeer] != 1 || methods[19] != krpc.MethodAnnouncePeer {
		t.Errorf("asked %v", methods)
	}
}

// An answer counts once; one that comes after the asker's patience is late.
func TestAskerTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := unconnected()
		answer := func(tid byte, kind krpc.Kind) {
			a.take(&krpc.Message{Kind: kind, TID: []byte{0, 0, 0, tid}, Token: []byte("token")})
		}
		for tid := range uint32(4) {
			a.pending[tid] = question{time.Now(), 5}
		}
		time.Sleep(time.Second)
		answer(0, krpc.KindReply)
		answer(1, krpc.KindError)
		if got := a.tally(); got.answered != 2 || got.errors != 1 || got.waiting != 2 || got.unanswered != 0 || len(got.took) != 2 || got.took[0] != time.Second {
			t.Errorf("after a second: %+v", got)
		}
		if string(a.tokens[5]) != "token" {
			t.Errorf("token %q", a.tokens[5])
		}
		time.Sleep(patience)
		a.tally()
		answer(2, krpc.KindReply)
		if got := a.tally(); got.answered != 2 || got.waiting != 0 || got.unanswered != 2 || got.late != 1 || len(got.took) != 0 {
			t.Errorf("in the end: %+v", got)
		}
	})
}

// unconnected returns an asker without a socket.
func unconnected() *asker {
	return &asker{id: kad.ID{1}, random: rand.NewChaCha8([32]byte{}), pending: map[uint32]question{}, sums: tally{asked: map[string]uint64{}}}
}

// The verdict is about what the soak saw.
func TestVerdict(t *testing.T) {
	flat, grown := &soak{lab: &lab{}, lasts: time.Hour}, &soak{lab: &lab{}, lasts: time.Hour}
	for at := time.Minute; at < time.Hour; at += time.Minute {
		early := 10 * max(0, 1-at.Minutes()/9) // what it takes at first is not held against it
		flat.life = append(flat.life, sample{at, vitals{rss: 20 - early, files: 11}})
		grown.life = append(grown.life, sample{at, vitals{rss: 20 + at.Minutes()/10, files: 11 + int(at.Minutes())/50}})
	}
	for _, c := range []func(*soak) error{
		func(s *soak) error { return s.memoryStays(context.Background()) },
		func(s *soak) error { return s.filesStay(context.Background()) },
	} {
		if err := c(flat); err != nil {
			t.Error(err)
		}
		if err := c(grown); err == nil {
			t.Error("growth is no error")
		}
	}
	if err := flat.nothingDropped(summary{counters: map[string]uint64{"packets_in": 5}}); err != nil {
		t.Error(err)
	}
	if err := flat.nothingDropped(summary{counters: map[string]uint64{"stray": 1}}); err == nil {
		t.Error("a drop is no error")
	}
}
