package export

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// smallParquet is a file of a few rows of all types.
func smallParquet(t testing.TB) []byte {
	return parquetBytes(t, everyColumn, randomBatches(rand.New(rand.NewPCG(7, 8)), everyColumn, 9))
}

// readParquetBytes reads a file to its end or its first error.
func readParquetBytes(file []byte) ([]*Batch, error) {
	_, seq, err := openParquetBytes(file)
	if err != nil {
		return nil, err
	}
	return batchesIn(seq)
}

// oneLine checks that an error is there, of one line, and says what it should.
func oneLine(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error; want %q", want)
	case strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), want):
		t.Errorf("error %q; want one line with %q", err, want)
	}
}

func TestParquetIsNone(t *testing.T) {
	for file, want := range map[string]string{
		"":                         "not a Parquet file",
		"PA":                       "not a Parquet file",
		"id,ip\r\n":                "not a Parquet file",
		"PAR1":                     "cut off",
		"PAR1 and much more":       "does not end",
		"PAR1PAR1":                 "cut off",
		"PAR1\x00\x00\x00\x00":     "cut off",
		"PAR1\xff\xff\xff\x7fPAR1": "metadata of 2147483647 bytes in a file of 12",
		"PAR1\x00\x00\x00\x00PAR1": "end too early",
	} {
		_, err := readParquetBytes([]byte(file))
		oneLine(t, err, want)
	}
}

// A file that is cut off anywhere is an error.
func TestParquetCutOff(t *testing.T) {
	file := smallParquet(t)
	for n := range file {
		if _, err := readParquetBytes(file[:n]); err == nil {
			t.Errorf("cut off after %d of %d bytes: no error", n, len(file))
		}
	}
}

// A bit that flips in a page is found by its checksum; one in the metadata does no
// harm that would not be an error or rows.
func TestParquetBitFlips(t *testing.T) {
	file := smallParquet(t)
	footer := len(file) - 8 - int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	found := 0
	for i := 4; i < len(file); i++ {
		brokenDisk := bytes.Clone(file)
		brokenDisk[i] ^= 1 << (i % 8)
		if _, err := readParquetBytes(brokenDisk); err != nil {
			found++
			oneLine(t, err, "")
		}
	}
	if found < footer/2 {
		t.Errorf("%d of %d bits that flipped were found", found, len(file)-4)
	}
}

// Metadata that claim a list of two thousand million columns are refused before
// room is made for them.
func TestParquetClaimsMuch(t *testing.T) {
	list := []byte{0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07} // field 2: the schema
	_, err := readParquetBytes(footed(append(list, 0)))
	oneLine(t, err, "end too early")

	many := append([]byte{0x29, 0xfc, 0x81, 0x80, 0x40}, make([]byte, 1<<20+2)...) // 2^20 + 1 empty ones
	_, err = readParquetBytes(footed(many))
	oneLine(t, err, "more metadata")

	deep := append(bytes.Repeat([]byte{0x1c}, 100), make([]byte, 101)...)
	_, err = readParquetBytes(footed(deep))
	oneLine(t, err, "metadata that are none")
}

// footed returns a file that is all metadata.
func footed(meta []byte) []byte {
	file := append([]byte(parquetMagic), meta...)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(meta)))
	return append(file, parquetMagic...)
}

