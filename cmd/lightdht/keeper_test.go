package main

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// said is what a keeper says.
type said struct{ lines []string }

func (s *said) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// A nil keeper is one that keeps nothing.
func TestNilKeeper(t *testing.T) {
	var k *keeper
	k.begin(nil, true)
	k.Record(nil)
	var at []string
	err := k.listen(":0", false, func(place string) error { at = append(at, place); return nil })
	if err != nil || !slices.Equal(at, []string{":0"}) {
		t.Errorf("listened at %v: %v", at, err)
	}
	if k.lost() != 0 || k.close() != nil {
		t.Error("it lost something")
	}
}

// The port of the last run is taken unless --listen was given; when that cannot
// be had, another one, which is told only if there is one.
func TestKeeperListens(t *testing.T) {
	busy := errors.New("busy")
	for _, tt := range []struct {
		name   string
		port   uint16
		given  bool
		errs   []error
		places []string
		lines  int
		want   error
	}{
		{"first", 0, false, []error{nil}, []string{"127.0.0.1:0"}, 0, nil},
		{"again", 99, false, []error{nil}, []string{"127.0.0.1:99"}, 0, nil},
		{"given", 99, true, []error{busy}, []string{"127.0.0.1:0"}, 0, busy},
		{"taken", 99, false, []error{busy, nil}, []string{"127.0.0.1:99", "127.0.0.1:0"}, 1, nil},
		{"hopeless", 99, false, []error{busy, busy}, []string{"127.0.0.1:99", "127.0.0.1:0"}, 0, busy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s said
			var places []string
			k := &keeper{say: s.say, saved: dataset.Identity{Port: tt.port}}
			err := k.listen("127.0.0.1:0", tt.given, func(place string) error {
				places = append(places, place)
				return tt.errs[len(places)-1]
			})
			if err != tt.want || !slices.Equal(places, tt.places) || len(s.lines) != tt.lines {
				t.Errorf("listened at %v, said %q: %v", places, s.lines, err)
			}
		})
	}
}

// What is wrong with a store is told once, and not without end.
func TestKeeperProblems(t *testing.T) {
	store, err := dataset.Create(t.TempDir(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	var s said
	k := &keeper{store: store, say: s.say, told: map[string]bool{}}
	for i := range 100 {
		k.problem(fmt.Errorf("problem\n%d", i/2))
	}
	if len(s.lines) != mostProblems+1 || s.lines[0] != "store: problem 0" || s.lines[mostProblems-1] != "store: problem 19" {
		t.Errorf("said %q", s.lines)
	}
	if last := s.lines[mostProblems]; !strings.Contains(last, "lightdht store verify "+store.Dir()) {
		t.Errorf("said %q", last)
	}
}

// Who is left to the next run is good, no router, and has an ID and an address
// of its own; half of them at most are of the core.
func TestPicked(t *testing.T) {
	now := time.Now()
	contact := func(id, port byte, replied time.Time) table.Contact {
		return table.Contact{ID: kad.ID{id}, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), uint16(port)), LastReply: replied, LastSeen: replied, Replies: 1}
	}
	router := contact(9, 9, now)
	router.Router = true
	p := picked{ids: map[kad.ID]bool{}, addrs: map[netip.AddrPort]bool{}, now: now}
	for _, c := range []table.Contact{
		contact(1, 1, now), contact(1, 2, now), contact(2, 1, now), contact(3, 3, now.Add(-time.Hour)), contact(4, 4, time.Time{}), router, contact(5, 5, now),
	} {
		p.add(c, 3)
	}
	p.add(contact(6, 6, now), 2)
	if len(p.good) != 2 || p.good[0].ID != (kad.ID{1}) || p.good[1].ID != (kad.ID{5}) {
		t.Errorf("picked %v", p.good)
	}
}

