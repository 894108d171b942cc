package dataset

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// world makes rows at random, of few contacts so that they meet again.
type world struct {
	*rand.Rand
	now   time.Time
	nodes []kad.NodeInfo
}

func newWorld(seed uint64, contacts int) *world {
	w := &world{rand.New(rand.NewPCG(seed, 1)), time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), nil}
	for range contacts {
		w.nodes = append(w.nodes, kad.NodeInfo{ID: w.id(), Addr: w.addr()})
	}
	return w
}

func (w *world) id() (id kad.ID) {
	for i := range id {
		id[i] = byte(w.Uint32())
	}
	return id
}

func (w *world) addr() netip.AddrPort {
	port := uint16(1 + w.IntN(65535))
	if w.IntN(4) == 0 {
		ip := [16]byte{0x20, 1, 0xd, 0xb8, 15: byte(w.Uint32()), 14: byte(w.Uint32())}
		return netip.AddrPortFrom(netip.AddrFrom16(ip), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(w.Uint32()), byte(w.Uint32()), byte(w.Uint32())}), port)
}

func (w *world) node() kad.NodeInfo { return w.nodes[w.IntN(len(w.nodes))] }

// tick lets some time pass, in whole microseconds.
func (w *world) tick() time.Time {
	w.now = w.now.Add(time.Duration(w.IntN(3_000_000)) * time.Microsecond)
	return w.now
}

func (w *world) version() []byte {
	return [][]byte{nil, []byte("LT\x01\x02"), []byte("UT\x00\x00"), []byte("LD\x00\x01")}[w.IntN(4)]
}

func (w *world) sighting() *record.Sighting {
	s := &record.Sighting{Time: w.tick(), Self: w.nodes[0].ID, Node: w.node(), Event: record.Event(1 + w.IntN(4))}
	switch s.Event {
	case record.Mentioned:
		if w.IntN(3) > 0 {
			s.By = w.node()
		}
	case record.Queried:
		s.Method, s.Version, s.ReadOnly = "ping", w.version(), w.IntN(3) == 0
	case record.Replied:
		s.Method, s.Version, s.RTT = "find_node", w.version(), time.Duration(w.IntN(1e6))*time.Microsecond
	}
	s.BEPs, s.Router, s.Entrance = record.BEPs(w.IntN(32)), w.IntN(50) == 0, w.IntN(50) == 0
	if s.Event == record.Mentioned || s.Event == record.Failed {
		s.BEPs = 0
	}
	return s
}

// observe tells a table of a sighting, as the node that recorded it did.
func observe(t table.Table, s *record.Sighting) {
	o := table.Origin(0)
	switch {
	case s.Entrance:
		o = table.FromBootstrap
	case s.Event == record.Mentioned && s.By == (kad.NodeInfo{}):
		o = table.FromImport
	}
	t.Observe(table.Sighting{
		Node: s.Node, Time: s.Time, Event: table.Event(s.Event), RTT: s.RTT, Version: s.Version, ReadOnly: s.ReadOnly, Router: s.Router, Origin: o,
	})
}

// whole is a contact with its times in whole seconds, as a table has them.
func whole(c table.Contact) table.Contact {
	for _, t := range []*time.Time{&c.FirstSeen, &c.LastSeen, &c.LastQuery, &c.LastReply} {
		*t = t.Truncate(time.Second)
	}
	return c
}

// contactsOf reads all contacts of a store.
func contactsOf(t testing.TB, s *Store, f Filter) map[kad.NodeInfo]Contact {
	t.Helper()
	all := map[kad.NodeInfo]Contact{}
	var last key
	for c, err := range s.Contacts(f) {
		if err != nil {
			t.Fatal(err)
		}
		if k := keyOf(c.Node); len(all) > 0 && last.compare(&k) >= 0 {
			t.Fatalf("%v comes after its turn", c.Node)
		} else {
			last = k
		}
		all[c.Node] = *c
	}
	return all
}

// newStore makes a store that tells of no problem unless it is wanted.
func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := Create(memoryDir(t), "lab")
	if err != nil {
		t.Fatal(err)
	}
	s.Problem = func(err error) { t.Errorf("a problem: %v", err) }
	return s
}

func begin(t testing.TB, s *Store, set Settings) *Run {
	t.Helper()
	r, err := s.Begin(Manifest{Command: "test", Tool: ThisTool("lightdht", "1")}, set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func finish(t testing.TB, r *Run) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// sameAsTable holds contacts of a store to those of a table that was told the same.
func sameAsTable(t *testing.T, got map[kad.NodeInfo]Contact, want table.Table) {
	t.Helper()
	if len(got) != want.Len() || len(got) == 0 {
		t.Errorf("%d contacts, want %d", len(got), want.Len())
	}
	wrong := 0
	for c := range want.All() {
		have := got[c.Info()]
		if is := whole(have.Contact()); is != c {
			if wrong++; wrong < 4 {
				t.Errorf("contact\n%+v, want\n%+v", is, c)
			}
		}
	}
}

// What a run is told makes the same contacts as a table that is told it: in any
// number of flushes, files and sorted files, while it goes on and afterwards.
func TestRunIsItsTable(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w, s, want := newWorld(seed, 300), newStore(t), table.NewPrefix()
			set := Settings{FlushEvery: time.Hour, segment: int64(2000 + w.IntN(20000))}
			r := begin(t, s, set)
			for i := range 5000 {
				sighting := w.sighting()
				observe(want, sighting)
				r.Record(sighting)
				if w.IntN(100) == 0 {
					if err := r.Flush(); err != nil {
						t.Fatal(err)
					}
				}
				if i == 3000 {
					if err := r.Flush(); err != nil {
						t.Fatal(err)
					}
					sameAsTable(t, contactsOf(t, s, Filter{}), want)
				}
			}
			finish(t, r)
			got := contactsOf(t, s, Filter{})
			sameAsTable(t, got, want)
			for _, c := range got {
				if c.Runs != 1 || c.Run != r.ID() {
					t.Fatalf("%v is of %d runs, %v", c.Node, c.Runs, c.Run)
				}
			}
			v, err := s.Verify()
			if err != nil || len(v.Problems) > 0 {
				t.Errorf("verified: %+v, %v", v, err)
			}
			before, after, err := s.Compact()
			if err != nil || after > before {
				t.Errorf("compacted from %d to %d: %v", before, after, err)
			}
			if again := contactsOf(t, s, Filter{}); !maps.Equal(again, got) {
				t.Error("compacting changed contacts")
			}
			if v, err := s.Verify(); err != nil || len(v.Problems) > 0 || v.Files != 1 {
				t.Errorf("verified after compacting: %+v, %v", v, err)
			}
		})
	}
}

// Runs beside each other and one after the other make, together, what one run is
// that is told everything.
func TestRunsAreMerged(t *testing.T) {
	w, s, one, want := newWorld(7, 100), newStore(t), newStore(t), table.NewPrefix()
	whole := begin(t, one, Settings{FlushEvery: time.Hour})
	ranges := map[kad.NodeInfo]map[RunID]bool{}
	for range 3 {
		var runs []*Run
		for range 2 {
			runs = append(runs, begin(t, s, Settings{FlushEvery: time.Hour}))
		}
		for range 400 {
			sighting := w.sighting()
			r := runs[int(sighting.Node.ID[0])%2] // a contact is seen by one of both: spans do not overlap
			r.Record(sighting)
			whole.Record(sighting)
			observe(want, sighting)
			if ranges[sighting.Node] == nil {
				ranges[sighting.Node] = map[RunID]bool{}
			}
			ranges[sighting.Node][r.ID()] = true
		}
		for _, r := range runs {
			finish(t, r)
		}
	}
	finish(t, whole)
	got := contactsOf(t, s, Filter{})
	sameAsTable(t, got, want)
	all := contactsOf(t, one, Filter{})
	for node, c := range got {
		if c.Runs != len(ranges[node]) {
			t.Errorf("%v was seen by %d runs, want %d", node, c.Runs, len(ranges[node]))
		}
		if c.Tally != all[node].Tally {
			t.Errorf("merged\n%+v, want\n%+v", c.Tally, all[node].Tally)
		}
	}
}

