package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/survey"
	"github.com/urfave/cli/v2"
)

func statsSybilCommand() *cli.Command {
	return &cli.Command{
		Name:      "sybil",
		Usage:     "whether too many nodes have gathered around targets, to hide or watch what is kept there",
		ArgsUsage: "TARGET… (infohashes or IDs, 40 hex; - reads lines from stdin)",
		Description: "Holds the 8 closest nodes of each target to how far away they would be by chance in a network of the measured\n" +
			"size. With --live it looks the targets up now, and random ones for the size; else it takes the latest lookups of\n" +
			"them that the store has kept, or the file of --file (lightdht dump --what lookups), with random ones beside them.",
		Flags: append(append(append(commonFlags(), reportFlags()...), filterFlags()...), append(surveyFlags("64"),
			&cli.StringFlag{Name: "file", Usage: "take the lookups in `FILE`"},
			&cli.Float64Flag{Name: "alarm", Usage: "false alarm `RATE`, over all targets", Value: 0.01},
		)...),
		Action: func(c *cli.Context) error {
			w, err := readReporting(c)
			if err != nil {
				return err
			}
			if alarm := c.Float64("alarm"); !(alarm > 0 && alarm < 1) {
				return usagef("--alarm %v: want a rate above 0 and below 1, such as 0.01", alarm)
			}
			targets, err := sybilTargets(c)
			if err != nil {
				return err
			}
			if c.Bool("live") {
				return sybilLive(c, w, targets)
			}
			return sybilKept(c, w, targets)
		},
	}
}

// sybilTargets reads the arguments.
func sybilTargets(c *cli.Context) ([]kad.ID, error) {
	if c.NArg() == 0 {
		return nil, usagef("name a target, or - to read them from stdin: see lightdht stats sybil --help")
	}
	targets, err := infohashes(c, parseTarget)
	seen := map[kad.ID]bool{}
	return slices.DeleteFunc(targets, func(id kad.ID) bool {
		again := seen[id]
		seen[id] = true
		return again
	}), err
}

// surrounded is what a lookup found closest to a target in one family.
type surrounded struct {
	target  kad.ID
	purpose string
	width   int
	ids     []kad.ID
}

// sybilLive looks targets up now.
func sybilLive(c *cli.Context, w *reporting, targets []kad.ID) (err error) {
	if c.IsSet("file") {
		return usagef("--live measures now, and takes nothing from %q: leave one out", c.String("file"))
	}
	if err := surveyBounds(c); err != nil {
		return err
	}
	s, err := open(c, nil, targets...)
	if err != nil {
		return err
	}
	defer s.end(&err)
	r := &report{what: "sybil"}
	r.tellNetwork(s)
	samples, err := s.survey(c, r)
	if err != nil {
		return err
	}
	found, err := survey.Targets(c.Context, s.node, targets, survey.Config{
		K:     9, // one more than is tested: a node may have the very ID
		Width: c.Int("width"), Peers: true, Purpose: survey.Around, Again: -1,
	})
	if err != nil {
		return advise(err)
	}
	around := map[kad.Family][]*surrounded{}
	for _, family := range found.Families() {
		for _, res := range found.Results {
			ids := survey.Closest(res, family, found.K)
			around[family] = append(around[family], &surrounded{target: res.Target, purpose: survey.Around, width: found.Width, ids: ids})
		}
	}
	if err := r.sybils(c, samples, around, targets); err != nil {
		return err
	}
	return w.write(c, r, nil)
}

// sybilKept takes lookups that were kept.
func sybilKept(c *cli.Context, w *reporting, targets []kad.ID) error {
	if err := surveyOnly(c); err != nil {
		return err
	}
	d, err := openDataFile(c, c.String("file"))
	if err != nil {
		return err
	}
	defer d.close()
	samples, err := d.sample(mostLookups(c))
	if err != nil {
		return err
	}
	around, err := d.around(targets)
	if err != nil {
		return err
	}
	r := &report{what: "sybil"}
	d.tell(r)
	if err := r.sybils(c, samples, around, targets); err != nil {
		return fmt.Errorf("%s: %w", d.name(), err)
	}
	if err := w.write(c, r, d); err != nil {
		return err
	}
	return d.whether()
}

// around returns the widest of the lookups of each target that were kept, of those
// the latest, in each family.
func (d *data) around(targets []kad.ID) (map[kad.Family][]*surrounded, error) {
	kept := map[kad.ID]kad.ID{} // by what stands in rows
	for _, target := range targets {
		kept[target] = target
		if d.store != nil {
			kept[d.store.Hash(target)] = target
		}
	}
	best := map[kad.Family]map[kad.ID]*surrounded{kad.IPv4: {}, kad.IPv6: {}}
	for l, err := range d.lookups() {
		if err != nil {
			return nil, err
		}
		key := l.target
		if l.infohash != (kad.ID{}) {
			key = l.infohash
		}
		target, wanted := kept[key]
		if now := (&surrounded{target: target, purpose: l.purpose, width: l.width, ids: l.ids}); wanted && now.better(best[l.family][target]) {
			best[l.family][target] = now
		}
	}
	out := map[kad.Family][]*surrounded{}
	for family, of := range best {
		for _, target := range targets {
			if of[target] != nil {
				out[family] = append(out[family], of[target])
			}
		}
	}
	if len(out) == 0 {
		hint := ""
		if d.store == nil {
			hint = " (files have infohashes as hashes unless they were kept --raw: take the store itself)"
		}
		return nil, fmt.Errorf("%s has no lookup of %s%s: lightdht stats sybil --live looks it up now", d.name(), someTargets(targets), hint)
	}
	return out, nil
}

