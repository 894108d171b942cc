package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// parquetBytes returns batches, which stay the caller's, as a Parquet file.
func parquetBytes(t testing.TB, s Schema, batches []*Batch) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := newParquet(&file, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeBatches(w, copyBatches(batches, s.Pool())); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func openParquetBytes(file []byte) (Schema, iter.Seq2[*Batch, error], error) {
	return readParquet(bytes.NewReader(file), int64(len(file)))
}

func parquetRoundTrip(t *testing.T, s Schema, batches []*Batch) {
	t.Helper()
	schema, seq, err := openParquetBytes(parquetBytes(t, s, batches))
	if err != nil {
		t.Fatal(err)
	}
	got, err := batchesIn(seq)
	if err != nil {
		t.Fatal(err)
	}
	sameTable(t, s, batches, schema, got)
}

func TestParquetExtremes(t *testing.T) { parquetRoundTrip(t, everyColumn, extremes()) }

func TestParquetNoRows(t *testing.T) { parquetRoundTrip(t, everyColumn, nil) }

// An empty text is none that is absent.
func TestParquetEmptyText(t *testing.T) {
	s := Schema{{Name: "t", Type: Text}}
	b := s.NewBatch()
	b.Cols[0].AddText("")
	b.Cols[0].AddAbsent()
	b.Cols[0].AddText("")
	b.Len = 3
	parquetRoundTrip(t, s, []*Batch{b})
}

func TestParquetRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 10 {
		var s Schema
		for i := range 1 + rng.IntN(10) {
			s = append(s, Column{Name: fmt.Sprintf("c%d", (i*7)%11), Type: ID + Type(rng.IntN(int(Time)))})
		}
		parquetRoundTrip(t, s, randomBatches(rng, s, rng.IntN(3*BatchRows)))
	}
}

// Rows of several row groups come in their order, texts that do not fit into the
// dictionary among them.
func TestParquetRowGroups(t *testing.T) {
	s := Schema{{Name: "n", Type: Int}, {Name: "t", Type: Text}}
	var batches []*Batch
	for n := int64(0); n < 4*parquetBlockRows+10; {
		b := s.NewBatch()
		for !b.Full() {
			text := "the same" // until the dictionary is chosen
			if n > parquetBlockRows {
				text = fmt.Sprint("text number ", n)
			}
			b.Cols[0].AddInt(n)
			b.Cols[1].AddText(text)
			b.Len++
			n++
		}
		batches = append(batches, b)
	}
	var file bytes.Buffer
	w := &parquetWriter{w: &file, schema: s, most: 2 * parquetBlockRows}
	if err := writeBatches(w, copyBatches(batches, s.Pool())); err != nil {
		t.Fatal(err)
	}
	opened, err := openParquet(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || len(opened.RowGroups()) != 3 {
		t.Fatalf("row groups of %v, %v; want 3", opened, err)
	}
	got, err := readParquetBytes(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	sameTable(t, s, batches, s, got)
}

func TestParquetReleasesOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	batches := copyBatches(randomBatches(rng, everyColumn, 20*BatchRows), freshPool(everyColumn))
	w, err := newParquet(io.Discard, everyColumn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeBatches(w, batches); err != nil {
		t.Fatal(err)
	}
	releasedOnce(t, batches)
	late := everyColumn.NewBatch()
	late.Len = 1
	if err := w.Write(late); err == nil || late.Len != 0 {
		t.Errorf("a batch after Close: %v; %d of its rows are there", err, late.Len)
	}
}

// fullDisk is a disk with room for n bytes.
type fullDisk struct{ n int }

var errFullDisk = errors.New("no space left on device")

func (f *fullDisk) Write(b []byte) (int, error) {
	if len(b) > f.n {
		return 0, errFullDisk
	}
	f.n -= len(b)
	return len(b), nil
}

// What cannot be written is told, wherever it happens, once Close has returned;
// all batches are given back, and nobody is left at work.
func TestParquetWriteFails(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := Schema{{Name: "id", Type: ID}, {Name: "at", Type: Time}}
	one := s.NewBatch()
	for rng := rand.New(rand.NewPCG(5, 6)); !one.Full(); one.Len++ {
		one.Cols[0].AddID(someID(rng))
		one.Cols[1].AddInt(someTime(rng))
	}
	for _, n := range []int{1, 3 * parquetBlockRows / BatchRows} {
		for _, room := range []int{0, 3, 4, 5, 100, 10_000, n * BatchRows * 8} {
			batches := make([]*Batch, n)
			pool := freshPool(s)
			for i := range batches {
				batches[i] = copyBatch(pool, one)
			}
			w := &parquetWriter{w: &fullDisk{room}, schema: s, most: parquetBlockRows}
			if err := writeBatches(w, batches); !errors.Is(err, errFullDisk) {
				t.Errorf("room for %d bytes, %d batches: %v", room, n, err)
			}
			releasedOnce(t, batches)
		}
	}
}

// A batch that the schema does not fit is a mistake of the program, and told as an
// error: a goroutine at work cannot panic into the caller.
func TestParquetWrongBatch(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w, err := newParquet(io.Discard, contactLike, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := everyColumn.NewBatch()
	b.Len = 10
	if err := writeBatches(w, []*Batch{b}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one of a line", err)
	}
}

func TestParquetColumns(t *testing.T) {
	for want, s := range map[string]Schema{
		"no columns":             {},
		"has no name":            {{Type: Int}},
		"two columns":            {{Name: "a", Type: Int}, {Name: "a", Type: Text}},
		`"a" is of no known typ`: {{Name: "a"}},
	} {
		if _, err := newParquet(io.Discard, s, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("columns %v: %v, want %q", s, err, want)
		}
	}
}

// The loop over a file can be left at any batch.
func TestParquetBreak(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	file := parquetBytes(t, contactLike, contactBatches(3))
	_, seq, err := openParquetBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range seq {
		if err != nil || b.Len != BatchRows {
			t.Fatal(b, err)
		}
		b.Release()
		break
	}
}
