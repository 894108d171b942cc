package memory

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	bkrpc "github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/scripts/peerbench/contest"
)

// The names of the entrants.
const (
	lightName = "lightdht"
	otherName = "anacrolix/dht v2.23.0"
)

var errMisread = errors.New("what was read is not what was written")

// codecContests are reading and writing.
func codecContests(span time.Duration) []contest.Contest {
	both := func(name string, lightdht, anacrolix work) contest.Contest {
		return contest.Contest{Name: name, Unit: "ns", Entrants: []contest.Entrant{
			timing(lightName, span, ready(lightdht)),
			timing(otherName, span, ready(anacrolix)),
		}}
	}
	query, reply := datagram(findNode(kad.ID{0x5a})), datagram(bigReply())
	a := newAnswer()
	return []contest.Contest{
		both("read a find_node query", query.lightReadQuery, query.otherReadQuery),
		both("read a reply with 8 nodes and 50 peers", reply.lightReadReply, reply.otherReadReply),
		both("write a reply with 8 nodes", a.lightWrite, a.otherWrite),
	}
}

// datagram is what both read. Its methods are work.
type datagram []byte

func (d datagram) lightReadQuery(_ context.Context, n int) error {
	var m krpc.Message
	for range n {
		if krpc.Parse(d, &m) != nil || m.Method != krpc.MethodFindNode || m.Target != someTarget {
			return errMisread
		}
	}
	return nil
}

// otherReadQuery reads each query into a Msg of its own, as the Server does, since
// bencode leaves alone what a message does not have.
func (d datagram) otherReadQuery(_ context.Context, n int) error {
	for range n {
		var m bkrpc.Msg
		if bencode.Unmarshal(d, &m) != nil || m.Q != "find_node" || kad.ID(m.A.Target) != someTarget {
			return errMisread
		}
	}
	return nil
}

// What the ports in bigReply add up to.
const portSum = 8*6881 + 50*51413

// bigReply is what a get_peers of a popular torrent is answered with.
func bigReply() []byte {
	m := krpc.Message{
		Kind: krpc.KindReply, TID: []byte("aa"), Version: []byte("LT\x02\x08"), IP: near.addr, ID: kad.ID{0x5a}, Token: []byte("tokn"),
		Fields: krpc.FieldID | krpc.FieldNodes | krpc.FieldToken | krpc.FieldValues,
	}
	for c := range newOffer(8).contacts() {
		m.Nodes = krpc.AppendNode(m.Nodes, c)
	}
	for i := range 50 {
		addr := netip.AddrFrom4([4]byte{10, 9, 8, byte(i)})
		m.Values = krpc.AppendPeer(m.Values, netip.AddrPortFrom(addr, 51413))
	}
	return krpc.Append(nil, &m)
}

func (d datagram) lightReadReply(_ context.Context, n int) error {
	var m krpc.Message
	for range n {
		if krpc.Parse(d, &m) != nil {
			return errMisread
		}
		sum := 0
		for node := range m.Nodes.All() {
			sum += int(node.Addr.Port())
		}
		for addr := range m.Values.All() {
			sum += int(addr.Port())
		}
		if sum != portSum {
			return errMisread
		}
	}
	return nil
}

func (d datagram) otherReadReply(_ context.Context, n int) error {
	for range n {
		var m bkrpc.Msg
		if bencode.Unmarshal(d, &m) != nil {
			return errMisread
		}
		sum := 0
		for _, node := range m.R.Nodes {
			sum += node.Addr.Port
		}
		for _, addr := range m.R.Values {
			sum += addr.Port
		}
		if sum != portSum {
			return errMisread
		}
	}
	return nil
}

// answer is what both make a reply of: nodes in the form that each keeps them in.
type answer struct {
	tid        string
	tidBytes   []byte
	nodes      []kad.NodeInfo
	otherNodes []bkrpc.NodeInfo
	list, buf  []byte // lightdht writes into the same ones again
	written    []byte // by the last work
}

func newAnswer() *answer {
	a := &answer{tid: "aa", tidBytes: []byte("aa"), nodes: slices.Collect(newOffer(8).contacts())}
	r := rand.New(rand.NewPCG(3, 3))
	r.Shuffle(len(a.nodes), func(i, j int) { a.nodes[i], a.nodes[j] = a.nodes[j], a.nodes[i] })
	for _, node := range a.nodes {
		a.otherNodes = append(a.otherNodes, otherNode(node))
	}
	return a
}

func (a *answer) lightWrite(_ context.Context, n int) error {
	for range n {
		a.list = a.list[:0]
		for _, node := range a.nodes {
			a.list = krpc.AppendNode(a.list, node)
		}
		m := krpc.Message{
			Kind: krpc.KindReply, TID: a.tidBytes, IP: near.addr, Fields: krpc.FieldID | krpc.FieldNodes, ID: ourID, Nodes: a.list,
		}
		a.buf = krpc.Append(a.buf[:0], &m)
	}
	a.written = a.buf
	return nil
}

// otherWrite is what the Server does in answer to find_node.
func (a *answer) otherWrite(_ context.Context, n int) (err error) {
	for range n {
		m := bkrpc.Msg{
			T: a.tid, Y: bkrpc.YResponse, R: &bkrpc.Return{ID: bkrpc.ID(ourID), Nodes: a.otherNodes},
			IP: bkrpc.NodeAddr{IP: near.udp.IP, Port: near.udp.Port},
		}
		if a.written, err = bencode.Marshal(m); err != nil {
			return err
		}
	}
	return nil
}
