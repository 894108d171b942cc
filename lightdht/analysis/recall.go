package analysis

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Pair is what two lookups of one target found, each the IDs of nodes that
// answered, in any order: at least its closest 8, or all when it found fewer.
type Pair struct {
	Target        kad.ID
	First, Second []kad.ID
}

// RecallEstimate is the share of the truly closest nodes that lookups find.
type RecallEstimate struct {
	Share    float64  // between 0 and 1
	Interval Interval // of Share
	Targets  int      // how many pairs it rests on
	Checked  int      // nodes among the closest 8 that the second lookups found
	Found    int      // how many of these the first lookups found, too
}

// String returns the share with its interval, as in
// "96.1 % (95 % interval 94.6 to 97.3 %, 984 of 1024 nodes around 128 targets)".
func (e RecallEstimate) String() string {
	i := e.Interval
	return fmt.Sprintf("%.1f %% (%.6g %% interval %.1f to %.1f %%, %d of %d nodes around %d targets)",
		100*e.Share, 100*i.Level, 100*i.Lo, 100*i.Hi, e.Found, e.Checked, e.Targets)
}

// Recall estimates the share of the true closest 8 that the first lookups found,
// for that makes a size low: with a share r of them PooledSize gives about r N. Each
// target was looked up twice, the second time better from elsewhere and wider. Take
// the closest 8 of what either found. Of those, the second lookups found some, and
//
//	Share = found by both / found by the second
//
// which is how an ecologist learns from a second catch how good the first was
// (Petersen 1896; Chapman, Univ. Calif. Publ. Stat. 1, 1951). That the eight are
// taken from the union does no harm: of a node that the second found, whether the
// first did is still an open question, and either lists all it found as far out.
//
// It takes for granted that
//   - the second lookup misses independently of the first. What both miss for one
//     reason (a node that nobody has in its table) is invisible here and makes the
//     share high: ask from elsewhere, with other contacts;
//   - the network is the same both times: who left in between was found but once,
//     and makes the share low when it came after the first, not when it left;
//   - a node of rank 9 is as easy to find as one of rank 8.
//
// The interval is that of Clopper and Pearson for a number of nodes that is worth
// as much as those checked, which miss in groups: their number over the design
// effect, the variance among targets over that of independent nodes, where that is
// above 1, and with Student's t for few targets (Korn and Graubard, Survey
// Methodology 24, 1998). When all were found, or none, nothing is known of groups,
// and the targets are counted for the nodes. It is conservative, but for the estimate
// of the design effect, which wants some dozens of targets.
//
// Fewer than two targets, or second lookups that found nothing, bear no estimate.
func Recall(pairs []Pair, confidence float64) (RecallEstimate, error) {
	if !(confidence > 0 && confidence < 1) {
		return RecallEstimate{}, fmt.Errorf("confidence %v is not between 0 and 1", confidence)
	}
	if len(pairs) < 2 {
		return RecallEstimate{}, fmt.Errorf("%d targets that were looked up twice are too few to tell what lookups find: want at least 2", len(pairs))
	}
	e := RecallEstimate{Targets: len(pairs)}
	checked, found := make([]int, len(pairs)), make([]int, len(pairs))
	for i, p := range pairs {
		checked[i], found[i] = p.compare()
		e.Checked += checked[i]
		e.Found += found[i]
	}
	if e.Checked == 0 {
		return RecallEstimate{}, errors.New("the second lookups found none of the closest nodes, so that there is nothing to check the first against")
	}
	e.Share = float64(e.Found) / float64(e.Checked)
	e.Interval = shareInterval(e.Share, worth(checked, found, e, confidence), confidence)
	return e, nil
}

// compare counts, of the closest 8 that either lookup found, those that the second
// found, and those of them that the first found.
func (p Pair) compare() (checked, found int) {
	either := slices.Concat(p.First, p.Second)
	slices.SortFunc(either, p.Target.CompareDistance)
	either = slices.Compact(either)
	for _, id := range either[:min(bucketSize, len(either))] {
		if slices.Contains(p.Second, id) {
			checked++
			if slices.Contains(p.First, id) {
				found++
			}
		}
	}
	return checked, found
}

// worth is how many independent nodes tell as much as those checked.
func worth(checked, found []int, e RecallEstimate, confidence float64) float64 {
	n, targets := float64(e.Checked), float64(e.Targets)
	if e.Found == 0 || e.Found == e.Checked {
		return min(n, targets)
	}
	squares := 0.0
	for i := range checked {
		off := float64(found[i]) - e.Share*float64(checked[i])
		squares += off * off
	}
	among := squares * targets / (targets - 1) / (n * n)
	alone := e.Share * (1 - e.Share) / n
	t := studentT(confidence, e.Checked-1) / studentT(confidence, e.Targets-1)
	return n / max(1, among/alone) * t * t
}

// shareInterval is the interval of Clopper and Pearson for a share of n, which need
// not be whole.
func shareInterval(share, n, confidence float64) Interval {
	i := Interval{Lo: 0, Hi: 1, Level: confidence, Method: "Clopper-Pearson over the design effect"}
	tail, hits := (1-confidence)/2, share*n
	if share > 0 {
		i.Lo = distuv.Beta{Alpha: hits, Beta: n - hits + 1}.Quantile(tail)
	}
	if share < 1 {
		i.Hi = distuv.Beta{Alpha: hits + 1, Beta: n - hits}.Quantile(1 - tail)
	}
	return i
}
