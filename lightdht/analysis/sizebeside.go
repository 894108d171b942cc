package analysis

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Distances are those of the closest nodes that one lookup found, the nearest
// first, each as a share of the ID space: what kad.Distance.Fraction returns of
// nodes that answered. Leave out ranks that the lookup cannot be trusted with:
// d[:8] of a lookup that was 24 wide. A node that has the very ID of the target, or
// says so, stands at 0.
type Distances []float64

// Spacing is what [PooledSize] takes of the lookup.
func (d Distances) Spacing() Spacing {
	if len(d) == 0 {
		return Spacing{}
	}
	return Spacing{K: len(d), Distance: d[len(d)-1]}
}

// good reports whether they are shares of the space in order.
func (d Distances) good() bool {
	for _, at := range d {
		if !(at >= 0 && at <= 1) {
			return false
		}
	}
	return slices.IsSorted(d)
}

// check says what is wrong with the distances of a lookup.
func (d Distances) check(lookup int) error {
	if len(d) == 0 {
		return fmt.Errorf("lookup %d found no node", lookup)
	}
	if !d.good() {
		return fmt.Errorf("lookup %d: distances are not shares of the space, the nearest first: %v", lookup, d)
	}
	return nil
}

// Sizing is what each estimator makes of the same lookups.
type Sizing struct {
	Pooled  SizeEstimate   // the one to report
	Others  []SizeEstimate // for comparison with other work: least squares, median gap
	Refused []error        // why one of those is missing
}

// Sizes estimates the size of a network by all that needs nothing but lookups of
// random targets: by [PooledSize], whose error it returns, and beside that by
// [LeastSquares] and [MedianGap]. With [ErrOverlap] come the estimates, as there. The
// last distance of each lookup must be above 0; nodes before it may stand at 0.
func Sizes(lookups []Distances, confidence float64) (s Sizing, err error) {
	spacings := make([]Spacing, len(lookups))
	for i, d := range lookups {
		if err := d.check(i); err != nil {
			return Sizing{}, err
		}
		spacings[i] = d.Spacing()
	}
	s.Pooled, err = PooledSize(spacings, confidence)
	if err != nil && !errors.Is(err, ErrOverlap) {
		return Sizing{}, err
	}
	for _, estimate := range []func([]Distances, float64) (SizeEstimate, error){LeastSquares, MedianGap} {
		if e, refused := estimate(lookups, confidence); refused != nil {
			s.Refused = append(s.Refused, refused)
		} else {
			s.Others = append(s.Others, e)
		}
	}
	return s, err
}

// LookupsBorne is the largest number of lookups of the k closest nodes that a
// network of n nodes bears: together they name at most half of it. Beyond,
// [PooledSize] comes with [ErrOverlap]. It is 0 when not even one is borne.
func LookupsBorne(n float64, k int) int {
	if !(n > 0) || k < 1 {
		return 0
	}
	return int(n / float64(2*k))
}

// LeastSquares estimates the size of a network, in nodes, from the line through
// the origin that best fits distance against rank, for the i-th closest of N nodes
// lies at i/(N+1) on average. Over all ranks i of all lookups
//
//	slope = sum(i d_i) / sum(i^2),  N = 1/slope - 1
//
// which for lookups of equal length is the fit to their mean distances (Sohl, A
// quick way to estimate the size of the BitTorrent DHT, eli.sohl.com 2020; the
// libp2p of IPFS weighs the ranks). It takes for granted what PooledSize does. The
// estimate is high for few lookups, with 8 ranks by 16 % for one, 3.7 % for four and
// 0.9 % for 16, and it spreads wider than the pooled one: the ranks of a lookup lean
// on each other, and the fit takes them for independent.
//
// The interval is approximate: the jackknife of log N, each lookup left out once,
// with Student's t of lookups-1 degrees of freedom. One lookup gives no interval.
func LeastSquares(lookups []Distances, confidence float64) (SizeEstimate, error) {
	e, err := besides("least squares", lookups, confidence)
	if err != nil {
		return SizeEstimate{}, err
	}
	var up, down float64 // sum(i d_i) and sum(i^2)
	ups, downs := make([]float64, len(lookups)), make([]float64, len(lookups))
	for l, d := range lookups {
		for i, at := range d {
			rank := float64(i + 1)
			ups[l] += rank * at
			downs[l] += rank * rank
		}
		up, down = up+ups[l], down+downs[l]
	}
	if up == 0 {
		return SizeEstimate{}, errors.New("least squares sees no node at a distance above 0")
	}
	if up >= down/2 {
		return SizeEstimate{}, errors.New("least squares sees one node or none: the distances grow by half the space from rank to rank")
	}
	e.N = down/up - 1
	without := make([]float64, len(lookups))
	for l := range lookups {
		without[l] = math.Log((down-downs[l])/(up-ups[l]) - 1)
	}
	se := jackknife(without)
	return e.aroundLog(math.Log(e.N), se), nil
}

