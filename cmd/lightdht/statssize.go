package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/urfave/cli/v2"
)

func statsSizeCommand() *cli.Command {
	return &cli.Command{
		Name:      "size",
		Usage:     "how many nodes the network has, from lookups of random targets",
		ArgsUsage: "[FILE]",
		Description: "Takes the lookups that the store has kept, or FILE (lightdht dump --what lookups), or with --live makes them now.\n" +
			"The pooled estimate has an exact interval; others stand beside it for comparison. Lookups that together name more\n" +
			"than half of the network overlap: then it refuses, as the nodes can be counted.",
		Flags: append(append(append(commonFlags(), reportFlags()...), filterFlags()...), surveyFlags("256")...),
		Action: func(c *cli.Context) error {
			if c.Bool("live") {
				return sizeLive(c)
			}
			return sizeKept(c)
		},
	}
}

// surveyFlags are those of statistics that can measure now.
func surveyFlags(lookups string) []cli.Flag {
	n := new(count)
	if err := n.Set(lookups); err != nil {
		panic(err)
	}
	return []cli.Flag{
		&cli.BoolFlag{Name: "live", Usage: "join the network and measure now"},
		&cli.GenericFlag{Name: "lookups", Usage: "look up `N` random targets; without --live take the latest N at most", Value: n, DefaultText: lookups + "; of those that were kept all"},
		&cli.IntFlag{Name: "width", Usage: "with --live: how many of the closest `NODES` must have answered before a lookup ends", Value: survey.DefaultWidth},
	}
}

// surveyOnly holds flags that only make sense when something is measured now to
// that.
func surveyOnly(c *cli.Context) error {
	for _, name := range append(joinFlags, "width") {
		if name != "for" && c.IsSet(name) {
			return usagef("--%s is about measuring now: add --live, or leave it out to take what was kept", name)
		}
	}
	return nil
}

// sizeKept estimates from lookups that were kept.
func sizeKept(c *cli.Context) error {
	if err := surveyOnly(c); err != nil {
		return err
	}
	if mostLookups(c) < 1 {
		return usagef("--lookups 0: want 1 or more")
	}
	return reportData(c, func(d *data) (*report, error) {
		samples, err := d.sample(mostLookups(c))
		if err != nil {
			return nil, err
		}
		r := &report{what: "size", network: d.network()}
		d.tell(r)
		d.knowTable(samples)
		return r, r.sizes(samples)
	})
}

// mostLookups is how many lookups of those that were kept count.
func mostLookups(c *cli.Context) int {
	if c.IsSet("lookups") {
		return countOf(c, "lookups")
	}
	return math.MaxInt
}

// sizes adds what samples say of the size of each family's network. It is an error
// when none can bear an estimate.
func (r *report) sizes(samples []*sampled) error {
	var refused []string
	var all []*sizeObject
	for _, s := range samples {
		o, err := r.size(s)
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s: %s", s.family, oneLine(err)))
			continue
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		return errors.New(strings.Join(refused, "; "))
	}
	for _, text := range refused {
		r.tell("refused", "%s", text)
	}
	object := *all[0]
	object.Network, object.About = r.network, r.facts()
	for _, other := range all[1:] {
		object.Other = other
	}
	r.object = object
	return nil
}

// sizeObject is an estimate of the size as JSON has it.
type sizeObject struct {
	estimated
	Method    string               `json:"method"`
	Lookups   int                  `json:"lookups"`
	K         int                  `json:"k"`
	Width     int                  `json:"width"`
	Recall    *float64             `json:"recall"`
	RecallLo  *float64             `json:"recall_lo"`
	RecallHi  *float64             `json:"recall_hi"`
	Estimates map[string]estimated `json:"estimates"`
	Truth     *int                 `json:"truth,omitempty"`
	Family    string               `json:"family"`
	Network   string               `json:"network,omitempty"`
	From      time.Time            `json:"from"`
	To        time.Time            `json:"to"`
	Queries   int                  `json:"queries"`
	TimedOut  int                  `json:"timed_out"`
	Ended     string               `json:"ended_early,omitempty"` // why there are fewer lookups than asked for
	About     map[string]string    `json:"about,omitempty"`       // what else people are told: what was left out, refused, to be careful of
	Other     *sizeObject          `json:"other_family,omitempty"`
}

