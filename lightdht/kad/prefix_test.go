package kad

import (
	"encoding"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	_ encoding.TextMarshaler   = Prefix{}
	_ encoding.TextUnmarshaler = (*Prefix)(nil)
)

// slowInside is the definition of a zone.
func slowInside(id, member ID, n int) bool {
	for i := range n {
		if id.Bit(i) != member.Bit(i) {
			return false
		}
	}
	return true
}

func TestPrefixAgainstSingleBits(t *testing.T) {
	r := source(t)
	for n := range Bits + 1 {
		for range 20 {
			id := randomID(r)
			p := id.Prefix(n)
			if p.Bits() != n {
				t.Fatalf("%v.Prefix(%d) has %d bits", id, n, p.Bits())
			}
			for i := range Bits {
				first, last := 0, 1
				if i < n {
					first, last = id.Bit(i), id.Bit(i)
				}
				if p.First().Bit(i) != first || p.Last().Bit(i) != last {
					t.Fatalf("%v begins at %v and ends at %v: bit %d is wrong", p, p.First(), p.Last(), i)
				}
			}
			other := near(r, id)
			if got := p.Contains(other); got != slowInside(id, other, n) {
				t.Fatalf("%v.Contains(%v) = %v", p, other, got)
			}
		}
	}
}

func TestPrefixClamps(t *testing.T) {
	id := MustParseID(digits)
	if got := id.Prefix(-1); got != (Prefix{}) {
		t.Errorf("Prefix(-1) = %v", got)
	}
	if got := id.Prefix(1000); got != id.Prefix(Bits) || got.First() != id {
		t.Errorf("Prefix(1000) = %v", got)
	}
}

func TestPrefixZeroValue(t *testing.T) {
	var whole Prefix
	if whole.Bits() != 0 || whole.First() != (ID{}) || whole.Last() != highest || whole.String() != "/0" {
		t.Errorf("the zero Prefix is %v, from %v to %v", whole, whole.First(), whole.Last())
	}
	if !whole.Contains(highest) || !whole.Contains(ID{}) || whole != middle.Prefix(0) {
		t.Error("the zero Prefix is not the whole space")
	}
}

func TestPrefixChild(t *testing.T) {
	r := source(t)
	for range 1000 {
		id := randomID(r)
		n := r.IntN(Bits)
		p := id.Prefix(n)
		if got := p.Child(id.Bit(n)); got != id.Prefix(n+1) {
			t.Fatalf("%v.Child(%d) = %v, want %v", p, id.Bit(n), got, id.Prefix(n+1))
		}
		low, high := p.Child(0), p.Child(1)
		if low.First() != p.First() || high.Last() != p.Last() || low.Last().Compare(high.First()) >= 0 {
			t.Fatalf("%v has the halves %v and %v", p, low, high)
		}
	}
	leaf := highest.Prefix(Bits)
	if leaf.Child(0) != leaf || leaf.Child(1) != leaf {
		t.Errorf("a zone of one ID has the halves %v and %v", leaf.Child(0), leaf.Child(1))
	}
}

func TestPrefixFill(t *testing.T) {
	r := source(t)
	for range 1000 {
		id, tail := randomID(r), randomID(r)
		n := r.IntN(Bits + 1)
		got := id.Prefix(n).Fill(tail)
		for i := range Bits {
			from := tail
			if i < n {
				from = id
			}
			if got.Bit(i) != from.Bit(i) {
				t.Fatalf("%v.Fill(%v) = %v: bit %d is wrong", id.Prefix(n), tail, got, i)
			}
		}
	}
}

func TestPrefixRandom(t *testing.T) {
	p := MustParseID(digits).Prefix(13)
	a, b := p.Random(), p.Random()
	if !p.Contains(a) || !p.Contains(b) || a == b {
		t.Errorf("random IDs of %v: %v and %v", p, a, b)
	}
}

