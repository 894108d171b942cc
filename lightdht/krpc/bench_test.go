package krpc

import (
	"net/netip"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const findNodeWire = "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:v4:LT\x01\x021:y1:qe"

// bigReply is a get_peers reply with 8 nodes and 50 peers.
func bigReply() *Message {
	m := &Message{Kind: KindReply, TID: []byte("aa"), Version: []byte("LT\x01\x02"), ID: idM, Token: []byte("aoeusnth")}
	m.Set(FieldID | FieldToken | FieldNodes | FieldValues)
	for i := range 8 {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 6881)
		m.Nodes = AppendNode(m.Nodes, kad.NodeInfo{ID: idA, Addr: addr})
	}
	for i := range 50 {
		m.Values = AppendPeer(m.Values, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 6881))
	}
	return m
}

func BenchmarkParseFindNode(b *testing.B) { benchmarkParse(b, []byte(findNodeWire)) }

func BenchmarkParseReply(b *testing.B) { benchmarkParse(b, Append(nil, bigReply())) }

func benchmarkParse(b *testing.B, wire []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(wire)))
	var m Message
	for b.Loop() {
		if err := Parse(wire, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendReply(b *testing.B) { benchmarkAppend(b, bigReply()) }

func BenchmarkAppendQuery(b *testing.B) {
	var m Message
	Parse([]byte(findNodeWire), &m)
	benchmarkAppend(b, &m)
}

func benchmarkAppend(b *testing.B, m *Message) {
	b.ReportAllocs()
	buf := make([]byte, 0, 2048)
	for b.Loop() {
		buf = Append(buf[:0], m)
	}
	b.SetBytes(int64(len(buf)))
}

// What is done for every datagram allocates nothing.
func TestAllocations(t *testing.T) {
	var m Message
	buf := make([]byte, 0, 2048)
	for _, v := range vectors {
		if v.name == "unknown method" {
			continue // its name is a new string
		}
		wire := []byte(v.wire)
		checkAllocs(t, "Parse "+v.name, func() { Parse(wire, &m) })
		checkAllocs(t, "Append "+v.name, func() { buf = Append(buf[:0], &m) })
	}
	reply := bigReply()
	reply.Extra = []byte("d1:ai1e2:zzlee")
	checkAllocs(t, "Append with Extra", func() { buf = Append(buf[:0], reply) })
	checkAllocs(t, "walking a reply", func() { walk(reply) })
	checkAllocs(t, "Lookup", func() { m.Lookup("target"); m.TopLevel("zz") })
	for _, a := range anomalous {
		wire := []byte(a.wire)
		checkAllocs(t, "Parse "+a.name, func() { Parse(wire, &m) })
	}
}

func checkAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(20, f); n != 0 {
		t.Errorf("%s: %v allocations", what, n)
	}
}

var sink int

func walk(m *Message) {
	for n := range m.Nodes.All() {
		sink += int(n.Addr.Port())
	}
	for addr := range m.Values.All() {
		sink += int(addr.Port())
	}
	sink += m.Values.Len()
}