// A file of another program tells its types by what it stores.
func TestParquetForeign(t *testing.T) {
	type row struct {
		Name  string   `parquet:"name,optional"`
		Port  int32    `parquet:"port"`
		Short uint16   `parquet:"short"`
		Big   uint64   `parquet:"big"`
		Half  float32  `parquet:"half"`
		ID    [20]byte `parquet:"id"`
		Yes   bool     `parquet:"yes"`
		Milli int64    `parquet:"milli,timestamp(millisecond)"`
		Nano  int64    `parquet:"nano,timestamp(nanosecond)"`
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, []row{
		{"x", -1, 65535, 1 << 62, 0.5, [20]byte{19: 9}, true, -1, -1},
		{"", 6881, 0, 0, 0, [20]byte{}, false, 0, 1999},
	}); err != nil {
		t.Fatal(err)
	}
	s, seq, err := openParquetBytes(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := batchesIn(seq)
	if err != nil {
		t.Fatal(err)
	}
	want := Schema{{Name: "name", Type: Text}, {Name: "port", Type: Int}, {Name: "short", Type: Int},
		{Name: "big", Type: Int}, {Name: "half", Type: Float}, {Name: "id", Type: ID}, {Name: "yes", Type: Bool},
		{Name: "milli", Type: Time}, {Name: "nano", Type: Time}}
	b := want.NewBatch()
	b.Cols[0].AddText("x")
	b.Cols[0].AddAbsent()
	for j, n := range [][2]int64{{-1, 6881}, {65535, 0}, {1 << 62, 0}} {
		b.Cols[j+1].AddInt(n[0])
		b.Cols[j+1].AddInt(n[1])
	}
	b.Cols[4].AddFloat(0.5)
	b.Cols[4].AddFloat(0)
	b.Cols[5].AddID([20]byte{19: 9})
	b.Cols[5].AddID([20]byte{})
	b.Cols[6].AddBool(true)
	b.Cols[6].AddBool(false)
	for j, n := range [][2]int64{{-1000, 0}, {-1, 1}} {
		b.Cols[j+7].AddInt(n[0])
		b.Cols[j+7].AddInt(n[1])
	}
	b.Len = 2
	sameTable(t, want, []*Batch{b}, s, got)
}

func TestParquetForeignRefused(t *testing.T) {
	type list struct {
		Ports []int64 `parquet:"ports"`
	}
	type short struct {
		Key [16]byte `parquet:"key"`
	}
	type text struct {
		Raw []byte `parquet:"raw"`
	}
	type big struct {
		N uint64 `parquet:"n"`
	}
	for _, c := range []struct {
		file []byte
		want string
	}{
		{foreignParquet(t, list{[]int64{1}}), `column "ports" holds lists`},
		{foreignParquet(t, short{}), `column "key" holds FIXED_LEN_BYTE_ARRAY`},
		{foreignParquet(t, text{[]byte{0xff}}), `column "raw": a text that is not UTF-8`},
		{foreignParquet(t, big{1 << 63}), `column "n": the number 9223372036854775808 does not fit`},
	} {
		_, err := readParquetBytes(c.file)
		oneLine(t, err, c.want)
	}
}

func foreignParquet[T any](t *testing.T, row T) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := parquet.Write(&file, []T{row}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// brokenDisk is a disk whose first n bytes cannot be read.
type brokenDisk struct {
	*bytes.Reader
	n int64
}

var errBrokenDisk = errors.New("input/output error")

func (b brokenDisk) ReadAt(p []byte, at int64) (int, error) {
	if at < b.n {
		return 0, errBrokenDisk
	}
	return b.Reader.ReadAt(p, at)
}

func TestParquetReadFails(t *testing.T) {
	file := smallParquet(t)
	for _, n := range []int64{1, int64(len(file))} {
		_, _, err := readParquet(brokenDisk{bytes.NewReader(file), n}, int64(len(file)))
		if !errors.Is(err, errBrokenDisk) {
			t.Errorf("a disk that fails before byte %d: %v", n, err)
		}
	}
}

func FuzzParquet(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	f.Add(smallParquet(f))
	f.Add(parquetBytes(f, everyColumn, nil))
	f.Add(parquetBytes(f, Schema{{Name: "n", Type: Int}}, randomBatches(rand.New(rand.NewPCG(1, 1)), Schema{{Name: "n", Type: Int}}, 3)))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, seq, err := openParquetBytes(file)
		if err != nil {
			oneLine(t, err, "")
			return
		}
		for b, err := range seq {
			if err != nil {
				return
			}
			for j, v := range b.Cols {
				if v.Type != s[j].Type || len(v.Null) != b.Len {
					t.Fatalf("column %q: %d values of type %v in %d rows", s[j].Name, len(v.Null), v.Type, b.Len)
				}
			}
			b.Release()
		}
	})
}
