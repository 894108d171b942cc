package export

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// meant returns what encoding/json should read of a value.
func meant(t Type, value any) any {
	text := told(t, value)
	switch {
	case value == nil:
		return nil
	case t == Int || t == Float || t == Time && !strings.Contains(text, "T"):
		return json.Number(text)
	case t == Bool:
		return text == "true"
	}
	return text
}

func TestJSONByOracle(t *testing.T) {
	for seed := range uint64(20) {
		b, rows := oddBatch(allTypes, 200, rand.New(rand.NewPCG(seed, 2)))
		text := written(t, JSON, allTypes, Options{}, b)
		var objects []map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&objects); err != nil {
			t.Fatal(err)
		}
		if len(objects) != len(rows) {
			t.Fatalf("seed %d: %d objects of %d rows", seed, len(objects), len(rows))
		}
		for i, row := range rows {
			for k, c := range allTypes {
				got, there := objects[i][c.Name]
				if want := meant(c.Type, row[k]); !there || !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d, row %d, column %s: got %#v, want %#v", seed, i, c.Name, got, want)
				}
			}
		}
	}
}

// NDJSON is the lines of the array without its commas.
func TestNDJSONIsJSON(t *testing.T) {
	r := func() *rand.Rand { return rand.New(rand.NewPCG(9, 9)) }
	a, _ := oddBatch(allTypes, 1000, r())
	b, _ := oddBatch(allTypes, 1000, r())
	lines, array := written(t, NDJSON, allTypes, Options{}, a), written(t, JSON, allTypes, Options{}, b)
	array = strings.TrimSuffix(strings.TrimPrefix(array, "[\n"), "\n]\n")
	if got := strings.ReplaceAll(array, "},\n", "}\n") + "\n"; got != lines {
		t.Error("they differ")
	}
}

func TestJSONTexts(t *testing.T) {
	for s, want := range map[string]string{
		"": `""`, "a": `"a"`, "<&>": `"<&>"`, `"\`: `"\"\\"`, "\n\r\t\x00\x1f\x7f": `"\n\r\t\u0000\u001f` + "\x7f\"",
		"é\u2028": "\"é\u2028\"", "a\xffb": "\"a\ufffdb\"", "\xed\xa0\x80": "\"\ufffd\ufffd\ufffd\"",
	} {
		got := string(appendJSONText(nil, s))
		if got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
		var back string
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && s != "\xed\xa0\x80" {
			t.Errorf("%q reads back as %q, %v", s, back, err)
		}
	}
}

// Any string is the one that encoding/json reads.
func FuzzJSONText(f *testing.F) {
	for _, s := range oddTexts {
		f.Add(s)
	}
	f.Add("\xff\xed\xa0\x80é")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendJSONText(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(s)); got != want { // each bad byte is U+FFFD
			t.Fatalf("%q reads back as %q", s, got)
		}
	})
}
