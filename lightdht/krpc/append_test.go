package krpc

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestAppendKeepsDst(t *testing.T) {
	m := Message{Kind: KindReply, TID: []byte("x")}
	if got := string(Append([]byte("before "), &m)); got != "before d1:rde1:t1:x1:y1:re" {
		t.Error(got)
	}
}

func TestAppendExtra(t *testing.T) {
	for _, c := range []struct{ name, extra, want string }{
		{"none", "", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"empty", "de", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"before, between and after", "d0:0:1:ali1ee5:mid_dde1:zi-1ee",
			"d0:0:1:ali1ee2:id20:abcdefghij01234567895:mid_dde4:porti1e1:zi-1ee"},
		{"a field wins", "d2:id3:own3:ido1:x4:port4:fake5:ports0:e",
			"d2:id20:abcdefghij01234567893:ido1:x4:porti1e5:ports0:e"},
		{"keys of unset fields are the caller's", "d5:tokeni1e4:want0:e",
			"d2:id20:abcdefghij01234567894:porti1e5:tokeni1e4:want0:e"},
		{"not a dictionary", "4:spam", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"unsorted", "d1:zi1e1:ai1ee", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"a key twice", "d1:ai1e1:ai1ee", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"trailing bytes", "d1:ai1eee", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"cut", "d1:ai1e", "d2:id20:abcdefghij01234567894:porti1ee"},
		{"a value missing", "d1:ae", "d2:id20:abcdefghij01234567894:porti1ee"},
	} {
		m := Message{Kind: KindQuery, Fields: FieldID | FieldPort, ID: idA, Port: 1, Extra: []byte(c.extra)}
		want := "d1:a" + c.want + "1:y1:qe"
		if got := string(Append(nil, &m)); got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

// A Message built by hand may hold what has no form on the wire.
func TestAppendLeavesOutUnfit(t *testing.T) {
	m := Message{
		Kind: KindReply, Fields: ^Fields(0) &^ (FieldPort | FieldReplyPort | FieldInfoHash | FieldTarget), ID: idA,
		SeedFilter: make([]byte, 255), PublicKey: make([]byte, 31), Signature: make([]byte, 65),
		Value: []byte("i01e"), Nodes: make(Nodes, 25), Nodes6: make(Nodes6, 39), Samples: make([]byte, 19),
		Values: Peers("6:abcdef" + "5:abcde" + "6:ghijkl" + "6:xyz"),
	}
	m.Nodes6 = Nodes6(node6 + "!")
	want := "d1:rd3:casi0e2:id20:abcdefghij012345678912:implied_porti0e8:intervali0e5:nodes0:6:nodes638:" + node6 +
		"6:noseedi0e3:numi0e4:salt0:7:samples0:6:scrapei0e4:seedi0e3:seqi0e5:token0:6:valuesl6:abcdef6:ghijkle4:wantlee1:y1:re"
	if got := string(Append(nil, &m)); got != want {
		t.Errorf("%q, want\n%q", got, want)
	}
	m = Message{Kind: 'x', Method: "ping", Fields: FieldID}
	if got := string(Append(nil, &m)); got != "de" {
		t.Errorf("a message of no kind: %q", got)
	}
}

// absent are the anomalies of a message that merely lacks something.
const absent = NoTID | NoKind | NoMethod | NoBody | NoID

// Whatever a Message holds, Parse reads what Append writes, finds nothing wrong
// with it but what is missing, and Append writes it again.
func TestAppendIsAlwaysValid(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5000 {
		m := randomMessage(r)
		wire := Append(nil, &m)
		var back Message
		if err := Parse(wire, &back); err != nil {
			t.Fatalf("seed %d: %v: %q", seed, err, wire)
		}
		if odd := back.Anomalies &^ absent; odd != 0 && len(m.Extra) == 0 {
			t.Fatalf("seed %d: %s in %q", seed, odd, wire)
		}
		if back.Anomalies&(UnsortedKeys|DuplicateKey) != 0 {
			t.Fatalf("seed %d: %s in %q", seed, back.Anomalies, wire)
		}
		back.Extra = m.Extra
		if again := Append(nil, &back); string(again) != string(wire) {
			t.Fatalf("seed %d: first\n%q, then\n%q", seed, wire, again)
		}
	}
}

// randomMessage sets fields at random, fit or not.
func randomMessage(r *rand.Rand) Message {
	bytes := func() []byte {
		sizes := []int{0, 1, 6, 18, 20, 26, 32, 38, 52, 64, 76, 256}
		b := make([]byte, sizes[r.IntN(len(sizes))])
		for i := range b {
			b[i] = "0123456789:dlieabyqr"[r.IntN(20)]
		}
		return b
	}
	values := []string{"", "i1e", "le", "d1:ai1ee", "d1:bi1e1:ai1ee", "0:", "1", "ed", "li1e", "dee", "d2:id3:abc4:port1:xe"}
	value := func() []byte { return []byte(values[r.IntN(len(values))]) }
	m := Message{
		Kind: Kind("qrexq"[r.IntN(5)]), Method: string(bytes()), TID: bytes(), ReadOnly: r.IntN(2) == 0,
		Fields: Fields(r.Uint32()), ID: kad.ID{byte(r.Uint32())}, Want: Want(r.IntN(8)), Port: uint16(r.Uint32()),
		Token: bytes(), Nodes: bytes(), Nodes6: bytes(), Values: bytes(), SeedFilter: bytes(), PeerFilter: bytes(),
		Value: value(), PublicKey: bytes(), Signature: bytes(), Salt: bytes(), Seq: int64(r.Uint64()), Samples: bytes(),
		Code: r.Int64(), Text: bytes(), Extra: value(),
	}
	if r.IntN(2) == 0 {
		m.IP = netip.AddrPortFrom(netip.AddrFrom16([16]byte(make([]byte, 16))), 1)
		m.Values = AppendPeer(append(Peers("3:abc"), m.Values...), m.IP)
	}
	return m
}
