package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/urfave/cli/v2"
)

// archive makes a store of two runs: contacts 0 to 39, all but those whose number
// 4 divides having answered, and 20 to 59 in the second; and lookups.
func archive(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "st")
	store, err := dataset.Create(dir, "lab")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for run := range 2 {
		r, err := store.Begin(dataset.Manifest{Command: "test"}, dataset.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for i := run * 20; i < run*20+40; i++ {
			s := record.Sighting{Time: began.Add(time.Duration(run*24) * time.Hour), Node: contactNumber(i), Event: record.Mentioned}
			r.Record(&s)
			if i%4 > 0 {
				s.Event, s.RTT, s.Version, s.BEPs = record.Replied, time.Duration(i)*time.Millisecond, []byte("LT\x02\x00"), record.BEP42
				r.Record(&s)
				continue
			}
			for s.Event = record.Failed; s.Time.Minute() < 3; s.Time = s.Time.Add(time.Minute) {
				r.Record(&s)
			}
		}
		for i := range 3 {
			r.Record(lookupNumber(run*3+i, began.Add(time.Duration(run*24)*time.Hour)))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func contactNumber(i int) kad.NodeInfo {
	var id kad.ID
	id[0], id[1], id[19] = byte(i*37), byte(i), 1
	ip := netip.AddrFrom4([4]byte{10, 0, byte(i / 8), byte(i % 8)})
	if i%5 == 0 {
		ip = netip.MustParseAddr(fmt.Sprintf("fd00::%x", i+1))
	}
	return kad.NodeInfo{ID: id, Addr: netip.AddrPortFrom(ip, uint16(1000+i))}
}

// lookupNumber is a lookup of a random target that found 8 nodes of IPv4 and, when
// its number is even, 2 of IPv6.
func lookupNumber(n int, when time.Time) *record.Lookup {
	l := &record.Lookup{Time: when, Purpose: "size", K: 8, Width: 32, Asked: 40, TimedOut: 3, Silent: 1}
	l.Target.ID[0] = byte(n * 40)
	for i := range 8 {
		id := l.Target.ID
		id[2] = byte(i + 1)
		l.Closest = append(l.Closest, record.Closest{Node: kad.NodeInfo{ID: id, Addr: netip.MustParseAddrPort("10.0.0.1:1")}, Distance: l.Target.ID.Distance(id).Fraction()})
	}
	for i := range 2 * (1 - n%2) {
		id := l.Target.ID
		id[3] = byte(i + 1)
		l.Closest = append(l.Closest, record.Closest{Node: kad.NodeInfo{ID: id, Addr: netip.MustParseAddrPort("[fd00::1]:1")}, Distance: l.Target.ID.Distance(id).Fraction()})
	}
	return l
}

// dataOf opens what stats with these arguments would.
func dataOf(t *testing.T, args ...string) *data {
	t.Helper()
	var d *data
	app := &cli.App{Writer: io.Discard, ErrWriter: io.Discard, Commands: []*cli.Command{{
		Name: "stats", Flags: append(append(statsFlags(), filterFlags()...), mmdbFlag(), &cli.StringFlag{Name: "state"}),
		Action: func(c *cli.Context) (err error) {
			d, err = openData(c)
			return err
		},
	}}}
	if err := app.Run(append([]string{"lightdht", "stats"}, args...)); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	t.Cleanup(d.close)
	return d
}

// fileOf runs dump and returns the name of the file.
func fileOf(t *testing.T, store, name string, args ...string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	var said strings.Builder
	all := append([]string{"lightdht", "dump", "--store", store, "-o", name}, args...)
	if run(all, strings.NewReader(""), io.Discard, &said) != 0 {
		t.Fatalf("%v: %s", args, said.String())
	}
	return name
}

func contactsIn(t *testing.T, d *data) (all []analysis.Contact) {
	t.Helper()
	for c, err := range d.contacts() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b analysis.Contact) int { return a.ID.Compare(b.ID) })
	return all
}

// Contacts are the same from a store as from each file that was dumped from it,
// whatever is chosen.
func TestContactsOfStoreAndFile(t *testing.T) {
	store := archive(t)
	whole := contactsIn(t, dataOf(t, "--store", store))
	if len(whole) != 60 {
		t.Fatalf("%d contacts, want 60", len(whole))
	}
	for _, c := range whole {
		i := int(c.Addr.Port()) - 1000
		want := analysis.Contact{
			ID: contactNumber(i).ID, Addr: contactNumber(i).Addr, State: c.State, Secure: kad.IsSecureID(c.ID, c.Addr.Addr()), Run: c.Run,
		}
		if i%4 > 0 {
			want.Client, want.Version, want.BEPs, want.RTT, want.Replies = "LT", c.Version, "42", time.Duration(i)*time.Millisecond, 1
			if i >= 20 && i < 40 {
				want.Replies = 2
			}
		} else if want.Failures = 3; i >= 20 && i < 40 {
			want.Failures = 6
		}
		if c != want || (c.Version != "") != (i%4 > 0) {
			t.Errorf("contact %d: %+v, want %+v", i, c, want)
		}
	}
	runs := runsOfStore(t, store)
	for _, choice := range [][]string{
		nil, {"--family", "ipv6"}, {"--family", "ipv4"}, {"--prefix", "8/1"}, {"--since", "2026-11-01T12:00:00Z"}, {"--run", runs[1]}, {"--state", "bad"},
	} {
		want := contactsIn(t, dataOf(t, append([]string{"--store", store}, choice...)...))
		if len(want) == 0 || choice != nil && len(want) == 60 {
			t.Errorf("%v chooses %d of 60", choice, len(want))
		}
		for _, name := range []string{"a.csv", "a.ndjson.gz", "a.json", "a.parquet", "a.sqlite"} {
			var byRun []string
			if choice != nil && choice[0] == "--run" { // of which a file of whole contacts knows nothing
				byRun = []string{"--per-run"}
			}
			args := slices.Concat(choice, []string{fileOf(t, store, name, byRun...)})
			got := contactsIn(t, dataOf(t, args...))
			if !slices.Equal(got, want) {
				t.Errorf("%s with %v has %d contacts, the store %d", name, choice, len(got), len(want))
			}
		}
	}
}

func runsOfStore(t *testing.T, dir string) (ids []string) {
	store, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := store.Runs()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		ids = append(ids, r.ID.String())
	}
	return ids
}

// By run each contact comes once for each run that saw it, from a store or a file
// dumped so; from another file it cannot be had.
func TestContactsByRun(t *testing.T) {
	store := archive(t)
	for name, d := range map[string]*data{"store": dataOf(t, "--store", store), "file": dataOf(t, fileOf(t, store, "a.csv", "--per-run"))} {
		of := map[string]int{}
		for c, err := range d.contactsByRun() {
			if err != nil {
				t.Fatal(err)
			}
			of[c.Run]++
		}
		runs := runsOfStore(t, store)
		if !d.byRun() || len(of) != 2 || of[runs[0]] != 40 || of[runs[1]] != 40 {
			t.Errorf("%s: %v", name, of)
		}
	}
	if dataOf(t, fileOf(t, store, "a.csv")).byRun() {
		t.Error("a file of merged contacts is told to be by run")
	}
}

// A file by run has, over all its runs, the contacts of the store.
func TestContactsOverRuns(t *testing.T) {
	store := archive(t)
	want := contactsIn(t, dataOf(t, "--store", store))
	got := contactsIn(t, dataOf(t, fileOf(t, store, "a.csv", "--per-run")))
	for i := range got {
		got[i].State = want[i].State // which is judged at the end of each run
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d contacts, want %d:\n%+v\n%+v", len(got), len(want), got[20], want[20])
	}
}

