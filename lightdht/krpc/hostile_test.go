package krpc

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestNotKRPC(t *testing.T) {
	for _, wire := range []string{"", "\x41\x00\x12\x34", "le", "4:spam", "i1e", "e", "\x00", " d1:t2:aae"} {
		var m Message
		if err := Parse([]byte(wire), &m); err != ErrNotKRPC {
			t.Errorf("%q: %v", wire, err)
		}
		if string(m.Raw) != wire {
			t.Errorf("%q: Raw is %q", wire, m.Raw)
		}
	}
}

var malformed = []struct{ wire, want string }{
	{"d1:t2147483647:aa", "krpc: string beyond the end at byte 4"},
	{"d2147483647:aa", "krpc: string beyond the end at byte 1"},
	{"d1:t99999999999999999999:aa", "krpc: string beyond the end at byte 4"},
	{"d1:t9223372036854775808:aae", "krpc: string beyond the end at byte 4"},
	{"d1:t18446744073709551618:aae", "krpc: string beyond the end at byte 4"},
	{"d1:t002:aae", "krpc: bad length at byte 4"},
	{"d1:t00:e", "krpc: bad length at byte 4"},
	{"d1:t-1:e", "krpc: bad value at byte 4"},
	{"d1:t+1:ae", "krpc: bad value at byte 4"},
	{"d1:t 1:ae", "krpc: bad value at byte 4"},
	{"d1:t2aae", "krpc: bad length at byte 4"},
	{"d1:t2:aa", "krpc: truncated at byte 8"},
	{"d1:t2:a", "krpc: string beyond the end at byte 4"},
	{"d1:t2", "krpc: string beyond the end at byte 4"},
	{"d1:t", "krpc: truncated at byte 4"},
	{"d1:", "krpc: string beyond the end at byte 1"},
	{"d", "krpc: truncated at byte 1"},
	{"d1:t2:aae ", "krpc: trailing bytes at byte 9"},
	{"d1:t2:aaed1:t2:aae", "krpc: trailing bytes at byte 9"},
	{"d1:t2:aaee", "krpc: trailing bytes at byte 9"},
	{"d1:te", "krpc: bad value at byte 4"},
	{"d1:t2:aa\x00e", "krpc: bad value at byte 8"},
	{"d+1:ti1ee", "krpc: bad value at byte 1"},
	{"di1e2:aae", "krpc: bad value at byte 1"},
	{"dl1:te2:aae", "krpc: bad value at byte 1"},
	{"d1:xdi1ei2eee", "krpc: bad value at byte 5"},

	{"d1:xi007ee", "krpc: bad integer at byte 4"},
	{"d1:xi-0ee", "krpc: bad integer at byte 4"},
	{"d1:xi-07ee", "krpc: bad integer at byte 4"},
	{"d1:xi+7ee", "krpc: bad integer at byte 4"},
	{"d1:xi--7ee", "krpc: bad integer at byte 4"},
	{"d1:xiee", "krpc: bad integer at byte 4"},
	{"d1:xi-ee", "krpc: bad integer at byte 4"},
	{"d1:xixyzee", "krpc: bad integer at byte 4"},
	{"d1:xi1.5ee", "krpc: bad integer at byte 4"},
	{"d1:xi1", "krpc: truncated at byte 6"},
	{"d1:xi", "krpc: truncated at byte 5"},
	{"d1:xi9223372036854775808ee", "krpc: integer out of range at byte 4"},
	{"d1:xi-9223372036854775809ee", "krpc: integer out of range at byte 4"},
	{"d1:xi18446744073709551617ee", "krpc: integer out of range at byte 4"},
	{"d1:xi99999999999999999999999999ee", "krpc: integer out of range at byte 4"},

	// The same rules hold inside the parts that are read by type.
	{"d1:ad2:id20:abcdefghij", "krpc: string beyond the end at byte 9"},
	{"d1:rd6:valuesl6:axje.u6:idhtn", "krpc: string beyond the end at byte 22"},
	{"d1:rd6:valuesl06:axje.ueee", "krpc: bad length at byte 14"},
	{"d1:rd6:valuesl6:axje.u", "krpc: truncated at byte 22"},
	{"d1:ad4:wantl2:n", "krpc: string beyond the end at byte 12"},
	{"d1:ad4:porti06881eee", "krpc: bad integer at byte 11"},
	{"d1:rd1:vi01eee", "krpc: bad integer at byte 8"},
	{"d1:eli201e5:abee", "krpc: string beyond the end at byte 10"},
	{"d1:ad1:xlee1:y1:qe1:t", "krpc: trailing bytes at byte 18"},
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		var m Message
		err := Parse([]byte(c.wire), &m)
		if !errors.Is(err, ErrSyntax) || errors.Is(err, ErrNotKRPC) {
			t.Errorf("%q: %v is no ErrSyntax", c.wire, err)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("%q: %q, want %q", c.wire, err, c.want)
		}
	}
}