// MedianGap estimates the size of a network, in nodes, from the gaps between
// neighbours in each lookup, which are exponential with the mean 1/N and thus the
// median ln 2/N. Each lookup gives log2 N = -log2(median gap / ln 2), and N is 2 to
// the mean of those: the estimator of mldht, which takes a moving average where
// this takes the mean.
//
// It takes for granted what PooledSize does, and needs no distance to the target
// itself: the first gap is that between the two closest. With 8 ranks it is 4.5 %
// high however many the lookups, and for a few more than that; one lookup has a
// standard deviation of 0.78 in log2 N, a factor of 1.7. It bears a single wrong
// neighbour well.
//
// The interval is approximate: Student's t over the lookups, of log N. It narrows
// about the biased value, so that with many lookups it holds the truth less often
// than it says. One lookup gives no interval.
func MedianGap(lookups []Distances, confidence float64) (SizeEstimate, error) {
	e, err := besides("median gap", lookups, confidence)
	if err != nil {
		return SizeEstimate{}, err
	}
	logs := make([]float64, len(lookups))
	for l, d := range lookups {
		if len(d) < 2 {
			return SizeEstimate{}, fmt.Errorf("lookup %d found one node, and two are the least that have a gap", l)
		}
		gap := medianGap(d)
		if gap == 0 {
			return SizeEstimate{}, fmt.Errorf("lookup %d: half of its nodes or more stand at one distance", l)
		}
		logs[l] = -math.Log(gap / math.Ln2)
	}
	mean, sd := stat.MeanStdDev(logs, nil)
	e.N = math.Exp(mean)
	return e.aroundLog(mean, sd/math.Sqrt(float64(len(logs)))), nil
}

// besides checks the lookups and begins an estimate from them.
func besides(method string, lookups []Distances, confidence float64) (SizeEstimate, error) {
	if !(confidence > 0 && confidence < 1) {
		return SizeEstimate{}, fmt.Errorf("confidence %v is not between 0 and 1", confidence)
	}
	if len(lookups) == 0 {
		return SizeEstimate{}, errors.New("no lookups to estimate from")
	}
	e := SizeEstimate{Confidence: confidence, Lookups: len(lookups), Method: method}
	for l, d := range lookups {
		if err := d.check(l); err != nil {
			return SizeEstimate{}, err
		}
		e.Nodes += len(d)
	}
	return e, nil
}

// aroundLog gives e the interval of Student's t around log N, or none when the
// lookups are too few or do not bear it.
func (e SizeEstimate) aroundLog(log, se float64) SizeEstimate {
	if e.Lookups < 2 || math.IsNaN(se) {
		e.Confidence = 0
		return e
	}
	t := studentT(e.Confidence, e.Lookups-1)
	e.Lo, e.Hi = math.Exp(log-t*se), math.Exp(log+t*se)
	return e
}

// studentT is how many standard errors an interval reaches to either side.
func studentT(confidence float64, df int) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: float64(df)}.Quantile((1 + confidence) / 2)
}

// jackknife is the standard error of a statistic from its values with one of the
// parts left out: sqrt((n-1)/n sum (x - mean)^2). It is NaN for one part.
func jackknife(without []float64) float64 {
	n := float64(len(without))
	sd := stat.StdDev(without, nil)
	return sd * (n - 1) / math.Sqrt(n)
}

func medianGap(d Distances) float64 {
	gaps := make([]float64, len(d)-1)
	for i := range gaps {
		gaps[i] = d[i+1] - d[i]
	}
	slices.Sort(gaps)
	return (gaps[(len(gaps)-1)/2] + gaps[len(gaps)/2]) / 2
}
