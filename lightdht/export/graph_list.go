package export

import (
	"bufio"
	"net/netip"
	"strconv"
)

// An edge list has a line for each edge: its source, its target and its weight,
// between spaces.
//
//	6a3f…@203.0.113.7:6881 01c2…@[2001:db8::1]:51413 3
//
// A node is its ID at its address; of those that are not known, each is a hyphen.

// renderEdgeList writes the whole file. A graph without edges is an empty one.
func renderEdgeList(w *bufio.Writer, g *graph) {
	nodes := g.inOrder()
	var line []byte
	g.eachEdge(func(t *traffic) {
		line = appendEndpoint(line[:0], &nodes[t.from])
		line = appendEndpoint(append(line, ' '), &nodes[t.to])
		line = strconv.AppendInt(append(line, ' '), t.weight, 10)
		line = append(line, '\n')
		w.Write(line)
	})
}

// appendEndpoint appends a node: no part of it has a space.
func appendEndpoint(dst []byte, n *endpoint) []byte {
	if n.known {
		dst = appendID(dst, &n.id)
	} else {
		dst = append(dst, '-')
	}
	a, ok := n.addr()
	if !ok {
		return append(dst, "@-"...)
	}
	return netip.AddrPortFrom(a, n.port).AppendTo(append(dst, '@'))
}
