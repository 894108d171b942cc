package scripts

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// programs are those that a measurement of one's own starts from.
var programs = []string{"querylog", "vantages", "rtts"}

// They are to be read in one go, and say how they are run.
func TestProgramsAreShort(t *testing.T) {
	for _, name := range programs {
		source, err := os.ReadFile(filepath.Join(name, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(source, []byte("\n")); n >= 80 {
			t.Errorf("%s has %d lines, want below 80", name, n)
		}
		if !strings.HasPrefix(string(source), "// Command "+name+" ") || !strings.Contains(string(source), "go run ./scripts/"+name+" ") {
			t.Errorf("%s does not say what it is and how to run it", name)
		}
	}
}

// Each of them is built, and run against a network that knows what it asked.
func TestPrograms(t *testing.T) {
	bin := build(t)
	t.Run("querylog", func(t *testing.T) { testQuerylog(t, startWorld(t), bin) })
	t.Run("vantages", func(t *testing.T) { testVantages(t, startWorld(t), bin) })
	t.Run("vantages interrupted", func(t *testing.T) { testLastCount(t, startWorld(t), bin) })
	t.Run("rtts", func(t *testing.T) { testRTTs(t, startWorld(t), bin) })
	t.Run("rtts interrupted", func(t *testing.T) { testUnfinished(t, startWorld(t), bin) })
}

// Every query that was sent to it is a row, and it answers.
func testQuerylog(t *testing.T, w *world, bin string) {
	p := run(t, bin, "querylog", "-listen", "127.0.0.1:0", w.entrance)
	at := netip.MustParseAddrPort(p.listening(t, 1)[0][1])
	if reply, err := w.asker.GetPeers(t.Context(), at, kad.ID{1, 2, 3}); err != nil || reply.Token == nil {
		t.Fatalf("it answers get_peers with %+v, %v", reply, err)
	}
	if _, err := w.asker.Do(t.Context(), at, krpc.Any{Name: `a,"b`}); err == nil {
		t.Error("it answers a method that there is not")
	}
	logged := func(text string) (rows []string) {
		for _, r := range rowsOf(t, text, "time,querier_id,ip,port,method,target") {
			if _, err := time.Parse(time.RFC3339Nano, r[0]); err != nil {
				t.Error(err)
			}
			rows = append(rows, strings.Join(r[1:], " "))
		}
		slices.Sort(rows)
		return rows
	}
	all := 0
	p.stdout.await(t, func(text string) bool {
		rows := logged(text)
		all = len(rows)
		return slices.Equal(rows, w.sentTo(at.Port()))
	})
	p.interrupt(t) // what was under way may be lost
	if rows := logged(p.stdout.String()); len(rows) < all || len(rows) > len(w.sentTo(at.Port())) || !strings.Contains(p.stderr.String(), " 0 queries came too fast") {
		t.Errorf("it ends with %q, saying %q", p.stdout.String(), p.stderr.String())
	}
}

// What it counts is what the network knows to have asked.
func testVantages(t *testing.T, w *world, bin string) {
	p := run(t, bin, "vantages", "-n", "4", "-every", "50ms", w.entrance)
	ids := map[uint16]string{} // of the vantages, by their ports
	zones := map[byte]bool{}
	for _, m := range p.listening(t, 4) {
		ids[netip.MustParseAddrPort(m[1]).Port()] = m[2]
		zones[kad.MustParseID(m[2])[0]>>6] = true
	}
	if len(zones) != 4 {
		t.Errorf("four vantages are in %d quarters of the ID space", len(zones))
	}
	var sibling *lightdht.Node // one with the ID of a vantage, which is not to be counted
	for port, id := range ids {
		askers := []*lightdht.Node{w.asker, w.asker}
		if sibling == nil {
			sibling = listen(t, lightdht.Config{ID: kad.MustParseID(id)})
		} else {
			askers = append(askers, sibling)
		}
		for _, asker := range askers {
			if _, err := asker.Ping(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.stdout.await(t, func(text string) bool { return maps.Equal(countsOf(t, text), w.counts(ids)) })
	p.interrupt(t)
	if got := countsOf(t, p.stdout.String()); got["of 4 or more"] == 0 {
		t.Errorf("at last it counts %v, but one asked all four", got)
	}
}

// It counts when it is ended, however long it would have waited.
func testLastCount(t *testing.T, w *world, bin string) {
	p := run(t, bin, "vantages", "-n", "2", "-every", "1h", w.entrance)
	p.stdout.await(t, func(text string) bool { return text != "" })
	p.interrupt(t)
	if got := countsOf(t, p.stdout.String()); got["of 1 or more"] == 0 {
		t.Errorf("at last it counts %v", got)
	}
}

// All that it pings are nodes of the network, and have answered every ping.
func testRTTs(t *testing.T, w *world, bin string) {
	p := run(t, bin, "rtts", "-for", "2s", "-n", "3", w.entrance)
	p.end(t)
	rows := rowsOf(t, p.stdout.String(), rttColumns)
	if len(rows) < 8 || len(rows) > w.net.Len() {
		t.Errorf("%d rows of %d nodes", len(rows), w.net.Len())
	}
	known := map[string]bool{}
	for _, info := range w.net.Infos() {
		known[info.ID.String()+info.Addr.String()] = true
	}
	for _, r := range rows {
		if who := r[0] + r[1] + ":" + r[2]; !known[who] {
			t.Errorf("%v: unknown, or twice", r)
		} else {
			delete(known, who)
		}
		n := numbers(t, r[4:])
		if r[3] != "LD" || n[0] != 3 || n[1] != 3 || n[2] < 1 || !slices.IsSorted(n[2:]) {
			t.Errorf("%v: want all pings answered", r)
		}
	}
	if !strings.Contains(p.stderr.String(), fmt.Sprint(3*len(rows), " pings were answered")) {
		t.Errorf("%d rows, and it says %q", len(rows), p.stderr.String())
	}
}

const rttColumns = "id,ip,port,client,n,answered,min_us,median_us,max_us"

// Ended early, it writes what there is.
func testUnfinished(t *testing.T, w *world, bin string) {
	p := run(t, bin, "rtts", "-for", "1s", "-n", "1000000", w.entrance)
	p.stderr.await(t, func(text string) bool { return strings.Contains(text, "pinging") })
	first := w.awaitPings(t, 10*w.net.Len(), netip.AddrPort{})
	p.interrupt(t)
	for _, r := range rowsOf(t, p.stdout.String(), rttColumns) {
		if n := numbers(t, r[4:]); n[0] == 0 || n[0] != n[1] {
			t.Errorf("%v: want as many answers as pings", r)
		}
	}

	p = run(t, bin, "rtts", "-for", "1h", w.entrance)
	w.awaitPings(t, 1, first)
	p.interrupt(t)
	for _, r := range rowsOf(t, p.stdout.String(), rttColumns) {
		if strings.Join(r[4:], ",") != "0,0,,," {
			t.Errorf("%v: want a contact that was not pinged", r)
		}
	}
}

// rowsOf reads the complete lines of CSV below a header, which may be to come.
func rowsOf(t *testing.T, text, header string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text[:strings.LastIndexByte(text, '\n')+1])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		return nil
	}
	if got := strings.Join(rows[0], ","); got != header {
		t.Fatalf("header %q, want %q", got, header)
	}
	return rows[1:]
}

func numbers(t *testing.T, fields []string) []int {
	t.Helper()
	out := make([]int, len(fields))
	for i, f := range fields {
		var err error
		if out[i], err = strconv.Atoi(f); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// countsOf returns the newest counts of vantages.
func countsOf(t *testing.T, text string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, r := range rowsOf(t, text, "time,vantage,queriers") {
		counts[r[1]] = numbers(t, r[2:])[0]
	}
	return counts
}
