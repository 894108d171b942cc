package export

import (
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/parquet-go/parquet-go"
)

const (
	// parquetBlockRows is how many rows are gathered before the columns are
	// encoded: enough that starting goroutines costs nothing, few enough that two
	// blocks (one filling, one at work) are small.
	parquetBlockRows = 4 * BatchRows

	// parquetGroupRows is how many rows a row group has. Its compressed pages, some
	// 10 MB for contacts, are in memory until it is full.
	parquetGroupRows = 8 * parquetBlockRows

	// parquetPageBytes is how large a page gets before it is compressed. Each page
	// costs some bytes in the metadata, which are in memory until Close: with this
	// size 22 kB for a row group of contacts, or 170 bytes for 1,000 rows.
	parquetPageBytes = 128 << 10
)

// parquetWriter writes Parquet by columns. Batches are gathered into a block,
// whose columns are then encoded side by side while the next block fills:
//
//	Write ─► block of batches ─► columns 0, 2, 5 … encoded by one goroutine ─► row group ─► w
//	                             columns 1, 3, 4 … by another
//
// Write and Close own all fields; the goroutines of a block own the columns and
// the file until they have sent their error on done.
type parquetWriter struct {
	w      io.Writer
	schema Schema

	block []*Batch // what fills
	rows  int      // in it
	group int      // rows in the row group that is open
	most  int      // rows of a row group; parquetGroupRows but in tests

	file    *parquet.GenericWriter[any] // nil before the first block
	columns []*parquetColumn
	done    chan error // of the block at work; nil: there is none
	err     error      // the first, and final
}

// newParquet returns a writer of Parquet to w. The file has all that its columns need
// to be read again: their order, and as JSON in the metadata their types.
func newParquet(w io.Writer, s Schema, _ Options) (Writer, error) {
	if err := checkColumns(s); err != nil {
		return nil, err
	}
	return &parquetWriter{w: w, schema: s, most: parquetGroupRows}, nil
}

// checkColumns tells why s cannot be the columns of a file or a database.
func checkColumns(s Schema) error {
	if len(s) == 0 {
		return fmt.Errorf("no columns to write")
	}
	for i, c := range s {
		switch {
		case c.Name == "":
			return fmt.Errorf("column %d has no name", i+1)
		case s.Index(c.Name) != i:
			return fmt.Errorf("two columns have the name %q", c.Name)
		case c.Type < ID || c.Type > Time:
			return fmt.Errorf("column %q is of no known type", c.Name)
		}
	}
	return nil
}

// Write takes b over. It waits only when a block is full and the one before it is
// still at work.
func (p *parquetWriter) Write(b *Batch) error {
	if p.err != nil {
		b.Release()
		return p.err
	}
	p.block = append(p.block, b)
	p.rows += b.Len
	if p.rows < parquetBlockRows {
		return nil
	}
	return p.send()
}

// Close writes what is left, and the metadata, which are at the end of the file.
func (p *parquetWriter) Close() error {
	if p.send() == nil {
		p.wait()
	}
	if p.err == nil {
		p.err = p.finish()
	}
	err := p.err
	if err == nil {
		p.err = fmt.Errorf("parquet: the file is closed")
	}
	return err
}

// finish writes the footer of a file that may have no rows.
func (p *parquetWriter) finish() error {
	return guarded(func() error {
		if p.file == nil {
			p.open(nil)
		}
		return p.file.Close()
	})
}

// wait waits for the block at work.
func (p *parquetWriter) wait() error {
	if p.done == nil {
		return p.err
	}
	err := <-p.done
	p.done = nil
	if p.err == nil {
		p.err = err
	}
	return p.err
}

// send has the block that is full encoded, once the one before it is done.
func (p *parquetWriter) send() error {
	block := p.block
	if p.wait() != nil {
		releaseBlock(block)
		p.block = nil
		return p.err
	}
	p.group += p.rows
	full := p.group >= p.most
	if full {
		p.group = 0
	}
	p.block, p.rows = nil, 0
	p.done = make(chan error, 1)
	go func(done chan error) { done <- p.encode(block, full) }(p.done)
	return nil
}

// encode encodes a block and releases it. With last the row group is complete
// and goes to the file.
func (p *parquetWriter) encode(block []*Batch, last bool) error {
	defer releaseBlock(block)
	return guarded(func() error {
		if p.file == nil {
			p.open(block)
		}
		if err := p.encodeColumns(block, last); err != nil {
			return err
		}
		if !last {
			return nil
		}
		return p.file.Flush()
	})
}

// encodeColumns shares the columns out among as many goroutines as there are
// processors. They differ much in what they cost, so each takes the next one.
func (p *parquetWriter) encodeColumns(block []*Batch, last bool) error {
	var work sync.WaitGroup
	next := make(chan int, len(p.columns))
	errs := make([]error, min(len(p.columns), runtime.GOMAXPROCS(0)))
	for i := range errs {
		work.Go(func() { errs[i] = p.takeColumns(next, block, last) })
	}
	for i := range p.columns {
		next <- i
	}
	close(next)
	work.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// takeColumns encodes one column after the other, as long as there are any.
func (p *parquetWriter) takeColumns(next <-chan int, block []*Batch, last bool) error {
	return guarded(func() error {
		for i := range next {
			if err := p.columns[i].encode(block, last); err != nil {
				return fmt.Errorf("column %q: %w", p.schema[i].Name, err)
			}
		}
		return nil
	})
}

// open makes the file. Its first rows tell which columns are worth a dictionary.
func (p *parquetWriter) open(first []*Batch) {
	schema := parquetSchema(p.schema, func(i int) bool { return parquetRepeats(first, i) })
	p.file = parquet.NewGenericWriter[any](p.w, schema,
		parquet.Compression(newPageCodec()),
		parquet.PageBufferSize(parquetPageBytes),
		parquet.DictionaryMaxBytes(parquetDictionaryBytes),
		parquet.DataPageStatistics(false), // the column index has them
		parquet.KeyValueMetadata(parquetSchemaKey, parquetSchemaJSON(p.schema)))
	for i, w := range p.file.ColumnWriters() {
		p.columns = append(p.columns, &parquetColumn{index: i, out: w})
	}
}

func releaseBlock(block []*Batch) {
	for _, b := range block {
		b.Release()
	}
}

// guarded calls f and turns a panic of it, which the library means for mistakes in
// programs but also has for bytes it did not expect, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("parquet: %v", v)
		}
	}()
	return f()
}
