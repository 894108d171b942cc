package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// history is sightings of one contact in order of time, many of them at one time.
func (w *world) history(n int) []*record.Sighting {
	w.nodes = w.nodes[:1]
	all := make([]*record.Sighting, n)
	for i := range all {
		before := w.now
		all[i] = w.sighting()
		if w.IntN(2) == 0 {
			w.now, all[i].Time = before, before
		}
	}
	return all
}

func tallyOf(sightings []*record.Sighting) (t Tally) {
	if len(sightings) > 0 {
		t.Node = sightings[0].Node
	}
	for _, s := range sightings {
		t.add(s, string(s.Version))
	}
	return t
}

// Sightings in any consecutive spans, counted each and merged in order, are what
// they are counted at once; written in between, they stay that.
func TestSpansAreMerged(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(3000) {
		w := newWorld(seed+i, 1)
		all := w.history(1 + w.IntN(14))
		want := tallyOf(all)
		var got Tally
		for from := 0; from < len(all); {
			to := from + 1 + w.IntN(len(all)-from)
			span := tallyOf(all[from:to])
			var read Tally
			read.read(&fields{b: span.append(nil, 77)}, 77, &names{})
			if read != span {
				t.Fatalf("read back\n%+v, want\n%+v", read, span)
			}
			if from == 0 {
				got = span
			} else {
				got.Merge(&span)
			}
			from = to
		}
		if got != want {
			for _, s := range all {
				t.Logf("%+v", *s)
			}
			t.Fatalf("history %d: merged\n%+v, want\n%+v", i, got, want)
		}
	}
}

// Of spans that overlap the counts, the first and the last of all are exact, in
// whatever order they are merged.
func TestOverlappingSpansAreMerged(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(1000) {
		w := newWorld(seed+i, 1)
		all := w.history(2 + w.IntN(12))
		var parts [3][]*record.Sighting
		for _, s := range all {
			n := w.IntN(len(parts))
			parts[n] = append(parts[n], s)
		}
		want := tallyOf(all)
		got, begun := Tally{}, false
		for _, n := range w.Perm(len(parts)) {
			if part := tallyOf(parts[n]); len(parts[n]) == 0 {
			} else if !begun {
				got, begun = part, true
			} else {
				got.Merge(&part)
			}
		}
		show := func(t Tally) string {
			return fmt.Sprint(t.First, t.Last, t.Query, t.Reply, t.Failure, t.Mentions, t.Queries, t.Replies, t.Failures, t.BEPs, t.Router)
		}
		if show(got) != show(want) {
			t.Fatalf("merged\n%+v, want\n%+v", got, want)
		}
	}
}

// Counts stop at their highest value.
func TestCountsStop(t *testing.T) {
	a, b := Tally{First: 1, Queries: math.MaxUint32 - 1}, Tally{First: 2, Queries: 5}
	if a.Merge(&b); a.Queries != math.MaxUint32 {
		t.Errorf("%d", a.Queries)
	}
}

