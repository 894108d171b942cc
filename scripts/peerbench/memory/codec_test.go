package memory

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	bkrpc "github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// both reads a datagram with both.
func both(t *testing.T, b []byte) (ours krpc.Message, theirs bkrpc.Msg) {
	t.Helper()
	if err := krpc.Parse(b, &ours); err != nil || ours.Anomalies != 0 {
		t.Fatalf("lightdht reads %q: %v, %v", b, err, ours.Anomalies)
	}
	if err := bencode.Unmarshal(b, &theirs); err != nil {
		t.Fatalf("anacrolix reads %q: %v", b, err)
	}
	if string(ours.TID) != theirs.T || string(ours.Kind) != theirs.Y || ours.ID != kad.ID(*theirs.SenderID()) || ours.Method != theirs.Q {
		t.Errorf("%+v and %+v differ", ours, theirs)
	}
	return ours, theirs
}

// nodesOf returns the nodes that anacrolix read.
func nodesOf(m bkrpc.Msg) (all []kad.NodeInfo) {
	for _, node := range m.R.Nodes {
		all = append(all, kad.NodeInfo{ID: kad.ID(node.ID), Addr: node.Addr.ToNodeAddrPort().AddrPort})
	}
	return all
}

func TestBothReadTheQuery(t *testing.T) {
	ours, theirs := both(t, findNode(kad.ID{0x5a}))
	if ours.Method != krpc.MethodFindNode || ours.Target != someTarget || kad.ID(theirs.A.Target) != someTarget {
		t.Errorf("%+v and %+v are not the query", ours, theirs.A)
	}
}

func TestBothReadTheReply(t *testing.T) {
	ours, theirs := both(t, bigReply())
	nodes := slices.Collect(ours.Nodes.All())
	if len(nodes) != 8 || !slices.Equal(nodes, nodesOf(theirs)) {
		t.Errorf("nodes %v and %v", nodes, nodesOf(theirs))
	}
	var peers []netip.AddrPort
	for _, addr := range theirs.R.Values {
		peers = append(peers, addr.ToNodeAddrPort().AddrPort)
	}
	if len(peers) != 50 || !slices.Equal(peers, slices.Collect(ours.Values.All())) {
		t.Errorf("peers %v and %v", slices.Collect(ours.Values.All()), peers)
	}
	if string(ours.Token) != "tokn" || *theirs.R.Token != "tokn" || theirs.IP.ToNodeAddrPort().AddrPort != ours.IP {
		t.Errorf("%+v and %+v", ours, theirs)
	}
}

func TestBothWriteTheSame(t *testing.T) {
	a := newAnswer()
	a.lightWrite(t.Context(), 2)
	ours := bytes.Clone(a.written)
	if err := a.otherWrite(t.Context(), 2); err != nil || !bytes.Equal(a.written, ours) {
		t.Errorf("%q, %v, where lightdht writes %q", a.written, err, ours)
	}
	m, _ := both(t, ours)
	if m.ID != ourID || !slices.Equal(slices.Collect(m.Nodes.All()), a.nodes) || len(a.nodes) != 8 {
		t.Errorf("%+v is not an answer with %v", m, a.nodes)
	}
}

// What was not read in full is no figure.
func TestMisread(t *testing.T) {
	query, reply := findNode(kad.ID{0x5a}), bigReply()
	torn := bytes.Replace(reply, []byte("5:nodes208:"), []byte("5:nodez208:"), 1)
	another := bytes.Replace(query, someTarget[:], make([]byte, kad.Size), 1)
	for name, do := range map[string]work{
		"lightdht, no nodes": datagram(torn).lightReadReply, "anacrolix, no nodes": datagram(torn).otherReadReply,
		"lightdht, cut": datagram(reply[:90]).lightReadReply, "anacrolix, cut": datagram(reply[:90]).otherReadReply,
		"lightdht, another target": datagram(another).lightReadQuery, "anacrolix, another target": datagram(another).otherReadQuery,
	} {
		if err := do(t.Context(), 1); err != errMisread {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, do := range map[string]work{
		"lightdht, query": datagram(query).lightReadQuery, "anacrolix, query": datagram(query).otherReadQuery,
		"lightdht, reply": datagram(reply).lightReadReply, "anacrolix, reply": datagram(reply).otherReadReply,
	} {
		if err := do(t.Context(), 3); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