// rowsFor makes one row of each kind but sightings, with all fields set.
func (w *world) rowsFor() []record.Row {
	target := record.Target{ID: w.id()}
	var nodes []kad.NodeInfo
	for range w.IntN(4) {
		nodes = append(nodes, w.node())
	}
	micros := func() time.Duration { return time.Duration(w.IntN(1e7)) * time.Microsecond }
	lookup := &record.Lookup{
		Time: w.tick(), Self: w.id(), Target: target, Purpose: "random", Peers: true, K: 8, Width: 24, Err: "",
		Asked: 1, Answered: 2, Strange: 3, TimedOut: 4, Failed: 5, Silent: 6, Hops: 7, Found: 8, Sent: 9, Got: 10, Duration: micros(),
	}
	for range w.IntN(9) {
		lookup.Closest = append(lookup.Closest, record.Closest{Node: w.node(), RTT: micros(), Hop: w.IntN(5), Bits: w.IntN(160), Distance: w.Float64()})
	}
	return []record.Row{
		&record.Query{Time: w.tick(), Self: w.id(), Node: w.node(), Method: "x\x00", Target: target, Version: []byte{1, 2}, ReadOnly: true, Size: 99},
		&record.Visit{
			Time: w.tick(), Self: w.id(), Node: w.node(), Method: "find_node", Target: target, Outcome: record.ErrorReply, Code: -204, RTT: micros(),
			Replier: w.id(), Version: []byte("LT"), BEPs: record.BEP32, Nodes: nodes, Peers: 5, Sent: 100, Got: 300,
		},
		lookup,
		&record.Estimate{Time: w.tick(), What: "size", Method: "pooled", Family: kad.IPv6, K: 8, Samples: 256, Value: 1e7, Lo: 9e6, Hi: 1.1e7, Level: 0.95, Recall: 0.9},
		&record.Endpoint{Time: w.tick(), Self: w.id(), Addr: w.addr(), Source: "asked"},
		&record.Endpoint{Time: w.tick(), Addr: netip.AddrPort{}},
	}
}

// Rows come back as they were recorded, in their order, be it across files.
func TestRowsComeBack(t *testing.T) {
	w, s := newWorld(3, 50), newStore(t)
	r := begin(t, s, Settings{FlushEvery: time.Hour, KeepSightings: true, segment: 3000})
	want := map[record.Kind][]string{}
	show := func(row record.Row) string { return fmt.Sprintf("%+v", row) }
	for range 100 {
		for _, row := range append(w.rowsFor(), record.Row(w.sighting())) {
			r.Record(row)
			want[row.Kind()] = append(want[row.Kind()], show(row))
		}
		if w.IntN(10) == 0 {
			r.Flush()
		}
	}
	finish(t, r)
	for _, kind := range record.Kinds {
		var got []string
		for row, err := range s.Rows(kind, Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Run != r.ID() {
				t.Fatalf("a row of run %v", row.Run)
			}
			got = append(got, show(row.Row))
		}
		if !slices.Equal(got, want[kind]) {
			t.Errorf("%s: %d rows, want %d", kind, len(got), len(want[kind]))
			for i := range min(len(got), len(want[kind])) {
				if got[i] != want[kind][i] {
					t.Errorf("first that differs:\n%s, want\n%s", got[i], want[kind][i])
					break
				}
			}
		}
	}
	if m := r.manifest; m.Rows["visits"] != 100 || m.Rows["sightings"] != 100 || m.State != Ended || m.End.Before(m.Start) {
		t.Errorf("the manifest says %+v", m)
	}
}

// Infohashes are hashed under the key of the store, places are not.
func TestInfohashesAreHashed(t *testing.T) {
	w := newWorld(4, 5)
	for _, raw := range []bool{false, true} {
		s := newStore(t)
		r := begin(t, s, Settings{RawInfohashes: raw})
		for _, infohash := range []bool{false, true} {
			target := record.Target{ID: w.nodes[1].ID, Infohash: infohash}
			for _, row := range []record.Row{
				&record.Query{Time: w.tick(), Node: w.node(), Target: target},
				&record.Visit{Time: w.tick(), Node: w.node(), Target: target},
				&record.Lookup{Time: w.tick(), Target: target},
			} {
				r.Record(row)
				if row, ok := row.(*record.Query); ok && row.Target != target {
					t.Error("the caller's row was changed")
				}
			}
		}
		finish(t, r)
		for _, kind := range []record.Kind{record.KindQuery, record.KindVisit, record.KindLookup} {
			for row, err := range s.Rows(kind, Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
				var is record.Target
				switch row := row.Row.(type) {
				case *record.Query:
					is = row.Target
				case *record.Visit:
					is = row.Target
				case *record.Lookup:
					is = row.Target
				}
				want := w.nodes[1].ID
				if is.Infohash && !raw {
					want = s.Hash(want)
				}
				if is.ID != want {
					t.Errorf("%s, raw %v, infohash %v: %v, want %v", kind, raw, is.Infohash, is.ID, want)
				}
			}
		}
	}
	a, b := newStore(t), newStore(t)
	if id := w.id(); a.Hash(id) == b.Hash(id) || a.Hash(id) == id {
		t.Error("hashes are not of the store's own key")
	}
}

