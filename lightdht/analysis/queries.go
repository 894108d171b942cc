package analysis

import (
	"errors"
	"iter"
	"math"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Query is a query that was received, as it is counted here.
type Query struct {
	Time     time.Time    // zero when it is not known
	Node     kad.NodeInfo // who asked; with the zero ID when it told none, and no valid address when that is not known
	Method   string
	Client   string // client code by BEP 20; "" when none was told
	Target   kad.ID // what it was about; zero when it was about nothing
	Infohash bool   // Target is the name of content, or a hash of that
	ReadOnly bool   // it was marked read-only (BEP 43)
}

// Traffic is what the queries received consist of. Those who ask come to a node by
// where its ID is and by how long it has been there: it is what one place of the
// network sees, and a sample of the network in no other way.
//
// Shares of queries have the interval of [Ratio] over the addresses that asked, as
// the queries of one are not independent; shares of askers that of [ClopperPearson].
// Where the address of any query is not known, shares of queries have none.
// Methods and clients are picked by size: their intervals hold together, over all
// that there are, and that of Other, which is what is left by that, is not given.
type Traffic struct {
	Queries     int
	First, Last time.Time // zero when the time of none is known
	Nowhere     int       // queries of which the address is not known: of no asker by address
	Rate        Number    // queries an hour, see rate
	ReadOnly    Share     // of queries
	Anonymous   int       // queries that told no ID: of no asker by ID

	Methods, Clients, Families QueryClasses

	ByID, ByAddress Askers
	Content         Popularity
}

// QueryClasses is how queries spread over classes.
type QueryClasses struct {
	Distinct int          // classes, unknown not among them
	Classes  []QueryClass // the largest first; then Other and Unknown, if there are any
}

// QueryClass is a class of queries.
type QueryClass struct {
	Name    string
	Queries Share // of all queries
	Askers  Share // of all addresses that asked anything: that asked one of these
}

// Askers are those who asked.
type Askers struct {
	Distinct  int
	Quantiles []AskerQuantile
	Most      int   // queries of the busiest
	TopTen    Share // of queries: by the ten that asked most; they were chosen by that, so that it has no interval
}

// AskerQuantile is a quantile of the queries by asker.
type AskerQuantile struct {
	P  float64
	At Number
}

// ErrNoQueries says that there are none.
var ErrNoQueries = errors.New("no queries to count")

// CountQueries counts queries, which may come in any order. Each section names the
// top largest classes, 10 when top is 0. Without queries it is [ErrNoQueries].
func CountQueries(queries iter.Seq2[*Query, error], top int) (*Traffic, error) {
	if top <= 0 {
		top = 10
	}
	l := newListener()
	for q, err := range queries {
		if err != nil {
			return nil, err
		}
		l.hear(q)
	}
	if l.queries == 0 {
		return nil, ErrNoQueries
	}
	return l.tell(top), nil
}

func (l *listener) tell(top int) *Traffic {
	t := &Traffic{
		Queries: l.queries, First: l.first, Last: l.last, Nowhere: l.nowhere, Rate: l.rate(), Anonymous: l.queries - sum(l.byID.counts),
		Methods: l.methods.tell(l, top, false), Clients: l.clients.tell(l, top, false), Families: l.families.tell(l, top, true),
		ByID: askers(l.byID.counts, l.crowds()), ByAddress: askers(l.byAddress.counts, nil), Content: l.content.popularity(top),
	}
	t.ReadOnly, _ = l.marked.shares(l, []uint32{1}, 0)
	return t
}

// askers tells how the queries spread over those who asked, which come in crowds; nil:
// each by itself.
func askers(counts []int, crowds [][]int) Askers {
	a := Askers{Distinct: len(counts)}
	if len(counts) == 0 {
		return a
	}
	sorted := descending(counts)
	at := func(rank int) (from, to float64) {
		v := float64(sorted[len(sorted)-rank])
		return v, v
	}
	for _, p := range []float64{0.5, 0.9, 0.99} {
		a.Quantiles = append(a.Quantiles, AskerQuantile{p, quantileOf(p, len(sorted), worthOf(p, sorted, crowds), at)})
	}
	a.Most = sorted[0]
	a.TopTen = firstOf(sorted, 10)
	return a
}

// worthOf returns how many independent askers tell as much of a quantile as those that
// come in crowds.
func worthOf(p float64, sorted []int, crowds [][]int) float64 {
	if crowds == nil {
		return float64(len(sorted))
	}
	rank, _, _ := QuantileRanks(p, len(sorted), censusLevel)
	most := sorted[len(sorted)-rank]
	var r Ratio
	for _, crowd := range crowds {
		within := 0
		for _, n := range crowd {
			if n <= most {
				within++
			}
		}
		r.Add(float64(within), float64(len(crowd)), 1)
	}
	return r.worth(censusLevel)
}

// firstOf returns the share of the first n of counts, without an interval.
func firstOf(counts []int, n int) Share {
	return shareWithout(float64(sum(counts[:min(n, len(counts))])), float64(sum(counts)), len(counts))
}

func sum(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// rate returns the queries an hour: the mean of the whole hours of the clock between
// the first and the last query, with its interval by Student's t, when there are two
// or more; else the queries over the time from first to last, without interval, if
// that is a minute at the least. It takes hours for independent and alike, which over a
// day they are not, and hours in which nobody listened for hours in which nobody asked:
// it is of hours, and not of the addresses that asked as all else is. Over more than a
// century, as a clock that was wrong makes it, there is none.
func (l *listener) rate() Number {
	first, last := hourOf(l.first), hourOf(l.last)
	if l.first.IsZero() || last-first > 1e6 {
		return none()
	}
	var whole []float64
	for h := first + 1; h < last; h++ {
		whole = append(whole, float64(l.hours[h]))
	}
	if len(whole) >= 2 {
		n := Mean(whole, censusLevel).within(0, math.Inf(1))
		if n.Interval.Level > 0 {
			n.Interval.Method = "Student's t over hours"
		}
		return n
	}
	n := none()
	if took := l.last.Sub(l.first); took >= time.Minute {
		n.Value, n.Samples = float64(l.queries)/took.Hours(), l.queries
	}
	return n
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }
