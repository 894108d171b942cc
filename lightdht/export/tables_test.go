package export

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// lab is a store with rows of all kinds, of two runs, the second of which keeps
// each sighting.
type lab struct {
	*rand.Rand
	store *dataset.Store
	runs  []dataset.RunID
	now   time.Time
	nodes []kad.NodeInfo
}

func newLab(t *testing.T) *lab {
	t.Helper()
	store, err := dataset.Create(t.TempDir(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Rand: rand.New(rand.NewPCG(5, 5)), store: store, now: time.Date(2026, 11, 20, 0, 0, 0, 123456000, time.UTC)}
	for i := range 40 {
		addr := netip.AddrFrom4([4]byte{81, 2, byte(i), 4})
		if i%4 == 0 {
			addr = netip.AddrFrom16([16]byte{0x2a, 2, 15: byte(i)})
		}
		l.nodes = append(l.nodes, kad.NodeInfo{ID: l.id(), Addr: netip.AddrPortFrom(addr, uint16(1000+i))})
	}
	for i := range 2 {
		run, err := store.Begin(dataset.Manifest{Command: "test"}, dataset.Settings{KeepSightings: i == 1})
		if err != nil {
			t.Fatal(err)
		}
		l.runs = append(l.runs, run.ID())
		for range 200 {
			for _, row := range l.rows() {
				run.Record(row)
			}
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *lab) id() (id kad.ID) {
	for i := range id {
		id[i] = byte(l.Uint32())
	}
	return id
}

func (l *lab) node() kad.NodeInfo { return l.nodes[l.IntN(len(l.nodes))] }

func (l *lab) tick() time.Time {
	l.now = l.now.Add(time.Duration(l.IntN(1e6)) * time.Microsecond)
	return l.now
}

func (l *lab) micros() time.Duration { return time.Duration(l.IntN(1e6)) * time.Microsecond }

// rows makes one row of each kind, with fields that are absent now and then.
func (l *lab) rows() []record.Row {
	some := func(id kad.ID) kad.ID {
		if l.IntN(3) == 0 {
			return kad.ID{}
		}
		return id
	}
	target := record.Target{ID: some(l.id()), Infohash: l.IntN(2) == 0}
	sighting := &record.Sighting{Time: l.tick(), Self: l.id(), Node: l.node(), Event: record.Event(1 + l.IntN(4)), Method: "ping"}
	switch sighting.Event {
	case record.Mentioned:
		sighting.By = l.node()
	case record.Replied:
		sighting.RTT, sighting.Version, sighting.BEPs = l.micros(), []byte("LT\x01\x02"), record.BEP32|record.BEP42
	}
	visit := &record.Visit{
		Time: l.tick(), Self: l.id(), Node: l.node(), Method: "x\x00,\"", Target: target, Outcome: record.Outcome(1 + l.IntN(6)), Code: 203,
		RTT: l.micros(), Replier: some(l.id()), Version: [][]byte{{0xff, 'a'}, []byte("UT\x01\x02")}[l.IntN(2)], BEPs: record.BEPs(l.IntN(32)), Nodes: []kad.NodeInfo{l.node(), l.node()}[:l.IntN(3)], Peers: 3, Sent: 90, Got: 300,
	}
	lookup := &record.Lookup{Time: l.tick(), Self: l.id(), Target: target, Purpose: "random", Peers: target.Infohash, K: 8, Width: 24, Asked: 30, Duration: l.micros()}
	for range l.IntN(4) {
		n := l.node()
		lookup.Closest = append(lookup.Closest, record.Closest{Node: n, RTT: l.micros(), Hop: 1, Bits: 12, Distance: math.Ldexp(l.Float64(), -12)})
	}
	if l.IntN(5) == 0 {
		lookup.Err = "lookup abandoned, \"so\"\n"
	}
	estimate := &record.Estimate{
		Time: l.tick(), What: "size", Method: "pooled", Family: kad.IPv4, K: 8, Samples: 256, Value: 1e7 / 3, Lo: 9e6, Hi: 1.1e7, Level: 0.95, Recall: math.NaN(),
	}
	if l.IntN(3) == 0 {
		estimate.Lo, estimate.Hi, estimate.Level, estimate.Family = math.NaN(), math.NaN(), 0, 0
	}
	return []record.Row{
		sighting, visit, lookup, estimate,
		&record.Query{Time: l.tick(), Self: l.id(), Node: kad.NodeInfo{ID: some(l.id()), Addr: l.node().Addr}, Method: "get_peers", Target: target, Version: []byte("LT\x01\x02"), ReadOnly: l.IntN(2) == 0, Size: 99},
		&record.Endpoint{Time: l.tick(), Self: some(l.id()), Addr: l.node().Addr, Source: "asked"},
	}
}

// lines returns rows as lines of text, each value with the name of its column.
func lines(t *testing.T, s Schema, seq iter.Seq2[*Batch, error]) (all []string) {
	t.Helper()
	for b, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Len {
			var line strings.Builder
			for j, c := range s {
				fmt.Fprintf(&line, "%s=%s ", c.Name, shownValue(&b.Cols[j], i))
			}
			all = append(all, line.String())
		}
		b.Release()
	}
	return all
}

func shownValue(v *Vector, i int) string {
	switch {
	case v.Null[i]:
		return "-"
	case v.Type == ID || v.Type == Hash:
		return v.IDs[i].String()
	case v.Type == Addr:
		return v.Addrs[i].String()
	case v.Type == Text:
		return fmt.Sprintf("%q", v.Texts[i])
	case v.Type == Float:
		return fmt.Sprint(v.Floats[i])
	}
	return fmt.Sprint(v.Ints[i])
}

// writeAs writes a table into a file and reads that back.
func writeAs(t *testing.T, table Table, f Format, o Options) Table {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rows."+string(f))
	w, closeFile := fileWriter(t, name, f, table.Schema, o)
	if err := table.Write(w, func(int) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	closeFile()
	back, err := Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// All that a store has goes through every format that keeps all columns and comes
// back: the rows, and the names and types of the columns.
func TestStoreRoundTrip(t *testing.T) {
	l := newLab(t)
	for _, what := range Whats {
		source := func() Table {
			table, err := Source{}.Open(l.store, what)
			if err != nil {
				t.Fatal(err)
			}
			return table
		}
		first := source()
		want := lines(t, first.Schema, first.Rows)
		if len(want) < 20 {
			t.Fatalf("%d %s", len(want), what)
		}
		for _, f := range []Format{CSV, NDJSON, JSON, Parquet, SQLite} {
			for _, o := range []Options{{}, {Micros: true}} {
				back := writeAs(t, source(), f, o)
				bare := slices.Clone(first.Schema)
				for i := range bare {
					bare[i].Private = false
				}
				if !slices.Equal(back.Schema, bare) {
					t.Errorf("%s as %s has columns\n%v, want\n%v", what, f, back.Schema, bare)
				}
				if got := lines(t, back.Schema, back.Rows); !slices.Equal(got, want) {
					t.Errorf("%s as %s: %d rows, want %d; first\n%s, want\n%s", what, f, len(got), len(want), got[0], want[0])
				}
			}
		}
	}
}

// Every column of a store's tables has a value somewhere, and none but those that
// must is always there: a column that is never filled would tell nobody.
func TestColumnsAreFilled(t *testing.T) {
	l := newLab(t)
	for _, what := range Whats {
		table, err := Source{}.Open(l.store, what)
		if err != nil {
			t.Fatal(err)
		}
		filled := map[string]bool{}
		for b, err := range table.Rows {
			if err != nil {
				t.Fatal(err)
			}
			for j, c := range table.Schema {
				filled[c.Name] = filled[c.Name] || slices.Contains(b.Cols[j].Null, false)
			}
		}
		for _, c := range table.Schema {
			if never := what == Estimates && c.Name == "recall"; filled[c.Name] == never {
				t.Errorf("%s: column %s is filled: %v", what, c.Name, filled[c.Name])
			}
		}
	}
}

// Columns are picked by name, in the order asked for.
func TestColumnsArePicked(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct{ columns, says string }{
		{"port,id", ""}, {"id,nothing", `no column "nothing": there are run, runs, id`}, {"id,id", `"id" is named twice`}, {"country", "no column"}, {"", `no column ""`},
	} {
		table, err := Source{Columns: strings.Split(c.columns, ",")}.Open(l.store, Contacts)
		if c.says == "" {
			if err != nil || strings.Join(table.Schema.Names(), ",") != c.columns {
				t.Errorf("%s: %v, %v", c.columns, table.Schema, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.columns, err, c.says)
		}
	}
}

// Ranks are counted for each family, and lookups by run, whatever is chosen of them.
func TestRanks(t *testing.T) {
	store, err := dataset.Create(t.TempDir(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	run, err := store.Begin(dataset.Manifest{}, dataset.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for i := range 3 {
		l := &record.Lookup{Time: at.Add(time.Duration(i) * time.Hour)}
		for _, addr := range []string{"1.1.1.1:1", "1.1.1.2:1", "[2a02::1]:1", "[2a02::2]:1"} {
			l.Closest = append(l.Closest, record.Closest{Node: kad.NodeInfo{ID: kad.ID{1}, Addr: netip.MustParseAddrPort(addr)}})
		}
		run.Record(l)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	table, err := Source{Columns: []string{"lookup", "rank"}, Filter: dataset.Filter{Since: at.Add(time.Hour)}}.Open(store, Lookups)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines(t, table.Schema, table.Rows), "")
	if want := "lookup=2 rank=1 lookup=2 rank=2 lookup=2 rank=1 lookup=2 rank=2 lookup=3 rank=1 lookup=3 rank=2 lookup=3 rank=1 lookup=3 rank=2 "; got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// Contacts for each run have what that run saw, and add up.
func TestContactsPerRun(t *testing.T) {
	l := newLab(t)
	sum := func(s Source) (rows int, replies int64) {
		table, err := s.Open(l.store, Contacts)
		if err != nil {
			t.Fatal(err)
		}
		at := table.Schema.Index("replies")
		for b, err := range table.Rows {
			if err != nil {
				t.Fatal(err)
			}
			rows += b.Len
			for _, n := range b.Cols[at].Ints {
				replies += n
			}
		}
		return rows, replies
	}
	all, replies := sum(Source{})
	each, again := sum(Source{PerRun: true})
	if all != 40 || each != 80 || replies != again || replies == 0 {
		t.Errorf("%d contacts with %d replies, by run %d with %d", all, replies, each, again)
	}
	one, _ := sum(Source{PerRun: true, Filter: dataset.Filter{Runs: l.runs[:1]}})
	if one != 40 {
		t.Errorf("%d contacts of one run", one)
	}
}

// A table's contacts have what a store would tell of them, but for what a table
// does not count.
func TestSeen(t *testing.T) {
	contacts := table.NewFlat()
	at := time.Now().Add(-time.Second)
	contacts.Observe(table.Sighting{Node: kad.NodeInfo{ID: kad.ID{1}, Addr: netip.MustParseAddrPort("81.2.3.4:5")}, Time: at, Event: table.Replied, RTT: time.Millisecond, Version: []byte("LT\x01\x02")})
	seen, err := Source{Columns: strings.Split("run,runs,id,ip,port,state,client,version,rtt_us,failures,unanswered,mentions,replies,origin", ",")}.Seen(contacts.All())
	if err != nil {
		t.Fatal(err)
	}
	want := `run=- runs=- id=0100000000000000000000000000000000000000 ip=81.2.3.4 port=5 state="good" client="LT" version="LT\\x01\\x02" rtt_us=1000 ` +
		`failures=0 unanswered=- mentions=- replies=1 origin="reply" `
	if got := lines(t, seen.Schema, seen.Rows); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want\n%s", got, want)
	}
}

// Who told no ID shares no prefix with whom he named: a number would tell how the ID
// of that one begins, also where it stands under a pseudonym.
func TestBucketOfNobody(t *testing.T) {
	l := newLab(t)
	table, err := Source{}.Open(l.store, Edges)
	if err != nil {
		t.Fatal(err)
	}
	src, dst, bucket := table.Schema.Index("src_id"), table.Schema.Index("dst_id"), table.Schema.Index("bucket")
	seen := map[bool]int{}
	for b, err := range table.Rows {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Len {
			unknown := b.Cols[src].Null[i] || b.Cols[dst].Null[i]
			if seen[unknown]++; b.Cols[bucket].Null[i] != unknown {
				t.Errorf("edge %d: of an unknown ID: %t; without a bucket: %t", i, unknown, b.Cols[bucket].Null[i])
			}
		}
		b.Release()
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("edges with unknown IDs: %d, others: %d", seen[true], seen[false])
	}
}
