package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

// sizeLive measures now.
func sizeLive(c *cli.Context) (err error) {
	w, err := readReporting(c)
	if err != nil {
		return err
	}
	if c.NArg() > 0 {
		return usagef("--live measures now, and takes nothing from %q: leave one out", c.Args().First())
	}
	if err := surveyBounds(c); err != nil {
		return err
	}
	s, err := open(c, nil)
	if err != nil {
		return err
	}
	defer s.end(&err)
	r := &report{what: "size"}
	r.tellNetwork(s)
	samples, err := s.survey(c, r)
	if err != nil {
		return err
	}
	if err := r.sizes(samples); err != nil {
		return err
	}
	for _, sample := range samples {
		s.keepEstimate(sample)
	}
	return w.write(c, r, nil)
}

// tellNetwork says what network it is.
func (r *report) tellNetwork(s *session) {
	r.network = s.name
	if s.net != nil {
		r.tell("network", "a test network of %s on loopback", some(s.net.Len(), "node"))
		return
	}
	r.tell("network", "%s, measured now", r.network)
}

// surveyBounds refuses flags that no survey can be made with.
func surveyBounds(c *cli.Context) error {
	n, width := countOf(c, "lookups"), c.Int("width")
	for _, name := range []string{"family", "prefix", "run", "since"} {
		if c.IsSet(name) {
			return usagef("--%s chooses from what was kept: leave it or --live out", name)
		}
	}
	switch {
	case n < 1 || n > maxRandom:
		return usagef("--lookups %d: want 1 to %d", n, maxRandom)
	case width < 8 || width > 500:
		return usagef("--width %d: want 8 to 500", width)
	}
	return nil
}

// survey looks up random targets, as the flags say.
func (s *session) survey(c *cli.Context, r *report) ([]*sampled, error) {
	n, width := countOf(c, "lookups"), c.Int("width")
	seed := c.Uint64("seed")
	if !c.IsSet("seed") && s.net == nil {
		seed = rand.Uint64() // targets of their own in each survey: the same ones again would say nothing new
	}
	r.tell("targets", "drawn from seed %d", seed)
	targets := survey.Random(rand.New(rand.NewPCG(seed, 1)), n)
	began := time.Now()
	watch := &overlapWatch{planned: n}
	p := newProgressOf(s.stderr, "measure", "lookup", int64(n))
	found, err := survey.Targets(c.Context, s.node, targets, survey.Config{Width: width, Done: func(res *lightdht.LookupResult, err error) bool {
		p.add(1)
		return watch.goOn(res)
	}})
	p.end()
	if err != nil && !(errors.Is(err, context.Canceled) && len(found.Results) > 0) {
		return nil, advise(err)
	}
	if err != nil {
		r.ended = fmt.Sprintf("interrupted after %d of %d lookups", len(found.Results), n)
		r.tell("ended", "%s", r.ended)
	}
	if watch.overlap != nil {
		return nil, watch.overlap
	}
	return s.samplesOf(found, began), nil
}

// overlapWatch ends a survey of which it is clear early on that its lookups will
// overlap, in all families.
type overlapWatch struct {
	planned int
	found   survey.Found
	overlap error
}

// watchEvery is how many lookups there are between two looks.
const watchEvery = 32

func (o *overlapWatch) goOn(res *lightdht.LookupResult) bool {
	if res == nil {
		return true
	}
	o.found.K = 8
	o.found.Results = append(o.found.Results, res)
	if len(o.found.Results) != watchEvery || o.planned <= watchEvery {
		return true
	}
	for _, f := range o.found.Families() {
		sizes, err := analysis.Sizes(o.found.Distances(f), 0.999)
		if sizes.Pooled.N == 0 || err == nil && o.planned <= analysis.LookupsBorne(sizes.Pooled.Hi, o.found.K) {
			o.overlap = nil
			return true
		}
		o.overlap = overlapping(sizes.Pooled.N, o.planned, o.found.K)
	}
	return o.overlap == nil
}

// samplesOf makes samples of what a survey found.
func (s *session) samplesOf(found *survey.Found, began time.Time) (all []*sampled) {
	for _, family := range found.Families() {
		sample := &sampled{
			family: family, purpose: survey.Sizing, k: found.K, width: found.Width, distances: found.Distances(family),
			pairs: found.Pairs(family), failed: found.Failed, from: began, to: time.Now(), own: s.node.ID(), recall: math.NaN(),
		}
		sample.short = len(found.Results) - len(sample.distances)
		for _, res := range found.Results {
			sample.asked += res.Asked
			sample.timedOut += res.TimedOut + res.Silent
		}
		if s.net != nil {
			n := s.net.Len()
			sample.truth = &n
		}
		now := time.Now()
		for c := range s.node.Table(family).All() {
			if c.State(now) == table.StateGood {
				sample.known = append(sample.known, c.ID)
			}
		}
		all = append(all, sample)
	}
	return all
}

// keepEstimate keeps the estimate of a sample.
func (s *session) keepEstimate(of *sampled) {
	if of.size.N == 0 {
		return
	}
	s.keeper.Record(&record.Estimate{
		Time: time.Now(), What: "size", Method: of.size.Method, Family: of.family, K: of.k, Samples: of.size.Lookups,
		Value: of.size.N, Lo: of.size.Lo, Hi: of.size.Hi, Level: of.size.Confidence, Recall: of.recall,
	})
}

// knowTable fills in our ID and our good contacts of the last run that sampled,
// which the deepest bucket needs; a file does not tell them.
func (d *data) knowTable(samples []*sampled) {
	if d.store == nil {
		return
	}
	runs, err := d.store.Runs()
	if err != nil {
		return
	}
	for i := len(runs) - 1; i >= 0; i-- {
		m := runs[i].Manifest
		if m == nil || len(m.Vantages) == 0 || !d.source.Filter.Picks(runs[i].ID) || m.Rows["lookups"] == 0 {
			continue
		}
		for _, s := range samples {
			s.own = m.Vantages[0].ID
			f := dataset.Filter{Runs: []dataset.RunID{runs[i].ID}, Family: s.family, States: table.StateGood}
			for c, err := range d.store.Contacts(f) {
				if err != nil {
					s.own = kad.ID{}
					break
				}
				s.known = append(s.known, c.Node.ID)
			}
		}
		return
	}
}
