package dataset

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/table"
)

// Tally is what was seen of one contact in a span of time: its sightings, counted.
// Two tallies of one contact make one of the whole, see [Tally.Merge].
type Tally struct {
	Node kad.NodeInfo

	First   Stamp // first heard of, in any way
	Last    Stamp // last heard of or from, in any way; 0: of a span in which it only failed
	Query   Stamp // its last query; 0: none
	Reply   Stamp // its last answer; 0: none
	Failure Stamp // the last query of ours that it did not answer; 0: none

	Mentions, Queries, Replies, Failures uint32

	InRow    uint32        // of Failures: since its last answer
	RTT      time.Duration // round trip of its last answer, in whole microseconds
	Version  string        // the client version it last told, at most 64 bytes; "": none
	BEPs     record.BEPs   // what it was ever seen to support
	ReadOnly bool          // its last query was marked read-only
	Router   bool          // it is a bootstrap router
	Origin   table.Origin  // how it was first heard of
}

// maxVersion is how many bytes of a client version are kept.
const maxVersion = 64

// add adds a sighting. Its version is given besides, as it is kept.
func (t *Tally) add(s *record.Sighting, version string) {
	at := StampOf(s.Time).sometime()
	if t.First == 0 || at < t.First {
		t.First, t.Origin = at, origin(s)
	}
	t.Router = t.Router || s.Router
	if s.Event == record.Failed {
		t.Failure = max(t.Failure, at)
		count(&t.Failures)
		count(&t.InRow)
		return
	}
	t.BEPs |= s.BEPs
	t.Last = max(t.Last, at)
	if version != "" && at >= t.Query && at >= t.Reply {
		t.Version = version
	}
	switch s.Event {
	case record.Mentioned:
		count(&t.Mentions)
	case record.Queried:
		if at >= t.Query {
			t.Query, t.ReadOnly = at, s.ReadOnly
		}
		count(&t.Queries)
	case record.Replied:
		if at >= t.Reply {
			t.Reply, t.RTT = at, max(s.RTT, 0).Truncate(time.Microsecond)
		}
		count(&t.Replies)
		t.InRow = 0
	}
}

// count adds one to a number that stops at its highest value.
func count(n *uint32) { *n = sum(*n, 1) }

func sum(a, b uint32) uint32 {
	if a > math.MaxUint32-b {
		return math.MaxUint32
	}
	return a + b
}

// origin is how a contact was first heard of, when s is its first sighting.
func origin(s *record.Sighting) table.Origin {
	switch {
	case s.Entrance:
		return table.FromBootstrap
	case s.Event == record.Queried:
		return table.FromQuery
	case s.Event == record.Replied:
		return table.FromReply
	case s.Event == record.Failed:
		return table.FromBootstrap
	case s.By == kad.NodeInfo{}:
		return table.FromImport
	}
	return table.FromMention
}

// Merge adds what was seen of the same contact in another span of time, which
// may overlap: the one that began later if they do not. Counts add up, of times
// the first or the last stays, and what the last query or answer told is that of
// the later one. Which of the failures came in a row is exact when the spans do
// not overlap.
func (t *Tally) Merge(o *Tally) {
	t.mergeRow(o)
	if said, says := max(t.Query, t.Reply), max(o.Query, o.Reply); o.Version != "" && (says >= said || t.Version == "") {
		t.Version = o.Version
	}
	if o.First < t.First {
		t.First, t.Origin = o.First, o.Origin
	}
	if o.Query >= t.Query && o.Query != 0 {
		t.Query, t.ReadOnly = o.Query, o.ReadOnly
	}
	if o.Reply >= t.Reply && o.Reply != 0 {
		t.Reply, t.RTT = o.Reply, o.RTT
	}
	t.Last = max(t.Last, o.Last)
	t.Failure = max(t.Failure, o.Failure)
	t.Mentions = sum(t.Mentions, o.Mentions)
	t.Queries = sum(t.Queries, o.Queries)
	t.Replies = sum(t.Replies, o.Replies)
	t.Failures = sum(t.Failures, o.Failures)
	t.BEPs |= o.BEPs
	t.Router = t.Router || o.Router
}

