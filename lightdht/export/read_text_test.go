package export

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

// reader is one of the three.
type reader func(io.Reader, typeOf) (Schema, iter.Seq2[*Batch, error], error)

var readers = map[Format]reader{CSV: readCSV, NDJSON: readNDJSON, JSON: readJSON}

// readBatches returns the batches that are read, with the error that ended them.
func readBatches(read reader, r io.Reader, types typeOf) (Schema, []*Batch, error) {
	s, batches, err := read(r, types)
	if err != nil {
		return nil, nil, err
	}
	var all []*Batch
	for b, err := range batches {
		if err == nil {
			err = s.fits(b)
		}
		if err != nil {
			return s, all, err
		}
		all = append(all, b)
	}
	return s, all, nil
}

// readAll returns the rows that are read, with the error that ended them.
func readAll(read reader, r io.Reader, types typeOf) (Schema, [][]any, error) {
	s, batches, err := readBatches(read, r, types)
	return s, rowsOf(batches...), err
}

// readBack returns what CSV can tell of rows: no empty text.
func readBack(f Format, rows [][]any) [][]any {
	for _, row := range rows {
		for i, v := range row {
			if f == CSV && v == "" {
				row[i] = nil
			}
		}
	}
	return rows
}

// What is written is read: all types, odd values, absent ones, more than a batch.
func TestRoundTrip(t *testing.T) {
	for f, read := range readers {
		for seed := range uint64(6) {
			o := Options{Micros: seed%2 == 1}
			r := rand.New(rand.NewPCG(seed, 3))
			a, want := oddBatch(allTypes, 1+r.IntN(100), r)
			b, more := oddBatch(allTypes, BatchRows*int(seed/5), r)
			text := written(t, f, allTypes, o, a, b)
			s, rows, err := readAll(read, strings.NewReader(text), typeIn(allTypes))
			if err != nil {
				t.Fatalf("%s, seed %d: %v", f, seed, err)
			}
			if !reflect.DeepEqual(s, allTypes) {
				t.Fatalf("%s, seed %d: schema %v", f, seed, s)
			}
			want = readBack(f, append(want, more...))
			for i := range want {
				if i >= len(rows) || !reflect.DeepEqual(rows[i], want[i]) {
					t.Fatalf("%s, seed %d, row %d of %d:\n got %#v\nwant %#v", f, seed, i, len(want), rows[i], want[i])
				}
			}
			if len(rows) != len(want) {
				t.Fatalf("%s, seed %d: %d rows, want %d", f, seed, len(rows), len(want))
			}
		}
	}
}

// A column that nobody knows is text, whatever JSON has there.
func TestReadUnknownColumns(t *testing.T) {
	for f, text := range map[Format]string{
		CSV:    "x,n\n1.50,2\ntrue,3\n,4\n",
		NDJSON: `{"x":1.50,"n":2}` + "\n" + `{"x":true,"n":3}` + "\n" + `{"n":4,"x":null}`,
		JSON:   `[{"x":"1.50","n":2},{"x":"true","n":3},{"n":4}]`,
	} {
		s, rows, err := readAll(readers[f], strings.NewReader(text), typeIn(numbers))
		want := [][]any{{"1.50", int64(2)}, {"true", int64(3)}, {nil, int64(4)}}
		if err != nil || !reflect.DeepEqual(rows, want) || s[0].Type != Text || s[1].Type != Int {
			t.Errorf("%s: %v %v %v", f, s, rows, err)
		}
	}
}

