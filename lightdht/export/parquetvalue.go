package export

import (
	"fmt"
	"math"
	"net/netip"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// parquetInput reads the values of a column in one row group.
type parquetInput struct {
	Column
	in     parquet.ColumnChunkValueReader
	values []parquet.Value
	one    func(*Vector, parquet.Value) error // adds a value that is there
	texts  map[string]string                  // texts seen, so that many rows share one
}

// sharedTexts is how many texts a parquetInput keeps.
const sharedTexts = 4096

func newParquetInput(c Column, chunk parquet.ColumnChunk) *parquetInput {
	r := &parquetInput{Column: c,
		in:     parquet.NewColumnChunkValueReader(chunk),
		values: make([]parquet.Value, parquetChunk),
		texts:  make(map[string]string),
	}
	switch c.Type {
	case ID, Hash:
		r.one = addParquetBytes
	case Addr:
		r.one = addParquetAddr
	case Text:
		r.one = r.addText
	case Float:
		r.one = addParquetFloat
	case Bool:
		r.one = func(v *Vector, x parquet.Value) error { v.AddBool(x.Boolean()); return nil }
	case Time:
		r.one = addParquetTime(chunk.Type())
	default:
		r.one = addParquetInt(chunk.Type())
	}
	return r
}

// add adds values, of which some may be absent.
func (c *parquetInput) add(v *Vector, values []parquet.Value) error {
	for _, x := range values {
		if x.IsNull() {
			v.AddAbsent()
			continue
		}
		if err := c.one(v, x); err != nil {
			return err
		}
	}
	return nil
}

// addParquetBytes adds an ID or a hash.
func addParquetBytes(v *Vector, x parquet.Value) error {
	id, ok := kad.IDFromBytes(x.ByteArray())
	if !ok {
		return fmt.Errorf("%d bytes where %d are due", len(x.ByteArray()), kad.Size)
	}
	v.AddID(id)
	return nil
}

// addParquetAddr adds an address that is written as a text.
func addParquetAddr(v *Vector, x parquet.Value) error {
	addr, err := netip.ParseAddr(string(x.ByteArray()))
	if err != nil {
		return fmt.Errorf("no address: %w", err)
	}
	v.AddAddr(addr.Unmap())
	return nil
}

// addText adds a text, one that was seen before without a copy.
func (c *parquetInput) addText(v *Vector, x parquet.Value) error {
	s, seen := c.texts[string(x.ByteArray())]
	if !seen {
		if s = string(x.ByteArray()); !utf8.ValidString(s) {
			return fmt.Errorf("a text that is not UTF-8: %.40q", s)
		}
		if len(c.texts) < sharedTexts {
			c.texts[s] = s
		}
	}
	v.AddText(s)
	return nil
}

// addParquetFloat adds a number. Programs that know no absent ones write NaN.
func addParquetFloat(v *Vector, x parquet.Value) error {
	f := x.Double()
	if x.Kind() == parquet.Float {
		f = float64(x.Float())
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		v.AddAbsent()
		return nil
	}
	v.AddFloat(f)
	return nil
}

// addParquetInt returns what adds numbers of a type, which may be short or unsigned.
func addParquetInt(t parquet.Type) func(*Vector, parquet.Value) error {
	whole := format.IntType{IsSigned: true}
	if logical := t.LogicalType(); logical != nil {
		if is, ok := logical.Value.(*format.IntType); ok {
			whole = *is
		}
	}
	return func(v *Vector, x parquet.Value) error {
		n := x.Int64()
		if x.Kind() == parquet.Int32 {
			n = int64(x.Int32())
			if !whole.IsSigned {
				n = int64(x.Uint32())
			}
		}
		if n < 0 && !whole.IsSigned {
			return fmt.Errorf("the number %d does not fit into 63 bits", uint64(n))
		}
		v.AddInt(n)
		return nil
	}
}

// addParquetTime returns what adds times of a type, which may count milliseconds or
// nanoseconds.
func addParquetTime(t parquet.Type) func(*Vector, parquet.Value) error {
	unit := t.LogicalType().Value.(*format.TimestampType).Unit.Value
	return func(v *Vector, x parquet.Value) error {
		n := x.Int64()
		switch unit.(type) {
		case *format.MilliSeconds:
			if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
				return fmt.Errorf("the time of %d ms does not fit", n)
			}
			n *= 1000
		case *format.NanoSeconds:
			n = floorDiv(n, 1000)
		}
		v.AddInt(n)
		return nil
	}
}

// floorDiv divides and rounds down, also below zero.
func floorDiv(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}