// Rows with values that nobody should give are kept as well as can be: what follows
// them is read.
func TestOddRows(t *testing.T) {
	s := newStore(t)
	r := begin(t, s, Settings{})
	long := make([]byte, 100000)
	nobody := kad.NodeInfo{}
	mapped := kad.NodeInfo{Addr: netip.MustParseAddrPort("[::ffff:10.0.0.1]:1")}
	zone := kad.NodeInfo{Addr: netip.MustParseAddrPort("[fe80::1%eth0]:1")}
	closest, nodes := make([]record.Closest, 3000), make([]kad.NodeInfo, 3000)
	for _, row := range []record.Row{
		&record.Query{Size: -1}, &record.Query{Size: math.MaxInt, Method: string(long), Version: long},
		&record.Visit{Peers: -1, Sent: math.MinInt, Got: math.MaxInt, Code: math.MinInt, RTT: math.MinInt64, Nodes: nodes},
		&record.Lookup{Asked: -5, Hops: math.MaxInt, Duration: math.MaxInt64, Closest: closest, Err: string(long)},
		&record.Estimate{K: -1, Samples: math.MaxInt, Value: math.NaN(), Lo: math.Inf(-1), Time: time.Unix(math.MaxInt32*1000, 0)},
		&record.Endpoint{Source: string(long), Time: time.Unix(-1, 0)},
		&record.Sighting{Node: nobody, Event: record.Replied},
		&record.Sighting{Node: mapped, Event: record.Replied, RTT: -5, Version: long},
		&record.Sighting{Node: zone, Event: 200, BEPs: 255, Time: time.Unix(-1, 0)},
		&record.Sighting{Node: kad.NodeInfo{Addr: netip.MustParseAddrPort("10.0.0.1:2")}, Event: record.Replied},
		&record.Sighting{Node: kad.NodeInfo{Addr: netip.MustParseAddrPort("10.0.0.1:2")}, Event: record.Replied},
	} {
		r.Record(row)
		r.Flush()
	}
	finish(t, r)
	if n := len(contactsOf(t, s, Filter{})); n != 3 || r.Lost() != 1 {
		t.Errorf("%d contacts, %d lost", n, r.Lost())
	}
	for kind, want := range map[record.Kind]int{record.KindQuery: 2, record.KindVisit: 1, record.KindLookup: 1, record.KindEstimate: 1, record.KindEndpoint: 1, 99: 0} {
		n := 0
		for _, err := range s.Rows(kind, Filter{}) {
			if n++; err != nil {
				t.Errorf("%v: %v", kind, err)
			}
		}
		if n != want {
			t.Errorf("%v: %d rows, want %d", kind, n, want)
		}
	}
}

// The greatest row fits a frame that is almost full.
func TestFramesAreNotTooLong(t *testing.T) {
	far := kad.NodeInfo{Addr: netip.MustParseAddrPort("[2001:db8::1]:65535")}
	l := &record.Lookup{}
	for range maxList {
		l.Closest = append(l.Closest, record.Closest{Node: far, RTT: math.MinInt64, Hop: math.MaxInt32, Bits: math.MaxInt32})
	}
	if n := len(appendRow(nil, l)); frameHead+frameTime+frameWant+n > frameMost {
		t.Errorf("a row has %d bytes", n)
	}
}

// Contacts to begin with are those of the latest runs, each once; what is spoilt of
// them is told.
func TestGood(t *testing.T) {
	s, w := newStore(t), newWorld(6, 30)
	var last *Run
	for i := range 3 {
		last = begin(t, s, Settings{Good: func() (good []table.Contact) {
			for _, n := range w.nodes[5*i : 5*i+10] {
				good = append(good, table.Contact{ID: n.ID, Addr: n.Addr, FirstSeen: w.now, LastSeen: w.now, LastReply: w.now, LastQuery: w.now, Replies: 9, Queries: 8, Version: "LT"})
			}
			return good
		}})
		finish(t, last)
	}
	seen := map[kad.NodeInfo]bool{}
	for i, c := range s.Good(100) {
		if seen[c.Info()] || c.Replies != 0 || c.Queries != 0 || c.LastReply.IsZero() || c.Version != "LT" {
			t.Errorf("%+v", c)
		}
		seen[c.Info()] = true
		if at := indexOf(w.nodes, c.Info()); i < 10 && at < 10 || at < 0 || at >= 20 {
			t.Errorf("contact %d is node %d", i, at)
		}
	}
	if len(seen) != 20 || len(s.Good(7)) != 7 {
		t.Errorf("%d contacts", len(seen))
	}
	told := tell(s)
	rewritten(t, filepath.Join(last.dir, goodFile), "LT", "TL")
	if n := len(s.Good(100)); n != 15 || len(*told) != 1 {
		t.Errorf("%d contacts, told %v", n, *told)
	}
}

func indexOf(all []kad.NodeInfo, n kad.NodeInfo) int {
	for i := range all {
		if all[i] == n {
			return i
		}
	}
	return -1
}
