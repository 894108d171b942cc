package export

import (
	"bufio"
	"strconv"
)

// GraphML names its attributes first, with their types, then has the nodes and the
// edges. Nodes are called n0, n1, … in the order in which they appeared. What is
// not known of a node or an edge is left out. No value can need an escape.

const graphMLHead = `<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"` +
	` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
	` xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns` +
	` http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
`

const graphMLTail = "</graph>\n</graphml>\n"

// renderGraphML writes the whole file. The writer keeps its first error for Flush.
func renderGraphML(w *bufio.Writer, g *graph) {
	when := "string"
	if g.opts.Micros {
		when = "long"
	}
	w.WriteString(graphMLHead)
	for _, key := range [...][3]string{
		{"node", "node_id", "string"}, {"node", "ip", "string"}, {"node", "port", "int"},
		{"edge", "weight", "long"}, {"edge", "first", when}, {"edge", "last", when},
	} {
		w.WriteString(`<key id="` + key[1] + `" for="` + key[0] + `" attr.name="` + key[1] + `" attr.type="` + key[2] + "\"/>\n")
	}
	w.WriteString("<graph edgedefault=\"directed\">\n")
	var line []byte
	for i, n := range g.inOrder() {
		line = appendGraphMLNode(line[:0], i, &n)
		w.Write(line)
	}
	g.eachEdge(func(t *traffic) {
		line = appendGraphMLEdge(line[:0], t, g.opts)
		w.Write(line)
	})
	w.WriteString(graphMLTail)
}

// appendGraphMLNode appends a node; a port without an address says nothing.
func appendGraphMLNode(dst []byte, number int, n *endpoint) []byte {
	dst = strconv.AppendInt(append(dst, `<node id="n`...), int64(number), 10)
	dst = append(dst, `">`...)
	if n.known {
		dst = appendID(append(dst, `<data key="node_id">`...), &n.id)
		dst = append(dst, `</data>`...)
	}
	if a, ok := n.addr(); ok {
		dst = appendAddr(append(dst, `<data key="ip">`...), a)
		dst = append(dst, `</data>`...)
		dst = appendNumberOf(dst, "port", int64(n.port))
	}
	return append(dst, "</node>\n"...)
}

// appendGraphMLEdge appends an edge with its weight and its times, if it has any.
func appendGraphMLEdge(dst []byte, t *traffic, o Options) []byte {
	dst = strconv.AppendUint(append(dst, `<edge source="n`...), uint64(t.from), 10)
	dst = strconv.AppendUint(append(dst, `" target="n`...), uint64(t.to), 10)
	dst = appendNumberOf(append(dst, `">`...), "weight", t.weight)
	if t.first != noTime {
		dst = appendTimeOf(dst, "first", t.first, o)
		dst = appendTimeOf(dst, "last", t.last, o)
	}
	return append(dst, "</edge>\n"...)
}

// appendNumberOf appends an attribute that is a number.
func appendNumberOf(dst []byte, key string, n int64) []byte {
	dst = append(append(append(dst, `<data key="`...), key...), `">`...)
	return append(strconv.AppendInt(dst, n, 10), `</data>`...)
}

// appendTimeOf appends an attribute that is a time, in the form that was asked for.
func appendTimeOf(dst []byte, key string, micros int64, o Options) []byte {
	if o.Micros {
		return appendNumberOf(dst, key, micros)
	}
	dst = append(append(append(dst, `<data key="`...), key...), `">`...)
	return append(appendTime(dst, micros), `</data>`...)
}