// With the ID of a node its exact distance would tell the infohash that was hashed.
func TestDistancesOfHashedInfohashes(t *testing.T) {
	w := newWorld(9, 4)
	for _, c := range []struct{ raw, infohash, told bool }{{false, true, false}, {true, true, true}, {false, false, true}} {
		s := newStore(t)
		r := begin(t, s, Settings{RawInfohashes: c.raw})
		found := []record.Closest{{Node: w.node(), Bits: 7, Distance: 0.25}}
		r.Record(&record.Lookup{Time: w.tick(), Target: record.Target{ID: w.id(), Infohash: c.infohash}, Closest: found})
		finish(t, r)
		for row, err := range s.Rows(record.KindLookup, Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			is := row.Row.(*record.Lookup).Closest[0]
			if told := is.Distance == 0.25; told != c.told || is.Bits != 7 || found[0].Distance != 0.25 {
				t.Errorf("%+v: kept %+v, given %+v", c, is, found[0])
			}
		}
	}
}

// Odd sightings are kept as the nearest there is, or lost and counted.
func TestOddSightings(t *testing.T) {
	w, s := newWorld(10, 1), newStore(t)
	r := begin(t, s, Settings{FlushEvery: time.Hour})
	times := []time.Time{{}, time.Unix(0, 0), time.Unix(-100, 0), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1<<40, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, at := range times {
		r.Record(&record.Sighting{Time: at, Node: w.nodes[0], Event: record.Queried})
		r.Flush()
	}
	mapped := netip.AddrPortFrom(netip.AddrFrom16(netip.MustParseAddr("1.2.3.4").As16()), 5)
	for _, addr := range []netip.AddrPort{mapped, netip.MustParseAddrPort("1.2.3.4:5")} {
		r.Record(&record.Sighting{Time: w.tick(), Node: kad.NodeInfo{ID: kad.ID{1}, Addr: addr}, Event: record.Queried})
		r.Flush()
	}
	r.Record(&record.Sighting{Time: w.tick(), Event: record.Queried})
	r.Record(strange{})
	if r.Lost() != 2 {
		t.Errorf("%d rows lost, want 2", r.Lost())
	}
	finish(t, r)
	got := contactsOf(t, s, Filter{})
	c, mine := got[w.nodes[0]], got[kad.NodeInfo{ID: kad.ID{1}, Addr: netip.MustParseAddrPort("1.2.3.4:5")}]
	if len(got) != 2 || c.Queries != 5 || c.First != 1 || c.Query != lastStamp || mine.Queries != 2 {
		t.Errorf("%d contacts: %+v, %+v", len(got), c.Tally, mine.Tally)
	}
	if m := r.manifest; m.Drops["store_lost_others"] != 1 || m.Drops["store_lost_sightings"] != 1 {
		t.Errorf("the manifest says %v", m.Drops)
	}
}

// strange is a row of a type that no store knows.
type strange struct{ record.Query }

func (strange) When() time.Time   { return time.Time{} }
func (strange) Kind() record.Kind { return 77 }

// What is too long is cut, and that is counted.
func TestCutsAreCounted(t *testing.T) {
	w, s := newWorld(11, 3), newStore(t)
	r := begin(t, s, Settings{})
	long := make([]byte, maxText+1)
	r.Record(&record.Sighting{Time: w.tick(), Node: w.nodes[0], Event: record.Queried, Version: long})
	r.Record(&record.Query{Time: w.tick(), Node: w.nodes[0], Method: string(long), Version: long})
	r.Record(&record.Visit{Time: w.tick(), Node: w.nodes[0], Nodes: make([]kad.NodeInfo, maxList+1)})
	r.Record(&record.Visit{Time: w.tick(), Node: w.nodes[0], Nodes: make([]kad.NodeInfo, maxList), Method: string(long[:maxText])})
	finish(t, r)
	if n := r.manifest.Drops["store_cut"]; n != 4 {
		t.Errorf("%d cuts, want 4", n)
	}
}
