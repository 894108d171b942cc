package export

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
	"github.com/lightdht/lightdht/table"
)

func testKey(t *testing.T) *pseudonym.Key {
	t.Helper()
	key, err := pseudonym.ParseKey([]byte("6f3c9d2e8a71b45f0c2d7e91a3b8f64d5e0a1c7b92f83d46e1a5c08b7d29f3e4"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sharedLines returns a table as it is when it is shared.
func sharedLines(t *testing.T, table Table, key *pseudonym.Key) (Schema, []string) {
	t.Helper()
	shared := table.Schema.Shared()
	to := &gathering{}
	w := Share(to, table.Schema, key)
	if err := table.Write(w, func(int) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return shared, lines(t, shared, to.all())
}

// gathering is a Writer that keeps what it is given.
type gathering struct{ batches []*Batch }

func (g *gathering) Write(b *Batch) error { g.batches = append(g.batches, b); return nil }

func (g *gathering) Close() error { return nil }

func (g *gathering) all() iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for _, b := range g.batches {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// fieldOf returns the value of a column in a line.
func fieldOf(line, column string) string {
	_, rest, _ := strings.Cut(" "+line, " "+column+"=")
	value, _, _ := strings.Cut(rest, " ")
	return value
}

// Shared rows are those that are not shared, in an order that tells nothing: that
// of pseudonyms, or of time.
func TestSharedOrder(t *testing.T) {
	l, key := newLab(t), testKey(t)
	for _, c := range []struct {
		what   What
		source Source
		groups []string // rows in which these are the same come one after the other
		sorted string   // the column by which they are then in order
	}{
		{Contacts, Source{}, nil, "id"},
		{Contacts, Source{PerRun: true}, []string{"run"}, "id"},
		{Contacts, Source{Filter: dataset.Filter{Prefix: kad.ID{0x80}.Prefix(1)}}, nil, "id"},
		{Sightings, Source{Filter: dataset.Filter{Runs: l.runs[:1]}}, []string{"run"}, "id"},
		{Sightings, Source{Filter: dataset.Filter{Runs: l.runs[1:]}}, []string{"run"}, "first_seen"},
		{Edges, Source{}, []string{"run", "time", "src_id"}, "dst_id"},
		{Visits, Source{}, []string{"run", "time"}, "id"},
		{Lookups, Source{}, []string{"run", "lookup"}, "id"},
	} {
		open := func(s Source) Table {
			table, err := s.Open(l.store, c.what)
			if err != nil {
				t.Fatal(err)
			}
			return table
		}
		hidden := c.source
		hidden.Key = key
		_, naive := sharedLines(t, open(c.source), key)
		_, got := sharedLines(t, open(hidden), key)
		if len(got) < 10 {
			t.Fatalf("%s: %d rows", c.what, len(got))
		}
		inOrder := func(all []string) bool {
			for i := 1; i < len(all); i++ {
				same := true
				for _, g := range c.groups {
					same = same && fieldOf(all[i], g) == fieldOf(all[i-1], g)
				}
				if same && fieldOf(all[i], c.sorted) < fieldOf(all[i-1], c.sorted) {
					return false
				}
			}
			return true
		}
		if !inOrder(got) {
			t.Errorf("%s: not in the order of %s", c.what, c.sorted)
		}
		if c.sorted != "first_seen" && inOrder(naive) {
			t.Errorf("%s: in the order of %s even if nothing is done for it: the test shows nothing", c.what, c.sorted)
		}
		slices.Sort(naive)
		slices.Sort(got)
		if !slices.Equal(naive, got) {
			t.Errorf("%s: other rows than in the order of the store", c.what)
		}
	}
}

// Contacts of a table are shared in an order that tells nothing, too.
func TestSharedOrderSeen(t *testing.T) {
	l, key := newLab(t), testKey(t)
	known := table.NewPrefix()
	for _, n := range l.nodes {
		known.Restore(table.Contact{ID: n.ID, Addr: n.Addr})
	}
	seen, err := Source{Key: key}.Seen(known.All())
	if err != nil {
		t.Fatal(err)
	}
	_, got := sharedLines(t, seen, key)
	if sorted := slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(fieldOf(a, "id"), fieldOf(b, "id")) }); len(got) != 40 || !sorted {
		t.Errorf("%d rows, in order: %v", len(got), sorted)
	}
}

// However finely a zone is cut, its parts are all of it, in the order of the
// pseudonyms of what lies in them.
func TestZonesByPseudonym(t *testing.T) {
	key := testKey(t)
	for _, all := range []kad.Prefix{{}, kad.ID{0xa0}.Prefix(3), kad.ID{7: 1}.Prefix(159), kad.ID{1}.Prefix(160)} {
		for _, about := range []uint64{0, zoneRows, 5 * zoneRows, 1 << 60} {
			zones := zonesByPseudonym(key, all, about)
			size := 0
			var last kad.ID
			for i, z := range zones {
				size += 1 << (kad.Bits - z.Bits() - max(kad.Bits-all.Bits()-8, 0))
				if is := key.ID(z.Random()); i > 0 && is.Compare(last) <= 0 {
					t.Errorf("%v cut in %d: %v comes after its turn", all, len(zones), z)
				} else {
					last = is
				}
				if !all.Contains(z.First()) || !all.Contains(z.Last()) {
					t.Errorf("%v is no part of %v", z, all)
				}
			}
			if want := 1 << min(kad.Bits-all.Bits(), 8); size != want {
				t.Errorf("%v cut in %d: %d of %d", all, len(zones), size, want)
			}
		}
	}
}

// Rows of one minute come in the order of their pseudonyms, all others as they came,
// and what comes before an error comes.
func TestByMinute(t *testing.T) {
	l, key, end := newLab(t), testKey(t), errors.New("end")
	var seq []*dataset.Sighting
	for i := range 100 {
		seq = append(seq, &dataset.Sighting{Tally: dataset.Tally{Node: kad.NodeInfo{ID: l.id()}, First: dataset.Stamp(1 + i*minute/7)}})
	}
	var got []*dataset.Sighting
	for s, err := range byMinute(func(yield func(*dataset.Sighting, error) bool) {
		for _, s := range seq {
			if !yield(s, nil) {
				return
			}
		}
		yield(nil, end)
	}, func(s *dataset.Sighting) (dataset.RunID, dataset.Stamp) { return s.Run, s.First },
		func(a, b *dataset.Sighting) int { return key.ID(a.Node.ID).Compare(key.ID(b.Node.ID)) }) {
		if err == nil {
			got = append(got, s)
		} else if err != end {
			t.Fatal(err)
		}
	}
	slices.SortStableFunc(seq, func(a, b *dataset.Sighting) int {
		return cmp.Or(cmp.Compare(a.First/minute, b.First/minute), key.ID(a.Node.ID).Compare(key.ID(b.Node.ID)))
	})
	if !slices.Equal(got, seq) {
		t.Error("they do not come in the order of minutes, then of pseudonyms")
	}
}