// better reports whether a lookup says more of its target than an earlier one: it
// counts all nodes, or is no narrower.
func (a *surrounded) better(was *surrounded) bool {
	if was == nil || a.countsAll() != was.countsAll() {
		return was == nil || a.countsAll()
	}
	return a.width >= was.width
}

// countsAll reports whether the lookup counts all nodes of a /24 or /64, as those of
// a survey do.
func (a *surrounded) countsAll() bool {
	return a.purpose == survey.Around || a.purpose == survey.Sizing || a.purpose == survey.Recalling
}

// someTargets names a target, or how many there are.
func someTargets(targets []kad.ID) string {
	if len(targets) == 1 {
		return targets[0].String()
	}
	return fmt.Sprintf("any of the %d targets", len(targets))
}

// sybils adds what stands around targets, in each family.
func (r *report) sybils(c *cli.Context, samples []*sampled, around map[kad.Family][]*surrounded, targets []kad.ID) error {
	var refused []string
	for _, s := range samples {
		if len(around[s.family]) == 0 {
			continue
		}
		if err := r.sybilsOf(s, around[s.family], c.Float64("alarm")); err != nil {
			refused = append(refused, fmt.Sprintf("%s: %s", s.family, oneLine(err)))
		}
	}
	if len(r.sections) == 0 {
		if len(refused) == 0 {
			return errors.New("the targets were looked up in another family than the random ones: nothing tells how large that network is")
		}
		return errors.New(strings.Join(refused, "; "))
	}
	for _, text := range refused {
		r.tell("refused", "%s", text)
	}
	if missing := len(targets) - r.tested(); missing > 0 {
		r.tell("left out", "%s around which no lookup found 8 nodes", some(missing, "target"))
	}
	return nil
}

// tested is how many targets there are rows of.
func (r *report) tested() int {
	all := map[string]bool{}
	for _, f := range r.findings() {
		all[f.item] = true
	}
	return len(all)
}

// sybilsOf tests the targets of one family.
func (r *report) sybilsOf(s *sampled, around []*surrounded, alarm float64) error {
	sizes, err := s.estimate()
	if err != nil {
		return err
	}
	const k = 8
	test, err := analysis.NewSybils(k, sizes.Pooled)
	if err != nil {
		return err
	}
	r.tellSample(s)
	r.tell("size", "%s: %s", s.family, sizes.Pooled)
	var rows []finding
	var tested []*surrounded
	var scans []float64
	var ranks []int
	for _, a := range around {
		if len(a.ids) > 0 && a.ids[0] == a.target {
			r.tell("note", "%s: a node has this very ID: it is left out, and the others are tested; unless the target is its ID, nobody has one by chance", a.target)
			a.ids = a.ids[1:]
		}
		if len(a.ids) < k {
			continue
		}
		res, err := test.Test(distancesOf(a.ids, a.target, k))
		if err != nil {
			r.tell("left out", "%s: %s", a.target, oneLine(err))
			continue
		}
		rows = append(rows, sybilFindings(a, s, &res)...)
		tested, scans, ranks = append(tested, a), append(scans, res.Scan.P), append(ranks, res.Scan.Rank)
	}
	if len(tested) == 0 {
		return fmt.Errorf("fewer than %d nodes were found around the targets", k)
	}
	narrow := 0
	for _, a := range tested {
		if !a.countsAll() || a.width < survey.DefaultWidth {
			narrow++
		}
	}
	if narrow > 0 {
		r.tell("caution", "%s looked up by lookups that were not made for this: narrow ones miss nodes, and on the public network they count one node of a /24 or /64, so that many on one host are not seen: --live sees them", some(narrow, "target"))
	}
	r.tellSybils(tested, scans, ranks, alarm)
	r.add("nodes around targets, "+s.family.String(), sybilNote, rows...)
	return nil
}

const sybilNote = "scan finds a few sybils, gamma as many as there are places; KL is what others publish, recalibrated. p: how often chance does as much."

// sybilFindings are the tests of one target.
func sybilFindings(a *surrounded, s *sampled, res *analysis.SybilResult) (rows []finding) {
	for _, t := range []struct {
		name, unit, how string
		test            analysis.SybilTest
	}{
		{"scan", "", "least Gamma probability of the j closest, exact", res.Scan},
		{"gamma", "", "Gamma probability of the 8th, exact", res.Gamma},
		{"KL", "nats", "divergence of common prefix lengths, exact", res.KL},
	} {
		f := found("sybil", a.target.String(), t.test.Statistic, t.unit)
		f.counted, f.p, f.estimator, f.samples = t.name, t.test.P, t.how, 8
		rows = append(rows, f)
	}
	return rows
}

// tellSybils says of which targets the alarm goes off, by the scan.
func (r *report) tellSybils(tested []*surrounded, scans []float64, ranks []int, alarm float64) {
	adjusted := analysis.AdjustBH(scans)
	crowded := 0
	for i, a := range tested {
		if adjusted[i] > alarm {
			continue
		}
		crowded++
		r.tell("crowded", "%s: nodes are nearer than chance puts them, the %d closest above all (p %s, of %s %s)",
			a.target, ranks[i], probability(scans[i]), some(len(tested), "target"), probability(adjusted[i]))
	}
	if crowded == 0 {
		r.tell("crowded", "none of %s, at %s false alarms (by the scan, Benjamini-Hochberg over the targets)", some(len(tested), "target"), quantity(alarm, "share"))
	}
}