// A row that says what no contact can be is left out, and counted.
func TestOddRows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "o.csv")
	const id = "00000000000000000000000000000000000000"
	rows := []string{
		id + "01,10.0.0.1,1,1,good", id + "02,10.0.0.1,65536,1,good", id + "03,10.0.0.1,-1,1,good", id + "04,10.0.0.1,1,-5,good",
		id + "05,10.0.0.1,1,4294967296,good", ",10.0.0.1,1,1,good", id + "07,,1,1,good", id + "08,10.0.0.1,65535,1,fine",
	}
	if err := os.WriteFile(name, []byte("id,ip,port,replies,state\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := dataOf(t, name)
	all := contactsIn(t, d)
	r := &report{}
	d.tellLeft(r)
	if len(all) != 2 || d.odd != 6 || len(r.about) != 1 || all[0].State != "good" || all[1].State != "" {
		t.Errorf("%d contacts, %d left out, told %v: %+v", len(all), d.odd, r.about, all)
	}
}

// Whoever interrupts the reading gets nothing, at once.
func TestReadingEndsWhenInterrupted(t *testing.T) {
	d := dataOf(t, "--store", archive(t))
	ctx, cancel := context.WithCancel(t.Context())
	d.ctx = ctx
	cancel()
	for _, err := range d.contacts() {
		if err != errUnwritten {
			t.Errorf("%v, want an interruption", err)
		}
	}
	for _, err := range d.lookups() {
		if err != errUnwritten {
			t.Errorf("%v, want an interruption", err)
		}
	}
}

// Lookups are the same from a store as from files, one for each family.
func TestLookupsOfStoreAndFile(t *testing.T) {
	store := archive(t)
	count := func(args ...string) (v4, v6 int) {
		for w, err := range dataOf(t, args...).lookups() {
			if err != nil {
				t.Fatal(err)
			}
			if w.k != 8 || w.width != 32 || w.asked != 40 || w.timedOut != 4 || w.purpose != "size" || w.time.Year() != 2026 {
				t.Errorf("%+v", w)
			}
			if w.family == kad.IPv4 && len(w.ids) == 8 {
				v4++
			} else if w.family == kad.IPv6 && len(w.ids) == 2 {
				v6++
			}
		}
		return v4, v6
	}
	file := fileOf(t, store, "l.csv", "--what", "lookups")
	for _, c := range []struct {
		choice []string
		v4, v6 int
	}{
		{nil, 6, 3}, {[]string{"--family", "ipv6"}, 0, 3}, {[]string{"--since", "2026-11-01T12:00:00Z"}, 3, 1}, {[]string{"--prefix", "8/1"}, 2, 1},
		{[]string{"--run", runsOfStore(t, store)[0]}, 3, 2},
	} {
		for _, from := range [][]string{{"--store", store}, {file}} {
			if v4, v6 := count(slices.Concat(c.choice, from)...); v4 != c.v4 || v6 != c.v6 {
				t.Errorf("%v of %v: %d and %d lookups, want %d and %d", c.choice, from, v4, v6, c.v4, c.v6)
			}
		}
	}
	samples, err := dataOf(t, file).sample(4)
	if err != nil || len(samples) != 1 || len(samples[0].distances) != 4 || samples[0].dropped != 2 {
		t.Fatalf("%+v: %v", samples, err)
	}
	if d := samples[0].distances[0]; len(d) != 8 || !slices.IsSorted(d) {
		t.Errorf("distances %v", d)
	}
}

// Nodes of the internet and of a private network in one file are told apart,
// unless it is said which network they are of.
func TestMixedNetworks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "m.csv")
	const text = "id,ip,port,replies\n" +
		"0000000000000000000000000000000000000001,10.0.0.1,1,1\n" +
		"0000000000000000000000000000000000000002,8.8.8.8,1,%d\n"
	for replies, mixed := range []bool{false, true} {
		if err := os.WriteFile(name, fmt.Appendf(nil, text, replies), 0o600); err != nil {
			t.Fatal(err)
		}
		var last error
		for c, err := range dataOf(t, name).contacts() {
			if last = err; err == nil && c.Secure != kad.IsSecureID(c.ID, c.Addr.Addr()) {
				t.Errorf("%s: secure is %v, without a column that tells", c.Addr, c.Secure)
			}
		}
		if (last != nil) != mixed || mixed && !strings.Contains(last.Error(), "several networks are mixed") {
			t.Errorf("%d replies: %v", replies, last)
		}
	}
}
