package export

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// everyColumn is a schema with a column of each type, not in the order of their
// names, one of which needs quotes in SQL.
var everyColumn = Schema{
	{Name: "zone", Type: ID}, {Name: "infohash", Type: Hash}, {Name: "ip", Type: Addr},
	{Name: `a "text"; --`, Type: Text}, {Name: "count", Type: Int}, {Name: "share", Type: Float},
	{Name: "order", Type: Bool}, {Name: "at", Type: Time},
}

// rows returns the values of batches, row by row; an absent one is nil.
func tableRows(batches []*Batch) [][]any {
	var all [][]any
	for _, b := range batches {
		for i := range b.Len {
			row := make([]any, len(b.Cols))
			for j := range b.Cols {
				row[j] = tableCell(&b.Cols[j], i)
			}
			all = append(all, row)
		}
	}
	return all
}

func tableCell(v *Vector, i int) any {
	if v.Null[i] {
		return nil
	}
	switch v.Type {
	case ID, Hash:
		return v.IDs[i]
	case Addr:
		return v.Addrs[i]
	case Text:
		return v.Texts[i]
	case Float:
		return v.Floats[i]
	}
	return v.Ints[i]
}

// randomBatches returns rows of s, some 30 % of whose values are absent, in batches
// of all sizes.
func randomBatches(rng *rand.Rand, s Schema, rows int) []*Batch {
	var batches []*Batch
	for rows > 0 {
		b := s.NewBatch()
		for range min(rows, 1+rng.IntN(BatchRows)) {
			for j := range b.Cols {
				addRandom(&b.Cols[j], rng)
			}
			b.Len++
		}
		rows -= b.Len
		batches = append(batches, b)
	}
	return batches
}

func addRandom(v *Vector, rng *rand.Rand) {
	if rng.IntN(10) < 3 {
		v.AddAbsent()
		return
	}
	switch v.Type {
	case ID, Hash:
		v.AddID(someID(rng))
	case Addr:
		v.AddAddr(someAddr(rng))
	case Text:
		v.AddText(someText(rng))
	case Int:
		v.AddInt(int64(rng.Uint64()) >> rng.IntN(64))
	case Float:
		v.AddFloat(someFloat(rng))
	case Bool:
		v.AddBool(rng.IntN(2) == 0)
	case Time:
		v.AddInt(someTime(rng))
	}
}

func someAddr(rng *rand.Rand) netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = byte(rng.IntN(256))
	}
	if rng.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b).Unmap()
}

// someText returns a text that is not empty.
func someText(rng *rand.Rand) string {
	pieces := []string{"a", `"`, "'", "\x00", "\r\n", ",", "é", "日本", "\U0001F600", "\\", "--", ";", " "}
	var s strings.Builder
	for range 1 + rng.IntN(12) {
		s.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return s.String()
}

func someFloat(rng *rand.Rand) float64 {
	f := math.Float64frombits(rng.Uint64())
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0.1
	}
	return f
}

// someTime returns a time between the years 1 and 9999, in microseconds.
func someTime(rng *rand.Rand) int64 {
	const first, last = -62135596800e6, 253402300799_999999
	return first + rng.Int64N(last-first+1)
}

// copies returns the same rows again, for a writer to take over, in batches of a
// pool that tells who was released twice.
func copyBatches(batches []*Batch, pool func() *Batch) []*Batch {
	all := make([]*Batch, len(batches))
	for i, b := range batches {
		all[i] = copyBatch(pool, b)
	}
	return all
}

// written checks that each batch was released, and none twice.
func releasedOnce(t *testing.T, batches []*Batch) {
	t.Helper()
	for i, b := range batches {
		if b.Len != 0 {
			t.Errorf("batch %d was not released", i)
		}
	}
	seen := make(map[*Batch]bool)
	for range 2 * len(batches) {
		b := batches[0].from.Get().(*Batch)
		if seen[b] {
			t.Errorf("a batch was released twice")
		}
		seen[b] = true
	}
}

// freshPool returns a pool that shares nothing.
func freshPool(s Schema) func() *Batch {
	pool := &sync.Pool{}
	pool.New = func() any {
		b := s.NewBatch()
		b.from = pool
		return b
	}
	return func() *Batch { return pool.New().(*Batch) }
}

// writeAll writes batches, which w takes over, and closes w.
func writeBatches(w Writer, batches []*Batch) error {
	var first error
	for _, b := range batches {
		if err := w.Write(b); err != nil && first == nil {
			first = err
		}
	}
	if err := w.Close(); first == nil {
		first = err
	}
	return first
}

// readAll returns all batches up to an error.
func batchesIn(seq iter.Seq2[*Batch, error]) ([]*Batch, error) {
	var batches []*Batch
	for b, err := range seq {
		if err != nil {
			return batches, err
		}
		batches = append(batches, b)
	}
	return batches, nil
}

// same compares what was read with what was written.
func sameTable(t *testing.T, s Schema, want []*Batch, gotSchema Schema, got []*Batch) {
	t.Helper()
	if !reflect.DeepEqual(s, gotSchema) {
		t.Fatalf("read the schema %v, wrote %v", gotSchema, s)
	}
	wantRows, gotRows := tableRows(want), tableRows(got)
	if len(wantRows) != len(gotRows) {
		t.Fatalf("read %d rows, wrote %d", len(gotRows), len(wantRows))
	}
	for i := range wantRows {
		if !reflect.DeepEqual(wantRows[i], gotRows[i]) {
			t.Fatalf("row %d: read %s, wrote %s", i, showRow(gotRows[i]), showRow(wantRows[i]))
		}
	}
}

func showRow(row []any) string { return fmt.Sprintf("%#v", row) }

// extremes returns the values at the ends of each type, in one batch.
func extremes() []*Batch {
	b := everyColumn.NewBatch()
	v6 := netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	for _, text := range []string{"\x00", "a\x00b", `"; DROP TABLE rows; --`, "'", "\U0010FFFF", strings.Repeat("x", 100_000)} {
		b.Cols[3].AddText(text)
	}
	for _, n := range []int64{math.MinInt64, math.MaxInt64, 0, -1, 1, 1 << 53} {
		b.Cols[4].AddInt(n)
	}
	for _, f := range []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0, 0.1, 1} {
		b.Cols[5].AddFloat(f)
	}
	for _, at := range []int64{-1, -62135596800e6, 253402300799_999999, 0, -999_999, 1} {
		b.Cols[7].AddInt(at)
	}
	for i := range 6 {
		b.Cols[0].AddID(someID(rand.New(rand.NewPCG(uint64(i), 0))))
		b.Cols[1].AddID([20]byte{19: byte(i)})
		b.Cols[2].AddAddr([]netip.Addr{v6, netip.IPv6Unspecified(), netip.IPv4Unspecified(), v6.Prev(), v6.Prev(),
			netip.MustParseAddr("fe80::1%eth0")}[i])
		b.Cols[6].AddBool(i%2 == 0)
		b.Len++
	}
	for j := range b.Cols {
		b.Cols[j].AddAbsent()
	}
	b.Len++
	return []*Batch{b}
}
