package krpc

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/zeebo/bencode"
)

func addSeeds(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.wire))
	}
	for _, a := range anomalous {
		f.Add([]byte(a.wire))
	}
	for _, m := range malformed {
		f.Add([]byte(m.wire))
	}
	f.Add(Append(nil, bigReply()))
	for _, wire := range hostile(512) {
		f.Add(wire)
	}
}

// FuzzParse holds Parse and Append to their law: what one reads, the other
// writes so that it is read again as the same, and from then on nothing changes.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, wire []byte) {
		var m Message
		err := Parse(wire, &m)
		if err != nil {
			if !errors.Is(err, ErrSyntax) && err != ErrNotKRPC {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		m.NodeInfos()
		m.PeerAddrs()
		m.Lookup("zz")
		first := Append(nil, &m)
		var back Message
		if err := Parse(first, &back); err != nil {
			t.Fatalf("%v\nwas  %q\nnow  %q", err, wire, first)
		}
		if odd := back.Anomalies &^ (m.Anomalies | absent); odd != 0 {
			t.Fatalf("Append brought in %s\nwas  %q\nnow  %q", odd, wire, first)
		}
		if a, b := typed(m), typed(back); !reflect.DeepEqual(a, b) {
			t.Fatalf("was  %+v\nnow  %+v", a, b)
		}
		if second := Append(nil, &back); !bytes.Equal(first, second) {
			t.Fatalf("first  %q\nsecond %q", first, second)
		}
		if c := m.Clone(); !reflect.DeepEqual(c, m) {
			t.Fatalf("clone %+v\nof    %+v", c, m)
		}
	})
}

// typed returns what of m the law is about: not the views of the datagram, and
// of Values the well-formed peers. An error without text has an empty one.
func typed(m Message) Message {
	m.Raw, m.Body, m.Anomalies = nil, nil, 0
	if m.Values != nil {
		m.Values = appendPeers(Peers{}, m.Values)
	}
	if len(m.Text) == 0 {
		m.Text = nil
	}
	return m
}

// FuzzAgainstZeebo compares every typed key with what a general bencode package
// makes of the same bytes.
func FuzzAgainstZeebo(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, wire []byte) {
		var m Message
		if Parse(wire, &m) != nil || m.Anomalies&DuplicateKey != 0 {
			return // what Parse refuses may cost zeebo 2 GiB
		}
		var top map[string]any
		if err := bencode.DecodeBytes(wire, &top); err != nil {
			t.Fatalf("zeebo refuses %q: %v", wire, err)
		}
		compareTop(t, &m, top)
		name := map[Kind]string{KindQuery: "a", KindReply: "r"}[m.Kind]
		body, ok := top[name].(map[string]any)
		if ok != (m.Body != nil) {
			t.Fatalf("body %q, zeebo has %v", m.Body, top[name])
		}
		for f := Fields(allFields); f != 0; f &= f - 1 {
			compareField(t, &m, f.lowest(), body)
		}
	})
}

func compareTop(t *testing.T, m *Message, top map[string]any) {
	str := func(key string, got []byte) {
		want, ok := top[key].(string)
		if ok != (got != nil) || want != string(got) {
			t.Fatalf("%s is %q, zeebo has %v", key, got, top[key])
		}
	}
	str("t", m.TID)
	str("v", m.Version)
	if q, _ := top["q"].(string); m.Kind == KindQuery && q != m.Method {
		t.Fatalf("method %q, zeebo has %v", m.Method, top["q"])
	}
	if ro, _ := top["ro"].(int64); m.ReadOnly != (ro != 0) {
		t.Fatalf("ro is %v, zeebo has %v", m.ReadOnly, top["ro"])
	}
	if y, _ := top["y"].(string); m.Anomalies&NoKind == 0 && y != string(m.Kind) {
		t.Fatalf("kind %q, zeebo has %v", m.Kind, top["y"])
	}
	if ip, _ := top["ip"].(string); len(ip) == 6 || len(ip) == 18 {
		if want, _ := addrAt([]byte(ip)); m.IP != want {
			t.Fatalf("ip is %v, zeebo has %q", m.IP, ip)
		}
	}
	if e, ok := top["e"].([]any); ok && m.Kind == KindError && len(e) == 2 {
		code, _ := e[0].(int64)
		text, _ := e[1].(string)
		if m.Code != code || string(m.Text) != text {
			t.Fatalf("error %d %q, zeebo has %v", m.Code, m.Text, e)
		}
	}
}

// compareField rebuilds what zeebo read in the form in which Append writes it.
func compareField(t *testing.T, m *Message, f Fields, body map[string]any) {
	v, there := body[f.key()]
	want, ok := canonical(f, v)
	if m.Has(f) != (there && ok) {
		t.Fatalf("%s: present is %v, zeebo has %v", f.key(), m.Has(f), v)
	}
	if !m.Has(f) {
		return
	}
	if got := appendField(nil, m, f); f == FieldValue {
		var value any
		if err := Decode(m.Value, &value); err != nil || !reflect.DeepEqual(value, v) {
			t.Fatalf("v is %q (%v), zeebo has %v", got, err, v)
		}
	} else if string(got) != want {
		t.Fatalf("%s is %q, zeebo has %q", f.key(), got, want)
	}
}

// canonical is the slow twin of the typed keys: the wire form of f, if v fits.
func canonical(f Fields, v any) (wire string, ok bool) {
	sizes := map[Fields]int{FieldID: 20, FieldTarget: 20, FieldInfoHash: 20, FieldPublicKey: 32, FieldSignature: 64, FieldSeedFilter: 256, FieldPeerFilter: 256}
	rows := map[Fields]int{FieldNodes: 26, FieldNodes6: 38, FieldSamples: 20, FieldToken: 1, FieldSalt: 1}
	switch v := v.(type) {
	case string:
		if n := rows[f]; n > 0 {
			v = v[:len(v)-len(v)%n]
		}
		return string(appendString(nil, v)), rows[f] > 0 || sizes[f] == len(v) && sizes[f] > 0 || f == FieldValue
	case []any:
		return canonicalList(f, v), f == FieldValues || f == FieldWant || f == FieldValue
	case int64:
		switch {
		case f == FieldPort || f == FieldReplyPort:
			ok = v >= 0 && v <= 65535
		case f&(FieldImpliedPort|FieldSeed|FieldNoSeed|FieldScrape) != 0:
			v, ok = flag(v != 0), true
		default:
			ok = f&(FieldSeq|FieldCAS|FieldInterval|FieldNum|FieldValue) != 0
		}
		return string(appendInt(nil, v)), ok
	}
	return "", f == FieldValue
}

func canonicalList(f Fields, list []any) string {
	var items []string
	for _, item := range list {
		s, isString := item.(string)
		switch {
		case f == FieldValues && isString && (len(s) == 6 || len(s) == 18):
			items = append(items, string(appendString(nil, s)))
		case f == FieldWant && (s == "n4" || s == "n6"):
			items = append(items, "2:"+s)
		}
	}
	if f != FieldWant {
		return "l" + strings.Join(items, "") + "e"
	}
	wire := ""
	for _, word := range []string{"2:n4", "2:n6"} {
		for _, item := range items {
			if item == word {
				wire += word
				break
			}
		}
	}
	return "l" + wire + "e"
}
