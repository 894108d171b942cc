package krpc

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// The IDs of the examples in BEP 5, and texts of the lengths that others need.
var (
	idA = kad.ID([]byte("abcdefghij0123456789"))
	idM = kad.ID([]byte("mnopqrstuvwxyz123456"))

	node4  = "node-4--------------" + "\xc0\x00\x02\x01\x1a\xe1"
	node6  = "node-6--------------" + "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe1"
	filter = strings.Repeat("\xa5", 256)
	key32  = strings.Repeat("k", 32)
	sig64  = strings.Repeat("s", 64)
)

// vectors are datagrams in canonical form. Those of BEP 5 stand as the BEP has
// them; the others have its style.
var vectors = []struct {
	name string
	wire string
	want Message // without Body and Raw
}{
	{"ping", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "ping", TID: []byte("aa"), Fields: FieldID, ID: idA}},
	{"pong", "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Fields: FieldID, ID: idM}},
	{"find_node", "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "find_node", TID: []byte("aa"), Fields: FieldID | FieldTarget, ID: idA, Target: idM}},
	{"get_peers", "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "get_peers", TID: []byte("aa"), Fields: FieldID | FieldInfoHash, ID: idA, InfoHash: idM}},
	{"peers", "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Fields: FieldID | FieldToken | FieldValues, ID: idA,
			Token: []byte("aoeusnth"), Values: Peers("6:axje.u6:idhtnm")}},
	{"announce_peer", "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "announce_peer", TID: []byte("aa"),
			Fields: FieldID | FieldImpliedPort | FieldInfoHash | FieldPort | FieldToken,
			ID:     idA, InfoHash: idM, ImpliedPort: true, Port: 6881, Token: []byte("aoeusnth")}},
	{"error", "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
		Message{Kind: KindError, TID: []byte("aa"), Code: CodeGeneric, Text: []byte("A Generic Error Ocurred")}},

	{"BEP 32 query", "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "find_node", TID: []byte("aa"), Fields: FieldID | FieldTarget | FieldWant,
			ID: idA, Target: idM, Want: WantIPv4 | WantIPv6}},
	{"BEP 32 reply", "d1:rd2:id20:mnopqrstuvwxyz1234565:nodes26:" + node4 + "6:nodes638:" + node6 + "e1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Fields: FieldID | FieldNodes | FieldNodes6, ID: idM,
			Nodes: Nodes(node4), Nodes6: Nodes6(node6)}},
	{"BEP 33 query", "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234566:noseedi1e6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "get_peers", TID: []byte("aa"), Fields: FieldID | FieldInfoHash | FieldNoSeed | FieldScrape,
			ID: idA, InfoHash: idM, NoSeed: true, Scrape: true}},
	{"BEP 33 reply", "d1:rd4:BFpe256:" + filter + "4:BFsd256:" + filter + "2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Fields: FieldID | FieldPeerFilter | FieldSeedFilter, ID: idM,
			PeerFilter: []byte(filter), SeedFilter: []byte(filter)}},
	{"BEP 33 announce", "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti0e4:seedi1e5:token0:e1:q13:announce_peer1:t0:1:y1:qe",
		Message{Kind: KindQuery, Method: "announce_peer", TID: []byte{}, Fields: FieldID | FieldInfoHash | FieldPort | FieldSeed | FieldToken,
			ID: idA, InfoHash: idM, Seed: true, Token: []byte{}}},
	{"BEP 42 and 20", "d2:ip6:\xc0\x00\x02\x07\x1a\xe11:rd2:id20:mnopqrstuvwxyz1234561:pi6881ee1:t2:aa1:v4:LT\x01\x021:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Version: []byte("LT\x01\x02"), IP: netip.MustParseAddrPort("192.0.2.7:6881"),
			Fields: FieldID | FieldReplyPort, ID: idM, ReplyPort: 6881}},
	{"BEP 42 over IPv6", "d2:ip18:" + node6[20:] + "1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), IP: netip.MustParseAddrPort("[2001:db8::1]:6881"), Fields: FieldID, ID: idM}},
	{"BEP 43", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "ping", TID: []byte("aa"), ReadOnly: true, Fields: FieldID, ID: idA}},
	{"BEP 44 get", "d1:ad2:id20:abcdefghij01234567893:seqi4e6:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "get", TID: []byte("aa"), Fields: FieldID | FieldSeq | FieldTarget, ID: idA, Seq: 4, Target: idM}},
	{"BEP 44 put", "d1:ad3:casi1e2:id20:abcdefghij01234567891:k32:" + key32 + "4:salt6:foobar3:seqi9223372036854775807e3:sig64:" + sig64 +
		"5:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "put", TID: []byte("aa"),
			Fields: FieldCAS | FieldID | FieldPublicKey | FieldSalt | FieldSeq | FieldSignature | FieldToken | FieldValue,
			CAS:    1, ID: idA, PublicKey: []byte(key32), Salt: []byte("foobar"), Seq: 1<<63 - 1, Signature: []byte(sig64),
			Token: []byte("aoeusnth"), Value: []byte("12:Hello World!")}},
	{"BEP 44 value of any type", "d1:rd2:id20:mnopqrstuvwxyz1234561:vd1:ali1ei-2eee" + "e1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Fields: FieldID | FieldValue, ID: idM, Value: []byte("d1:ali1ei-2eee")}},
	{"BEP 51 query", "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q17:sample_infohashes1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "sample_infohashes", TID: []byte("aa"), Fields: FieldID | FieldTarget, ID: idA, Target: idM}},
	{"BEP 51 reply", "d1:rd2:id20:mnopqrstuvwxyz1234568:intervali21600e5:nodes0:3:numi1e7:samples20:abcdefghij0123456789e1:t2:aa1:y1:re",
		Message{Kind: KindReply, TID: []byte("aa"), Fields: FieldID | FieldInterval | FieldNodes | FieldNum | FieldSamples, ID: idM,
			Interval: 21600, Nodes: Nodes{}, Num: 1, Samples: []byte("abcdefghij0123456789")}},
	{"unknown method", "d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: "vote", TID: []byte("aa"), Fields: FieldID, ID: idA}},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			var m Message
			if err := Parse([]byte(v.wire), &m); err != nil {
				t.Fatal(err)
			}
			if string(m.Raw) != v.wire {
				t.Errorf("Raw is %q", m.Raw)
			}
			got := m
			got.Body, got.Raw = nil, nil
			if !reflect.DeepEqual(got, v.want) {
				t.Errorf("Parse gives\n%+v, want\n%+v", got, v.want)
			}
			if wire := Append(nil, &v.want); string(wire) != v.wire {
				t.Errorf("Append gives\n%q, want\n%q", wire, v.wire)
			}
		})
	}
}

