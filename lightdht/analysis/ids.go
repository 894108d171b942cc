package analysis

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// IDOptions say which contacts of IDs count, and what is known of them.
type IDOptions struct {
	All  bool       // those that never answered count too
	Zone kad.Prefix // the IDs are those of a zone: its bits are no chance

	// Hidden: IDs and addresses are pseudonyms, which keep common prefixes and
	// nothing else, no order and no neighbours. Zones of one prefix are all that
	// can be counted then, and which addresses are local is not known.
	Hidden bool

	// Unjudged: nor is it known which IDs fit their addresses. There is no
	// [IDSample.Compliance] then, and [BoundByAddress] is no other null hypothesis
	// than [OneNodePerAddress].
	Unjudged bool
}

// IDSample holds the contacts whose IDs are judged: 42 bytes for each, so that
// ten million take 420 MB. [GatherIDs] makes one; it is read only from then on.
type IDSample struct {
	Contacts  int // (ID, address) pairs that count, each once
	IDs       int // distinct IDs among them
	Addresses int // distinct IP addresses among them
	Silent    int // contacts left out, since they never answered

	options IDOptions
	records []idRecord // pairs of ID and IP address, each once, sorted by both
	clients []string   // what idRecord.client counts in; the first is ""
	perIP   Multiplicity
}

// idRecord is a contact as small as it gets.
type idRecord struct {
	id     kad.ID
	ip     [16]byte // IPv4 mapped into IPv6, so that they sort and compare as bytes
	port   uint16
	client uint16 // index of a client code
	secure bool   // BEP 42 allows the ID at the address
}

// addr returns the address without its port, unmapped.
func (r *idRecord) addr() netip.Addr { return netip.AddrFrom16(r.ip).Unmap() }

// is4 reports whether the address is one of IPv4.
func (r *idRecord) is4() bool {
	return [12]byte(r.ip[:12]) == [12]byte{10: 0xff, 11: 0xff}
}

// v4 returns the IPv4 address as a number.
func (r *idRecord) v4() uint32 { return binary.BigEndian.Uint32(r.ip[12:]) }

// upper returns the upper half of an IPv6 address, its /64.
func (r *idRecord) upper() uint64 { return binary.BigEndian.Uint64(r.ip[:]) }

// compareRecords orders by ID, then by IP address and port. The first eight bytes
// decide nearly always.
func compareRecords(a, b idRecord) int {
	if x, y := leading(a.id, 64), leading(b.id, 64); x != y {
		return cmp.Compare(x, y)
	}
	return cmp.Or(a.id.Compare(b.id), bytes.Compare(a.ip[:], b.ip[:]), cmp.Compare(a.port, b.port))
}

// GatherIDs takes in contacts, in any order. Those that never answered are no
// evidence of a node: unless they are asked for they are left out, and counted in
// Silent. IDs outside the options' zone are left out, too.
//
// An error of contacts is returned as it is. It is an error that none is left, that
// all have one ID, or one IP address: then neither [Null] says anything of them.
func GatherIDs(contacts iter.Seq2[*Contact, error], options IDOptions) (*IDSample, error) {
	s := &IDSample{options: options, clients: []string{""}}
	codes := map[string]uint16{"": 0}
	for c, err := range contacts {
		if err != nil {
			return nil, err
		}
		if !options.Zone.Contains(c.ID) {
			continue
		}
		if !options.All && !c.Answered() {
			s.Silent++
			continue
		}
		s.records = append(s.records, idRecord{
			id: c.ID, ip: c.Addr.Addr().As16(), port: c.Addr.Port(), client: s.code(codes, c.Client), secure: c.Secure && !options.Unjudged,
		})
	}
	s.order()
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// code returns the number of a client code, new ones included; 0, which is
// unknown, once there are too many to be true.
func (s *IDSample) code(codes map[string]uint16, client string) uint16 {
	code, known := codes[client]
	if !known && len(s.clients) <= math.MaxUint16 {
		code = uint16(len(s.clients))
		codes[client] = code
		s.clients = append(s.clients, client)
	}
	return code
}

// order sorts the records, drops what is there twice, and counts.
func (s *IDSample) order() {
	if !slices.IsSortedFunc(s.records, compareRecords) {
		slices.SortFunc(s.records, compareRecords)
	}
	same := func(a, b idRecord) bool { return a.id == b.id && a.ip == b.ip && a.port == b.port }
	s.records = slices.CompactFunc(s.records, same)
	s.Contacts = len(s.records)
	s.records = slices.CompactFunc(s.records, func(a, b idRecord) bool { return a.id == b.id && a.ip == b.ip })
	for range s.byID() {
		s.IDs++
	}
	s.perIP = s.perAddress()
	s.Addresses = s.perIP.Holders
}

// check says what the sample lacks.
func (s *IDSample) check() error {
	switch {
	case s.Contacts == 0 && s.Silent > 0:
		return fmt.Errorf("none of %d contacts ever answered: count those that were only mentioned with --all", s.Silent)
	case s.Contacts == 0:
		return errors.New("no contacts: there are no IDs to judge")
	case s.IDs == 1:
		return fmt.Errorf("one ID alone, %v: how IDs are spread takes at least %d", s.records[0].id, leastPoints)
	case s.Addresses == 1:
		return fmt.Errorf("all %d IDs are of one address, %v: what chance and BEP 42 do to IDs takes many addresses",
			s.IDs, s.records[0].addr())
	}
	return nil
}

// byID yields the records of one ID after the other.
func (s *IDSample) byID() iter.Seq[[]idRecord] { return runsOfIDs(s.records) }

// runsOfIDs yields sorted records, those of one ID at a time.
func runsOfIDs(records []idRecord) iter.Seq[[]idRecord] {
	return func(yield func([]idRecord) bool) {
		for begin := 0; begin < len(records); {
			end := begin + 1
			for end < len(records) && records[end].id == records[begin].id {
				end++
			}
			if !yield(records[begin:end]) {
				return
			}
			begin = end
		}
	}
}
