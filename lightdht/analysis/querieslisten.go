package analysis

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// listener hears queries and counts them.
type listener struct {
	queries     int
	nowhere     int // of them: of no known address
	first, last time.Time
	hours       map[int64]int // queries by hour since 1970

	byID      tallied[kad.ID]
	byAddress tallied[netip.Addr]

	methods, clients, families, marked queryClasses
	content                            content
}

// tallied counts values by the numbers that they get.
type tallied[T comparable] struct {
	number map[T]uint32
	counts []int
}

func (t *tallied[T]) add(v T) uint32 {
	n, ok := t.number[v]
	if !ok {
		n = uint32(len(t.counts))
		t.number[v] = n
		t.counts = append(t.counts, 0)
	}
	t.counts[n]++
	return n
}

// queryClasses counts the queries of each class, asker by asker.
type queryClasses struct {
	names  symbols[string]
	counts map[classOfAsker]int
}

// nobody is the number of the asker when its address is not known.
const nobody = math.MaxUint32

// classOfAsker is queries of one class by one address.
type classOfAsker struct{ class, asker uint32 }

func (c *queryClasses) add(name string, asker uint32) {
	c.counts[classOfAsker{c.names.of(name, strings.Clone), asker}]++
}

func newQueryClasses() queryClasses {
	return queryClasses{newSymbols[string](), map[classOfAsker]int{}}
}

func newListener() *listener {
	return &listener{
		hours:     map[int64]int{},
		byID:      tallied[kad.ID]{number: map[kad.ID]uint32{}},
		byAddress: tallied[netip.Addr]{number: map[netip.Addr]uint32{}},
		methods:   newQueryClasses(), clients: newQueryClasses(), families: newQueryClasses(), marked: newQueryClasses(),
		content: content{tallied[kad.ID]{number: map[kad.ID]uint32{}}},
	}
}

// hear counts a query.
func (l *listener) hear(q *Query) {
	l.queries++
	l.note(q.Time)
	if !q.Node.ID.IsZero() {
		l.byID.add(q.Node.ID)
	}
	asker := uint32(nobody)
	if addr := q.Node.Addr.Addr(); addr.IsValid() {
		asker = l.byAddress.add(addr)
	} else {
		l.nowhere++
	}
	l.methods.add(q.Method, asker)
	l.clients.add(q.Client, asker)
	family := ""
	if f := kad.FamilyOf(q.Node.Addr.Addr()); f != 0 {
		family = f.String()
	}
	l.families.add(family, asker)
	mark := ""
	if q.ReadOnly {
		mark = "read-only"
	}
	l.marked.add(mark, asker)
	if q.Infohash {
		l.content.add(q.Target)
	}
}

// note counts when a query came, if that is known.
func (l *listener) note(t time.Time) {
	if t.IsZero() {
		return
	}
	if l.first.IsZero() || t.Before(l.first) {
		l.first = t
	}
	if t.After(l.last) {
		l.last = t
	}
	l.hours[hourOf(t)]++
}

// tell returns the largest classes.
func (c *queryClasses) tell(l *listener, top int) QueryClasses {
	totals := make([]int, len(c.names.values))
	for k, n := range c.counts {
		totals[k.class] += n
	}
	var known []uint32
	for class := 1; class < len(totals); class++ {
		known = append(known, uint32(class))
	}
	slices.SortFunc(known, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(c.names.values[a], c.names.values[b]))
	})
	out := QueryClasses{Distinct: len(known)}
	add := func(name string, classes []uint32) {
		queries, asked := c.shares(l, classes)
		out.Classes = append(out.Classes, QueryClass{name, queries, asked})
	}
	n := min(top, len(known))
	for i, class := range known[:n] {
		add(c.names.values[class], known[i:i+1])
	}
	if n < len(known) {
		add(Other, known[n:])
	}
	if totals[0] > 0 {
		add(Unknown, []uint32{0})
	}
	return out
}

// shares returns the share of queries that are of some classes, and that of the
// addresses that sent any.
func (c *queryClasses) shares(l *listener, classes []uint32) (queries, askers Share) {
	in := make([]bool, len(c.names.values)+1)
	for _, class := range classes {
		in[min(int(class), len(c.names.values))] = true
	}
	parts := map[uint32]int{}
	for k, n := range c.counts {
		if in[k.class] {
			parts[k.asker] += n
		}
	}
	var r Ratio
	for asker, all := range l.byAddress.counts {
		r.Add(float64(parts[uint32(asker)]), float64(all), 1)
	}
	queries = r.Share(censusLevel)
	if l.nowhere > 0 { // whose they are is not known, and so no spread over askers
		queries.Count, queries.Of = queries.Count+float64(parts[nobody]), float64(l.queries)
		queries.Value, queries.Interval = queries.Count/queries.Of, Interval{}
		delete(parts, nobody)
	}
	return queries, together(0).ofHits(len(parts), len(l.byAddress.counts))
}
