package load

import (
	"math/rand/v2"
	"strings"
	"testing"
)

const reply = "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa5:nodes26:bbbbbbbbbbbbbbbbbbbbipippoe1:t4:\x00\x00\x01\x021:y1:re"

func TestRead(t *testing.T) {
	var m message
	if !m.read([]byte(reply)) || m.kind != 'r' || len(m.nodes) != 26 {
		t.Errorf("a reply is read as %+v", m)
	}
	if n, ok := m.number(); !ok || n != 0x102 {
		t.Errorf("its number is %d, %v", n, ok)
	}
	if other := strings.Replace(reply, "5:nodes", "6:nodes6", 1); !m.read([]byte(other)) || m.nodes != nil {
		t.Errorf("nodes of IPv6 are read as %+v", m)
	}
	if extra := "d2:ip6:abcdef" + reply[1:]; !m.read([]byte(extra)) || len(m.nodes) != 26 {
		t.Errorf("with one more key it is read as %+v", m)
	}
	q := newQuery([idSize]byte{1, 2, 3})
	fill(q[:], 7, rand.NewPCG(1, 2))
	n, _ := 0, m.read(q[:])
	if number, ok := m.number(); m.kind != 'q' || string(m.method) != "find_node" || len(m.target) != idSize || number != 7 || !ok {
		t.Errorf("our own query is read as %+v, %d", m, n)
	}
}

// What is cut anywhere, or goes on behind its end, is no message.
func TestReadRefuses(t *testing.T) {
	var m message
	for i := range reply {
		if m.read([]byte(reply[:i])) {
			t.Errorf("%q is read", reply[:i])
		}
	}
	for _, b := range []string{"", "e", "i1e", "le", reply + "e", "d1:y1:r", "d1:xlllllllllleeeeeeeeeee", "d-1:xe", "d99999999999999999999:xe", "d1:xi1", "d:e"} {
		if m.read([]byte(b)) {
			t.Errorf("%q is read", b)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(reply))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		m.read(b) // must not panic
	})
}
