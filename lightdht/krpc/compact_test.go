package krpc

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

var (
	nodeInfo4 = kad.NodeInfo{ID: kad.ID([]byte(node4)), Addr: netip.MustParseAddrPort("192.0.2.1:6881")}
	nodeInfo6 = kad.NodeInfo{ID: kad.ID([]byte(node6)), Addr: netip.MustParseAddrPort("[2001:db8::1]:6881")}
)

func TestNodes(t *testing.T) {
	mapped := nodeInfo4
	mapped.Addr = netip.MustParseAddrPort("[::ffff:192.0.2.1]:6881")
	zoned := nodeInfo6
	zoned.Addr = netip.MustParseAddrPort("[2001:db8::1%eth0]:6881")

	nodes := Nodes(AppendNode(AppendNode(nil, nodeInfo4), mapped))
	if string(nodes) != node4+node4 {
		t.Errorf("IPv4 nodes are %q", nodes)
	}
	nodes6 := Nodes6(AppendNode(AppendNode(nil, nodeInfo6), zoned))
	if string(nodes6) != node6+node6 {
		t.Errorf("IPv6 nodes are %q", nodes6)
	}
	if got := AppendNode([]byte("x"), kad.NodeInfo{ID: idA}); string(got) != "x" {
		t.Errorf("a node without address became %q", got)
	}
	if got := slices.Collect(nodes.All()); !slices.Equal(got, []kad.NodeInfo{nodeInfo4, nodeInfo4}) {
		t.Error(got)
	}
	if got := slices.Collect(nodes6.All()); !slices.Equal(got, []kad.NodeInfo{nodeInfo6, nodeInfo6}) {
		t.Error(got)
	}
	if nodes.Len() != 2 || nodes.At(1) != nodeInfo4 || nodes6.Len() != 2 || nodes6.At(1) != nodeInfo6 {
		t.Error("Len and At see other nodes than All")
	}
}

// Len, All and At agree about a list with a torn tail.
func TestTornNodes(t *testing.T) {
	nodes := Nodes(node4 + node4[:25])
	if nodes.Len() != 1 || len(slices.Collect(nodes.All())) != 1 {
		t.Error("a torn node was counted")
	}
	for range nodes.All() {
		break
	}
	defer func() {
		if recover() == nil {
			t.Error("At reached into the torn node")
		}
	}()
	nodes.At(1)
}

func TestMappedNodes6(t *testing.T) {
	nodes := Nodes6("node-4--------------\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01\x1a\xe1")
	if got := nodes.At(0); got != nodeInfo4 {
		t.Errorf("%v, want %v", got, nodeInfo4)
	}
}

func TestPeers(t *testing.T) {
	v4, v6 := nodeInfo4.Addr, nodeInfo6.Addr
	var p Peers
	for _, addr := range []netip.AddrPort{v4, v6, {}, netip.MustParseAddrPort("[::ffff:192.0.2.1]:6881")} {
		p = AppendPeer(p, addr)
	}
	if want := "6:" + node4[20:] + "18:" + node6[20:] + "6:" + node4[20:]; string(p) != want {
		t.Errorf("%q, want %q", p, want)
	}
	if got := slices.Collect(p.All()); !slices.Equal(got, []netip.AddrPort{v4, v6, v4}) || p.Len() != 3 {
		t.Error(got, p.Len())
	}
	for range p.All() {
		break
	}
}

func TestPeersLeaveOutBadItems(t *testing.T) {
	good := "6:" + node4[20:]
	for list, want := range map[string]int{
		"":                           0,
		good:                         1,
		"0:" + good + "5:abcde":      1,
		"i1e" + good + "d1:ai1ee":    1,
		good + "6:abc":               1, // the rest is no bencode
		good + "e" + good:            1,
		good + "lle" + good:          1,
		good + "7:abcdefg" + good:    2,
		"19:abcdefghijklmnopqrs":     0,
		"18:" + node6[20:] + good:    2,
		good + "18:" + node6[21:]:    1,
		"06:" + node4[20:]:           0,
		"4:abcd4:abcd4:abcd" + good:  1,
		"26:" + node4 + good + good:  2,
		good + "99999999999999999:x": 1,
	} {
		if got := Peers(list).Len(); got != want {
			t.Errorf("%q: %d peers, want %d", list, got, want)
		}
	}
}

func TestNodeInfosAndPeerAddrs(t *testing.T) {
	m := Message{Nodes: Nodes(node4), Nodes6: Nodes6(node6 + node6), Values: Peers("6:" + node4[20:])}
	if got := m.NodeInfos(); !slices.Equal(got, []kad.NodeInfo{nodeInfo4, nodeInfo6, nodeInfo6}) {
		t.Error(got)
	}
	if got := m.PeerAddrs(); !slices.Equal(got, []netip.AddrPort{nodeInfo4.Addr}) {
		t.Error(got)
	}
}

func TestUnexpected(t *testing.T) {
	reply := func(named bool, expected, id kad.ID, f Fields) bool {
		r := Reply{Message: Message{ID: id, Fields: f}, Named: named, Expected: expected}
		return r.Unexpected()
	}
	if reply(false, kad.ID{}, idA, FieldID) || reply(true, idA, idA, FieldID) || reply(true, idA, kad.ID{}, 0) || reply(true, kad.ID{}, kad.ID{}, FieldID) {
		t.Error("an answer that was as good as any was unexpected")
	}
	if !reply(true, idA, idM, FieldID) || !reply(true, kad.ID{}, idA, FieldID) {
		t.Error("an answer of another node was expected")
	}
}