// mergeRow counts the failures since the last answer of the two: those of a
// tally count unless the other one has a later answer than they are. Of what
// happened at one time, o's is the later.
func (t *Tally) mergeRow(o *Tally) {
	row := uint32(0)
	if t.Failure > o.Reply || o.Reply == 0 {
		row = t.InRow
	}
	if o.Failure >= t.Reply {
		row = sum(row, o.InRow)
	}
	t.InRow = row
}

// Seen returns when the contact was last heard of or from: when it first was, if it
// only failed.
func (t *Tally) Seen() Stamp { return max(t.Last, t.First) }

// sightings returns how many sightings tallies are of.
func sightings(tallies []Tally) (n uint64) {
	for i := range tallies {
		t := &tallies[i]
		n += uint64(t.Mentions) + uint64(t.Queries) + uint64(t.Replies) + uint64(t.Failures)
	}
	return n
}

// Contact returns t as a table keeps it.
func (t *Tally) Contact() table.Contact {
	return table.Contact{
		ID: t.Node.ID, Addr: t.Node.Addr,
		FirstSeen: t.First.Time(), LastSeen: t.Seen().Time(), LastQuery: t.Query.Time(), LastReply: t.Reply.Time(),
		LastRTT: t.RTT, Failures: int(min(t.InRow, math.MaxUint8)), Queries: t.Queries, Replies: t.Replies,
		Version: t.Version, ReadOnly: t.ReadOnly, Router: t.Router, Origin: t.Origin,
	}
}

// TallyOf returns the tally of a table's contact, which does not tell how often
// it was mentioned, nor how often it failed before its last answer.
func TallyOf(c table.Contact) Tally {
	t := Tally{
		Node: c.Info(), First: StampOf(c.FirstSeen), Last: StampOf(c.LastSeen), Query: StampOf(c.LastQuery), Reply: StampOf(c.LastReply),
		Queries: c.Queries, Replies: c.Replies, Failures: uint32(c.Failures), InRow: uint32(c.Failures),
		RTT: c.LastRTT.Truncate(time.Microsecond), Version: c.Version, ReadOnly: c.ReadOnly, Router: c.Router, Origin: c.Origin,
	}
	if t.Failures > 0 {
		t.Failure = t.Last
	}
	return t
}

// key is what tells contacts apart, in the order in which they are kept: of IDs,
// then of addresses.
type key struct {
	id   kad.ID
	ip   [16]byte // the IPv6 form of any
	port [2]byte
}

func keyOf(n kad.NodeInfo) (k key) {
	k.id, k.ip = n.ID, n.Addr.Addr().As16()
	binary.BigEndian.PutUint16(k.port[:], n.Addr.Port())
	return k
}

func (k *key) compare(o *key) int {
	if a, b := binary.BigEndian.Uint64(k.id[:]), binary.BigEndian.Uint64(o.id[:]); a != b {
		return cmp.Compare(a, b)
	}
	if c := bytes.Compare(k.id[8:], o.id[8:]); c != 0 {
		return c
	}
	if c := bytes.Compare(k.ip[:], o.ip[:]); c != 0 {
		return c
	}
	return bytes.Compare(k.port[:], o.port[:])
}

// How a tally is written, some 50 bytes:
//
//	1 what there is of it   1 origin   1 BEPs   20 ID   4 or 16 IP   2 port
//	first: microseconds after those of the frame, last: after first, and one more; 0 for none
//	reply, query, failure, each if there is one: after first; round trip; counts
//	mentions, if there are any; version, if there is one
//
// Numbers but for the first three are varints.
const (
	tallySix = 1 << iota
	tallyReadOnly
	tallyRouter
	tallyVersion
	tallyReply
	tallyQuery
	tallyFailure
	tallyMention
)