// A run leaves good contacts of its tables, and the next one has them.
func TestKeeperLeavesGoodContacts(t *testing.T) {
	node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Upkeep: lightdht.UpkeepConfig{Off: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	now := time.Now()
	for i := range 1000 {
		info := kad.NodeInfo{ID: kad.RandomID(), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)}
		node.Table(kad.IPv4).Observe(table.Sighting{Node: info, Time: now, Event: table.Event(1 + i%3)})
	}
	k := &keeper{nodes: []*lightdht.Node{node}}
	good := k.good()
	if len(good) != fewToLeave/2 {
		t.Errorf("%d contacts left, want %d", len(good), fewToLeave/2)
	}
	for _, c := range good {
		if c.State(now) != table.StateGood {
			t.Fatalf("left %v", c)
		}
	}
	store, err := dataset.Create(t.TempDir(), "private")
	if err != nil {
		t.Fatal(err)
	}
	run, err := store.Begin(dataset.Manifest{}, dataset.Settings{Good: k.good, MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	if got := store.Good(fewToBegin); len(got) != fewToLeave/2 {
		t.Errorf("%d contacts to begin with", len(got))
	}
}

// An estimate is kept with its interval only if that holds, and with the k of its
// samples only if they have one.
func TestEstimateRow(t *testing.T) {
	now, est := time.Now(), analysis.SizeEstimate{N: 50, Lo: 40, Hi: 60, Confidence: 0.95, Lookups: 2, Nodes: 16, Method: "pooled"}
	same, mixed := []analysis.Spacing{{K: 8}, {K: 8}}, []analysis.Spacing{{K: 8}, {K: 7}}
	row := estimateRow(kad.IPv4, est, same, true, now)
	if row.Time != now || row.What != "size" || row.Method != "pooled" || row.Family != kad.IPv4 || row.K != 8 || row.Samples != 2 ||
		row.Value != 50 || row.Lo != 40 || row.Hi != 60 || row.Level != 0.95 || !math.IsNaN(row.Recall) {
		t.Errorf("got %+v", row)
	}
	row = estimateRow(kad.IPv6, est, mixed, false, now)
	if row.Family != kad.IPv6 || row.K != 0 || row.Value != 50 || !math.IsNaN(row.Lo) || !math.IsNaN(row.Hi) || row.Level != 0 {
		t.Errorf("without an interval: got %+v", row)
	}
}

// A node is told whom the runs before found good, at once, and with rest of
// everybody else they heard of, in the background.
func TestKeeperTellsOfRunsBefore(t *testing.T) {
	store, err := dataset.Create(t.TempDir(), "private")
	if err != nil {
		t.Fatal(err)
	}
	begin := func(good func() []table.Contact) *dataset.Run {
		run, err := store.Begin(dataset.Manifest{}, dataset.Settings{Good: good, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	const all, known = 500, 20
	var good []table.Contact
	before := begin(func() []table.Contact { return good })
	for i := range all {
		info := kad.NodeInfo{ID: kad.RandomID(), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)}
		before.Record(&record.Sighting{Time: time.Now(), Node: info, Event: record.Replied})
		if len(good) < known {
			good = append(good, table.Contact{ID: info.ID, Addr: info.Addr, FirstSeen: time.Now(), LastSeen: time.Now(), LastReply: time.Now(), Replies: 1})
		}
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	for rest, want := range map[bool]int{false: known, true: all} {
		node, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{Upkeep: lightdht.UpkeepConfig{Off: true}})
		if err != nil {
			t.Fatal(err)
		}
		var s said
		k := &keeper{store: store, run: begin(nil), say: s.say, log: func(string, ...any) {}, told: map[string]bool{}}
		k.begin([]*lightdht.Node{node}, rest)
		if got := node.Len(); got < known {
			t.Errorf("%d contacts at once, want %d", got, known)
		}
		<-k.background
		if got := node.Len(); got != want {
			t.Errorf("%d contacts in the end, want %d", got, want)
		}
		for c := range node.Contacts() {
			if c.Replies != 1 && rest {
				t.Fatalf("%d replies of %v", c.Replies, c.Info())
			}
		}
		node.Close()
		if err := k.close(); err != nil || len(s.lines) > 0 {
			t.Errorf("said %q: %v", s.lines, err)
		}
	}
}

// The end waits for what goes on in the background, but not for long.
func TestKeeperEnds(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ lasts, want time.Duration }{{0, 0}, {100 * time.Millisecond, 100 * time.Millisecond}, {time.Hour, patience}} {
		synctest.Test(t, func(t *testing.T) {
			store, err := dataset.Create(dir, "lab")
			if err != nil {
				t.Fatal(err)
			}
			run, err := store.Begin(dataset.Manifest{}, dataset.Settings{MinFree: -1})
			if err != nil {
				t.Fatal(err)
			}
			cancelled := false
			k := &keeper{store: store, run: run, cancel: func() { cancelled = true }, background: make(chan struct{})}
			time.AfterFunc(tt.lasts, func() { close(k.background) })
			began := time.Now()
			if err := k.close(); err != nil || !cancelled {
				t.Errorf("ended with %v", err)
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("waited %s, want %s", took, tt.want)
			}
		})
	}
}
