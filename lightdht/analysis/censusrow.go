package analysis

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// censusRow is a contact as a census keeps it: 64 bytes without pointers, so that ten
// million of them cost the garbage collector nothing. Texts are numbers of symbols.
type censusRow struct {
	id       kad.ID
	ip       [16]byte // IPv4 mapped into IPv6
	port     uint16
	beps     extensions
	client   uint32 // of clientOf
	place    uint32 // of placeOf
	micros   uint32 // round trip; 0: none known
	replies  uint32
	failures uint32
	state    uint8
	families family // of all contacts of the ID, in the row that stands for it
	about    rowFlag
}

// rowFlag says what a row is among others.
type rowFlag uint8

const (
	invalid rowFlag = 1 << iota // the address is none
	stands                      // for its ID, and has what all contacts of that tell
	crowded                     // there are more contacts at its address
)

func (r *censusRow) is(f rowFlag) bool { return r.about&f != 0 }

// software is what a client is called, and place where an address is.
type (
	software struct{ client, version uint32 }
	place    struct{ country, system uint32 }
)

// symbols number values in the order in which they come, the zero value first.
type symbols[T comparable] struct {
	values []T
	number map[T]uint32
}

func newSymbols[T comparable]() symbols[T] {
	var zero T
	return symbols[T]{values: []T{zero}, number: map[T]uint32{zero: 0}}
}

// of returns the number of a value. own makes a copy to keep, of one that is new.
func (s *symbols[T]) of(v T, own func(T) T) uint32 {
	if n, ok := s.number[v]; ok {
		return n
	}
	n := uint32(len(s.values))
	if own != nil {
		v = own(v)
	}
	s.values, s.number[v] = append(s.values, v), n
	return n
}

// dictionary numbers the texts of contacts.
type dictionary struct {
	states, clients, versions, countries symbols[string]
	systems                              symbols[uint32] // by their number alone
	orgs                                 []string        // of systems, the least of those told
	softwares                            symbols[software]
	places                               symbols[place]
	extensions                           extensionNames
}

func newDictionary() *dictionary {
	return &dictionary{
		states: newSymbols[string](), clients: newSymbols[string](), versions: newSymbols[string](), countries: newSymbols[string](),
		systems: newSymbols[uint32](), orgs: []string{""}, softwares: newSymbols[software](), places: newSymbols[place](),
		extensions: extensionNames{sets: map[string]extensions{}},
	}
}

// row returns a contact as it is kept.
func (d *dictionary) row(c *Contact) censusRow {
	addr := c.Addr.Addr()
	r := censusRow{
		id: c.ID, port: c.Addr.Port(), replies: c.Replies, failures: c.Failures,
		beps: d.extensions.of(c.BEPs), state: uint8(min(d.states.of(c.State, strings.Clone), math.MaxUint8)),
		micros: microseconds(c.RTT),
	}
	if addr.IsValid() {
		r.ip = addr.As16()
	} else {
		r.about = invalid
	}
	r.client = d.softwares.of(software{d.clients.of(c.Client, strings.Clone), d.versions.of(c.Version, strings.Clone)}, nil)
	r.place = d.places.of(place{d.countries.of(c.Country, strings.Clone), d.system(c)}, nil)
	return r
}

// system returns the number of a contact's autonomous system. Of several names that
// are told of one, the first in the alphabet counts, so that their order is nothing.
func (d *dictionary) system(c *Contact) uint32 {
	n := d.systems.of(c.ASN, nil)
	if int(n) == len(d.orgs) {
		d.orgs = append(d.orgs, strings.Clone(c.Org))
	} else if known := d.orgs[n]; n > 0 && c.Org != known && c.Org != "" && (known == "" || c.Org < known) {
		d.orgs[n] = strings.Clone(c.Org)
	}
	return n
}

// microseconds returns a round trip as it is kept: rounded, 1 at least, 0 for none.
func microseconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return uint32(min(max(int64((d+time.Microsecond/2)/time.Microsecond), 1), math.MaxUint32))
}

// is4 reports whether the address is of IPv4.
func (r *censusRow) is4() bool {
	return binary.BigEndian.Uint64(r.ip[:]) == 0 && binary.BigEndian.Uint32(r.ip[8:]) == 0xffff
}

func (r *censusRow) answered() bool { return r.replies > 0 }