// Whatever stands behind a cut, there is an error and nothing worse.
func TestTruncated(t *testing.T) {
	for _, v := range vectors {
		for i := range len(v.wire) {
			var m Message
			if err := Parse([]byte(v.wire[:i]), &m); err == nil {
				t.Fatalf("%s: no error for its first %d bytes", v.name, i)
			}
		}
	}
}

func TestIntegerLimits(t *testing.T) {
	for _, want := range []int64{0, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1e18} {
		var m Message
		if err := Parse(fmt.Appendf(nil, "d1:rd3:seqi%dee1:y1:re", want), &m); err != nil {
			t.Error(err)
		}
		if m.Seq != want {
			t.Errorf("seq is %d, want %d", m.Seq, want)
		}
	}
}

// The 32nd container may be opened, the 33rd not, wherever it stands.
func TestDepth(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("l", n) + strings.Repeat("e", n) }
	for _, c := range []struct {
		format string
		around int
	}{
		{"d1:x%s1:y1:re", 1}, {"d1:rd1:x%see", 2}, {"d1:rd1:v%see", 2}, {"d1:ad4:wantl%seee", 3},
		{"d1:rd6:valuesl%seee", 3}, {"d1:eli1e1:x%see", 2}, {"d1:rd2:id%see", 2},
	} {
		var m Message
		if err := Parse(fmt.Appendf(nil, c.format, nest(maxDepth-c.around)), &m); err != nil {
			t.Errorf("%s with 32 levels: %v", c.format, err)
		}
		err := Parse(fmt.Appendf(nil, c.format, nest(maxDepth-c.around+1)), &m)
		if err == nil || !strings.Contains(err.Error(), "nested too deep") {
			t.Errorf("%s with 33 levels: %v", c.format, err)
		}
	}
}

// hostile are inputs of about size bytes made to cost memory or time.
func hostile(size int) map[string][]byte {
	fill := func(prefix, unit, suffix string) []byte {
		n := (size - len(prefix) - len(suffix)) / len(unit)
		return []byte(prefix + strings.Repeat(unit, n) + suffix)
	}
	return map[string][]byte{
		"a length of 2 GiB":     []byte("d1:t2147483647:aa"),
		"lists without end":     fill("d1:x", "l", ""),
		"dictionaries":          fill("d1:x", "d1:x", ""),
		"wide lists":            fill("d1:xl", "le", "ee"),
		"empty strings":         fill("d1:xl", "0:", "ee"),
		"deep and wide":         fill("d1:xl", strings.Repeat("l", 30)+strings.Repeat("e", 30), "ee"),
		"digits":                fill("d1:x", "9", ":"),
		"an endless integer":    fill("d1:xi", "9", "ee"),
		"the same key":          fill("d", "1:ai1e", "e"),
		"the same body":         fill("d", "1:ad4:porti1ee", "1:y1:re"),
		"both bodies in turn":   fill("d", "1:ade1:rde", "1:y1:qe"),
		"empty peers":           fill("d1:rd6:valuesl", "0:", "ee1:y1:re"),
		"list peers":            fill("d1:rd6:valuesl", "le", "ee1:y1:re"),
		"wants":                 fill("d1:ad4:wantl", "2:n4", "ee1:q4:ping1:y1:qe"),
		"a large wrong body":    fill("d1:ad1:xl", "i1e", "ee1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"),
		"a large unknown value": fill("d1:rd1:vl", "2:aa", "ee1:y1:re"),
	}
}

func TestHostileCostsNoMemory(t *testing.T) {
	for name, wire := range hostile(64 << 10) {
		var m Message
		buf := make([]byte, 0, 2*len(wire)+64)
		spent := bytesSpent(func() {
			if Parse(wire, &m) == nil {
				buf = Append(buf, &m)
				m.Lookup("nothing")
				m.TopLevel("nothing")
				sink += m.Values.Len()
			}
		})
		if spent > 4096 { // an error, and what else the runtime does
			t.Errorf("%s: %d bytes for a datagram of %d", name, spent, len(wire))
		}
	}
}

// Far larger than a datagram, so that anything quadratic takes minutes.
func TestHostileCostsNoTime(t *testing.T) {
	for name, wire := range hostile(1 << 20) {
		var m Message
		start := time.Now()
		Parse(wire, &m)
		Append(nil, &m)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

// bytesSpent returns how many bytes f allocates, at the least of three runs.
func bytesSpent(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
