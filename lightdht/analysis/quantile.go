package analysis

import (
	"math"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/gonum/stat/distuv"
)

// orderStatistics is the method of the intervals of quantiles.
const orderStatistics = "order statistics"

// quantiles are those that are given of round trips.
var quantiles = []float64{0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99}

// QuantileRanks returns the rank of the p-quantile among n values in ascending
// order, counted from 1, and the ranks of the values between which the true one
// lies:
//
//	at = ceil(p n)
//	lo = the largest r with P(B < r) <= a/2,  hi = the smallest r with P(B >= r) <= a/2
//
// where B, the number of values below the true quantile, is binomial (n, p), and
// a = 1-level. The interval holds the true quantile at least as often as level says,
// whatever the values' distribution; where that is lumpy, still more often (David
// and Nagaraja, Order statistics, 2003, section 7.1). A lo of 0 and a hi of n+1 say
// that the values are too few to have an end on that side. It takes for granted that
// they are drawn independently.
func QuantileRanks(p float64, n int, level float64) (at, lo, hi int) {
	if n <= 0 {
		return 0, 0, 1
	}
	tail := (1 - level) / 2
	b := distuv.Binomial{N: float64(n), P: p}
	below := func(r int) float64 { return b.CDF(float64(r - 1)) }
	at = min(max(int(math.Ceil(p*float64(n))), 1), n)
	lo = sort.Search(n+1, func(r int) bool { return below(r) > tail }) - 1
	hi = sort.Search(n+1, func(r int) bool { return 1-below(r) <= tail })
	return at, max(lo, 0), hi
}

// effectiveRanks is QuantileRanks of n values that tell as much as m independent
// ones: the ranks of m, stretched outwards to n. It is the interval of Woodruff
// (Confidence intervals for medians and other position measures, J. Am. Stat. Assoc.
// 47, 1952), of the share of values up to the quantile.
func effectiveRanks(p float64, n int, m, level float64) (at, lo, hi int) {
	if at, lo, hi = QuantileRanks(p, n, level); m >= float64(n) {
		return at, lo, hi
	}
	few := int(m)
	if few < 1 {
		return at, 0, n + 1
	}
	_, lo, hi = QuantileRanks(p, few, level)
	if lo = lo * n / few; hi > few {
		return at, lo, n + 1
	}
	return at, lo, (hi*n + few - 1) / few
}

// quantileOf returns the p-quantile of n values, worth m independent ones, of which
// at returns that of a rank as the range in which it is known to lie. Its interval may
// have no upper end, and so few may be the values that there is none.
func quantileOf(p float64, n int, m float64, at func(rank int) (from, to float64)) Number {
	if n == 0 {
		return none()
	}
	middle, lo, hi := effectiveRanks(p, n, m, censusLevel)
	from, to := at(middle)
	q := Number{Value: from + (to-from)/2, Samples: n}
	if lo == 0 && hi > n {
		return q // without interval: it can be anything
	}
	q.Interval = Interval{Lo: 0, Hi: math.Inf(1), Level: censusLevel, Method: orderStatistics}
	if m < float64(n) {
		q.Interval.Method += ", effective number"
	}
	if lo > 0 {
		q.Interval.Lo, _ = at(lo)
	}
	if hi <= n {
		_, q.Interval.Hi = at(hi)
	}
	return q
}

// roundTrips is a histogram of round trips in microseconds, to three digits: what is
// told of one is at most a thousandth off.
type roundTrips struct{ *hdrhistogram.Histogram }

// longest is the longest round trip that is told from longer ones, in microseconds.
const longest = int64(time.Hour / time.Microsecond)

func newRoundTrips() roundTrips { return roundTrips{hdrhistogram.New(1, longest, 3)} }

// add adds one, of so many microseconds.
func (t roundTrips) add(micros uint32) {
	t.RecordValue(min(max(int64(micros), 1), longest)) // within its range: no error
}

// bars returns what is in it, in order.
func (t roundTrips) bars() (bars []Bar) {
	for _, b := range t.Distribution() {
		if b.Count > 0 {
			bars = append(bars, Bar{time.Duration(b.From) * time.Microsecond, time.Duration(b.To) * time.Microsecond, b.Count})
		}
	}
	return bars
}

// ranked are bars, with how many values lie in each or below.
type ranked struct {
	bars []Bar
	ends []int
}

func rank(bars []Bar) ranked {
	r, n := ranked{bars, make([]int, len(bars))}, 0
	for i, b := range bars {
		n += int(b.Count)
		r.ends[i] = n
	}
	return r
}

// len returns how many values there are.
func (r ranked) len() int {
	if len(r.ends) == 0 {
		return 0
	}
	return r.ends[len(r.ends)-1]
}

// at returns the bar of the value of a rank, and how many lie in it or below.
func (r ranked) at(rank int) (b Bar, upTo int) {
	i := sort.SearchInts(r.ends, rank)
	return r.bars[i], r.ends[i]
}

// upTo returns the ends of the bars of some quantiles, in microseconds, and how many
// values do not exceed them; nothing of no values.
func (r ranked) upTo(ps []float64) (most []uint32, values []int) {
	if r.len() == 0 {
		return nil, nil
	}
	for _, p := range ps {
		rank, _, _ := QuantileRanks(p, r.len(), censusLevel)
		b, n := r.at(rank)
		most = append(most, uint32(min(b.To/time.Microsecond, math.MaxUint32)))
		values = append(values, n)
	}
	return most, values
}

// quantiles returns some quantiles in microseconds; of the i-th of them all values
// are worth as many independent ones as worth returns, when it is there.
func (r ranked) quantiles(ps []float64, worth func(i int) float64) []Number {
	found := make([]Number, len(ps))
	for i, p := range ps {
		m := float64(r.len())
		if worth != nil && m > 0 {
			m = worth(i)
		}
		found[i] = quantileOf(p, r.len(), m, func(rank int) (from, to float64) {
			b, _ := r.at(rank)
			return float64(b.From) / 1e3, float64(b.To) / 1e3
		})
	}
	return found
}
