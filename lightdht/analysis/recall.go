package analysis

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
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
// target was looked up twice, the second time twice as wide. Take the closest 8 of
// what either found. Of those, the second lookups found some, and
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
//     share high. So the second must be wider: as wide as the first it hides behind
//     the same contacts and is worth nothing (in simulated networks a share of 93 %
//     is then told as 99.6 %), while another node to look from adds nothing to width;
//   - the network is the same both times: who left in between was found but once,
//     and makes the share low when it came after the first, not when it left;
//   - a node of rank 9 is as easy to find as one of rank 8.
//
// The interval is that of Clopper and Pearson for a number of nodes that is worth
// as much as those checked, which miss in groups: their number over the design
// effect, the variance among targets over that of independent nodes, where that is
// above 1, and with Student's t for few targets (Korn and Graubard, Survey
// Methodology 24, 1998). Its lower end allows for a kind of bad lookup that is too
// rare to be among those made: it is found as though one more target had been looked
// up, of which the first lookup found nothing, in the place of the one more miss of
// Clopper and Pearson. With all found that is theirs for as many targets, about
// 1-3.7/targets, and no interval that bears such lookups can end much higher: what
// no target shows, more nodes of the same targets do not rule out.
//
// It is conservative. Simulated, intervals of 95 % hold the truth 97 times in 100 or
// more where no lookup is bad, where 10 % find half, and where 5 % or 2 % find an
// eighth, for 32 targets and more; scripts/validate holds it to that. What no lookup
// of either kind finds it does not cover.
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
	catches := make([]catch, len(pairs), len(pairs)+1)
	for i, p := range pairs {
		checked, found := p.compare()
		catches[i] = catch{float64(checked), float64(found)}
		e.Checked += checked
		e.Found += found
	}
	if e.Checked == 0 {
		return RecallEstimate{}, errors.New("the second lookups found none of the closest nodes, so that there is nothing to check the first against")
	}
	e.Share = float64(e.Found) / float64(e.Checked)
	e.Interval = recallInterval(catches, confidence)
	return e, nil
}

// catch is how many nodes of one target were checked, and found.
type catch struct{ checked, found float64 }

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

// recallInterval is the interval of the share found, as told at [Recall].
func recallInterval(catches []catch, confidence float64) Interval {
	i := Interval{Lo: 0, Hi: 1, Level: confidence, Method: "Clopper-Pearson over the design effect"}
	share, checked, n := worth(catches, confidence)
	if share < 1 {
		_, i.Hi = exactLimits(share*n, n, confidence)
	}
	if share > 0 {
		share, _, n = worth(append(catches, catch{checked / float64(len(catches)), 0}), confidence)
		i.Lo = lowQuantile((1-confidence)/2, share*n, n-share*n)
	}
	return i
}

// worth is the share found of all nodes checked, and how many independent nodes
// would tell as much of it. When all were found, or none, nothing is known of
// groups, and the targets are counted for the nodes.
func worth(catches []catch, confidence float64) (share, checked, n float64) {
	found, targets := 0.0, float64(len(catches))
	for _, c := range catches {
		checked, found = checked+c.checked, found+c.found
	}
	share = found / checked
	if share == 0 || share == 1 {
		return share, checked, min(checked, targets)
	}
	squares := 0.0
	for _, c := range catches {
		off := c.found - share*c.checked
		squares += off * off
	}
	among := squares * targets / (targets - 1) / (checked * checked)
	alone := share * (1 - share) / checked
	t := min(1, studentT(confidence, max(1, int(checked)-1))/studentT(confidence, len(catches)-1))
	return share, checked, checked / max(1, among/alone) * t * t
}
