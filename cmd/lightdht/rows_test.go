package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// written returns what a table of two columns looks like in a format.
func written(t *testing.T, format string, table [][]any) string {
	t.Helper()
	var b bytes.Buffer
	out, err := newRows(&b, format, "name", "value")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table {
		if err := out.add(row...); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // closing it again, as a deferred close does, changes nothing
		if err := out.close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestRows(t *testing.T) {
	plain := [][]any{{"a", 1}, {"b", true}}
	absent := [][]any{{"a", nil}, {nil, 2}}
	odd := [][]any{{`say "hi", all`, "two\nlines"}, {"tab\there", "\x00é\u2028"}}
	values := [][]any{{kad.ID{0xab}, netip.MustParseAddrPort("[::1]:5")}, {1500 * time.Millisecond, uint16(7)}}
	for _, tt := range []struct {
		name, format string
		table        [][]any
		want         string
	}{
		{"plain", "text", plain, "a\t1\nb\ttrue\n"},
		{"plain", "csv", plain, "name,value\r\na,1\r\nb,true\r\n"},
		{"plain", "ndjson", plain, `{"name":"a","value":1}` + "\n" + `{"name":"b","value":true}` + "\n"},
		{"plain", "json", plain, "[\n" + `{"name":"a","value":1},` + "\n" + `{"name":"b","value":true}` + "\n]\n"},
		{"empty", "text", nil, ""},
		{"empty", "csv", nil, "name,value\r\n"},
		{"empty", "ndjson", nil, ""},
		{"empty", "json", nil, "[]\n"},
		{"absent", "text", absent, "a\t\n\t2\n"},
		{"absent", "csv", absent, "name,value\r\na,\r\n,2\r\n"},
		{"absent", "ndjson", absent, `{"name":"a","value":null}` + "\n" + `{"name":null,"value":2}` + "\n"},
		{"odd", "csv", odd, "name,value\r\n\"say \"\"hi\"\", all\",\"two\r\nlines\"\r\ntab\there,\x00é\u2028\r\n"},
		{"odd", "ndjson", odd, `{"name":"say \"hi\", all","value":"two\nlines"}` + "\n" + `{"name":"tab\there","value":"\u0000é\u2028"}` + "\n"},
		{"values", "text", values, "ab" + strings.Repeat("0", 38) + "\t[::1]:5\n1.5s\t7\n"},
		{"values", "ndjson", values, `{"name":"ab` + strings.Repeat("0", 38) + `","value":"[::1]:5"}` + "\n" + `{"name":1500000000,"value":7}` + "\n"},
	} {
		t.Run(tt.name+" "+tt.format, func(t *testing.T) {
			if got := written(t, tt.format, tt.table); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What is written can be read again, whatever is in it.
func TestRowsRoundTrip(t *testing.T) {
	table := [][]any{{`"`, ","}, {`\`, "'"}, {"\t", " x "}, {"<&>", "\u2029"}, {"", "0"}, {"a\nb", "日本"}}
	lines, err := csv.NewReader(strings.NewReader(written(t, "csv", table))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var objects []map[string]string
	if err := json.Unmarshal([]byte(written(t, "json", table)), &objects); err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(table)+1 || len(objects) != len(table) {
		t.Fatalf("%d lines of CSV and %d objects from %d rows", len(lines), len(objects), len(table))
	}
	for i, row := range table {
		if got := lines[i+1]; got[0] != row[0] || got[1] != row[1] {
			t.Errorf("csv: got %q, want %q", got, row)
		}
		if got := objects[i]; got["name"] != row[0] || got["value"] != row[1] {
			t.Errorf("json: got %q, want %q", got, row)
		}
	}
}

func TestRowsUnknownFormat(t *testing.T) {
	for _, format := range []string{"", "CSV", "xml", "json "} {
		var b bytes.Buffer
		_, err := newRows(&b, format, "name")
		if usage := (usageError{}); !errors.As(err, &usage) {
			t.Errorf("format %q: got %v, want a usage error", format, err)
		}
		if b.Len() > 0 {
			t.Errorf("format %q: wrote %q", format, b.String())
		}
	}
}

var errFull = errors.New("disk full")

// smallDisk takes so many writes, then fails.
type smallDisk int

func (d *smallDisk) Write(b []byte) (int, error) {
	if *d == 0 {
		return 0, errFull
	}
	*d--
	return len(b), nil
}

// The first failed write is reported by its add, by every later one, and by close.
func TestRowsWriteError(t *testing.T) {
	for _, format := range []string{"text", "csv", "ndjson", "json"} {
		for room := range 4 {
			t.Run(format, func(t *testing.T) {
				disk := smallDisk(room)
				out, err := newRows(&disk, format, "name")
				if err != nil {
					t.Fatal(err)
				}
				failed := false
				for range 4 {
					err := out.add("x")
					if failed && err == nil {
						t.Fatal("a row after one that failed was taken")
					}
					failed = err != nil
				}
				if err := out.close(); !errors.Is(err, errFull) {
					t.Errorf("close: %v, want %v", err, errFull)
				}
			})
		}
	}
}

// A value that JSON has no form for is an error, not half a row.
func TestRowsNoForm(t *testing.T) {
	var b bytes.Buffer
	out, _ := newRows(&b, "ndjson", "name")
	if err := out.add(func() {}); err == nil || b.Len() > 0 {
		t.Errorf("wrote %q, error %v", b.String(), err)
	}
}
