package export

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/netip"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// graphOf returns what a format of graphs makes of batches.
func graphOf(t *testing.T, f func(w *bytes.Buffer) (Writer, error), batches ...*Batch) string {
	t.Helper()
	var out bytes.Buffer
	w, err := f(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if b.Len != 0 {
			t.Error("a batch was not released")
		}
	}
	if out.Len() != 0 {
		t.Error("written before the end")
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func asGraphML(o Options) func(*bytes.Buffer) (Writer, error) {
	return func(w *bytes.Buffer) (Writer, error) { return newGraphML(w, edgeSchema, o) }
}

func asEdgeList(w *bytes.Buffer) (Writer, error) { return newEdgeList(w, edgeSchema, Options{}) }

// smallGraph has an edge of three rows, its reverse, a loop, one without a time, a
// node at two addresses, one over IPv6 and some of which not all is known.
func smallGraph() []*Batch {
	a, b := edgeSchema.NewBatch(), edgeSchema.NewBatch()
	addEdge(a, 1, 2, 3*second)
	addEdge(a, 2, 1, 0)
	addEdge(a, 1, 2, 1*second)
	addEdge(b, 1, 2, 2*second)
	addEdge(b, 3, 3, -1)
	addEdge(b, 1, 1<<24+1, 5) // another ID at the address of 1
	b.Cols[0].Null[b.Len-1] = true
	addEdge(b, 1, 2, 9*second)
	b.Cols[0].Null[b.Len-1] = true
	addEdge(b, 1, 2, 4)
	b.Cols[5].Addrs[b.Len-1] = netip.MustParseAddr("2001:db8::2")
	addEdge(b, 1, 2, 4)
	b.Cols[1].Null[b.Len-1] = true // no ID
	b.Cols[5].Null[b.Len-1] = true // no address
	b.Cols[6].Null[b.Len-1] = true
	return []*Batch{a, b}
}

func TestEdgeList(t *testing.T) {
	one, two, three := kad.ID{3: 1}.String(), kad.ID{3: 2}.String(), kad.ID{3: 3}.String()
	other := kad.ID{1, 0, 0, 1}.String()
	want := one + "@10.0.0.1:6881 " + two + "@10.0.0.2:6881 4\n" +
		two + "@10.0.0.2:6881 " + one + "@10.0.0.1:6881 1\n" +
		three + "@10.0.0.3:6881 " + three + "@10.0.0.3:6881 1\n" +
		one + "@10.0.0.1:6881 " + other + "@10.0.0.1:6881 1\n" +
		one + "@10.0.0.1:6881 " + two + "@[2001:db8::2]:6881 1\n" +
		"-@10.0.0.1:6881 " + two + "@- 1\n"
	if got := graphOf(t, asEdgeList, smallGraph()...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := graphOf(t, asEdgeList); got != "" {
		t.Errorf("without rows: %q", got)
	}
}

// graphML is as much of the format as is written.
type graphML struct {
	Keys []struct {
		ID   string `xml:"id,attr"`
		For  string `xml:"for,attr"`
		Name string `xml:"attr.name,attr"`
		Type string `xml:"attr.type,attr"`
	} `xml:"key"`
	Graph struct {
		Default string     `xml:"edgedefault,attr"`
		Nodes   []graphTag `xml:"node"`
		Edges   []graphTag `xml:"edge"`
	} `xml:"graph"`
}

type graphTag struct {
	ID     string `xml:"id,attr"`
	Source string `xml:"source,attr"`
	Target string `xml:"target,attr"`
	Data   []struct {
		Key   string `xml:"key,attr"`
		Value string `xml:",chardata"`
	} `xml:"data"`
}

func (g graphTag) String() string {
	s := g.ID + g.Source + g.Target
	for _, d := range g.Data {
		s += " " + d.Key + "=" + d.Value
	}
	return s
}

func TestGraphML(t *testing.T) {
	for _, o := range []Options{{}, {Micros: true}} {
		var g graphML
		if err := xml.Unmarshal([]byte(graphOf(t, asGraphML(o), smallGraph()...)), &g); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range g.Keys {
			got = append(got, k.For+" "+k.ID+" "+k.Type)
		}
		for _, n := range append(g.Graph.Nodes, g.Graph.Edges...) {
			got = append(got, n.String())
		}
		first, last, when := "1970-01-01T00:00:01.000000Z", "1970-01-01T00:00:03.000000Z", "string"
		epoch, before, four := "1970-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000004Z"
		if o.Micros {
			first, last, when, epoch, before, four = "1000000", "3000000", "long", "0", "-1", "4"
		}
		one, two := kad.ID{3: 1}.String(), kad.ID{3: 2}.String()
		want := []string{
			"node node_id string", "node ip string", "node port int",
			"edge weight long", "edge first " + when, "edge last " + when,
			"n0 node_id=" + one + " ip=10.0.0.1 port=6881", "n1 node_id=" + two + " ip=10.0.0.2 port=6881",
			"n2 node_id=" + kad.ID{3: 3}.String() + " ip=10.0.0.3 port=6881",
			"n3 node_id=" + kad.ID{1, 0, 0, 1}.String() + " ip=10.0.0.1 port=6881",
			"n4 node_id=" + two + " ip=2001:db8::2 port=6881", "n5 ip=10.0.0.1 port=6881", "n6 node_id=" + two,
			"n0n1 weight=4 first=" + first + " last=" + last, "n1n0 weight=1 first=" + epoch + " last=" + epoch,
			"n2n2 weight=1 first=" + before + " last=" + before, "n0n3 weight=1",
			"n0n4 weight=1 first=" + four + " last=" + four, "n5n6 weight=1 first=" + four + " last=" + four,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if g.Graph.Default != "directed" {
			t.Error(g.Graph.Default)
		}
	}
}

// More edges than a slab has, some of them twice.
func TestGraphOfManyEdges(t *testing.T) {
	b := edgeSchema.NewBatch()
	const edges = 2*slabSize + 1
	for i := range uint32(edges) {
		addEdge(b, i, i+1, 0)
	}
	for i := range uint32(100) {
		addEdge(b, i*300, i*300+1, 0)
	}
	lines := strings.Split(graphOf(t, asEdgeList, b), "\n")
	if len(lines) != edges+1 {
		t.Fatalf("%d edges", len(lines)-1)
	}
	for i, line := range lines[:edges] {
		weight := " 1"
		if i%300 == 0 && i < 30_000 {
			weight = " 2"
		}
		id := kad.ID{0, byte(i >> 16), byte(i >> 8), byte(i)}.String()
		if !strings.HasPrefix(line, id) || !strings.HasSuffix(line, weight) {
			t.Fatalf("edge %d is %s", i, line)
		}
	}
}

func TestGraphWantsEdges(t *testing.T) {
	without := append(Schema{}, edgeSchema...)
	without[6].Name = "port"
	mistyped := append(Schema{}, edgeSchema...)
	mistyped[0].Type = Int
	for _, s := range []Schema{nil, contactColumns, without, mistyped} {
		if _, err := newGraphML(nil, s, Options{}); err == nil || err.Error() != "graphml holds edges: use it with --what edges" {
			t.Error(err)
		}
		if _, err := newEdgeList(nil, s, Options{}); err == nil || err.Error() != "edgelist holds edges: use it with --what edges" {
			t.Error(err)
		}
	}
}

func TestGraphErrors(t *testing.T) {
	bad := func(column int, port int64) *Batch {
		b := edgeSchema.NewBatch()
		addEdge(b, 1, 2, 0)
		b.Cols[column].Ints[0] = port
		return b
	}
	short := bad(3, 1)
	short.Len = 2
	for want, b := range map[string]*Batch{
		"src_port: 65536 is no port": bad(3, 65536), "dst_port: -1 is no port": bad(6, -1),
		"column time: 1 values in a batch of 2 rows": short,
	} {
		w, err := newGraphML(&bytes.Buffer{}, edgeSchema, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := w.Close(); err == nil || err.Error() != want {
			t.Errorf("Close: got %v, want %s", err, want)
		}
	}
	w, _ := newEdgeList(&failing{10}, edgeSchema, Options{})
	if err := w.Write(bad(3, 1)); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != errFull {
		t.Errorf("Close: %v", err)
	}
	w, _ = newEdgeList(&bytes.Buffer{}, edgeSchema, Options{})
	w.Close()
	if err := w.Write(bad(3, 1)); err != errClosed {
		t.Errorf("after Close: %v", err)
	}
}

// readByNetworkx reads a graph in the format that its argument names and prints
// what it found.
const readByNetworkx = `
import io, json, sys, networkx
text = sys.stdin.buffer.read()
if sys.argv[1] == "graphml":
    g = networkx.read_graphml(io.BytesIO(text))
else:
    g = networkx.read_weighted_edgelist(io.BytesIO(text), create_using=networkx.DiGraph)
print(json.dumps({"kind": type(g).__name__, "nodes": dict(g.nodes(data=True)),
    "edges": [[a, b, d] for a, b, d in g.edges(data=True)]}))
`

// pythonWith returns a Python that has a module, "" when there is none.
func pythonWith(module string) string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import "+module).Run() == nil {
			return python
		}
	}
	return ""
}

// networkx returns what networkx, which notebooks use, reads of a graph.
func networkx(t *testing.T, format, text string) (read struct {
	Kind  string
	Nodes map[string]map[string]any
	Edges [][3]any
}) {
	t.Helper()
	python := pythonWith("networkx")
	if python == "" {
		t.Skip("no networkx")
	}
	run := exec.Command(python, "-c", readByNetworkx, format)
	run.Stdin = strings.NewReader(text)
	var talk bytes.Buffer
	run.Stderr = &talk
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, talk.String())
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestNetworkxReadsGraphML(t *testing.T) {
	g := networkx(t, "graphml", graphOf(t, asGraphML(Options{}), smallGraph()...))
	if g.Kind != "DiGraph" || len(g.Nodes) != 7 || len(g.Edges) != 6 {
		t.Errorf("a %s of %d nodes and %d edges", g.Kind, len(g.Nodes), len(g.Edges))
	}
	node := map[string]any{"node_id": kad.ID{3: 2}.String(), "ip": "2001:db8::2", "port": 6881.0}
	if !reflect.DeepEqual(g.Nodes["n4"], node) {
		t.Error(g.Nodes["n4"])
	}
	edge := [3]any{"n0", "n1", map[string]any{"weight": 4.0, "first": "1970-01-01T00:00:01.000000Z", "last": "1970-01-01T00:00:03.000000Z"}}
	if !reflect.DeepEqual(g.Edges[0], edge) {
		t.Error(g.Edges[0])
	}
	if g := networkx(t, "graphml", graphOf(t, asGraphML(Options{}))); g.Kind != "DiGraph" || len(g.Nodes) != 0 {
		t.Errorf("without rows: %v", g)
	}
}

func TestNetworkxReadsEdgeList(t *testing.T) {
	g := networkx(t, "edgelist", graphOf(t, asEdgeList, smallGraph()...))
	if len(g.Nodes) != 7 || len(g.Edges) != 6 {
		t.Errorf("%d nodes and %d edges", len(g.Nodes), len(g.Edges))
	}
	edge := [3]any{kad.ID{3: 1}.String() + "@10.0.0.1:6881", kad.ID{3: 2}.String() + "@10.0.0.2:6881", map[string]any{"weight": 4.0}}
	if !reflect.DeepEqual(g.Edges[0], edge) {
		t.Error(g.Edges[0])
	}
}
