package analysis

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// member is one that is counted: an ID or an address with what all its contacts tell,
// or a contact in a run.
type member struct {
	best     *censusRow // what stands for it where it can have one value only
	families family
	beps     extensions
	replies  uint64
	failures uint64
}

// family is a set of families.
type family uint8

const (
	only4 family = 1 << iota
	only6
)

var familyNames = [...]string{"", "ipv4", "ipv6", "both"}

func familyOf(r *censusRow) family {
	switch {
	case r.is(invalid):
		return 0
	case r.is4():
		return only4
	}
	return only6
}

// join adds a contact, to count for what stands for it if it is better.
func (m *member) join(r *censusRow, d *dictionary) {
	if m.best == nil || d.better(r, m.best) {
		m.best = r
	}
	m.replies += uint64(r.replies)
	m.failures += uint64(r.failures)
	m.families |= familyOf(r)
	m.beps |= r.beps
}

// settle writes down what it is in the row that stands for it.
func (m *member) settle() {
	r := m.best
	r.families, r.beps, r.about = m.families, m.beps, r.about|stands
	r.replies = uint32(min(m.replies, math.MaxUint32))
	r.failures = uint32(min(m.failures, math.MaxUint32))
}

// settled returns what a row stands for.
func (r *censusRow) settled() member {
	return member{best: r, families: r.families, beps: r.beps, replies: uint64(r.replies), failures: uint64(r.failures)}
}

// counts are how many of a class there are, by the key of the class; 0 is the key of
// what is unknown. Low keys, which most are, cost no search.
type counts struct {
	low  [512]int
	high map[uint32]int
}

func (c *counts) add(key uint32) {
	if key < uint32(len(c.low)) {
		c.low[key]++
		return
	}
	if c.high == nil {
		c.high = map[uint32]int{}
	}
	c.high[key]++
}

// of returns how many of a class there are.
func (c *counts) of(key uint32) int {
	if key < uint32(len(c.low)) {
		return c.low[key]
	}
	return c.high[key]
}

// known yields the classes that there are, in no order, but for that of what is
// unknown.
func (c *counts) known(yield func(key uint32, n int) bool) {
	for key, n := range c.low[1:] {
		if n > 0 && !yield(uint32(key+1), n) {
			return
		}
	}
	for key, n := range c.high {
		if !yield(key, n) {
			return
		}
	}
}

// The sections, as numbers.
const (
	inStates = iota
	inFamilies
	inClients
	inVersions
	inPorts
	inPortRanges
	inExtensions
	inNets8
	inNets16
	inNets32
	inCountries
	inSystems
	sections
)

var sectionNames = [sections]string{
	States, Families, Clients, Versions, Ports, PortRanges, Extensions, Nets8, Nets16, Nets32, Countries, Systems,
}

// headcount is what is counted in one way: of all IDs, of all addresses, or in a run.
type headcount struct {
	total    int // counted
	of       [sections]int
	classes  [sections]counts
	asked    int // were sent a query
	answered int // of them: answered one
	queries  Ratio
	trips    roundTrips
	untimed  int // answered, without a round trip
}

func newHeadcount() *headcount { return &headcount{trips: newRoundTrips()} }

// counter takes the classes of one that is counted, section by section; of extensions
// it may have several.
type counter interface {
	count(section int, class uint32)
}

// add counts one. Who never answered counts among states, and among those asked;
// in all else only if all do.
func (h *headcount) add(m *member, d *dictionary, all bool) {
	h.count(inStates, uint32(m.best.state))
	if sent := m.replies + m.failures; sent > 0 {
		h.asked++
		h.queries.Add(float64(m.replies), float64(sent), 1)
	}
	if m.replies > 0 {
		h.answered++
	}
	if m.replies > 0 || all {
		h.total++
		m.place(h)
		m.sort(h, d)
		h.time(m.best)
	}
	h.of[inExtensions] = h.total
}

func (h *headcount) count(section int, class uint32) {
	h.of[section]++
	h.classes[section].add(class)
}

// place counts where it is.
func (m *member) place(c counter) {
	r := m.best
	c.count(inFamilies, uint32(m.families))
	c.count(inPorts, uint32(r.port))
	c.count(inPortRanges, portRange(r.port))
	switch familyOf(r) {
	case only4:
		c.count(inNets8, 1+uint32(r.ip[12]))
		c.count(inNets16, 1+uint32(binary.BigEndian.Uint16(r.ip[12:])))
	case only6:
		c.count(inNets32, binary.BigEndian.Uint32(r.ip[:])) // that of ::/32 is no host's
	}
}

// sort counts what it is.
func (m *member) sort(c counter, d *dictionary) {
	client, where := d.softwares.values[m.best.client], d.places.values[m.best.place]
	c.count(inClients, client.client)
	c.count(inVersions, client.version)
	c.count(inCountries, where.country)
	c.count(inSystems, where.system)
	if m.beps == 0 {
		c.count(inExtensions, 0)
	}
	for set := uint(m.beps); set != 0; set &= set - 1 {
		c.count(inExtensions, 1+uint32(bits.TrailingZeros(set)))
	}
}

// time counts its round trip.
func (h *headcount) time(r *censusRow) {
	switch {
	case r.micros > 0:
		h.trips.add(r.micros)
	case r.answered():
		h.untimed++
	}
}

// The ranges of ports, in order.
var portRanges = [...]string{"", "6881", "6882-6999", "1-1023", "other, below 49152", "49152-65535"}

// portRange returns the number of the range of a port: what clients take by default,
// what only a system's own programs may, what is handed out at random.
func portRange(port uint16) uint32 {
	switch {
	case port == 0:
		return 0
	case port == 6881:
		return 1
	case port > 6881 && port < 7000:
		return 2
	case port < 1024:
		return 3
	case port < 49152:
		return 4
	}
	return 5
}

// part returns how many of a section have a class, and whole how many have any.
func (h *headcount) part(section int, class uint32) int {
	if section == inAsked {
		return h.answered
	}
	return h.classes[section].of(class)
}

func (h *headcount) whole(section int) int {
	if section == inAsked {
		return h.asked
	}
	return h.of[section]
}

// distinct returns how many classes of a section there are.
func (h *headcount) distinct(section int) (n int) {
	for range h.classes[section].known {
		n++
	}
	return n
}

// known returns the counts of the classes that are known.
func (h *headcount) known(section int) (known []int) {
	for _, n := range h.classes[section].known {
		known = append(known, n)
	}
	return known
}