func TestParsePrefix(t *testing.T) {
	full := MustParseID(digits)
	for _, c := range []struct {
		in   string
		want Prefix
		text string // "" where it is in again
	}{
		{"/0", Prefix{}, ""},
		{"", Prefix{}, "/0"},
		{"0", Prefix{bits: 4}, "0/4"},
		{"8/1", Prefix{middle, 1}, ""},
		{"a3f/12", Prefix{ID{0xa3, 0xf0}, 12}, ""},
		{"A3F", Prefix{ID{0xa3, 0xf0}, 12}, "a3f/12"},
		{"a38/9", Prefix{ID{0xa3, 0x80}, 9}, ""},
		{"a30/9", Prefix{ID{0xa3}, 9}, ""},
		{"a/12", Prefix{ID{0xa0}, 12}, "a00/12"},
		{"/160", Prefix{bits: 160}, strings.Repeat("0", 40) + "/160"},
		{digits, Prefix{full, 160}, digits + "/160"},
		{digits + "/160", Prefix{full, 160}, ""},
	} {
		p, err := ParsePrefix(c.in)
		text := c.text
		if text == "" {
			text = c.in
		}
		if err != nil || p != c.want || p.String() != text {
			t.Errorf("ParsePrefix(%q) = %v, %v; want %v", c.in, p, err, c.want)
		}
	}
}

func TestParsePrefixErrors(t *testing.T) {
	for _, s := range []string{
		"/", "a/", "a/x", "a/161", "a/-1", "a/-0", "a/+4", "a/04", "a/4 ", " a/4", "a/4/4", "a/1e1", "a/99999999999999999999",
		"g", "0x1", "8/0", "f/3", "a3c/9", digits + "0", digits + "0/160", "ffff/15", strings.Repeat("a", 1000) + "/8",
	} {
		p, err := ParsePrefix(s)
		if err == nil || p != (Prefix{}) {
			t.Errorf("ParsePrefix(%q) = %v, %v; want an error", s, p, err)
		} else if len(err.Error()) > 200 {
			t.Errorf("the error for %d characters has %d", len(s), len(err.Error()))
		}
	}
}

func TestPrefixText(t *testing.T) {
	zones := map[Prefix]int{middle.Prefix(3): 1}
	text, err := json.Marshal(zones)
	if err != nil || string(text) != `{"8/3":1}` {
		t.Fatalf("Marshal = %s, %v", text, err)
	}
	var back map[Prefix]int
	if err := json.Unmarshal(text, &back); err != nil || back[middle.Prefix(3)] != 1 {
		t.Errorf("Unmarshal = %v, %v", back, err)
	}
	p := middle.Prefix(3)
	if err := p.UnmarshalText([]byte("x")); err == nil || p != middle.Prefix(3) {
		t.Errorf("after a bad text the prefix is %v, the error %v", p, err)
	}
}

func TestPrefixTextRoundTrip(t *testing.T) {
	r := source(t)
	for range 2000 {
		p := randomID(r).Prefix(r.IntN(Bits + 1))
		if back, err := ParsePrefix(p.String()); err != nil || back != p {
			t.Fatalf("ParsePrefix(%q) = %v, %v", p.String(), back, err)
		}
	}
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"", "/0", "a3f/12", "a30/9", "a3c/9", digits, digits + "/160", "a/012"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePrefix(s)
		if err != nil {
			if p != (Prefix{}) {
				t.Fatalf("ParsePrefix(%q) = %v with %v", s, p, err)
			}
			return
		}
		if back, err := ParsePrefix(p.String()); err != nil || back != p {
			t.Fatalf("ParsePrefix(%q) = %v, which reads back as %v, %v", s, p, back, err)
		}
		if !p.Contains(p.First()) || !p.Contains(p.Last()) || CommonPrefixLen(p.First(), p.Last()) != p.Bits() {
			t.Fatalf("%v runs from %v to %v", p, p.First(), p.Last())
		}
		hex, _, _ := strings.Cut(strings.ToLower(s), "/")
		if !strings.HasPrefix(p.First().String(), hex) {
			t.Fatalf("ParsePrefix(%q) begins at %v", s, p.First())
		}
	})
}

func BenchmarkContains(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	id := randomID(r)
	zone := id.Prefix(12)
	b.ReportAllocs()
	for b.Loop() {
		zone.Contains(id)
	}
}