func TestReadSloppy(t *testing.T) {
	want := [][]any{{int64(1), nil}, {int64(2), "x"}}
	for _, c := range []struct {
		format Format
		text   string
	}{
		{CSV, "n,s\r\n1,\r\n2,x\r\n"}, {CSV, "n,s\n1,\n2,x"}, {CSV, "\ufeffn,s\n1,\n\n2,x\n"}, {CSV, "\ufeff\"n\",s\n1,\"\"\n+2,\"x\"\n"},
		{NDJSON, "\ufeff{\"n\":1,\"s\":null}\r\n{\"n\":2,\"s\":\"x\"}\r\n"}, {NDJSON, "{\"n\":1,\"s\":null} {\"s\":\"x\",\n\"n\":\"2\"}"},
		{JSON, "\ufeff[{\"n\":1,\"s\":null}\n,\n{\"n\":2,\"s\":\"x\"}]\n\n"},
	} {
		if _, rows, err := readAll(readers[c.format], strings.NewReader(c.text), typeIn(numbers)); err != nil || !reflect.DeepEqual(rows, want) {
			t.Errorf("%s %q: %v %v", c.format, c.text, rows, err)
		}
	}
}

func TestReadNothing(t *testing.T) {
	for _, c := range []struct {
		format  Format
		text    string
		columns int
	}{{CSV, "a,b\r\n", 2}, {CSV, "a,b", 2}, {NDJSON, "", 0}, {NDJSON, "\n\n", 0}, {JSON, "[]\n", 0}, {JSON, " [ ] ", 0}} {
		s, rows, err := readAll(readers[c.format], strings.NewReader(c.text), typeIn(numbers))
		if err != nil || len(rows) != 0 || len(s) != c.columns {
			t.Errorf("%s %q: %v %v %v", c.format, c.text, s, rows, err)
		}
	}
}

// Times of other zones and other precision, and other words for true.
func TestReadOtherSpellings(t *testing.T) {
	text := "t,b,ip,id,f\n1970-01-01T01:00:00.0000019+01:00,True,::ffff:1.2.3.4,AB00000000000000000000000000000000000000,1E3\n-5,0,fe80::1%eth0,,\n"
	_, rows, err := readAll(readCSV, strings.NewReader(text), typeIn(allTypes))
	if err != nil {
		t.Fatal(err)
	}
	if got := plainRow(rows[0]); got != "1 true 1.2.3.4 ab00000000000000000000000000000000000000 1000" {
		t.Error(got)
	}
	if got := plainRow(rows[1]); got != "-5 false fe80::1  " {
		t.Error(got)
	}
}

func plainRow(row []any) string {
	var fields []string
	for _, v := range row {
		fields = append(fields, told(Int, v))
	}
	return strings.Join(fields, " ")
}