// estimated is an estimate with its interval, as JSON has it.
type estimated struct {
	N     float64  `json:"n_hat"`
	Lo    *float64 `json:"ci_lo"`
	Hi    *float64 `json:"ci_hi"`
	Level *float64 `json:"level"`
	How   string   `json:"estimator,omitempty"`
}

func estimatedOf(e analysis.SizeEstimate) estimated {
	if e.Confidence == 0 {
		return estimated{N: e.N, How: estimators[e.Method]}
	}
	return estimated{e.N, &e.Lo, &e.Hi, &e.Confidence, estimators[e.Method]}
}

// confidence is that of all intervals.
const confidence = 0.95

// size adds what a sample says, or returns why it cannot bear an estimate.
func (r *report) size(s *sampled) (*sizeObject, error) {
	sizes, err := s.estimate()
	if err != nil {
		return nil, err
	}
	o := &sizeObject{
		estimated: estimatedOf(sizes.Pooled), Method: sizes.Pooled.Method, Lookups: len(s.distances), K: s.k, Width: s.width,
		Estimates: map[string]estimated{}, Truth: s.truth, Family: s.family.String(), From: s.from.UTC(), To: s.to.UTC(),
		Queries: s.asked, TimedOut: s.timedOut,
		Ended: r.ended,
	}
	r.tellSample(s)
	recall := r.recallOf(s)
	estimates := r.estimates(s, sizes, recall)
	var rows []finding
	for _, e := range estimates {
		o.Estimates[e.Method] = estimatedOf(e)
		rows = append(rows, sizeFinding(s, e))
	}
	if s.truth != nil {
		f := found("size", "truth", float64(*s.truth), "nodes")
		f.counted, f.estimator = s.family.String(), "known: the nodes of the test network"
		rows = append(rows, f)
	}
	r.add("network size, "+s.family.String(), sizeNote, rows...)
	if recall.Targets > 0 && recall.Interval.Hi < 0.99 {
		r.tell("caution", "the lookups missed some of the closest nodes: pooled is low by about %s, which pooled over recall makes up for", quantity(1-recall.Share, "share"))
	}
	if recall.Targets > 0 {
		r.recall(s, o, recall)
	}
	return o, nil
}

// recallOf estimates what share of the closest nodes the lookups found, or says why
// that is not known.
func (r *report) recallOf(s *sampled) analysis.RecallEstimate {
	if len(s.pairs) == 0 {
		r.tell("recall", "%s: not measured: no target was looked up again, as --live does", s.family)
		return analysis.RecallEstimate{}
	}
	recall, err := analysis.Recall(s.pairs, confidence)
	if err != nil {
		r.tell("recall", "%s: not known: %s", s.family, oneLine(err))
	}
	return recall
}

// estimates returns the estimates that a sample bears, the pooled one first, and says
// which it does not.
func (r *report) estimates(s *sampled, sizes analysis.Sizing, recall analysis.RecallEstimate) []analysis.SizeEstimate {
	all := []analysis.SizeEstimate{sizes.Pooled}
	if e, err := analysis.OverRecall(sizes.Pooled, recall); err == nil {
		all = append(all, e)
	}
	all = append(all, sizes.Others...)
	refused := sizes.Refused
	if s.own == (kad.ID{}) {
		refused = append(refused, errors.New("deepest bucket: our ID and our good contacts are not known here, as they are with --live and from a store"))
	} else if e, err := analysis.DeepestBucket(s.own, s.known); err == nil {
		all = append(all, e)
	} else {
		refused = append(refused, err)
	}
	for _, err := range refused {
		r.tell("refused", "%s", oneLine(err))
	}
	return all
}

// estimate estimates the size from a sample, or says why it cannot bear that.
func (s *sampled) estimate() (analysis.Sizing, error) {
	if len(s.distances) == 0 {
		return analysis.Sizing{}, fmt.Errorf("no lookup found %d nodes: the network is too small, or too few answer", s.k)
	}
	sizes, err := analysis.Sizes(s.distances, confidence)
	if errors.Is(err, analysis.ErrOverlap) {
		err = overlapping(sizes.Pooled.N, len(s.distances), s.k)
	}
	s.size = sizes.Pooled
	return sizes, err
}

const sizeNote = "pooled is the one to report: its interval is exact, of chance alone. What lookups miss makes all low but pooled over recall."

