package export

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"
)

// Pages of both versions, in all encodings that the library writes, compressed in
// the usual ways, are read; the others are named.
func TestParquetCodecs(t *testing.T) {
	type row struct {
		Name  *string `parquet:"name,dict,optional"`
		Long  string  `parquet:"long,delta"`
		Count int64   `parquet:"count,delta"`
		Yes   *bool   `parquet:"yes,optional"`
	}
	rows := make([]row, 3000)
	for i := range rows {
		name, yes := "name", i%3 == 0
		rows[i] = row{Long: "a long text", Count: int64(i * i)}
		if i%2 == 0 {
			rows[i].Name, rows[i].Yes = &name, &yes
		}
	}
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		for version := 1; version <= 2; version++ {
			var file bytes.Buffer
			if err := parquet.Write(&file, rows, parquet.Compression(codec), parquet.DataPageVersion(version)); err != nil {
				t.Fatal(err)
			}
			got, err := readParquetBytes(file.Bytes())
			if err != nil || len(tableRows(got)) != len(rows) || tableRows(got)[2999][2] != int64(2999*2999) {
				t.Errorf("%v, version %d: %d rows, %v", codec, version, len(tableRows(got)), err)
			}
		}
	}
	for _, codec := range []compress.Codec{&parquet.Lz4Raw, &parquet.Brotli} {
		var file bytes.Buffer
		if err := parquet.Write(&file, rows, parquet.Compression(codec)); err != nil {
			t.Fatal(err)
		}
		_, err := readParquetBytes(file.Bytes())
		oneLine(t, err, "zstd, snappy, gzip and none can be read")
	}
}

// A body that unpacks to more than its header says is refused, and one that unpacks
// to as much is not.
func TestParquetBodyUnpacksToMore(t *testing.T) {
	zeros := make([]byte, 1<<20)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(zeros)
	z.Close()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for codec, body := range map[format.CompressionCodec][]byte{
		format.Gzip:   zipped.Bytes(),
		format.Zstd:   e.EncodeAll(zeros, nil),
		format.Snappy: s2.EncodeSnappy(nil, zeros),
	} {
		m := newPageMeter()
		m.codec = codec
		page := &format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: 1 << 20}
		if err := m.measure(page, body); err != nil {
			t.Errorf("%v: %v", codec, err)
		}
		page.UncompressedPageSize--
		if m.measure(page, body) == nil {
			t.Errorf("%v: a byte more than was said is unpacked", codec)
		}
	}
}

// runs returns a run of n values.
func runs(n uint64) []byte { return append(binary.AppendUvarint(nil, n<<1), 1) }

// Runs of more values than a page has are refused wherever runs are.
func TestParquetRunsOfMore(t *testing.T) {
	prefixed := func(b []byte) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
	}
	for name, body := range map[string]func(n uint64) (format.Encoding, []byte){
		"levels": func(n uint64) (format.Encoding, []byte) { return format.Plain, prefixed(runs(n)) },
		"dictionary": func(n uint64) (format.Encoding, []byte) {
			return format.RLEDictionary, append(append(prefixed(runs(9)), 1), runs(n)...)
		},
		"truths": func(n uint64) (format.Encoding, []byte) {
			return format.RLE, append(prefixed(runs(9)), prefixed(runs(n))...)
		},
		"deltas": func(n uint64) (format.Encoding, []byte) {
			return format.DeltaBinaryPacked, binary.AppendUvarint(append(prefixed(runs(9)), 128, 1, 4), n)
		},
	} {
		for _, n := range []uint64{9, 1 << 30, 1 << 62} {
			encoding, data := body(n)
			m := newPageMeter()
			m.optional = true
			page := &format.PageHeader{Type: format.DataPage, UncompressedPageSize: int32(len(data))}
			page.DataPageHeader.V = format.DataPageHeader{NumValues: 9, Encoding: encoding}
			if err := m.measure(page, data); (err == nil) != (n == 9) {
				t.Errorf("%s: a run of %d values in a page of 9: %v", name, n, err)
			}
		}
	}
}