// A Message that held something before is reset by Parse, also on an error.
func TestParseResets(t *testing.T) {
	for _, v := range vectors {
		var fresh Message
		used := Message{Token: []byte("old"), Fields: FieldToken, Port: 7, Text: []byte("old"), Anomalies: NoTID, Extra: []byte("de")}
		Parse([]byte(v.wire), &fresh)
		Parse([]byte(v.wire), &used)
		if !reflect.DeepEqual(fresh, used) {
			t.Errorf("%s: something is left of the Message before", v.name)
		}
		if Parse([]byte("d1:t2:aae "), &used); !reflect.DeepEqual(used, Message{Raw: []byte("d1:t2:aae ")}) {
			t.Errorf("after an error: %+v", used)
		}
	}
}

// Views have no spare capacity: appending to one does not write into another.
func TestViewsAreClipped(t *testing.T) {
	for _, v := range vectors {
		wire := []byte(v.wire)
		var m Message
		if err := Parse(wire, &m); err != nil {
			t.Fatal(err)
		}
		for _, f := range m.byteFields() {
			if f != &m.Raw {
				_ = append(*f, '!')
			}
		}
		if !bytes.Equal(wire, []byte(v.wire)) {
			t.Errorf("%s: appending to a view changed the datagram", v.name)
		}
	}
}

func TestHas(t *testing.T) {
	var m Message
	m.Set(FieldID | FieldPort)
	if !m.Has(FieldID) || !m.Has(FieldID|FieldPort) || m.Has(FieldID|FieldToken) || !m.Has(0) {
		t.Error("Has wants all fields it is asked for, and no others")
	}
}

// Append relies on the order of fieldKeys, Parse on its agreement with fieldOf.
func TestFieldKeys(t *testing.T) {
	if len(fieldKeys) != 25 || allFields != 1<<len(fieldKeys)-1 {
		t.Fatalf("%d keys for the fields %b", len(fieldKeys), uint32(allFields))
	}
	for i, key := range fieldKeys {
		if f := Fields(1) << i; fieldOf([]byte(key)) != f || f.key() != key {
			t.Errorf("%q is not field %d both ways", key, i)
		}
		if i > 0 && fieldKeys[i-1] >= key {
			t.Errorf("%q and %q are not in order", fieldKeys[i-1], key)
		}
	}
}
