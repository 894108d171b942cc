package export

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// A graph gathers edges until Close writes them, because edges between the same
// two nodes are one there, and because GraphML names the nodes before the edges. A
// node is a contact: an ID at an address, of which either may be unknown.
//
// Ten million edges between two million nodes take some 0.95 GB of memory, all told
// (go test -bench Graph/10000000 -benchtime 1x, maximum resident set): 40 bytes a
// node, 32 an edge, the maps that find them, and what the garbage collector lets
// grow.

// endpoint is a node of the graph.
type endpoint struct {
	id    kad.ID
	known bool     // the ID
	ip    [16]byte // 16 zeros when the address is not known: nobody is at ::
	port  uint16
}

// edge leads from a node to another; both are numbers in the order of appearance.
type edge struct{ from, to uint32 }

// traffic is an edge and what is known of it.
type traffic struct {
	edge
	weight      int64 // rows
	first, last int64 // microseconds since 1970; noTime when no row has one
}

// slabSize is how many edges are allocated at once: a slice that grows would be
// there twice while it does.
const slabSize = 1 << 14

// noTime is no time: the one next to it is 300,000 years ago.
const noTime = math.MinInt64

// graph owns all that it knows: one goroutine writes, and none is started.
type graph struct {
	schema  Schema
	columns edgeColumns
	render  func(*bufio.Writer, *graph) // writes it in its format
	out     *bufio.Writer
	opts    Options

	nodes  map[endpoint]uint32 // their numbers
	edges  map[edge]uint32     // their places in traffic
	slabs  [][]traffic         // in order of appearance, slabSize in each but the last
	err    error
	closed bool
}

// edgeColumns are the places of the columns that make an edge.
type edgeColumns struct {
	src, dst struct{ id, ip, port int }
	time     int
}

// newGraphML returns a writer of a directed graph in GraphML; see graph_ml.go.
func newGraphML(w io.Writer, s Schema, o Options) (Writer, error) {
	return newGraph(w, GraphML, s, o, renderGraphML)
}

// newEdgeList returns a writer of a directed graph as a list of edges; see
// graph_list.go.
func newEdgeList(w io.Writer, s Schema, o Options) (Writer, error) {
	return newGraph(w, EdgeList, s, o, renderEdgeList)
}

func newGraph(w io.Writer, f Format, s Schema, o Options, render func(*bufio.Writer, *graph)) (Writer, error) {
	columns, ok := edgeColumnsOf(s)
	if !ok {
		return nil, fmt.Errorf("%s holds edges: use it with --what edges", f)
	}
	return &graph{
		schema: s, columns: columns, render: render, opts: o,
		out:   bufio.NewWriterSize(w, smallestSend),
		nodes: make(map[endpoint]uint32), edges: make(map[edge]uint32),
	}, nil
}

// edgeColumnsOf finds the columns of edges in a schema; others are left alone.
func edgeColumnsOf(s Schema) (c edgeColumns, ok bool) {
	ok = true
	place := func(name string, t Type) int {
		i := s.Index(name)
		ok = ok && i >= 0 && s[i].Type == t
		return i
	}
	c.src.id, c.src.ip, c.src.port = place("src_id", ID), place("src_ip", Addr), place("src_port", Int)
	c.dst.id, c.dst.ip, c.dst.port = place("dst_id", ID), place("dst_ip", Addr), place("dst_port", Int)
	c.time = place("time", Time)
	return c, ok
}

// Write adds the edges of a batch.
func (g *graph) Write(b *Batch) error {
	defer b.Release()
	if g.err == nil && g.closed {
		return errClosed
	}
	if g.err == nil {
		g.err = g.schema.fits(b)
	}
	for row := 0; row < b.Len && g.err == nil; row++ {
		g.err = g.add(b, row)
	}
	return g.err
}

// add adds a row: to an edge that is there, or as a new one.
func (g *graph) add(b *Batch, row int) error {
	c := &g.columns
	from, err := endpointOf(b, row, c.src.id, c.src.ip, c.src.port)
	if err != nil {
		return fmt.Errorf("src_%w", err)
	}
	to, err := endpointOf(b, row, c.dst.id, c.dst.ip, c.dst.port)
	if err != nil {
		return fmt.Errorf("dst_%w", err)
	}
	when := int64(noTime)
	if v := &b.Cols[c.time]; !v.Null[row] {
		when = v.Ints[row]
	}
	g.traffic(edge{g.number(from), g.number(to)}).count(when)
	return nil
}

// endpointOf returns the node that three columns tell; the error begins with the
// name of the column without src_ or dst_.
func endpointOf(b *Batch, row, id, ip, port int) (n endpoint, err error) {
	if v := &b.Cols[id]; !v.Null[row] {
		n.id, n.known = v.IDs[row], true
	}
	if v := &b.Cols[ip]; !v.Null[row] {
		n.ip = v.Addrs[row].As16()
	}
	if v := &b.Cols[port]; !v.Null[row] {
		if v.Ints[row] != int64(uint16(v.Ints[row])) {
			return n, fmt.Errorf("port: %d is no port", v.Ints[row])
		}
		n.port = uint16(v.Ints[row])
	}
	return n, nil
}

// number returns the number of a node, a new one if it was not seen before.
func (g *graph) number(n endpoint) uint32 {
	i, ok := g.nodes[n]
	if !ok {
		i = uint32(len(g.nodes))
		g.nodes[n] = i
	}
	return i
}

// traffic returns what is known of an edge, a new one if it was not seen before.
func (g *graph) traffic(e edge) *traffic {
	i, ok := g.edges[e]
	if !ok {
		i = uint32(len(g.edges))
		g.edges[e] = i
		if i%slabSize == 0 {
			g.slabs = append(g.slabs, make([]traffic, 0, slabSize))
		}
		last := &g.slabs[i/slabSize]
		*last = append(*last, traffic{edge: e, first: noTime, last: noTime})
	}
	return &g.slabs[i/slabSize][i%slabSize]
}

// count adds a row.
func (t *traffic) count(when int64) {
	t.weight++
	if when == noTime {
		return
	}
	t.last = max(t.last, when)
	if t.first == noTime || when < t.first {
		t.first = when
	}
}

// Close writes the graph.
func (g *graph) Close() error {
	if g.closed || g.err != nil {
		return g.err
	}
	g.closed = true
	g.render(g.out, g)
	g.err = g.out.Flush() // tells also of the writes before
	g.nodes, g.edges, g.slabs = nil, nil, nil
	return g.err
}

// inOrder returns the nodes by their numbers.
func (g *graph) inOrder() []endpoint {
	nodes := make([]endpoint, len(g.nodes))
	for n, i := range g.nodes {
		nodes[i] = n
	}
	return nodes
}

// eachEdge calls f with the edges in the order in which they appeared.
func (g *graph) eachEdge(f func(*traffic)) {
	for _, slab := range g.slabs {
		for i := range slab {
			f(&slab[i])
		}
	}
}

// addr returns the address of a node, false when it is not known.
func (n *endpoint) addr() (netip.Addr, bool) {
	a := netip.AddrFrom16(n.ip).Unmap()
	return a, a != netip.IPv6Unspecified()
}