// parts returns the first byte of a tally.
func (t *Tally) parts() (p byte) {
	for i, is := range [...]bool{
		t.Node.Addr.Addr().Is6(), t.ReadOnly, t.Router, t.Version != "", t.Reply != 0, t.Query != 0, t.Failure != 0, t.Mentions != 0,
	} {
		p |= bit(is) << i
	}
	return p
}

// append appends t, in a frame whose time is base.
func (t *Tally) append(b []byte, base Stamp) []byte {
	parts := t.parts()
	b = append(append(b, parts, byte(t.Origin), byte(t.BEPs)), t.Node.ID[:]...)
	if parts&tallySix != 0 {
		ip := t.Node.Addr.Addr().As16()
		b = append(b, ip[:]...)
	} else {
		ip := t.Node.Addr.Addr().Unmap().As4()
		b = append(b, ip[:]...)
	}
	b = binary.LittleEndian.AppendUint16(b, t.Node.Addr.Port())
	b = appendInt(b, int64(t.First-base))
	b = appendUint(b, uint64(max(t.Last-t.First+1, 0)))
	if parts&tallyReply != 0 {
		b = appendInt(b, int64(t.Reply-t.First))
		b = appendUint(b, uint64(t.RTT/time.Microsecond))
		b = appendUint(b, uint64(t.Replies))
	}
	if parts&tallyQuery != 0 {
		b = appendUint(appendInt(b, int64(t.Query-t.First)), uint64(t.Queries))
	}
	if parts&tallyFailure != 0 {
		b = appendUint(appendInt(b, int64(t.Failure-t.First)), uint64(t.Failures))
		b = appendUint(b, uint64(t.InRow))
	}
	if parts&tallyMention != 0 {
		b = appendUint(b, uint64(t.Mentions))
	}
	if parts&tallyVersion != 0 {
		b = appendText(b, t.Version)
	}
	return b
}

// read reads what append wrote into t. Versions are taken from names, one string
// for each.
func (t *Tally) read(f *fields, base Stamp, names *names) {
	head := f.take(3 + kad.Size)
	if head == nil {
		return
	}
	parts := head[0]
	*t = Tally{
		Origin: table.Origin(head[1]), BEPs: record.BEPs(head[2]),
		ReadOnly: parts&tallyReadOnly != 0, Router: parts&tallyRouter != 0,
	}
	t.Node.ID = kad.ID(head[3:])
	t.Node.Addr = f.place(parts&tallySix != 0)
	t.First = base + f.stamp()
	if after := f.uint(); after > 0 {
		t.Last = t.First + Stamp(after-1)
	}
	if parts&tallyReply != 0 {
		t.Reply = t.First + f.stamp()
		t.RTT = f.span(f.uint())
		t.Replies = f.count()
	}
	if parts&tallyQuery != 0 {
		t.Query, t.Queries = t.First+f.stamp(), f.count()
	}
	if parts&tallyFailure != 0 {
		t.Failure, t.Failures, t.InRow = t.First+f.stamp(), f.count(), f.count()
	}
	if parts&tallyMention != 0 {
		t.Mentions = f.count()
	}
	if parts&tallyVersion != 0 {
		t.Version = names.of(f.text())
	}
}

// place reads an IP address of which the family is known, and a port.
func (f *fields) place(six bool) netip.AddrPort {
	size := uint64(4)
	if six {
		size = 16
	}
	b := f.take(size + 2)
	if b == nil {
		return netip.AddrPort{}
	}
	ip, _ := netip.AddrFromSlice(b[:size])
	return netip.AddrPortFrom(ip, binary.LittleEndian.Uint16(b[size:]))
}

// names keeps one string of each text: of client versions there are few.
type names map[string]string

// maxNames is how many are kept: anybody can make up versions.
const maxNames = 1 << 16

func (n *names) of(text []byte) string {
	if s, ok := (*n)[string(text)]; ok {
		return s
	}
	if *n == nil || len(*n) >= maxNames {
		*n = names{}
	}
	s := string(text)
	(*n)[s] = s
	return s
}
