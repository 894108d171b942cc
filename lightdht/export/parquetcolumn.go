package export

import (
	"slices"

	"github.com/parquet-go/parquet-go"
)

// parquetChunk is how many values are handed to the library at once: few enough
// that they stay in the processor's nearest cache.
const parquetChunk = 512

// parquetColumn encodes one column.
type parquetColumn struct {
	index int // in the schema
	out   *parquet.ColumnWriter

	values []parquet.Value // at most parquetChunk
	texts  []byte          // what the values of texts point into
}

// encode adds the values of a block; with last the row group ends after it.
func (c *parquetColumn) encode(block []*Batch, last bool) error {
	for _, b := range block {
		v := &b.Cols[c.index]
		for from := 0; from < b.Len; from += parquetChunk {
			c.fill(v, from, min(from+parquetChunk, b.Len))
			if _, err := c.out.WriteRowValues(c.values); err != nil {
				return err
			}
		}
	}
	if !last {
		return nil
	}
	return c.out.Flush()
}

// fill makes values of the rows from ≤ i < to of v.
func (c *parquetColumn) fill(v *Vector, from, to int) {
	c.values, c.texts = c.values[:0], c.texts[:0]
	null := v.Null[from:to]
	switch v.Type {
	case ID, Hash:
		c.each(null, func(i int) parquet.Value { return parquet.FixedLenByteArrayValue(v.IDs[from+i][:]) })
	case Addr:
		c.each(null, func(i int) parquet.Value {
			start := len(c.texts)
			c.texts = v.Addrs[from+i].AppendTo(c.texts)
			return parquet.ByteArrayValue(c.texts[start:])
		})
	case Text:
		c.each(null, func(i int) parquet.Value {
			start := len(c.texts)
			c.texts = append(c.texts, v.Texts[from+i]...)
			return parquet.ByteArrayValue(c.texts[start:])
		})
	case Float:
		c.each(null, func(i int) parquet.Value { return parquet.DoubleValue(v.Floats[from+i]) })
	case Bool:
		c.each(null, func(i int) parquet.Value { return parquet.BooleanValue(v.Ints[from+i] != 0) })
	default:
		c.each(null, func(i int) parquet.Value { return parquet.Int64Value(v.Ints[from+i]) })
	}
}

// each adds a value for each row: that of row i where null[i] is not set. A value
// that is there has definition level 1, as the column is optional.
func (c *parquetColumn) each(null []bool, value func(i int) parquet.Value) {
	c.values = slices.Grow(c.values, len(null))[:len(null)]
	for i, absent := range null {
		if absent {
			c.values[i] = parquet.Value{}
			continue
		}
		c.values[i] = value(i)
		c.values[i].SetDefinitionLevel(1)
	}
}

// parquetRepeats reports whether at most half of the values of column i are distinct, so
// that a dictionary makes the column smaller. Rows that are still to come may
// differ: then the dictionary's bound ends it.
func parquetRepeats(block []*Batch, i int) bool {
	distinct := make(map[any]struct{})
	values := 0
	for _, b := range block {
		v := &b.Cols[i]
		for row, absent := range v.Null[:b.Len] {
			if absent {
				continue
			}
			values++
			if v.Type == Addr {
				distinct[v.Addrs[row]] = struct{}{}
			} else {
				distinct[v.Texts[row]] = struct{}{}
			}
		}
	}
	return 2*len(distinct) <= values
}