// Every mistake is told with its line. Rows before it are read.
func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		format Format
		text   string
		rows   int
		want   string
	}{
		{CSV, "", 0, `line 1: a table in CSV begins with the names of its columns: the file is empty`},
		{CSV, "n,s,n\n", 0, `line 1: two columns have the name n`},
		{CSV, strings.Repeat("a,", 2000), 0, `line 1: 2001 columns: a table has at most 1000`},
		{CSV, ",n\n0,1\n", 0, `line 1: column 1 has no name`},
		{CSV, "s,n\n\"a\nb\",1\nx,abc\n", 1, `line 4, column n: "abc" is no int`},
		{CSV, "s,n\n\"a\nb\",abc\n", 0, `line 3, column n: "abc" is no int`},
		{CSV, "n\n1\n9223372036854775808\n", 1, `line 3, column n: "9223372036854775808" is no int`},
		{CSV, "n\n1.0\n", 0, `line 2, column n: "1.0" is no int`},
		{CSV, "s\n\xff\n", 0, `line 2, column s: "\xff" is no text`},
		{CSV, "f\nnan\n", 0, `line 2, column f: "nan" is no float`},
		{CSV, "f\n-Inf\n", 0, `line 2, column f: "-Inf" is no float`},
		{CSV, "f\n1e999\n", 0, `line 2, column f: "1e999" is no float`},
		{CSV, "b\nyes\n", 0, `line 2, column b: "yes" is no bool`},
		{CSV, "ip\n1.2.3\n", 0, `line 2, column ip: "1.2.3" is no addr`},
		{CSV, "hash\nab\n", 0, `line 2, column hash: "ab" is no hash`},
		{CSV, "t\n2025-02-30T00:00:00Z\n", 0, `line 2, column t: "2025-02-30T00:00:00Z" is no time`},
		{CSV, "n\n" + strings.Repeat("x", 1000) + "\n", 0, `line 2, column n: "` + strings.Repeat("x", 60) + `…" is no int`},
		{CSV, "n,s\n1,a\n2\n", 1, `line 3: 1 fields where the header has 2: was the file cut off?`},
		{CSV, "n,s\n1,a\n2,b,c\n", 1, `line 3: 3 fields where the header has 2: was the file cut off?`},
		{CSV, "n,s\n1,\"a\n2,b\n", 0, `line 3: no CSV: extraneous or missing " in quoted-field, in the row that begins in line 2`},
		{CSV, "n,s\n1,a\"b\n", 0, `line 2: no CSV: bare " in non-quoted-field`},
		{NDJSON, `{"n":1}` + "\n\n" + `{"n":"abc"}`, 1, `line 3, column n: "abc" is no int`},
		{NDJSON, `{"n":1,"n":2}`, 0, `line 1: two columns have the name n`},
		{NDJSON, `{"n":1,"s":"a"}` + "\n" + `{"n":1,"n":2}`, 1, `line 2, column n: there twice`},
		{NDJSON, `{"n":1}` + "\n" + `{"n":1,"z":2}`, 1, `line 2: the first row has no "z"`},
		{NDJSON, `{"n":1}` + "\n" + `{"n":[1]}`, 1, `line 2: column n: an object or array within a row`},
		{NDJSON, `{"n":1.5}`, 0, `line 1, column n: "1.5" is no int`},
		{NDJSON, `{"n":""}`, 0, `line 1, column n: "" is no int`},
		{NDJSON, `{}`, 0, `line 1: an object without keys: a table has columns`},
		{NDJSON, `{"n":1}` + "\n" + `[2]`, 1, `line 2: want an object`},
		{NDJSON, `{"n":1}` + "\n" + `{"n":2` + "\n", 1, `line 2: the file ends too early: was it cut off?`},
		{NDJSON, `{"n":1}` + "\n" + `{"n":tru}` + "\n", 1, `line 2: no JSON: invalid character '}' in literal true (expecting 'e')`},
		{NDJSON, `{"n":1}` + "\n" + `n,s` + "\n", 1, `line 2: no JSON: invalid character ',' in literal null (expecting 'u')`},
		{JSON, "", 0, `line 1: the file ends too early: was it cut off?`},
		{JSON, `{"n":1}`, 0, `line 1: want an array of objects`},
		{JSON, "[\n" + `{"n":1},` + "\n" + `{"n":2}` + "\n", 2, `line 3: the file ends too early: was it cut off?`},
		{JSON, "[\n" + `{"n":1},` + "\n]", 1, `line 3: no JSON: invalid character ']' looking for beginning of value`},
		{JSON, `[{"n":1}]` + "\n[]", 1, `line 2: there is more behind the array`},
		{JSON, "[1]", 0, `line 1: want an object`},
	} {
		_, rows, err := readAll(readers[c.format], strings.NewReader(c.text), typeIn(allTypes))
		if err == nil || err.Error() != c.want || len(rows) != c.rows {
			t.Errorf("%s %.60q: %d rows, %v\nwant %d rows, %s", c.format, c.text, len(rows), err, c.rows, c.want)
		}
	}
}

