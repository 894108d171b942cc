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
	homes     []netip.Addr // of each by ID: the lowest address

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
		l.house(l.byID.add(q.Node.ID), q.Node.Addr.Addr())
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

// house takes in at which address an ID asks.
func (l *listener) house(id uint32, addr netip.Addr) {
	if int(id) == len(l.homes) {
		l.homes = append(l.homes, addr)
	} else if home := l.homes[id]; addr.IsValid() && (!home.IsValid() || addr.Less(home)) {
		l.homes[id] = addr
	}
}

// crowds returns the queries of the IDs of each address.
func (l *listener) crowds() [][]int {
	crowds := make([][]int, len(l.byAddress.counts))
	for id, addr := range l.homes {
		if !addr.IsValid() { // one that is at no address that is known is alone
			crowds = append(crowds, []int{l.byID.counts[id]})
			continue
		}
		at := l.byAddress.number[addr]
		crowds[at] = append(crowds[at], l.byID.counts[id])
	}
	return slices.DeleteFunc(crowds, func(c []int) bool { return c == nil })
}

// tell returns the largest classes, picked from all that there are, or all of those
// that are fixed.
func (c *queryClasses) tell(l *listener, top int, fixed bool) QueryClasses {
	totals, askers := make([]int, len(c.names.values)), make([]int, len(c.names.values))
	for k, n := range c.counts {
		totals[k.class] += n
		if k.asker != nobody {
			askers[k.class]++
		}
	}
	var all together
	if !fixed {
		all = classesThereAre(askers[1:], 0)
	}
	var known []uint32
	for class := 1; class < len(totals); class++ {
		known = append(known, uint32(class))
	}
	slices.SortFunc(known, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(c.names.values[a], c.names.values[b]))
	})
	out := QueryClasses{Distinct: len(known)}
	add := func(name string, classes []uint32, k together) *QueryClass {
		queries, asked := c.shares(l, classes, k)
		out.Classes = append(out.Classes, QueryClass{name, queries, asked})
		return &out.Classes[len(out.Classes)-1]
	}
	n := min(top, len(known))
	for i, class := range known[:n] {
		add(c.names.values[class], known[i:i+1], all)
	}
	if n < len(known) { // it is small because those picked are large
		other := add(Other, known[n:], 0)
		other.Queries.Interval, other.Askers.Interval = Interval{}, Interval{}
	}
	if totals[0] > 0 {
		add(Unknown, []uint32{0}, 0)
	}
	return out
}

// shares returns the share of queries that are of some classes, and that of the
// addresses that sent any.
func (c *queryClasses) shares(l *listener, classes []uint32, k together) (queries, askers Share) {
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
	queries = k.ofRatio(&r)
	if l.nowhere > 0 { // whose they are is not known, and so no spread over askers
		queries.Count, queries.Of = queries.Count+float64(parts[nobody]), float64(l.queries)
		queries.Value, queries.Interval = queries.Count/queries.Of, Interval{}
		delete(parts, nobody)
	}
	return queries, k.ofHits(len(parts), len(l.byAddress.counts))
}
