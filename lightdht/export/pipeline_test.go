package export

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

// numbers is a table of one column, which counts.
var numbers = Schema{{Name: "n", Type: Int}}

// numbered returns a batch that goes on counting from *n.
func numbered(rows int, n *int64) *Batch {
	b := numbers.NewBatch()
	for range rows {
		b.Cols[0].AddInt(*n)
		*n++
		b.Len++
	}
	return b
}

func newNumbers(t *testing.T, w interface{ Write([]byte) (int, error) }, f Format) Writer {
	t.Helper()
	lines, err := newLines(w, f, numbers, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// Rows come out in their order and once, whatever the size of the batches.
func TestPipelineKeepsOrder(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := rand.New(rand.NewPCG(1, 1))
	var out, want bytes.Buffer
	w, n := newNumbers(t, &out, NDJSON), int64(0)
	var batches []*Batch
	for range 60 {
		b := numbered(r.IntN(2)*r.IntN(BatchRows+1)+r.IntN(3), &n)
		batches = append(batches, b)
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		fmt.Fprintf(&want, "{\"n\":%d}\n", i)
	}
	if out.String() != want.String() {
		t.Errorf("%d bytes, not the %d in order", out.Len(), want.Len())
	}
	for i, b := range batches {
		if b.Len != 0 {
			t.Fatalf("batch %d was not released", i)
		}
	}
}

// A batch larger than usual is a batch.
func TestPipelineTakesLargeBatches(t *testing.T) {
	n := int64(0)
	if got := strings.Count(written(t, NDJSON, numbers, Options{}, numbered(3*BatchRows+1, &n)), "\n"); got != 3*BatchRows+1 {
		t.Errorf("%d rows", got)
	}
}

// failing fails when it has taken some bytes.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestPipelineTellsOfErrors(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, left := range []int{0, 100, 100_000, 1_000_000} {
		w, n := newNumbers(t, &failing{left}, CSV), int64(0)
		var err error
		var batches []*Batch
		for range 5000 { // more than fit, so that an error comes before the end
			batches = append(batches, numbered(BatchRows, &n))
			if err = w.Write(batches[len(batches)-1]); err != nil {
				break
			}
		}
		if err != errFull {
			t.Errorf("after %d bytes: Write returns %v", left, err)
		}
		if err := w.Close(); err != errFull {
			t.Errorf("after %d bytes: Close returns %v", left, err)
		}
		if err := w.Close(); err != errFull {
			t.Errorf("after %d bytes: Close returns %v the second time", left, err)
		}
		for _, b := range batches {
			if b.Len != 0 {
				t.Fatal("a batch was not released")
			}
		}
	}
}

// A small table meets the error only when it is closed.
func TestPipelineTellsAtClose(t *testing.T) {
	n := int64(0)
	for _, rows := range []int{0, 3} {
		w := newNumbers(t, &failing{0}, CSV)
		if err := w.Write(numbered(rows, &n)); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != errFull {
			t.Errorf("%d rows: %v", rows, err)
		}
	}
}

func TestPipelineRefuses(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	n := int64(0)
	w := newNumbers(t, &bytes.Buffer{}, CSV)
	if err := w.Write(contacts(1)); err == nil || !strings.Contains(err.Error(), "24 columns") {
		t.Errorf("a batch of another table: %v", err)
	}
	if err := w.Write(numbered(1, &n)); err == nil {
		t.Error("an error is not final")
	}
	if err := w.Close(); err == nil {
		t.Error("Close knows of no error")
	}
	w = newNumbers(t, &bytes.Buffer{}, CSV)
	w.Close()
	b := numbered(1, &n)
	if err := w.Write(b); err != errClosed || b.Len != 0 {
		t.Errorf("write after Close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// stuck writes when it is let.
type stuck struct {
	let chan struct{}
	n   int
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.let
	s.n += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// When nothing can be written, Write waits: what is under way is bounded.
func TestPipelineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const batches = 200
		out := &stuck{let: make(chan struct{})}
		w := newNumbers(t, out, NDJSON)
		var taken atomic.Int32
		go func() {
			n := int64(0)
			for range batches {
				w.Write(numbered(BatchRows, &n))
				taken.Add(1)
			}
			w.Close()
			taken.Add(1)
		}()
		synctest.Wait()
		if n := taken.Load(); n == 0 || n > 8 {
			t.Errorf("%d batches taken while nothing was written", n)
		}
		close(out.let)
		synctest.Wait()
		if taken.Load() != batches+1 || out.n != batches*BatchRows {
			t.Errorf("%d batches, %d rows in the end", taken.Load(), out.n)
		}
	})
}

// Writes are neither many nor huge, whatever the batches are.
func TestPipelineWritesInPieces(t *testing.T) {
	for _, rows := range []int{10, BatchRows} {
		var writes sizes
		w, err := newLines(&writes, CSV, contactColumns, Options{})
		if err != nil {
			t.Fatal(err)
		}
		some, get := contacts(rows), contactColumns.Pool()
		for range 20_000 / rows {
			if err := w.Write(fillFrom(get(), some)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if len(writes) < 10 {
			t.Errorf("batches of %d rows: %d writes", rows, len(writes))
		}
		for i, n := range writes[:len(writes)-1] {
			if n < 64<<10 || n > 256<<10 {
				t.Errorf("batches of %d rows: write %d of %d has %d bytes", rows, i, len(writes), n)
			}
		}
	}
}

// sizes are those of writes.
type sizes []int

func (s *sizes) Write(p []byte) (int, error) {
	*s = append(*s, len(p))
	return len(p), nil
}

// A table that nobody wrote to costs no goroutine, even if it is not closed.
func TestPipelineStartsLate(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newNumbers(t, &bytes.Buffer{}, CSV)
	if err := w.Write(numbers.NewBatch()); err != nil {
		t.Error(err)
	}
}
