package export

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// allTypes has a column of each type, texts at both ends of a line.
var allTypes = Schema{
	{Name: "first", Type: Text}, {Name: "id", Type: ID}, {Name: "hash", Type: Hash}, {Name: "ip", Type: Addr},
	{Name: "n", Type: Int}, {Name: "f", Type: Float}, {Name: "b", Type: Bool}, {Name: "t", Type: Time},
	{Name: `odd "name", with é`, Type: Text},
}

// typeIn gives the types of a schema's columns.
func typeIn(s Schema) typeOf {
	return func(name string) (Type, bool) {
		i := s.Index(name)
		if i < 0 {
			return 0, false
		}
		return s[i].Type, true
	}
}

// texts are what is hard on a format, alone or put together.
var oddTexts = []string{
	"", "a", "plain words", `"`, `""`, ",", "\n", "\r", "\r\n", "\t", "\x00", "\x1b[31m", "\x7f", `\`, `\n`,
	"é", "日本", "😀", "\u0085", "\u2028", "\ufeff", "\ufffd", " ", "=1+1", "<b>&", "null", "#",
}

func oddText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(oddTexts[r.IntN(len(oddTexts))])
	}
	return b.String()
}

var oddInts = []int64{0, 1, -1, 9, 10, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1, -1 << 53, minTime, minTime - 1, maxTime, maxTime + 1}

var oddFloats = []float64{
	0, math.Copysign(0, -1), 1, -1.5, 0.1, 1e6, 1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64,
	math.Pi, math.NaN(), math.Inf(1), math.Inf(-1),
}

// addOdd adds a value, or none, that is likely to be at an edge.
func addOdd(v *Vector, r *rand.Rand) {
	var id kad.ID
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	switch odd := r.IntN(2) == 0; {
	case r.IntN(5) == 0:
		v.AddAbsent()
	case v.Type == ID || v.Type == Hash:
		v.AddID(id)
	case v.Type == Addr && odd:
		v.AddAddr(netip.AddrFrom4([4]byte(id[:])))
	case v.Type == Addr:
		v.AddAddr(netip.AddrFrom16([16]byte(id[:])).Unmap())
	case v.Type == Text:
		v.AddText(oddText(r))
	case v.Type == Float && odd:
		v.AddFloat(oddFloats[r.IntN(len(oddFloats))])
	case v.Type == Float:
		v.AddFloat(r.NormFloat64() * math.Pow(10, float64(r.IntN(40)-20)))
	case v.Type == Bool:
		v.AddBool(odd)
	case odd:
		v.AddInt(oddInts[r.IntN(len(oddInts))])
	default:
		v.AddInt(r.Int64() >> r.IntN(64))
	}
}

// oddBatch returns a batch of such values, and its rows as value tells them.
func oddBatch(s Schema, rows int, r *rand.Rand) (*Batch, [][]any) {
	b := s.NewBatch()
	for range rows {
		for i := range b.Cols {
			addOdd(&b.Cols[i], r)
		}
		b.Len++
	}
	return b, rowsOf(b)
}

// rowsOf returns the rows of batches.
func rowsOf(batches ...*Batch) [][]any {
	var rows [][]any
	for _, b := range batches {
		for i := range b.Len {
			row := make([]any, len(b.Cols))
			for k := range row {
				row[k] = value(&b.Cols[k], i)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// value returns a value as the simplest type that tells it from all others, nil
// when it is absent.
func value(v *Vector, row int) any {
	switch {
	case v.Null[row]:
		return nil
	case v.Type == ID || v.Type == Hash:
		return v.IDs[row]
	case v.Type == Addr:
		return v.Addrs[row]
	case v.Type == Text:
		return v.Texts[row]
	case v.Type == Float:
		if f := v.Floats[row]; !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
		return nil
	case v.Type == Bool:
		return v.Ints[row] != 0
	}
	return v.Ints[row]
}

// told returns what CSV has for a value, by slower means than ours.
func told(t Type, value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case kad.ID:
		return hex.EncodeToString(value[:])
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case int64:
		if at := time.UnixMicro(value).UTC(); t == Time && at.Year() >= 0 && at.Year() <= 9999 {
			return at.Format(slowTime)
		}
	}
	return fmt.Sprint(value)
}

func TestAppendIDAndAddr(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	v := newVector(ID)
	for range 2000 {
		v = newVector(ID)
		addOdd(&v, r)
		if got := string(appendID([]byte("x"), &v.IDs[0])); got != "x"+v.IDs[0].String() {
			t.Fatalf("%s of %s", got, v.IDs[0])
		}
		v = newVector(Addr)
		if addOdd(&v, r); v.Null[0] {
			continue
		}
		if got := string(appendAddr([]byte("x"), v.Addrs[0])); got != "x"+v.Addrs[0].String() {
			t.Fatalf("%s of %s", got, v.Addrs[0])
		}
	}
}

func TestOctet(t *testing.T) {
	for n := range 256 {
		if got := string(octet(nil, byte(n))); got != strconv.Itoa(n) {
			t.Errorf("%d is %s", n, got)
		}
	}
}

// A zone is of one machine, and may have any character in it.
func TestAddrWithoutZone(t *testing.T) {
	if got := string(appendAddr(nil, netip.MustParseAddr(`fe80::1%e"0`))); got != "fe80::1" {
		t.Error(got)
	}
}

func TestFits(t *testing.T) {
	s := Schema{{Name: "a", Type: Int}, {Name: "b", Type: Text}}
	batch := func(change func(*Batch)) *Batch {
		b := s.NewBatch()
		b.Cols[0].AddInt(1)
		b.Cols[1].AddText("x")
		b.Len = 1
		change(b)
		return b
	}
	for want, change := range map[string]func(*Batch){
		"":                                      func(*Batch) {},
		"a batch of 1 columns for a table of 2": func(b *Batch) { b.Cols = b.Cols[:1] },
		"column a: 2 values in a batch of 1 rows":          func(b *Batch) { b.Cols[0].AddInt(2) },
		"column a: 3 values in a batch of 1 rows":          func(b *Batch) { b.Cols[0].Ints = make([]int64, 3) },
		"column b: 1 values in a batch of 2 rows":          func(b *Batch) { b.Len = 2; b.Cols[0].AddInt(2) },
		"column b: a batch has addr in it, the table text": func(b *Batch) { b.Cols[1] = newVector(Addr) },
		"column a: a batch has bool in it, the table int":  func(b *Batch) { b.Cols[0].Type = Bool },
	} {
		got := ""
		if err := s.fits(batch(change)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Encoding allocates nothing once its buffer is large enough.
func TestRowsAllocateNothing(t *testing.T) {
	b, dst := contacts(100), make([]byte, 0, 1<<20)
	for _, l := range []*layout{csvLayout(contactColumns, Options{}), ndjsonLayout(contactColumns, Options{})} {
		if n := testing.AllocsPerRun(10, func() { dst = l.appendRows(dst[:0], b, 0, b.Len, true) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