// estimators say how sizes are estimated, and where their intervals come from.
var estimators = map[string]string{
	"pooled": "maximum likelihood, exact chi-square", "pooled over recall": "the same, with what lookups missed; approximate", "least squares": "Sohl; jackknife, approximate",
	"median gap": "mldht, 4.5 % high; Student's t, approximate", "deepest bucket": "libtorrent, of one table; no interval",
}

// sizeFinding is the row of an estimate.
func sizeFinding(s *sampled, e analysis.SizeEstimate) finding {
	f := found("size", e.Method, e.N, "nodes")
	f.counted = s.family.String()
	f.estimator, f.samples = estimators[e.Method], float64(e.Lookups)
	if e.Lookups == 0 {
		f.samples = float64(e.Nodes)
	}
	if e.Confidence > 0 {
		f.lo, f.hi, f.level = e.Lo, e.Hi, e.Confidence
	}
	return f
}

// tellSample says what an estimate rests on, and what was left out.
func (r *report) tellSample(s *sampled) {
	asked := "how many nodes were asked is not known"
	if s.asked > 0 {
		asked = fmt.Sprintf("%s nodes asked, %s had not answered when their lookup ended", grouped(int64(s.asked)), share(s.timedOut, s.asked))
	}
	r.tell("lookups", "%s: %d of random targets, the %d closest of each, width %d; %s", s.family, len(s.distances), s.k, s.width, asked)
	if !s.from.IsZero() {
		r.tell("when", "%s to %s UTC", shortTime(s.from), shortTime(s.to))
	}
	var out []string
	for _, part := range []struct {
		n   int
		why string
	}{
		{s.failed, "that nobody answered"}, {s.short, fmt.Sprintf("that found fewer than %d nodes", s.k)}, {s.narrow, "that were narrower"},
		{s.repeated, "of targets looked up again later"}, {s.dropped, "beyond --lookups"},
	} {
		if part.n > 0 {
			out = append(out, some(part.n, "lookup")+" "+part.why)
		}
	}
	r.tell("left out", "%s", orText(strings.Join(out, ", "), "nothing"))
	if s.purpose == randomPurpose && s.truth == nil {
		r.tell("caution", "lookups that were not made for this count one node of a /24 or /64 on the public network, and the estimate is low then: stats size --live counts all")
	}
	if wide := s.wideEnough(); s.width < wide && s.width >= survey.DefaultWidth {
		r.tell("caution", "more than half of those asked did not answer: lookups of width %d miss close nodes then, and the estimate is low: --width %d is wide enough", s.width, wide)
	}
	if s.width < survey.DefaultWidth {
		r.tell("caution", "lookups of width %d miss close nodes where contacts are dead, and the estimate is low then: %d is unbiased", s.width, survey.DefaultWidth)
	}
}

// wideEnough is how wide lookups should be where as many are dead as did not
// answer: the usual width up to a half, beyond so wide that 20 among them live.
func (s *sampled) wideEnough() int {
	if s.timedOut >= s.asked || 2*s.timedOut <= s.asked {
		return survey.DefaultWidth
	}
	return max(survey.DefaultWidth, int(math.Ceil(20*float64(s.asked)/float64(s.asked-s.timedOut))))
}

// share returns a part as a percentage.
func share(part, of int) string {
	if of == 0 {
		return "none"
	}
	return quantity(float64(part)/float64(of), "share")
}

// recall adds what share of the true closest the lookups are thought to have
// found.
func (r *report) recall(s *sampled, o *sizeObject, e analysis.RecallEstimate) {
	s.recall = e.Share
	o.Recall, o.RecallLo, o.RecallHi = &e.Share, &e.Interval.Lo, &e.Interval.Hi
	f := found("recall", "of the closest", e.Share, "share").within(e.Interval)
	f.counted, f.samples = s.family.String(), float64(e.Checked)
	r.add("recall, "+s.family.String(), fmt.Sprintf("share of the true closest %d that the lookups found, from %d targets looked up again, twice as wide", s.k, e.Targets), f)
}

// overlapping is the error that lookups overlap.
func overlapping(n float64, lookups, k int) error {
	fewer := ""
	if most := analysis.LookupsBorne(n, k); most > 0 {
		fewer = fmt.Sprintf("give --lookups %d, or ", most)
	}
	return fmt.Errorf("%d lookups of the %d closest overlap in a network of about %.0f nodes: %scount them: lightdht stats nodes, after lightdht dump --live has looked around",
		lookups, k, n, fewer)
}
