package krpc

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/zeebo/bencode"
)

func TestLookup(t *testing.T) {
	const wire = "d1:ad3:food3:bari1ee2:id20:abcdefghij01234567891:xi1e1:xi2e0:le" + "e1:q4:vote1:t2:aa1:y1:q2:zzl0:ee"
	var m Message
	if err := Parse([]byte(wire), &m); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		find func(string) ([]byte, bool)
		key  string
		want string
		ok   bool
	}{
		{m.Lookup, "foo", "d3:bari1ee", true},
		{m.Lookup, "id", "20:abcdefghij0123456789", true},
		{m.Lookup, "x", "i1e", true}, // the first of two
		{m.Lookup, "", "le", true},
		{m.Lookup, "bar", "", false},
		{m.Lookup, "q", "", false},
		{m.TopLevel, "q", "4:vote", true},
		{m.TopLevel, "zz", "l0:e", true},
		{m.TopLevel, "a", string(m.Body), true},
		{m.TopLevel, "foo", "", false},
	} {
		if raw, ok := c.find(c.key); string(raw) != c.want || ok != c.ok {
			t.Errorf("%q: %q, %v", c.key, raw, ok)
		}
	}
}

// Body and Raw are the caller's to change; Lookup survives what is in them.
func TestLookupInGarbage(t *testing.T) {
	for _, dict := range []string{"", "le", "d", "d1:a", "d1:ai01ee", "d1:bi1e1:a", "d99:a", "di1ei1ee"} {
		m := Message{Body: []byte(dict), Raw: []byte(dict)}
		if raw, ok := m.Lookup("a"); ok || raw != nil {
			t.Errorf("%q: found %q", dict, raw)
		}
		if _, ok := m.TopLevel("a"); ok {
			t.Errorf("%q: found at the top", dict)
		}
	}
}

func TestDecode(t *testing.T) {
	var v any
	if err := Decode([]byte("d1:ali1e2:xxe1:bdee"), &v); err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"a": []any{int64(1), "xx"}, "b": map[string]any{}}; !reflect.DeepEqual(v, want) {
		t.Errorf("%#v", v)
	}
	var s struct {
		Num  int64              `bencode:"num"`
		Name []byte             `bencode:"name"`
		Rest bencode.RawMessage `bencode:"rest"`
	}
	if err := Decode([]byte("d4:name2:\xff\x003:numi-7e4:restl1:xee"), &s); err != nil {
		t.Fatal(err)
	}
	if s.Num != -7 || string(s.Name) != "\xff\x00" || string(s.Rest) != "l1:xe" {
		t.Errorf("%+v", s)
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, raw := range []string{
		"", "e", "i1ei1e", "i007e", "i-0e", "i+7e", "ixyze", "002:aa", "2147483647:aa", "d1:t2147483647:aae", "di1e1:ae", "l",
		strings.Repeat("l", 60000), strings.Repeat("l", 33) + strings.Repeat("e", 33), "i9223372036854775808e",
	} {
		var v any
		if spent := bytesSpent(func() {
			if err := Decode([]byte(raw), &v); !errors.Is(err, ErrSyntax) {
				t.Errorf("%.20q: %v", raw, err)
			}
		}); spent > 256<<10 {
			t.Errorf("%.20q: %d bytes", raw, spent)
		}
	}
	var number int
	if err := Decode([]byte("4:spam"), &number); err == nil || !strings.HasPrefix(err.Error(), "krpc: decode into *int: ") {
		t.Errorf("a string into an integer: %v", err)
	}
	var pair [2]int
	if err := Decode([]byte("li1ei2ei3ee"), &pair); err == nil || !strings.HasPrefix(err.Error(), "krpc: decode into *[2]int: ") {
		t.Errorf("three integers into an array of two: %v", err)
	}
	if err := Decode([]byte("i1e"), nil); err == nil {
		t.Error("decoded into nothing")
	}
}

func TestTopic(t *testing.T) {
	a, b := kad.ID{1}, kad.ID{2}
	for _, c := range []struct {
		m    Message
		want kad.ID
		ok   bool
	}{
		{Message{InfoHash: a, Target: b}, kad.ID{}, false},
		{Message{InfoHash: a, Target: b, Fields: FieldTarget}, b, true},
		{Message{InfoHash: a, Target: b, Fields: FieldInfoHash}, a, true},
		{Message{InfoHash: a, Target: b, Fields: FieldInfoHash | FieldTarget}, a, true},
	} {
		if got, ok := c.m.Topic(); got != c.want || ok != c.ok {
			t.Errorf("%v: %s, %v", c.m.Fields, got, ok)
		}
	}
}