// better orders contacts by how much is to be learned from them: those that answered
// first, then those with more replies and fewer failures. Of two that are alike in
// that, the lower address and ID comes first, and at last what is known of them
// decides, so that it never matters which came first.
func (d *dictionary) better(a, b *censusRow) bool {
	for _, c := range [...]int{
		cmp.Compare(b.replies, a.replies), cmp.Compare(a.failures, b.failures),
		bytes.Compare(a.ip[:], b.ip[:]), cmp.Compare(a.port, b.port), bytes.Compare(a.id[:], b.id[:]),
	} {
		if c != 0 {
			return c < 0
		}
	}
	return d.compareTold(a, b) < 0
}

// compareTold orders contacts by what was told of them; what is known comes before
// what is not.
func (d *dictionary) compareTold(a, b *censusRow) int {
	s, t := d.softwares.values[a.client], d.softwares.values[b.client]
	p, q := d.places.values[a.place], d.places.values[b.place]
	return cmp.Or(
		knownFirst(d.clients.values[s.client], d.clients.values[t.client]),
		knownFirst(d.versions.values[s.version], d.versions.values[t.version]),
		knownFirst(d.states.values[a.state], d.states.values[b.state]),
		cmp.Compare(b.micros, a.micros),
		knownFirst(d.countries.values[p.country], d.countries.values[q.country]),
		cmp.Compare(d.systems.values[q.system], d.systems.values[p.system]),
	)
}

// knownFirst compares texts, "" being the last.
func knownFirst(a, b string) int {
	if (a == "") != (b == "") {
		return cmp.Compare(len(b), len(a))
	}
	return strings.Compare(a, b)
}

// slab keeps rows in pieces, so that it never holds two copies of them.
type slab struct {
	pieces [][]censusRow
	len    int
	keys   []sortKey // of the last order, to be used again
}

// piece is how many rows a piece has.
const piece = 1 << 15

func (s *slab) add(r censusRow) {
	if s.len%piece == 0 {
		s.pieces = append(s.pieces, make([]censusRow, 0, piece))
	}
	last := &s.pieces[len(s.pieces)-1]
	*last = append(*last, r)
	s.len++
}

func (s *slab) at(i uint32) *censusRow { return &s.pieces[i/piece][i%piece] }

// gather keeps all contacts.
func (s *slab) gather(contacts iter.Seq2[*Contact, error], d *dictionary) error {
	for c, err := range contacts {
		if err != nil {
			return err
		}
		s.add(d.row(c))
	}
	return nil
}

// sortKey is where a row is, and the beginning of what it is sorted by.
type sortKey struct {
	begin uint64
	at    uint32
}

// order returns the rows by ID, or by address, and those of one by the other and the
// port. Rows of one contact stand together, in no order. What it returned before is
// overwritten.
func (s *slab) order(by Counting) []sortKey {
	if s.keys == nil {
		s.keys = make([]sortKey, s.len)
	}
	for i := range s.keys {
		s.keys[i] = sortKey{s.at(uint32(i)).begin(by), uint32(i)}
	}
	s.sort(s.keys, by)
	return s.keys
}

// orderCrowded returns those that stand for an ID, and are not alone at their address,
// by that, in the room of an order that was.
func (s *slab) orderCrowded() []sortKey {
	keys := s.keys[:0]
	for i := range uint32(s.len) {
		if r := s.at(i); r.is(stands) && r.is(crowded) {
			keys = append(keys, sortKey{r.begin(ByAddress), i})
		}
	}
	s.sort(keys, ByAddress)
	return keys
}

func (s *slab) sort(keys []sortKey, by Counting) {
	slices.SortFunc(keys, func(a, b sortKey) int {
		if a.begin != b.begin {
			return cmp.Compare(a.begin, b.begin)
		}
		x, y := s.at(a.at), s.at(b.at)
		if c := x.compare(y, by); c != 0 {
			return c
		}
		return x.compareContact(y)
	})
}

// begin is what differs most in what rows are ordered by: of IPv4 the half of the
// address that is not the same in all.
func (r *censusRow) begin(by Counting) uint64 {
	switch {
	case by == ByID:
		return binary.BigEndian.Uint64(r.id[:])
	case r.is4():
		return binary.BigEndian.Uint64(r.ip[8:])
	}
	return binary.BigEndian.Uint64(r.ip[:])
}

// compare orders rows by what counts as one.
func (r *censusRow) compare(other *censusRow, by Counting) int {
	if by == ByID {
		return bytes.Compare(r.id[:], other.id[:])
	}
	return bytes.Compare(r.ip[:], other.ip[:])
}

// compareContact orders rows by contact.
func (r *censusRow) compareContact(other *censusRow) int {
	if c := bytes.Compare(r.ip[:], other.ip[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(r.port, other.port); c != 0 {
		return c
	}
	return bytes.Compare(r.id[:], other.id[:])
}