// Cut off anywhere before its last field, a file is an error or the whole of its
// first rows; it is never other rows.
func TestReadCutOff(t *testing.T) {
	for f, read := range readers {
		b, _ := oddBatch(allTypes, 3, rand.New(rand.NewPCG(11, 5)))
		text := written(t, f, allTypes, Options{}, b)
		_, whole, err := readAll(read, strings.NewReader(text), typeIn(allTypes))
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(text) - 2 {
			_, rows, err := readAll(read, strings.NewReader(text[:n]), typeIn(allTypes))
			if f == JSON && err == nil {
				t.Fatalf("json: no error at byte %d of %d", n, len(text))
			}
			for i, row := range rows {
				if f == CSV && i == len(rows)-1 {
					break // its last field may have been longer
				}
				if !reflect.DeepEqual(row, whole[i]) {
					t.Fatalf("%s cut at %d: row %d is %v", f, n, i, row)
				}
			}
		}
	}
}

// An error of the source is passed on as it is, and a slow one makes no difference.
func TestReadFromOddSources(t *testing.T) {
	for f, read := range readers {
		b, want := oddBatch(allTypes, 40, rand.New(rand.NewPCG(12, 5)))
		text := written(t, f, allTypes, Options{}, b)
		_, rows, err := readAll(read, iotest.OneByteReader(strings.NewReader(text)), typeIn(allTypes))
		if err != nil || !reflect.DeepEqual(rows, readBack(f, want)) {
			t.Errorf("%s byte by byte: %v", f, err)
		}
		broken := io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(errFull))
		if _, _, err := readAll(read, broken, typeIn(allTypes)); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// A loop that is left early leaves nothing behind.
func TestReadBreak(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for f, read := range readers {
		n := int64(0)
		text := written(t, f, numbers, Options{}, numbered(BatchRows, &n), numbered(BatchRows, &n))
		_, batches, err := read(strings.NewReader(text), typeIn(numbers))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for b := range batches {
			rows += b.Len
			break
		}
		if rows != BatchRows {
			t.Errorf("%s: %d rows", f, rows)
		}
	}
}

// What is read can be written, and is read again as the same.
func fuzzReader(f *testing.F, format Format) {
	b, _ := oddBatch(allTypes, 3, rand.New(rand.NewPCG(13, 5)))
	f.Add([]byte(written(f, format, allTypes, Options{}, twoRows())))
	f.Add([]byte(written(f, format, allTypes, Options{Micros: true}, b)))
	read := readers[format]
	f.Fuzz(func(t *testing.T, data []byte) {
		s, batches, err := readBatches(read, bytes.NewReader(data), typeIn(allTypes))
		if err != nil || len(batches) != 1 || strings.HasPrefix(s[0].Name, "\ufeff") {
			return
		}
		l, b := layouts[format](s, Options{}), batches[0]
		text := append(l.appendRows(nil, b, 0, b.Len, true), l.tail...)
		again, back, err := readAll(read, bytes.NewReader(text), typeIn(allTypes))
		if err != nil {
			t.Fatalf("%v in %q", err, text)
		}
		if rows := rowsOf(b); !reflect.DeepEqual(s, again) || !reflect.DeepEqual(rows, back) {
			t.Fatalf("%v %#v\nis read again from %q as\n%v %#v", s, rows, text, again, back)
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("n,\"s\r\nx\"\r\n1,\"a\r\r\nb\"\n\n2,c\rd"))
	fuzzReader(f, CSV)
}

func FuzzReadNDJSON(f *testing.F) {
	f.Add([]byte(`{"n":1,"x":tru}{"x":1e5,"n":"7"} {"x":"\ud800"}`))
	fuzzReader(f, NDJSON)
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`[{"f":1e5,"x":[]},{"f":-0}]`))
	fuzzReader(f, JSON)
}

func BenchmarkRead(b *testing.B) {
	for f, read := range readers {
		b.Run(string(f), func(b *testing.B) {
			text := written(b, f, contactColumns, Options{}, contacts(BatchRows))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			rows := 0
			for b.Loop() {
				_, batches, err := read(strings.NewReader(text), typeIn(contactColumns))
				if err != nil {
					b.Fatal(err)
				}
				for batch, err := range batches {
					if err != nil {
						b.Fatal(err)
					}
					rows += batch.Len
					batch.Release()
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
