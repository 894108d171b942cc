package export

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// A few bytes can claim to be very many: compressed ones, and runs of one value.
// The library believes them, and the process ends when memory does. So the body of
// each page is measured first, within what its header said.
//
//	v1  compressed: length of levels (4 bytes) · levels · values
//	v2  levels · compressed: values
//
// Levels are there in optional columns alone. Levels, indexes of a dictionary and
// some truth values are in runs.

// oldDictionary is what old writers call RLEDictionary in pages of data.
const oldDictionary format.Encoding = 2

var errRuns = errors.New("runs of more values than the page has")

// pageMeter measures pages. Its buffers are for one page after the other.
type pageMeter struct {
	codec    format.CompressionCodec
	optional bool
	zstd     *zstd.Decoder
	body     []byte
	plain    []byte
}

// read returns the body of a page at a place.
func (m *pageMeter) read(r io.ReaderAt, at int64, page *format.PageHeader) ([]byte, error) {
	m.body = pageBuffer(m.body, int(page.CompressedPageSize))
	return m.body, readParquetAt(r, m.body, at)
}

// measure tells what is wrong with the body of a page.
func (m *pageMeter) measure(page *format.PageHeader, body []byte) error {
	switch page.Type {
	case format.DictionaryPage:
		_, err := m.uncompressed(body, int(page.UncompressedPageSize))
		return err
	case format.DataPage:
		head := page.DataPageHeader.V
		plain, err := m.uncompressed(body, int(page.UncompressedPageSize))
		if err == nil && m.optional {
			plain, err = pageLevels(plain, head.NumValues)
		}
		if err != nil {
			return err
		}
		return checkValues(head.Encoding, plain, head.NumValues)
	case format.DataPageV2:
		return m.measureV2(page, body)
	}
	return fmt.Errorf("a page of the unknown type %d", page.Type)
}

// measureV2 is measure for pages of the second version. Levels of repetition there
// are none: no column is a list.
func (m *pageMeter) measureV2(page *format.PageHeader, body []byte) error {
	head := page.DataPageHeaderV2.V
	n := head.DefinitionLevelsByteLength
	if head.RepetitionLevelsByteLength != 0 || n < 0 || int(n) > len(body) || n > page.UncompressedPageSize {
		return fmt.Errorf("levels of %d bytes in a page of %d", n, len(body))
	}
	if err := checkRuns(body[:n], 1, head.NumValues); err != nil {
		return err
	}
	plain := body[n:]
	if !head.IsCompressed.Valid || head.IsCompressed.V {
		var err error
		if plain, err = m.uncompressed(plain, int(page.UncompressedPageSize-n)); err != nil {
			return err
		}
	}
	return checkValues(head.Encoding, plain, head.NumValues)
}

// pageLevels returns what comes after the levels of a v1 page.
func pageLevels(plain []byte, values int32) ([]byte, error) {
	if len(plain) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	n := int64(binary.LittleEndian.Uint32(plain))
	if plain = plain[4:]; n > int64(len(plain)) {
		return nil, io.ErrUnexpectedEOF
	}
	return plain[n:], checkRuns(plain[:n], 1, values)
}

// uncompressed returns what body is compressed from: n bytes at most.
func (m *pageMeter) uncompressed(body []byte, n int) (plain []byte, err error) {
	if m.codec == format.Uncompressed || len(body) == 0 {
		return body, nil
	}
	m.plain = pageBuffer(m.plain, n)
	switch m.codec {
	case format.Zstd:
		plain, err = m.zstd.DecodeAll(body, m.plain[:0:n]) // n is the limit
	case format.Snappy:
		if size, e := s2.DecodedLen(body); e != nil || size > n {
			return nil, fmt.Errorf("snappy of more than %d bytes", n)
		}
		plain, err = s2.Decode(m.plain, body)
	case format.Gzip:
		plain, err = gunzip(m.plain, body)
	default:
		return nil, fmt.Errorf("compression %v: zstd, snappy, gzip and none can be read", m.codec)
	}
	return plain, err
}

// gunzip unpacks what fits into plain, and fails when that is not all.
func gunzip(plain, body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	n, err := io.ReadFull(r, plain)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if more, _ := r.Read(make([]byte, 1)); more > 0 {
		return nil, fmt.Errorf("gzip of more than %d bytes", len(plain))
	}
	return plain[:n], nil
}

// checkValues checks the values of a page whose encoding can claim more of them
// than there are bytes for.
func checkValues(encoding format.Encoding, plain []byte, values int32) error {
	switch encoding {
	case oldDictionary, format.RLEDictionary:
		if len(plain) == 0 {
			return nil
		}
		return checkRuns(plain[1:], int(plain[0]), values)
	case format.RLE:
		_, err := pageLevels(plain, values) // the same form
		return err
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.DeltaByteArray:
		// The sizes of blocks come first, in two numbers; then how many values.
		for range 2 {
			_, n := binary.Uvarint(plain)
			plain = plain[max(0, n):]
		}
		if n, used := binary.Uvarint(plain); used <= 0 || n > uint64(values) {
			return errRuns
		}
	}
	return nil
}

// checkRuns walks over runs: a varint that is odd before groups of eight values,
// each of some bits, or even before one value that repeats. Groups may be padded.
func checkRuns(b []byte, bits int, values int32) error {
	if bits > 32 {
		return fmt.Errorf("values of %d bits", bits)
	}
	for left := int64(values) + 7; len(b) > 0; {
		head, used := binary.Uvarint(b)
		if used <= 0 {
			return io.ErrUnexpectedEOF
		}
		b = b[used:]
		count := min(head>>1, 1<<40) // so that eight times as many are no less
		size := uint64(bits+7) / 8   // of one value that repeats
		if head&1 != 0 {
			if count > uint64(len(b)) && bits > 0 {
				return io.ErrUnexpectedEOF
			}
			size = count * uint64(bits)
			count *= 8
		}
		if left -= int64(count); left < 0 {
			return errRuns
		}
		if size > uint64(len(b)) {
			return io.ErrUnexpectedEOF
		}
		b = b[size:]
	}
	return nil
}

// pageBuffer returns n bytes, those of b where they suffice.
func pageBuffer(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// newPageMeter returns a meter whose zstd unpacks into the room it is given, and
// no further.
func newPageMeter() *pageMeter {
	d, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(parquetMaxPage),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // of the options, which are fixed
	}
	return &pageMeter{zstd: d}
}
