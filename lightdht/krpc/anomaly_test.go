package krpc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Each datagram is off in some way; canonical is what Append makes of what is
// left of it, so it shows what was kept.
var anomalous = []struct {
	name      string
	wire      string
	want      Anomalies
	canonical string
}{
	{"no t", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe", NoTID,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe"},
	{"t an integer", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:ti7e1:y1:qe", WrongType,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe"},

	{"no y, a query", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aae", NoKind,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"no y, a reply", "d1:rd2:id20:abcdefghij0123456789e1:t2:aae", NoKind,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"no y, an error", "d1:eli203e3:bade1:t2:aae", NoKind, "d1:eli203e3:bade1:t2:aa1:y1:ee"},
	{"an unknown y", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y5:querye", NoKind,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"y an integer", "d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:yi1ee", NoKind | WrongType,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"nothing to infer a kind from", "d1:ad2:id20:abcdefghij0123456789e1:t2:aae", NoKind, "d1:t2:aae"},
	{"nothing at all", "de", NoKind | NoTID, "de"},

	{"no q", "d1:ad2:id20:abcdefghij0123456789e1:t2:aa1:y1:qe", NoMethod,
		"d1:ad2:id20:abcdefghij0123456789e1:t2:aa1:y1:qe"},
	{"an empty q", "d1:ad2:id20:abcdefghij0123456789e1:q0:1:t2:aa1:y1:qe", NoMethod,
		"d1:ad2:id20:abcdefghij0123456789e1:t2:aa1:y1:qe"},
	{"q in a reply", "d1:q4:ping1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re", ExtraQuery,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"q in an error", "d1:eli204e7:unknowne1:q4:vote1:t2:aa1:y1:ee", ExtraQuery, "d1:eli204e7:unknowne1:t2:aa1:y1:ee"},

	{"no a", "d1:q4:ping1:t2:aa1:y1:qe", NoBody, "d1:ade1:q4:ping1:t2:aa1:y1:qe"},
	{"no r", "d1:t2:aa1:y1:re", NoBody, "d1:rde1:t2:aa1:y1:re"},
	{"no e", "d1:t2:aa1:y1:ee", NoBody, "d1:eli0e0:e1:t2:aa1:y1:ee"},
	{"a a string", "d1:a4:ping1:q4:ping1:t2:aa1:y1:qe", WrongType, "d1:ade1:q4:ping1:t2:aa1:y1:qe"},
	{"r a list", "d1:rl2:ide1:t2:aa1:y1:re", WrongType, "d1:rde1:t2:aa1:y1:re"},
	{"r where a should be", "d1:q4:ping1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:qe", NoBody,
		"d1:ade1:q4:ping1:t2:aa1:y1:qe"},
	{"a and r in a query", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:rd4:porti1ee1:t2:aa1:y1:qe", 0,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"a and r in a reply", "d1:ad2:id3:abc4:porti70000e5:token1:xe1:rd2:id20:abcdefghij01234567894:wantl2:n6ee1:t2:aa1:y1:re", 0,
		"d1:rd2:id20:abcdefghij01234567894:wantl2:n6ee1:t2:aa1:y1:re"},
	{"e in a query", "d1:ad2:id20:abcdefghij0123456789e1:eli201e1:xe1:q4:ping1:t2:aa1:y1:qe", 0,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"no id in a", "d1:ade1:q4:ping1:t2:aa1:y1:qe", NoID, "d1:ade1:q4:ping1:t2:aa1:y1:qe"},
	{"no id in r", "d1:rd5:token1:xe1:t2:aa1:y1:re", NoID, "d1:rd5:token1:xe1:t2:aa1:y1:re"},

	{"unsorted top", "d1:y1:q1:t2:aa1:q4:ping1:ad2:id20:abcdefghij0123456789ee", UnsortedKeys,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"unsorted body", "d1:rd5:token1:x2:id20:abcdefghij0123456789e1:t2:aa1:y1:re", UnsortedKeys,
		"d1:rd2:id20:abcdefghij01234567895:token1:xe1:t2:aa1:y1:re"},
	{"t twice", "d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:t2:bb1:y1:re", DuplicateKey,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"t twice, apart", "d1:t2:aa1:rd2:id20:abcdefghij0123456789e1:t2:bb1:y1:re", DuplicateKey | UnsortedKeys,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"token twice, apart", "d1:rd5:token1:a2:id20:abcdefghij01234567895:token1:be1:t2:aa1:y1:re", DuplicateKey | UnsortedKeys,
		"d1:rd2:id20:abcdefghij01234567895:token1:ae1:t2:aa1:y1:re"},
	{"the first port is wrong", "d1:ad2:id20:abcdefghij01234567894:port4:68814:porti6881ee1:q4:ping1:t2:aa1:y1:qe", DuplicateKey | WrongType,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"an unknown key twice", "d1:rd2:id20:abcdefghij01234567891:xi1e1:xi2ee1:t2:aa1:y1:re", DuplicateKey,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"two bodies", "d1:rd2:id20:abcdefghij0123456789e1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re", DuplicateKey,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},

	{"a port of 70000", "d1:ad2:id20:abcdefghij01234567894:porti70000ee1:q4:ping1:t2:aa1:y1:qe", OutOfRange,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"a port of -1", "d1:rd2:id20:abcdefghij01234567891:pi-1ee1:t2:aa1:y1:re", OutOfRange,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"a port in words", "d1:ad2:id20:abcdefghij01234567894:port4:6881e1:q4:ping1:t2:aa1:y1:qe", WrongType,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"a token that is a number", "d1:rd2:id20:abcdefghij01234567895:tokeni1ee1:t2:aa1:y1:re", WrongType,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"an id that is a list", "d1:rd2:idli1eee1:t2:aa1:y1:re", WrongType, "d1:rde1:t2:aa1:y1:re"},
	{"values a string", "d1:rd2:id20:abcdefghij01234567896:values6:axje.ue1:t2:aa1:y1:re", WrongType,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"want a string", "d1:ad2:id20:abcdefghij01234567894:want2:n4e1:q4:ping1:t2:aa1:y1:qe", WrongType,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"ro a string", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:ro1:11:t2:aa1:y1:qe", WrongType,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
	{"e a string", "d1:e3:bad1:t2:aa1:y1:ee", WrongType, "d1:eli0e0:e1:t2:aa1:y1:ee"},
	{"e without text", "d1:eli203ee1:t2:aa1:y1:ee", WrongType, "d1:eli203e0:e1:t2:aa1:y1:ee"},
	{"e with a third item", "d1:eli203e3:badi1ee1:t2:aa1:y1:ee", WrongType, "d1:eli203e3:bade1:t2:aa1:y1:ee"},
	{"e the wrong way round", "d1:el3:badi203ee1:t2:aa1:y1:ee", WrongType, "d1:eli0e0:e1:t2:aa1:y1:ee"},

	{"an id of 19", "d1:rd2:id19:abcdefghij012345678e1:t2:aa1:y1:re", BadLength, "d1:rde1:t2:aa1:y1:re"},
	{"a target of 21", "d1:ad2:id20:abcdefghij01234567896:target21:abcdefghij0123456789Xe1:q9:find_node1:t2:aa1:y1:qe", BadLength,
		"d1:ad2:id20:abcdefghij0123456789e1:q9:find_node1:t2:aa1:y1:qe"},
	{"an empty info_hash", "d1:ad2:id20:abcdefghij01234567899:info_hash0:e1:q9:get_peers1:t2:aa1:y1:qe", BadLength,
		"d1:ad2:id20:abcdefghij0123456789e1:q9:get_peers1:t2:aa1:y1:qe"},
	{"filters of 255", "d1:rd4:BFpe255:" + filter[1:] + "4:BFsd255:" + filter[1:] + "2:id20:abcdefghij0123456789e1:t2:aa1:y1:re", BadLength,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"short key and signature", "d1:rd2:id20:abcdefghij01234567891:k3:key3:sig3:sige1:t2:aa1:y1:re", BadLength,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"torn samples", "d1:rd2:id20:abcdefghij01234567897:samples21:abcdefghij0123456789Xe1:t2:aa1:y1:re", BadLength,
		"d1:rd2:id20:abcdefghij01234567897:samples20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"an ip without port", "d2:ip4:\xc0\x00\x02\x071:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re", BadLength,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"an ip in words", "d2:ip11:192.0.2.7:11:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re", BadLength,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},

	{"a torn node list", "d1:rd2:id20:abcdefghij01234567895:nodes29:" + node4 + "abce1:t2:aa1:y1:re", TornNodes,
		"d1:rd2:id20:abcdefghij01234567895:nodes26:" + node4 + "e1:t2:aa1:y1:re"},
	{"a torn IPv6 node list", "d1:rd2:id20:abcdefghij01234567896:nodes637:" + node6[1:] + "e1:t2:aa1:y1:re", TornNodes,
		"d1:rd2:id20:abcdefghij01234567896:nodes60:e1:t2:aa1:y1:re"},
	{"peers of odd lengths", "d1:rd2:id20:abcdefghij01234567896:valuesl6:axje.u7:axje.uX18:" + node6[20:] + "0:6:idhtnmee1:t2:aa1:y1:re", BadPeer,
		"d1:rd2:id20:abcdefghij01234567896:valuesl6:axje.u18:" + node6[20:] + "6:idhtnmee1:t2:aa1:y1:re"},
	{"peers of other types", "d1:rd2:id20:abcdefghij01234567896:valuesli1eld1:xleee6:axje.uee1:t2:aa1:y1:re", BadPeer,
		"d1:rd2:id20:abcdefghij01234567896:valuesl6:axje.uee1:t2:aa1:y1:re"},

	{"ip inside r", "d1:rd2:id20:abcdefghij01234567892:ip6:\xc0\x00\x02\x07\x1a\xe1e1:t2:aa1:y1:re", MisplacedIP,
		"d2:ip6:\xc0\x00\x02\x07\x1a\xe11:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"ip inside r, too short", "d1:rd2:id20:abcdefghij01234567892:ip4:\xc0\x00\x02\x07e1:t2:aa1:y1:re", MisplacedIP | BadLength,
		"d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"two ips", "d2:ip6:\xc0\x00\x02\x01\x1a\xe11:rd2:id20:abcdefghij01234567892:ip6:\xc0\x00\x02\x07\x1a\xe1e1:t2:aa1:y1:re", MisplacedIP,
		"d2:ip6:\xc0\x00\x02\x01\x1a\xe11:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
	{"ip inside a means nothing", "d1:ad2:id20:abcdefghij01234567892:ip6:\xc0\x00\x02\x07\x1a\xe1e1:q4:ping1:t2:aa1:y1:qe", 0,
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},

	{"unknown keys and families are no fault", "d1:ad3:fooli1ee2:id20:abcdefghij01234567894:wantl2:n02:n62:n4i4eee1:q4:ping2:roi0e1:t2:aa1:y1:q1:zlee", 0,
		"d1:ad2:id20:abcdefghij01234567894:wantl2:n42:n6ee1:q4:ping1:t2:aa1:y1:qe"},
	{"an ip mapped into IPv6", "d2:ip18:\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x07\x1a\xe11:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re", 0,
		"d2:ip6:\xc0\x00\x02\x07\x1a\xe11:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"},
}

func TestAnomalies(t *testing.T) {
	var covered Anomalies
	for _, a := range anomalous {
		t.Run(a.name, func(t *testing.T) {
			var m Message
			if err := Parse([]byte(a.wire), &m); err != nil {
				t.Fatal(err)
			}
			if m.Anomalies != a.want {
				t.Errorf("anomalies %q, want %q", m.Anomalies, a.want)
			}
			if got := Append(nil, &m); string(got) != a.canonical {
				t.Errorf("what is kept:\n%q, want\n%q", got, a.canonical)
			}
			covered |= m.Anomalies
		})
	}
	if missing := ^covered; missing.String() != "" {
		t.Errorf("no datagram for %s", missing)
	}
}

// The constants and their words keep the same order.
func TestAnomalyWords(t *testing.T) {
	if ExtraQuery != 1<<(len(anomalyWords)-1) {
		t.Fatal("a constant or a word is missing")
	}
	if got := (NoTID | TornNodes | ExtraQuery).String(); got != "no-tid,torn-nodes,extra-query" {
		t.Error(got)
	}
	if got := Anomalies(0).String(); got != "" {
		t.Error(got)
	}
	words := slices.Collect(Anomalies(^uint32(0)).All())
	if !slices.Equal(words, anomalyWords[:]) {
		t.Error(words)
	}
	for word := range (NoKind | NoBody).All() {
		if word != "no-kind" {
			t.Error(word)
		}
		break
	}
	if s := fmt.Sprint(MisplacedIP); strings.Contains(s, " ") {
		t.Error(s)
	}
}
