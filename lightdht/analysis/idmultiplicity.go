package analysis

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Multiplicity is how many of one thing each holder has: IDs of an address,
// addresses of an ID. It counts the sample and estimates nothing: no interval.
type Multiplicity struct {
	Of, Per string // "IDs" per "IPv4 /24"
	Holders int    // that have at least one
	Mean    float64
	Median  int         // so many or fewer have at least half of the holders
	P90     int         // nine in ten
	P99     int         // 99 in 100
	Most    int         // the greatest
	Powers  []Power     // holders of 1, 2, 3-4, 5-8, …; without gaps up to Most
	Largest []Holder    // the ten with most, from many to few
	Tail    []TailPoint // the complementary distribution: one point for each count that occurs
}

// Power counts the holders of From to To things.
type Power struct{ From, To, Holders int }

// Holder is a holder and how many things it has.
type Holder struct {
	Name  string // an address, a network as in 192.0.2.0/24, or an ID
	Count int
}

// TailPoint says which share of the holders has Count things or more.
type TailPoint struct {
	Count int
	Share float64
}

// largest is how many holders are named.
const largest = 10

// Multiplicities returns how many IDs there are per IP address, addresses per ID,
// IDs per /24 of IPv4 and IDs per /64 of IPv6; the last two only where there are
// such addresses. An ID seen at two addresses of a network counts once there.
//
// A host that rotates its ID, and a crowd behind one address, have many IDs per
// address; a network held by one hand has many per /24; an ID that is stolen,
// or whose address changes, has many addresses.
func (s *IDSample) Multiplicities() []Multiplicity {
	all := []Multiplicity{s.perIP, s.perID()}
	for _, m := range []Multiplicity{s.per24(), s.per64()} {
		if m.Holders > 0 {
			all = append(all, m)
		}
	}
	return all
}

func (s *IDSample) perID() Multiplicity {
	var t holderTally[kad.ID]
	for run := range s.byID() {
		t.add(run[0].id, len(run))
	}
	return t.told("addresses", "ID", kad.ID.String)
}

func (s *IDSample) perAddress() Multiplicity {
	var v4 []uint32
	var v6 [][2]uint64
	for i := range s.records {
		if r := &s.records[i]; r.is4() {
			v4 = append(v4, r.v4())
		} else {
			v6 = append(v6, [2]uint64{binary.BigEndian.Uint64(r.ip[:]), binary.BigEndian.Uint64(r.ip[8:])})
		}
	}
	var t holderTally[netip.Addr]
	slices.Sort(v4)
	for key, n := range lengths(v4) {
		t.add(v4Addr(key), n)
	}
	slices.SortFunc(v6, func(a, b [2]uint64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for key, n := range lengths(v6) {
		t.add(v6Addr(key[0], key[1]), n)
	}
	return t.told("IDs", "IP address", netip.Addr.String)
}

func (s *IDSample) per24() Multiplicity {
	networks := distinctPerID(s, func(r *idRecord) (uint32, bool) { return r.v4() &^ 0xff, r.is4() })
	var t holderTally[netip.Prefix]
	for key, n := range lengths(networks) {
		t.add(netip.PrefixFrom(v4Addr(key), 24), n)
	}
	return t.told("IDs", "IPv4 /24", netip.Prefix.String)
}

func (s *IDSample) per64() Multiplicity {
	networks := distinctPerID(s, func(r *idRecord) (uint64, bool) { return binary.BigEndian.Uint64(r.ip[:]), !r.is4() })
	var t holderTally[netip.Prefix]
	for key, n := range lengths(networks) {
		t.add(netip.PrefixFrom(v6Addr(key, 0), 64), n)
	}
	return t.told("IDs", "IPv6 /64", netip.Prefix.String)
}

// distinctPerID returns the networks of all IDs, sorted, each as often as IDs are
// in it. Records of one ID are sorted by address, so equal networks are neighbours.
func distinctPerID[K cmp.Ordered](s *IDSample, network func(*idRecord) (K, bool)) []K {
	var all []K
	for run := range s.byID() {
		begin := len(all)
		for i := range run {
			if key, ok := network(&run[i]); ok && (len(all) == begin || all[len(all)-1] != key) {
				all = append(all, key)
			}
		}
	}
	slices.Sort(all)
	return all
}

// lengths yields each key of a sorted slice and how often it is there.
func lengths[K comparable](sorted []K) iter.Seq2[K, int] {
	return func(yield func(K, int) bool) {
		for begin := 0; begin < len(sorted); {
			end := begin + 1
			for end < len(sorted) && sorted[end] == sorted[begin] {
				end++
			}
			if !yield(sorted[begin], end-begin) {
				return
			}
			begin = end
		}
	}
}

func v4Addr(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

func v6Addr(high, low uint64) netip.Addr {
	return netip.AddrFrom16([16]byte(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, high), low)))
}

// holderTally counts holders by how many things they have.
type holderTally[K any] struct {
	holders map[int]int // by count
	top     []K         // with most, from many to few
	counts  []int       // of top
}

// add takes in a holder. Among holders of as many, the first keeps its place.
func (t *holderTally[K]) add(key K, count int) {
	if t.holders == nil {
		t.holders = map[int]int{}
	}
	t.holders[count]++
	if len(t.top) == largest && count <= t.counts[largest-1] {
		return
	}
	at := len(t.counts)
	for at > 0 && t.counts[at-1] < count {
		at--
	}
	t.top = slices.Insert(t.top, at, key)
	t.counts = slices.Insert(t.counts, at, count)
	if len(t.top) > largest {
		t.top, t.counts = t.top[:largest], t.counts[:largest]
	}
}

// told returns what was counted, with names for the largest.
func (t *holderTally[K]) told(of, per string, name func(K) string) Multiplicity {
	m := Multiplicity{Of: of, Per: per}
	var sorted []int
	things := 0
	for count, holders := range t.holders {
		sorted = append(sorted, count)
		m.Holders += holders
		things += count * holders
	}
	if m.Holders == 0 {
		return m
	}
	slices.Sort(sorted)
	m.Mean = float64(things) / float64(m.Holders)
	m.Most = sorted[len(sorted)-1]
	m.Powers = make([]Power, bits.Len(uint(m.Most-1))+1)
	for i := range m.Powers {
		m.Powers[i] = Power{From: 1<<i/2 + 1, To: 1 << i}
	}
	below := 0
	for _, count := range sorted {
		m.Tail = append(m.Tail, TailPoint{count, float64(m.Holders-below) / float64(m.Holders)})
		m.Powers[bits.Len(uint(count-1))].Holders += t.holders[count]
		below += t.holders[count]
		m.quantile(count, below)
	}
	for i, key := range t.top {
		m.Largest = append(m.Largest, Holder{name(key), t.counts[i]})
	}
	return m
}

// quantile notes count for the quantiles that the holders of so many or fewer,
// below, are the first to reach.
func (m *Multiplicity) quantile(count, below int) {
	for _, q := range []struct {
		percent int
		at      *int
	}{{50, &m.Median}, {90, &m.P90}, {99, &m.P99}} {
		if *q.at == 0 && 100*below >= q.percent*m.Holders {
			*q.at = count
		}
	}
}
