package export

import (
	"bytes"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// written returns what a format makes of batches.
func written(t testing.TB, f Format, s Schema, o Options, batches ...*Batch) string {
	t.Helper()
	var out bytes.Buffer
	w, err := newLines(&out, f, s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// twoRows has a row with all values and one with none.
func twoRows() *Batch {
	b := allTypes.NewBatch()
	c := b.Cols
	c[0].AddText("a, \"b\"\n")
	c[1].AddID(kad.ID{0xab})
	c[2].AddID(kad.ID{19: 1})
	c[3].AddAddr(netip.MustParseAddr("2001:db8::1"))
	c[4].AddInt(-7)
	c[5].AddFloat(0.25)
	c[6].AddBool(true)
	c[7].AddInt(-1)
	c[8].AddText(`é\`)
	for i := range c {
		c[i].AddAbsent()
	}
	b.Len = 2
	return b
}

// What each format looks like, to the byte.
func TestLooks(t *testing.T) {
	const id, hash = "ab00000000000000000000000000000000000000", "0000000000000000000000000000000000000001"
	const at = "1969-12-31T23:59:59.999999Z"
	const header = "first,id,hash,ip,n,f,b,t,\"odd \"\"name\"\", with é\"\r\n"
	object := `{"first":"a, \"b\"\n","id":"` + id + `","hash":"` + hash +
		`","ip":"2001:db8::1","n":-7,"f":0.25,"b":true,"t":"` + at + `","odd \"name\", with é":"é\\"}`
	nothing := `{"first":null,"id":null,"hash":null,"ip":null,"n":null,"f":null,"b":null,"t":null,"odd \"name\", with é":null}`
	for _, c := range []struct {
		format Format
		micros bool
		want   string
		empty  string
	}{
		{CSV, false, header + "\"a, \"\"b\"\"\n\"," + id + "," + hash + ",2001:db8::1,-7,0.25,true," + at + ",é\\\r\n,,,,,,,,\r\n", header},
		{TextLines, false, `a, "b"\n` + "\t" + id + "\t" + hash + "\t2001:db8::1\t-7\t0.25\ttrue\t" + at + "\té\\\\\n\t\t\t\t\t\t\t\t\n", ""},
		{NDJSON, false, object + "\n" + nothing + "\n", ""},
		{JSON, false, "[\n" + object + ",\n" + nothing + "\n]\n", "[]\n"},
		{NDJSON, true, strings.Replace(object, `"`+at+`"`, "-1", 1) + "\n" + nothing + "\n", ""},
		{CSV, true, header + "\"a, \"\"b\"\"\n\"," + id + "," + hash + ",2001:db8::1,-7,0.25,true,-1,é\\\r\n,,,,,,,,\r\n", header},
	} {
		o := Options{Micros: c.micros}
		if got := written(t, c.format, allTypes, o, twoRows()); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.format, got, c.want)
		}
		if got := written(t, c.format, allTypes, o); got != c.empty {
			t.Errorf("%s without rows: %q, want %q", c.format, got, c.empty)
		}
		if got := written(t, c.format, allTypes, o, allTypes.NewBatch(), allTypes.NewBatch()); got != c.empty {
			t.Errorf("%s with empty batches: %q, want %q", c.format, got, c.empty)
		}
	}
}

func TestLineTexts(t *testing.T) {
	for s, want := range map[string]string{
		"a b":             "a b",
		"a\tb\nc\rd":      `a\tb\nc\rd`,
		`C:\n`:            `C:\\n`,
		"\x07\x00\x7f":    `\x07\x00\x7f`,
		"\x1b[2J":         `\x1b[2J`,
		"\u0085\u009f":    `\u0085\u009f`,
		"é日😀\u00a0\ufffd": "é日😀\u00a0\ufffd",
		"\xff\xc3":        `\xff\xc3`,
	} {
		if got := string(appendLineText(nil, s)); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

// A row of text is a line, with a tab fewer than columns, whatever is in it.
func TestLinesStayLines(t *testing.T) {
	b, rows := oddBatch(allTypes, 500, rand.New(rand.NewPCG(7, 8)))
	lines := strings.Split(written(t, TextLines, allTypes, Options{}, b), "\n")
	if len(lines) != len(rows)+1 {
		t.Fatalf("%d lines of %d rows", len(lines)-1, len(rows))
	}
	for i, line := range lines[:len(rows)] {
		if n := strings.Count(line, "\t"); n != len(allTypes)-1 {
			t.Errorf("row %d, %q: %d tabs in %q", i, rows[i], n, line)
		}
	}
}

func TestFloatsThatAreNone(t *testing.T) {
	s := Schema{{Name: "a", Type: Float}, {Name: "b", Type: Float}}
	for f, want := range map[Format]string{CSV: "a,b\r\n,1e+21\r\n,\r\n", NDJSON: `{"a":null,"b":1e+21}` + "\n" + `{"a":null,"b":null}` + "\n"} {
		b := s.NewBatch()
		b.Cols[0].AddFloat(math.NaN())
		b.Cols[1].AddFloat(1e21)
		b.Cols[0].AddFloat(math.Inf(-1))
		b.Cols[1].AddFloat(math.Inf(1))
		b.Len = 2
		if got := written(t, f, s, Options{}, b); got != want {
			t.Errorf("%s: %q, want %q", f, got, want)
		}
	}
}

func TestNoLines(t *testing.T) {
	if _, err := newLines(nil, Parquet, allTypes, Options{}); err == nil || err.Error() != "parquet is no format of lines" {
		t.Error(err)
	}
	if _, err := newLines(nil, CSV, nil, Options{}); err == nil || !strings.Contains(err.Error(), "columns") {
		t.Error(err)
	}
}
