package analysis

import "slices"

// What is clustered besides the sections.
const (
	inAsked = sections + iota // sent a query; class 1: answered one
	inTimed                   // with a round trip; class i: up to the i-th of some bounds
	clusterings
)

// crowds are what a census by ID needs to know of addresses with several IDs: without
// them every ID would count as drawn by itself. An ID is where its best contact is.
type crowds struct {
	of      [clusterings]crowding
	queries Ratio // to add to that over IDs, so that it is one over addresses
	scratch crowd
}

// crowding is how much more the sums over addresses are than those over IDs, with m
// members at an address and x of a class among them. An address with one adds nothing.
type crowding struct {
	fewer   int     // sum of m - 1
	xx      float64 // sum of m^2 - m
	classes map[uint32]crowdedClass
}

// crowdedClass has the sums of x^2 - x and of x m - x.
type crowdedClass struct{ yy, xy float64 }

// add adds an address with so many members, which have the classes; it sorts them.
func (c *crowding) add(members int, classes []uint32) {
	if members < 2 {
		return
	}
	m := float64(members)
	c.fewer += members - 1
	c.xx += m*m - m
	if c.classes == nil {
		c.classes = map[uint32]crowdedClass{}
	}
	slices.Sort(classes)
	for len(classes) > 0 {
		class := classes[0]
		n := countWhile(classes, func(other uint32) bool { return other == class })
		x, was := float64(n), c.classes[class]
		c.classes[class] = crowdedClass{was.yy + x*x - x, was.xy + x*m - x}
		classes = classes[n:]
	}
}

// ratio returns the share of a class, hits of n, as one over addresses.
func (c *crowding) ratio(class uint32, hits, n int) Ratio {
	x, y, more := float64(n), float64(hits), c.classes[class]
	return Ratio{clusters: n - c.fewer, x: x, y: y, xx: x + c.xx, yy: y + more.yy, xy: y + more.xy}
}

// crowd is the IDs of one address.
type crowd struct {
	members       [clusterings]int
	classes       [clusterings][]uint32
	replies, sent float64
}

func (c *crowd) clear() {
	for i := range c.classes {
		c.classes[i] = c.classes[i][:0]
	}
	c.members, c.replies, c.sent = [clusterings]int{}, 0, 0
}

func (c *crowd) count(section int, class uint32) {
	c.members[section]++
	c.classes[section] = append(c.classes[section], class)
}

// findCrowds counts those of a slab that was counted by address and by ID. Round
// trips are told by which of bounds, in microseconds, they do not exceed.
func (s *slab) findCrowds(d *dictionary, all bool, bounds []uint32) *crowds {
	c := &crowds{}
	var last *censusRow
	for _, k := range s.orderCrowded() {
		r := s.at(k.at)
		if last != nil && last.compare(r, ByAddress) != 0 {
			c.flush()
		}
		c.join(r, d, all, bounds)
		last = r
	}
	c.flush()
	return c
}

// join takes in an ID as a headcount does.
func (c *crowds) join(r *censusRow, d *dictionary, all bool, bounds []uint32) {
	m, one := r.settled(), &c.scratch
	one.count(inStates, uint32(r.state))
	if sent := m.replies + m.failures; sent > 0 {
		one.count(inAsked, min(r.replies, 1))
		one.replies += float64(m.replies)
		one.sent += float64(sent)
		c.queries.Add(float64(m.replies), float64(sent), -1)
	}
	if m.replies == 0 && !all {
		return
	}
	m.place(one)
	m.sort(one, d)
	one.members[inExtensions] = one.members[inFamilies]
	if r.micros == 0 {
		return
	}
	one.members[inTimed]++
	for i, most := range bounds {
		if r.micros <= most {
			one.classes[inTimed] = append(one.classes[inTimed], uint32(i))
		}
	}
}

// flush ends an address.
func (c *crowds) flush() {
	one := &c.scratch
	for i := range c.of {
		c.of[i].add(one.members[i], one.classes[i])
	}
	if one.sent > 0 {
		c.queries.Add(one.replies, one.sent, 1)
	}
	one.clear()
}
