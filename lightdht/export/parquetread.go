package export

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/parquet-go/parquet-go"
)

// readParquet reads a file that newParquet wrote, or another one whose columns are
// numbers, texts, truth values, timestamps or 20 bytes: what is stored in a file
// without our metadata makes Int, Float, Text, Bool, Time or ID. What is neither
// there nor a finite number is absent.
//
// Of the rows, a batch belongs to whoever gets it, who may release it. The last of
// the sequence may be an error, without a batch.
func readParquet(r io.ReaderAt, size int64) (Schema, iter.Seq2[*Batch, error], error) {
	var file *parquet.File
	var schema Schema
	err := guarded(func() (err error) {
		if file, err = openParquet(r, size); err != nil {
			return err
		}
		schema, err = parquetTypes(file)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return schema, func(yield func(*Batch, error) bool) {
		read := &parquetReader{r: r, file: file, schema: schema, pool: schema.Pool(), meter: newPageMeter()}
		if err := read.groups(yield); err != nil {
			yield(nil, err)
		}
	}, nil
}

// openParquet reads the metadata. Indexes of pages and Bloom filters are for those
// who look for something; here all rows are read.
func openParquet(r io.ReaderAt, size int64) (*parquet.File, error) {
	if err := checkFooter(r, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	return file, checkGroups(file)
}

// parquetReader reads a file once.
type parquetReader struct {
	r      io.ReaderAt
	file   *parquet.File
	schema Schema
	pool   func() *Batch
	meter  *pageMeter
}

// groups reads one row group after the other. An error after yield returned false
// is of no interest, and never returned.
func (p *parquetReader) groups(yield func(*Batch, error) bool) error {
	for i, group := range p.file.RowGroups() {
		more, err := p.group(i, group, yield)
		if err != nil {
			return fmt.Errorf("parquet: row group %d: %w", i, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// group reads a row group. It tells whether more is wanted.
func (p *parquetReader) group(i int, group parquet.RowGroup, yield func(*Batch, error) bool) (more bool, err error) {
	var columns []*parquetInput
	err = guarded(func() (err error) {
		columns, err = p.columns(i, group)
		return err
	})
	defer closeParquet(columns)
	if err != nil {
		return false, err
	}
	for left := group.NumRows(); left > 0; {
		b := p.pool()
		n := int(min(left, BatchRows))
		if err := guarded(func() error { return readParquetRows(b, columns, n) }); err != nil {
			b.Release()
			return false, err
		}
		left -= int64(n)
		if !yield(b, nil) {
			return false, nil
		}
	}
	return true, nil
}

// columns returns readers of the columns of a row group.
func (p *parquetReader) columns(i int, group parquet.RowGroup) ([]*parquetInput, error) {
	var columns []*parquetInput
	for j, chunk := range group.ColumnChunks() {
		meta := &p.file.Metadata().RowGroups[i].Columns[j].MetaData
		p.meter.codec, p.meter.optional = meta.Codec, p.file.Root().Columns()[j].Optional()
		if err := p.meter.checkChunk(p.r, p.file.Size(), meta, group.NumRows()); err != nil {
			return columns, fmt.Errorf("column %q: %w", p.schema[j].Name, err)
		}
		columns = append(columns, newParquetInput(p.schema[j], chunk))
	}
	return columns, nil
}

// closeParquet gives up the pages that were read last. What the library thinks of
// that is of no interest: all rows were read, or there is an error already.
func closeParquet(columns []*parquetInput) {
	guarded(func() error {
		for _, c := range columns {
			c.in.Close()
		}
		return nil
	})
}

// readParquetRows reads n rows into b, one column after the other.
func readParquetRows(b *Batch, columns []*parquetInput, n int) error {
	for i, c := range columns {
		if err := c.read(&b.Cols[i], n); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	b.Len = n
	return nil
}

// read adds n values to v.
func (c *parquetInput) read(v *Vector, n int) error {
	for n > 0 {
		got, err := c.in.ReadValues(c.values[:min(n, len(c.values))])
		if e := c.add(v, c.values[:got]); e != nil {
			return e
		}
		n -= got
		switch {
		case n == 0:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%d values too few: %w", n, io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
	}
	return nil
}
