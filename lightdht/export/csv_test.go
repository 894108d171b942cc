package export

import (
	"encoding/csv"
	"math/rand/v2"
	"strings"
	"testing"
)

// encoding/csv reads what was meant, but for the CRLF of a text, of which it makes
// a newline.
func TestCSVByOracle(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		b, rows := oddBatch(allTypes, 200, r)
		c := csv.NewReader(strings.NewReader(written(t, CSV, allTypes, Options{}, b)))
		lines, err := c.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != len(rows)+1 {
			t.Fatalf("seed %d: %d lines of %d rows", seed, len(lines)-1, len(rows))
		}
		for i, row := range rows {
			for k, value := range row {
				want := strings.ReplaceAll(told(allTypes[k].Type, value), "\r\n", "\n")
				if got := lines[i+1][k]; got != want {
					t.Fatalf("seed %d, row %d, column %s: got %q, want %q", seed, i, allTypes[k].Name, got, want)
				}
			}
		}
	}
}

func TestCSVQuotesNoMoreThanNeeded(t *testing.T) {
	for s, want := range map[string]string{
		"": "", " a ": " a ", "=1+1": "=1+1", "a\x00b": "a\x00b", "a'b": "a'b", "é": "é", "\xff": "\xff",
		"a,b": `"a,b"`, `"`: `""""`, `a"b"`: `"a""b"""`, "a\nb": "\"a\nb\"", "a\r": "\"a\r\"",
	} {
		if got := string(appendCSVText(nil, s)); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

// A line that is empty is no row to most readers.
func TestCSVOfOneColumn(t *testing.T) {
	for _, typ := range []Type{Text, Float, Int} {
		s := Schema{{Name: "a", Type: typ}}
		b := s.NewBatch()
		b.Cols[0].AddAbsent()
		b.Cols[0].AddAbsent()
		b.Cols[0].Null[1] = typ != Text // an empty text
		b.Len = 2
		if got := written(t, CSV, s, Options{}, b); got != "a\r\n\"\"\r\n\"\"\r\n" {
			t.Errorf("%v: %q", typ, got)
		}
	}
}
