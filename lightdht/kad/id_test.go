package kad

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	_ encoding.TextMarshaler   = ID{}
	_ encoding.TextAppender    = ID{}
	_ encoding.TextUnmarshaler = (*ID)(nil)
)

const digits = "00112233445566778899aabbccddeeff01234567"

var (
	highest = ID(bytes.Repeat([]byte{0xff}, Size))
	middle  = ID{0x80}
)

// source returns a generator with a fresh seed that a failing test prints;
// SEED in the environment repeats it.
func source(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomID(r *rand.Rand) (id ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}

// near returns an ID that shares a random number of leading bits with id, any
// number from none to all: uniform pairs would never try the lower bytes.
func near(r *rand.Rand, id ID) ID {
	return id.Prefix(r.IntN(Bits + 1)).Fill(randomID(r))
}

func number(b [Size]byte) *big.Int { return new(big.Int).SetBytes(b[:]) }

func TestParseID(t *testing.T) {
	want := ID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, 0x23, 0x45, 0x67}
	for _, s := range []string{digits, strings.ToUpper(digits)} {
		if id, err := ParseID(s); err != nil || id != want {
			t.Errorf("ParseID(%q) = %v, %v", s, id, err)
		}
	}
	if got := want.String(); got != digits {
		t.Errorf("String() = %s, want %s", got, digits)
	}
	r := source(t)
	for range 1000 {
		id := randomID(r)
		if back, err := ParseID(id.String()); err != nil || back != id {
			t.Fatalf("ParseID(%v.String()) = %v, %v", id, back, err)
		}
	}
}

func TestParseIDErrors(t *testing.T) {
	for _, c := range []struct{ in, says string }{
		{"", "not 0"},
		{digits[1:], "not 39"},
		{digits + "0", "not 41"},
		{digits + "\n", "not 41"},
		{"0x" + digits[2:], "hex digits only"},
		{" " + digits[1:], "hex digits only"},
		{digits[:39] + "g", "hex digits only"},
		{strings.Repeat("é", 20), "hex digits only"}, // 40 bytes, 20 letters
		{strings.Repeat("a", 1000), "..."},
	} {
		id, err := ParseID(c.in)
		if err == nil || !strings.Contains(err.Error(), c.says) || id != (ID{}) {
			t.Errorf("ParseID(%q) = %v, %v; want an error with %q", c.in, id, err, c.says)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("the error for %d characters has %d", len(c.in), len(err.Error()))
		}
	}
}

func TestMustParseID(t *testing.T) {
	if got := MustParseID(digits).String(); got != digits {
		t.Errorf("MustParseID = %s", got)
	}
	defer func() {
		if said, _ := recover().(string); !strings.HasPrefix(said, "kad: ") {
			t.Errorf("panicked with %q", said)
		}
	}()
	MustParseID("nonsense")
	t.Error("no panic")
}

func TestIDFromBytes(t *testing.T) {
	raw := []byte("abcdefghij0123456789")
	id, ok := IDFromBytes(raw)
	if !ok || string(id[:]) != "abcdefghij0123456789" {
		t.Errorf("IDFromBytes = %v, %v", id, ok)
	}
	raw[0] = 'x'
	if id[0] != 'a' {
		t.Error("the ID shares memory with the bytes")
	}
	for _, n := range []int{0, 19, 21} {
		if id, ok := IDFromBytes(make([]byte, n)); ok || id != (ID{}) {
			t.Errorf("IDFromBytes of %d bytes = %v, %v", n, id, ok)
		}
	}
}

func TestIDText(t *testing.T) {
	id := MustParseID(digits)
	row := struct {
		ID  ID
		Map map[ID]int
	}{id, map[ID]int{id: 7}}
	text, err := json.Marshal(row)
	if want := `{"ID":"` + digits + `","Map":{"` + digits + `":7}}`; err != nil || string(text) != want {
		t.Fatalf("Marshal = %s, %v; want %s", text, err, want)
	}
	back := row
	back.ID, back.Map = ID{}, nil
	if err := json.Unmarshal(text, &back); err != nil || back.ID != id || back.Map[id] != 7 {
		t.Errorf("Unmarshal = %v, %v", back, err)
	}
	if got, _ := id.AppendText([]byte("id=")); string(got) != "id="+digits {
		t.Errorf("AppendText = %s", got)
	}
	if err := id.UnmarshalText([]byte("bad")); err == nil || id.String() != digits {
		t.Errorf("after a bad text the ID is %v, the error %v", id, err)
	}
}

func TestRandomID(t *testing.T) {
	seen := map[ID]bool{}
	var or, and ID
	and = highest
	for range 200 {
		id := RandomID()
		seen[id] = true
		for i := range id {
			or[i], and[i] = or[i]|id[i], and[i]&id[i]
		}
	}
	if len(seen) != 200 || or != highest || !and.IsZero() {
		t.Errorf("200 random IDs: %d distinct, ever set %v, always set %v", len(seen), or, and)
	}
}

func TestIDZeroValue(t *testing.T) {
	var zero ID
	if !zero.IsZero() || middle.IsZero() || (ID{Size - 1: 1}).IsZero() {
		t.Error("IsZero holds for the zero ID alone")
	}
	if zero.String() != strings.Repeat("0", 40) {
		t.Errorf("zero ID = %s", zero)
	}
	if zero.Compare(highest) != -1 || zero.Distance(highest) != Distance(highest) {
		t.Error("the zero ID is not the lowest point")
	}
}

func TestBit(t *testing.T) {
	r := source(t)
	for range 100 {
		id := randomID(r)
		for i := range Bits {
			if got, want := id.Bit(i), int(number(id).Bit(Bits-1-i)); got != want {
				t.Fatalf("bit %d of %v = %d, want %d", i, id, got, want)
			}
		}
	}
	for _, i := range []int{-1, Bits} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Bit(%d) does not panic", i)
				}
			}()
			highest.Bit(i)
		}()
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(digits)
	f.Add(strings.ToUpper(digits))
	f.Add("")
	f.Add(strings.Repeat("é", 20))
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		wellFormed := len(s) == 40 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
		if (err == nil) != wellFormed {
			t.Fatalf("ParseID(%q) = %v, %v", s, id, err)
		}
		if err == nil && id.String() != strings.ToLower(s) {
			t.Fatalf("ParseID(%q) reads %v", s, id)
		}
	})
}
