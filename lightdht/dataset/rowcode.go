package dataset

import (
	"fmt"
	"math"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// A row is its kind, its length and its fields, so that one of a kind, or with
// fields, that a later version adds can be passed over.

// appendRow appends a row. What is longer than a row may be is cut: texts to
// maxText bytes, lists to maxList entries.
func appendRow(b []byte, row record.Row) []byte {
	var body [512]byte
	fields := appendFields(body[:0], row)
	b = append(b, byte(row.Kind()))
	return appendText(b, fields)
}

const (
	maxText = 256 // of a method, a purpose, an error
	maxList = 1024
)

func cut[T ~string | ~[]byte](s T) T { return s[:min(len(s), maxText)] }

// cuts returns how much of a row appendRow cuts.
func cuts(row record.Row) (n uint64) {
	texts := func(lengths ...int) {
		for _, l := range lengths {
			n += uint64(bit(l > maxText))
		}
	}
	switch r := row.(type) {
	case *record.Sighting:
		texts(len(r.Method), len(r.Version))
	case *record.Query:
		texts(len(r.Method), len(r.Version))
	case *record.Visit:
		texts(len(r.Method), len(r.Version))
		n += uint64(bit(len(r.Nodes) > maxList))
	case *record.Lookup:
		texts(len(r.Purpose), len(r.Err))
		n += uint64(bit(len(r.Closest) > maxList))
	case *record.Estimate:
		texts(len(r.What), len(r.Method))
	case *record.Endpoint:
		texts(len(r.Source))
	}
	return n
}

func appendFields(b []byte, row record.Row) []byte {
	b = appendInt(b, int64(StampOf(row.When())))
	switch r := row.(type) {
	case *record.Sighting:
		return appendSighting(b, r)
	case *record.Query:
		return appendQuery(b, r)
	case *record.Visit:
		return appendVisit(b, r)
	case *record.Lookup:
		return appendLookup(b, r)
	case *record.Estimate:
		return appendEstimate(b, r)
	case *record.Endpoint:
		b = append(b, r.Self[:]...)
		return appendText(appendAddr(b, r.Addr), cut(r.Source))
	}
	panic(fmt.Sprintf("a row of type %T", row))
}

// readRow reads the fields of a row of a kind. It is nil when the kind is none
// that this program knows.
func readRow(kind record.Kind, f *fields, names *names) record.Row {
	at := f.time()
	switch kind {
	case record.KindSighting:
		return readSighting(f, at, names)
	case record.KindQuery:
		return readQuery(f, at, names)
	case record.KindVisit:
		return readVisit(f, at, names)
	case record.KindLookup:
		return readLookup(f, at, names)
	case record.KindEstimate:
		return readEstimate(f, at, names)
	case record.KindEndpoint:
		return &record.Endpoint{Time: at, Self: f.id(), Addr: f.addr(), Source: names.of(f.text())}
	}
	return nil
}

func appendSighting(b []byte, s *record.Sighting) []byte {
	b = appendNode(append(b, s.Self[:]...), s.Node)
	b = append(b, byte(s.Event), byte(s.BEPs), bit(s.ReadOnly)|bit(s.Router)<<1|bit(s.Entrance)<<2)
	b = appendNode(b, s.By)
	b = appendMicros(b, s.RTT)
	b = appendText(b, cut(s.Version))
	return appendText(b, cut(s.Method))
}

func readSighting(f *fields, at time.Time, names *names) record.Row {
	s := &record.Sighting{Time: at, Self: f.id(), Node: f.node(), Event: record.Event(f.byte()), BEPs: record.BEPs(f.byte())}
	flags := f.byte()
	s.ReadOnly, s.Router, s.Entrance = flags&1 != 0, flags&2 != 0, flags&4 != 0
	s.By = f.node()
	s.RTT = f.micros()
	s.Version = f.bytes()
	s.Method = names.of(f.text())
	return s
}

func appendQuery(b []byte, q *record.Query) []byte {
	b = appendNode(append(b, q.Self[:]...), q.Node)
	b = appendTarget(b, q.Target)
	b = appendText(append(b, bit(q.ReadOnly)), cut(q.Method))
	return appendSmall(appendText(b, cut(q.Version)), q.Size)
}

func readQuery(f *fields, at time.Time, names *names) record.Row {
	return &record.Query{
		Time: at, Self: f.id(), Node: f.node(), Target: f.target(), ReadOnly: f.bool(),
		Method: names.of(f.text()), Version: f.bytes(), Size: f.small(),
	}
}

func appendVisit(b []byte, v *record.Visit) []byte {
	b = appendNode(append(b, v.Self[:]...), v.Node)
	b = appendTarget(b, v.Target)
	b = append(b, byte(v.Outcome), byte(v.BEPs))
	b = appendInt(b, int64(v.Code))
	b = appendMicros(b, v.RTT)
	b = append(b, v.Replier[:]...)
	b = appendText(b, cut(v.Method))
	b = appendText(b, cut(v.Version))
	b = appendSmall(b, v.Peers)
	b = appendSmall(appendSmall(b, v.Sent), v.Got)
	nodes := v.Nodes[:min(len(v.Nodes), maxList)]
	b = appendUint(b, uint64(len(nodes)))
	for _, n := range nodes {
		b = appendNode(b, n)
	}
	return b
}

func readVisit(f *fields, at time.Time, names *names) record.Row {
	v := &record.Visit{
		Time: at, Self: f.id(), Node: f.node(), Target: f.target(),
		Outcome: record.Outcome(f.byte()), BEPs: record.BEPs(f.byte()), Code: int(f.int()),
		RTT: f.micros(), Replier: f.id(), Method: names.of(f.text()), Version: f.bytes(),
		Peers: f.small(), Sent: f.small(), Got: f.small(),
	}
	if n := f.list(kad.Size + 3); n > 0 {
		v.Nodes = make([]kad.NodeInfo, n)
		for i := range v.Nodes {
			v.Nodes[i] = f.node()
		}
	}
	return v
}

func appendLookup(b []byte, l *record.Lookup) []byte {
	b = appendTarget(append(b, l.Self[:]...), l.Target)
	b = append(b, bit(l.Peers))
	b = appendText(appendText(b, cut(l.Purpose)), cut(l.Err))
	for _, n := range [...]int{
		l.K, l.Width, l.Asked, l.Answered, l.Strange, l.TimedOut, l.Failed, l.Silent, l.Hops, l.Found, l.Sent, l.Got,
	} {
		b = appendSmall(b, n)
	}
	b = appendMicros(b, l.Duration)
	closest := l.Closest[:min(len(l.Closest), maxList)]
	b = appendUint(b, uint64(len(closest)))
	for _, c := range closest {
		b = appendMicros(appendNode(b, c.Node), c.RTT)
		b = appendFloat(appendSmall(appendSmall(b, c.Hop), c.Bits), c.Distance)
	}
	return b
}

func readLookup(f *fields, at time.Time, names *names) record.Row {
	l := &record.Lookup{
		Time: at, Self: f.id(), Target: f.target(), Peers: f.bool(),
		Purpose: names.of(f.text()), Err: names.of(f.text()),
	}
	for _, n := range [...]*int{
		&l.K, &l.Width, &l.Asked, &l.Answered, &l.Strange, &l.TimedOut, &l.Failed, &l.Silent, &l.Hops, &l.Found, &l.Sent, &l.Got,
	} {
		*n = f.small()
	}
	l.Duration = f.micros()
	if n := f.list(kad.Size + 14); n > 0 {
		l.Closest = make([]record.Closest, n)
		for i := range l.Closest {
			l.Closest[i] = record.Closest{Node: f.node(), RTT: f.micros(), Hop: f.small(), Bits: f.small(), Distance: f.float()}
		}
	}
	return l
}

func appendEstimate(b []byte, e *record.Estimate) []byte {
	b = appendText(appendText(b, cut(e.What)), cut(e.Method))
	b = append(b, byte(e.Family))
	b = appendSmall(appendSmall(b, e.K), e.Samples)
	for _, x := range [...]float64{e.Value, e.Lo, e.Hi, e.Level, e.Recall} {
		b = appendFloat(b, x)
	}
	return b
}

func readEstimate(f *fields, at time.Time, names *names) record.Row {
	return &record.Estimate{
		Time: at, What: names.of(f.text()), Method: names.of(f.text()), Family: kad.Family(f.byte()),
		K: f.small(), Samples: f.small(),
		Value: f.float(), Lo: f.float(), Hi: f.float(), Level: f.float(), Recall: f.float(),
	}
}

func appendMicros(b []byte, d time.Duration) []byte { return appendInt(b, d.Microseconds()) }

func (f *fields) micros() time.Duration {
	n := f.int()
	if n < 0 {
		return -f.span(uint64(-n))
	}
	return f.span(uint64(n))
}

// span returns so many microseconds.
func (f *fields) span(n uint64) time.Duration {
	if n > uint64(math.MaxInt64/time.Microsecond) {
		f.fail()
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// bytes is text as a copy; nil when it is empty.
func (f *fields) bytes() []byte { return append([]byte(nil), f.text()...) }

// list reads the length of a list of entries of so many bytes or more.
func (f *fields) list(entry int) int {
	n := f.uint()
	if n > uint64(len(f.b)/entry) {
		f.fail()
		return 0
	}
	return int(n)
}
