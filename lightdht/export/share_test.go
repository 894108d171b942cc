package export

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/pseudonym"
	"go.uber.org/goleak"
)

// shareSchema has all types, one column before, one among and one behind them
// private.
var shareSchema = Schema{
	{Name: "secret", Type: ID, Private: true},
	{Name: "id", Type: ID},
	{Name: "hash", Type: Hash},
	{Name: "addr", Type: Addr},
	{Name: "distance", Type: Float, Private: true},
	{Name: "text", Type: Text},
	{Name: "int", Type: Int},
	{Name: "float", Type: Float},
	{Name: "bool", Type: Bool},
	{Name: "time", Type: Time},
	{Name: "note", Type: Text, Private: true},
}

func shareKey(t testing.TB) *pseudonym.Key {
	t.Helper()
	key, err := pseudonym.ParseKey([]byte("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func shareID(n int) kad.ID { return kad.ID{byte(n >> 16), byte(n >> 8), byte(n)} }

func shareAddr(n int) netip.Addr {
	if n%2 == 0 {
		return netip.AddrFrom16([16]byte{0x20, 1, 15: byte(n)})
	}
	return netip.AddrFrom4([4]byte{192, byte(n >> 16), byte(n >> 8), byte(n)})
}

// shareRow adds row n to a batch of shareSchema. Each column lacks a value now and
// then, behind which something is left that nobody must see.
func shareRow(b *Batch, n int) {
	c := b.Cols
	c[0].AddID(shareID(n))
	c[1].AddID(shareID(n))
	c[2].AddID(shareID(n))
	c[3].AddAddr(shareAddr(n))
	c[4].AddFloat(0.5)
	c[5].AddText(fmt.Sprint("text ", n))
	c[6].AddInt(int64(n))
	c[7].AddFloat(float64(n) / 2)
	c[8].AddBool(n%3 == 0)
	c[9].AddInt(int64(n) * 1e6)
	c[10].AddText("private")
	for i := range c {
		c[i].Null[b.Len] = (n+i)%7 == 0
	}
	b.Len++
}

// shareLine is row n as it should arrive.
func shareLine(key *pseudonym.Key, n int) string {
	words := []string{
		1: key.ID(shareID(n)).String(), 2: key.Hash(shareID(n)).String(), 3: key.Addr(shareAddr(n)).String(),
		5: fmt.Sprint("text ", n), 6: fmt.Sprint(n), 7: fmt.Sprint(float64(n) / 2),
		8: fmt.Sprint(map[bool]int{true: 1}[n%3 == 0]), 9: fmt.Sprint(int64(n) * 1e6 / minute * minute),
	}
	for i := range words {
		if (n+i)%7 == 0 {
			words[i] = "-"
		}
	}
	return strings.Join(slices.Delete(words[1:], 3, 4), " ")
}

// sharedLine is a row as it arrived.
func sharedLine(b *Batch, row int) string {
	words := make([]string, len(b.Cols))
	for i, c := range b.Cols {
		switch {
		case c.Null[row]:
			words[i] = "-"
		case c.IDs != nil:
			words[i] = c.IDs[row].String()
		case c.Addrs != nil:
			words[i] = c.Addrs[row].String()
		case c.Texts != nil:
			words[i] = c.Texts[row]
		case c.Floats != nil:
			words[i] = fmt.Sprint(c.Floats[row])
		default:
			words[i] = fmt.Sprint(c.Ints[row])
		}
	}
	return strings.Join(words, " ")
}

// shareSink is a writer that keeps what it is told. Hold, when there is one, is
// received from before each batch; fail is which batch it fails at, from 1.
type shareSink struct {
	hold   chan struct{}
	fail   int
	broken error // told when it is closed

	lines   []string
	left    []string // what is behind absent values
	batches int
	closed  int
}

var errShareSink = errors.New("the disk is full")

func (s *shareSink) Write(b *Batch) error {
	if s.hold != nil {
		<-s.hold
	}
	defer b.Release()
	s.batches++
	if s.batches == s.fail {
		return errShareSink
	}
	for row := range b.Len {
		s.lines = append(s.lines, sharedLine(b, row))
	}
	for _, c := range b.Cols {
		for row, null := range c.Null {
			if null && c.IDs != nil && !c.IDs[row].IsZero() || null && c.Addrs != nil && c.Addrs[row].IsValid() {
				s.left = append(s.left, fmt.Sprint(c.Type, " in row ", row))
			}
		}
	}
	return nil
}

func (s *shareSink) Close() error {
	s.closed++
	return s.broken
}

func TestSharedSchema(t *testing.T) {
	want := []string{"id", "hash", "addr", "text", "int", "float", "bool", "time"}
	if got := shareSchema.Shared().Names(); !slices.Equal(got, want) {
		t.Errorf("shared are %v, want %v", got, want)
	}
	if n := len(shareSchema); n != 11 {
		t.Errorf("%d columns are left of the schema", n)
	}
}

func TestShare(t *testing.T) {
	defer goleak.VerifyNone(t)
	key, sink := shareKey(t), &shareSink{}
	w := Share(sink, shareSchema, key)
	empty := shareSchema.Pool()
	const batches, rows = 40, 50
	for i := range batches {
		b := empty()
		for j := range rows + i%3 { // not all of the same length
			shareRow(b, 1000*i+j)
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || sink.closed != 1 {
		t.Errorf("closed %d times: %v", sink.closed, err)
	}
	var want []string
	for i := range batches {
		for j := range rows + i%3 {
			want = append(want, shareLine(key, 1000*i+j))
		}
	}
	if !slices.Equal(sink.lines, want) {
		for i := range min(len(want), len(sink.lines)) {
			if sink.lines[i] != want[i] {
				t.Fatalf("row %d is\n%s, want\n%s", i, sink.lines[i], want[i])
			}
		}
		t.Fatalf("%d rows arrived of %d", len(sink.lines), len(want))
	}
	if sink.left != nil {
		t.Errorf("behind absent values is still %v", sink.left)
	}
}

// A batch goes back with all its columns, empty, as soon as it is written: the
// values have gone on, and its pool never sees the batch that they went on in.
func TestShareReleasesWhatItTakes(t *testing.T) {
	defer goleak.VerifyNone(t)
	w := Share(&shareSink{}, shareSchema, shareKey(t))
	for range 20 {
		b := shareSchema.NewBatch()
		shareRow(b, 1)
		shareRow(b, 2)
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := shareSchema.check(b); err != nil || b.Len != 0 {
			t.Fatalf("released with %d rows: %v", b.Len, err)
		}
		for i, c := range b.Cols {
			if len(c.Null)+len(c.IDs)+len(c.Addrs)+len(c.Texts)+len(c.Ints)+len(c.Floats) != 0 {
				t.Fatalf("column %s was released with values", shareSchema[i].Name)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// No row is handed on behind one that failed, the error is told by a Write before
// long and by Close, and the other writer is closed all the same.
func TestShareTellsOfErrors(t *testing.T) {
	defer goleak.VerifyNone(t)
	sink := &shareSink{fail: 3, broken: errors.New("and broken")}
	w := Share(sink, shareSchema, shareKey(t))
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		b := shareSchema.NewBatch()
		shareRow(b, n)
		err = w.Write(b)
	}
	if !errors.Is(err, errShareSink) || n > 3+w.(*sharer).most {
		t.Errorf("write %d: %v", n, err)
	}
	if err := w.Write(shareSchema.NewBatch()); !errors.Is(err, errShareSink) {
		t.Errorf("another write: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errShareSink) {
		t.Errorf("close: %v", err)
	}
	if sink.batches != 3 || sink.closed != 1 || len(sink.lines) != 2 {
		t.Errorf("%d batches were handed on, of which %d rows were kept; closed %d times", sink.batches, len(sink.lines), sink.closed)
	}
}

// The error of the last batch, and that of closing, are told by Close.
func TestShareClosesWithAnError(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, sink := range []*shareSink{{fail: 1}, {broken: errShareSink}} {
		w := Share(sink, shareSchema, shareKey(t))
		b := shareSchema.NewBatch()
		shareRow(b, 1)
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); !errors.Is(err, errShareSink) {
			t.Errorf("close: %v", err)
		}
	}
}

// Batches are worked on while the other writer is busy, and not without bound.
func TestShareWorksAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &shareSink{hold: make(chan struct{})}
		w := Share(sink, shareSchema, shareKey(t))
		most, written := w.(*sharer).most, 0
		closed := make(chan error)
		go func() {
			for n := range 3 * most {
				b := shareSchema.NewBatch()
				shareRow(b, n)
				w.Write(b)
				written++
			}
			closed <- w.Close()
		}()
		synctest.Wait()
		if written != most || most < 2 {
			t.Errorf("%d batches were taken while the first was being written, want %d", written, most)
		}
		close(sink.hold)
		if err := <-closed; err != nil || sink.batches != 3*most {
			t.Errorf("%d batches: %v", sink.batches, err)
		}
	})
}

// Whoever gives up without Close leaves nothing running.
func TestShareLeftAlone(t *testing.T) {
	defer goleak.VerifyNone(t)
	sink := &shareSink{}
	w := Share(sink, shareSchema, shareKey(t))
	for n := range 5 {
		b := shareSchema.NewBatch()
		shareRow(b, n)
		w.Write(b)
	}
}

// A batch of another schema is refused: what would be shared under which name?
func TestShareRefusesOtherColumns(t *testing.T) {
	other := slices.Clone(shareSchema)
	other[1].Type = Hash
	for _, s := range []Schema{shareSchema[1:], other} {
		sink := &shareSink{}
		w := Share(sink, shareSchema, shareKey(t))
		err := w.Write(s.NewBatch())
		if err == nil || w.Close() == nil || sink.batches != 0 {
			t.Errorf("%v are taken for %v: %v", s.Names(), shareSchema.Names(), err)
		}
	}
}

// BenchmarkShare is a batch of rows with one address, two IDs and a number.
func BenchmarkShare(b *testing.B) {
	schema := Schema{{Name: "id", Type: ID}, {Name: "addr", Type: Addr}, {Name: "target", Type: ID}, {Name: "n", Type: Int}}
	w := Share(&shareDrain{}, schema, shareKey(b))
	empty := schema.Pool()
	for b.Loop() {
		batch := empty()
		for n := range BatchRows {
			batch.Cols[0].AddID(shareID(n))
			batch.Cols[1].AddAddr(shareAddr(2*n + 1))
			batch.Cols[2].AddID(shareID(n))
			batch.Cols[3].AddInt(int64(n))
		}
		batch.Len = BatchRows
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/BatchRows, "ns/row")
}

// shareDrain is a writer that costs nothing.
type shareDrain struct{}

func (shareDrain) Write(b *Batch) error { b.Release(); return nil }
func (shareDrain) Close() error         { return nil }
