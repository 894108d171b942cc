package export

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// What a page may claim. Ordinary ones have a megabyte, and at most as many values
// as their row group.
const (
	parquetMaxPage   = 256 << 20
	parquetMaxValues = 1 << 24
)

const parquetMagic = "PAR1"

// checkFooter tells what is wrong with a file before the library reads its
// metadata: that it is no Parquet file, is cut off, or claims too much.
//
//	PAR1 · pages … · metadata · length of the metadata (4 bytes) · PAR1
func checkFooter(r io.ReaderAt, size int64) error {
	var head [4]byte
	var tail [8]byte
	if err := readParquetAt(r, head[:min(size, 4)], 0); err != nil {
		return fmt.Errorf("parquet: reading the start of the file: %w", err)
	}
	if string(head[:]) != parquetMagic {
		return fmt.Errorf("parquet: this is not a Parquet file: it does not begin with %s", parquetMagic)
	}
	if size < 12 {
		return fmt.Errorf("parquet: the file is cut off after %d bytes", size)
	}
	if err := readParquetAt(r, tail[:], size-8); err != nil {
		return fmt.Errorf("parquet: reading the end of the file: %w", err)
	}
	if string(tail[4:]) != parquetMagic {
		return fmt.Errorf("parquet: the file is cut off: it does not end with %s", parquetMagic)
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 {
		return fmt.Errorf("parquet: metadata of %d bytes in a file of %d", length, size)
	}
	footer := make([]byte, length)
	if err := readParquetAt(r, footer, size-8-length); err != nil {
		return fmt.Errorf("parquet: reading the metadata: %w", err)
	}
	if _, err := thriftLength(footer); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	return nil
}

// readParquetAt fills b from a place in the file, or fails.
func readParquetAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// checkGroups checks what the metadata tell of each row group against the file.
func checkGroups(file *parquet.File) error {
	columns := len(file.Root().Columns())
	for i, group := range file.Metadata().RowGroups {
		if len(group.Columns) != columns {
			return fmt.Errorf("parquet: row group %d has %d columns, the file %d", i, len(group.Columns), columns)
		}
		if group.NumRows < 0 {
			return fmt.Errorf("parquet: row group %d has %d rows", i, group.NumRows)
		}
		for j := range group.Columns {
			codec := file.Metadata().RowGroups[0].Columns[j].MetaData.Codec // the library takes it for all
			if group.Columns[j].MetaData.Codec != codec {
				return fmt.Errorf("parquet: row groups 0 and %d are compressed differently", i)
			}
		}
	}
	return nil
}

// checkChunk walks over the pages of a column in a row group, and refuses what would
// make the library ask for more memory than makes sense.
func (m *pageMeter) checkChunk(r io.ReaderAt, size int64, chunk *format.ColumnMetaData, rows int64) error {
	at := chunk.DataPageOffset
	if chunk.DictionaryPageOffset != 0 {
		at = chunk.DictionaryPageOffset
	}
	if length := chunk.TotalCompressedSize; at < 0 || length < 0 || at > size || length > size-at {
		return fmt.Errorf("pages that lie outside of the file: %d bytes at %d", length, at)
	}
	for end := at + chunk.TotalCompressedSize; at < end; {
		page, length, err := pageHeader(r, at, end)
		if err != nil {
			return err
		}
		at += length
		if err := checkPage(page, end-at, rows); err != nil {
			return err
		}
		body, err := m.read(r, at, page)
		if err != nil {
			return err
		}
		if err := m.measure(page, body); err != nil {
			return err
		}
		rows -= pageValues(page)
		at += int64(page.CompressedPageSize)
	}
	return nil
}

// checkPage checks what the header of a page claims; room is how many bytes there
// are behind it, rows how many values are still to come.
func checkPage(page *format.PageHeader, room, rows int64) error {
	values := pageValues(page)
	dictionary := int64(page.DictionaryPageHeader.V.NumValues)
	switch {
	case page.CompressedPageSize < 0 || int64(page.CompressedPageSize) > room:
		return fmt.Errorf("a page of %d bytes where %d are left", page.CompressedPageSize, room)
	case page.UncompressedPageSize < 0 || page.UncompressedPageSize > parquetMaxPage:
		return fmt.Errorf("a page of %d bytes uncompressed: more than %d", page.UncompressedPageSize, parquetMaxPage)
	case values < 0 || values > rows || values > parquetMaxValues:
		return fmt.Errorf("a page of %d values where %d are left", values, rows)
	case dictionary < 0 || dictionary > int64(page.UncompressedPageSize):
		return fmt.Errorf("a dictionary of %d values in %d bytes", dictionary, page.UncompressedPageSize)
	}
	return nil
}

// pageValues returns how many values a page has, absent ones among them; of a
// dictionary none, as they are no rows.
func pageValues(page *format.PageHeader) int64 {
	switch page.Type {
	case format.DataPage:
		return int64(page.DataPageHeader.V.NumValues)
	case format.DataPageV2:
		return int64(page.DataPageHeaderV2.V.NumValues)
	}
	return 0
}

// pageHeader reads the header of the page at a place, and returns its length. With
// long texts for its bounds a header is longer than the first bytes read.
func pageHeader(r io.ReaderAt, at, end int64) (*format.PageHeader, int64, error) {
	for room := int64(512); ; room *= 16 {
		b := make([]byte, min(room, end-at))
		if err := readParquetAt(r, b, at); err != nil {
			return nil, 0, err
		}
		n, err := thriftLength(b)
		if errors.Is(err, errThriftShort) && int64(len(b)) < end-at {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		page := &format.PageHeader{}
		err = thrift.Unmarshal(&thrift.CompactProtocol{}, b[:n], page)
		return page, int64(n), err
	}
}
