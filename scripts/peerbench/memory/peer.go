package memory

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// peer is a far end that answers queries of one method at once, with a reply
// that was written beforehand: only the transaction id is put in.
type peer struct {
	at     *place
	id     kad.ID
	marker []byte // what stands before the transaction id in a query
	head   []byte // of the reply, up to the transaction id
	tail   []byte
	in     chan tid
}

// tid is a transaction id as it is on the wire, with its length: "4:aaaa".
type tid struct {
	b [16]byte
	n int
}

// newPeer makes a peer that answers a method with these nodes.
func newPeer(method string, nodes []kad.NodeInfo) *peer {
	p := &peer{
		at: newPlace(netip.MustParseAddrPort("10.0.0.2:6881")), id: kad.ID{0x5a, 19: 1},
		marker: []byte("1:q" + strconv.Itoa(len(method)) + ":" + method + "1:t"),
		in:     make(chan tid, 2*flights),
	}
	m := krpc.Message{Kind: krpc.KindReply, TID: []byte("TIDX"), Fields: krpc.FieldID, ID: p.id}
	for _, node := range nodes {
		m.Nodes = krpc.AppendNode(m.Nodes, node)
		m.Set(krpc.FieldNodes)
	}
	p.head, p.tail, _ = bytes.Cut(krpc.Append(nil, &m), []byte("4:TIDX"))
	return p
}

func (p *peer) next(b []byte, closed <-chan struct{}) (int, *place, bool) {
	select {
	case t := <-p.in:
		n := copy(b, p.head)
		n += copy(b[n:], t.b[:t.n])
		return n + copy(b[n:], p.tail), p.at, true
	case <-closed:
		return 0, nil, false
	}
}

// sent answers a query; anything else is a query without an answer.
func (p *peer) sent(b []byte, _ netip.AddrPort) {
	if t, ok := tidAfter(b, p.marker); ok {
		p.in <- t
	}
}

// tidAfter returns the transaction id that stands behind a marker.
func tidAfter(b, marker []byte) (t tid, ok bool) {
	at := bytes.Index(b, marker)
	if at < 0 {
		return t, false
	}
	b = b[at+len(marker):]
	size, digits := 0, 0
	for ; digits < len(b) && b[digits] != ':'; digits++ {
		size = 10*size + int(b[digits]-'0')
	}
	t.n = digits + 1 + size
	if t.n > len(b) || t.n > len(t.b) {
		return t, false
	}
	copy(t.b[:], b[:t.n])
	return t, true
}
