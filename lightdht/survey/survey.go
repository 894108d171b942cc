// Package survey measures a network with a live node: it looks up many targets,
// several at a time, in the way that statistics can bear.
//
//	found, err := survey.Targets(ctx, node, survey.Random(rng, 256), survey.Config{})
//	sizes, err := analysis.Sizes(found.Distances(kad.IPv4), 0.95)
//	recall, err := analysis.Recall(found.Pairs(kad.IPv4), 0.95)
//
// An ordinary lookup ends once the 8 closest that it knows have answered, and
// counts one node of a neighbourhood (/24, /64). Both make a network look smaller
// than it is: where nodes are dead, close ones are missed. So lookups here are
// wider, and count everybody; some are done again, wider still, to tell how many
// of the true closest the first ones found.
package survey

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// Config says how targets are looked up. The zero Config is good.
type Config struct {
	K       int // closest nodes that count; 0: 8
	Width   int // how many of the closest must have answered; 0: DefaultWidth
	AtATime int // lookups under way at once; 0: 16

	// Again is how many of the targets are looked up a second time, twice as wide,
	// to estimate what the first lookups missed; 0: a quarter, but 32 at least, or
	// all; below 0: none.
	Again int

	// Peers asks for the peers of targets, which are infohashes.
	Peers bool

	// Purpose is what the node's Recorder is told; "": "size". Second lookups say
	// "recall".
	Purpose string

	// Done is told of each lookup that ended, with what it found or why not, one at
	// a time; false ends the survey. nil: nobody is told, and it goes on.
	Done func(res *lightdht.LookupResult, err error) bool
}

// DefaultWidth is how wide lookups are: of the 8 true closest nodes they miss so
// few that the size of a network is unbiased by less than 1 % when half of the
// contacts that nodes name are dead (measured: scripts/validate).
const DefaultWidth = 32

// The purposes by which the rows of a survey can be told from other lookups.
const (
	Sizing    = "size"   // of a target drawn uniformly, wide, with all nodes of a neighbourhood
	Recalling = "recall" // of a target that was looked up before, wider
	Around    = "around" // of a target whose surroundings are of interest, in the same way
)

func (c Config) withDefaults(targets int) Config {
	if c.K == 0 {
		c.K = 8
	}
	if c.Width == 0 {
		c.Width = DefaultWidth
	}
	if c.AtATime == 0 {
		c.AtATime = 16
	}
	if c.Again == 0 {
		c.Again = max(32, targets/4)
	}
	c.Again = min(c.Again, targets)
	if c.Purpose == "" {
		c.Purpose = Sizing
	}
	return c
}

// Random returns n targets, uniformly random ones of the ID space.
func Random(r *rand.Rand, n int) []kad.ID {
	targets := make([]kad.ID, n)
	for i := range targets {
		for j := range targets[i] {
			targets[i][j] = byte(r.Uint32())
		}
	}
	return targets
}

// Found is what lookups found.
type Found struct {
	K       int
	Width   int
	Results []*lightdht.LookupResult // those that ended well, in the order of their targets
	Second  []*lightdht.LookupResult // of targets that were looked up again
	Failed  int                      // lookups that nobody answered
	Err     error                    // of one of those
}

// Targets looks up targets. An error comes with what was found until then: that
// ctx ended, that the node could not begin, that nobody answered any of them. A
// lookup that failed by itself is counted.
func Targets(ctx context.Context, node *lightdht.Node, targets []kad.ID, cfg Config) (*Found, error) {
	cfg = cfg.withDefaults(len(targets))
	found := &Found{K: cfg.K, Width: cfg.Width}
	if err := node.Bootstrap(ctx); err != nil {
		return found, err
	}
	how := lightdht.LookupConfig{Peers: cfg.Peers, K: cfg.K, Width: cfg.Width, Crowds: true, Purpose: cfg.Purpose}
	s := &surveying{node: node, cfg: cfg}
	results, err := s.all(ctx, targets, how)
	for _, res := range results {
		if res != nil {
			found.Results = append(found.Results, res)
		}
	}
	found.Failed, found.Err = s.failed, s.err
	if err == nil && len(found.Results) == 0 && len(targets) > 0 {
		err = s.err
	}
	if err != nil || s.ended || cfg.Again <= 0 {
		return found, err
	}
	how.Width, how.Purpose = 2*cfg.Width, Recalling
	found.Second, err = s.all(ctx, again(found.Results, cfg.Again), how)
	return found, err
}

// again returns n targets that were looked up, spread over all of them.
func again(results []*lightdht.LookupResult, n int) (targets []kad.ID) {
	n = min(n, len(results))
	for i := range n {
		targets = append(targets, results[i*len(results)/n].Target)
	}
	return targets
}

// surveying is a survey under way.
type surveying struct {
	node *lightdht.Node
	cfg  Config

	mu     sync.Mutex // guards what follows, and calls of Done
	failed int
	err    error
	ended  bool // Done said so
}

// all looks up targets, several at a time. The results stand in the order of the
// targets, nil for those that failed or were not begun.
func (s *surveying) all(ctx context.Context, targets []kad.ID, how lightdht.LookupConfig) ([]*lightdht.LookupResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make([]*lightdht.LookupResult, len(targets))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(s.cfg.AtATime, len(targets)) {
		workers.Go(func() {
			for i := range next {
				res, err := one(ctx, s.node, targets[i], how)
				if err == nil {
					results[i] = res
				}
				if !s.done(res, err) {
					cancel()
				}
			}
		})
	}
	for i := range targets {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	if s.ended {
		return results, nil
	}
	return results, context.Cause(ctx)
}

// done notes the end of a lookup, and reports whether to go on.
func (s *surveying) done(res *lightdht.LookupResult, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return true // the loop over targets knows
	case err != nil:
		s.failed++
		s.err = err
	}
	if s.cfg.Done != nil && !s.cfg.Done(res, err) {
		s.ended = true
	}
	return !s.ended
}

// one does one lookup.
func one(ctx context.Context, node *lightdht.Node, target kad.ID, how lightdht.LookupConfig) (res *lightdht.LookupResult, err error) {
	for step, err := range node.LookupWith(ctx, target, how) {
		if err != nil {
			return nil, err
		}
		if step.Result != nil {
			res = step.Result
		}
	}
	return res, nil
}

// Closest returns the IDs that a lookup found closest in one family, nearest
// first, k at most.
func Closest(res *lightdht.LookupResult, f kad.Family, k int) (ids []kad.ID) {
	for _, a := range res.Closest {
		if kad.FamilyOf(a.Addr.Addr()) == f && len(ids) < k {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// Families returns the families in which anybody was found.
func (f *Found) Families() (all []kad.Family) {
	for _, family := range []kad.Family{kad.IPv4, kad.IPv6} {
		for _, res := range f.Results {
			if len(Closest(res, family, 1)) > 0 {
				all = append(all, family)
				break
			}
		}
	}
	return all
}

// Distances returns, for each lookup that found K nodes of a family, how far they
// are, nearest first, as shares of the ID space.
func (f *Found) Distances(family kad.Family) (all []analysis.Distances) {
	for _, res := range f.Results {
		ids := Closest(res, family, f.K)
		if len(ids) < f.K {
			continue
		}
		d := make(analysis.Distances, len(ids))
		for i, id := range ids {
			d[i] = res.Target.Distance(id).Fraction()
		}
		all = append(all, d)
	}
	return all
}

// Pairs returns what the first and the second lookup of a target found closest in
// a family.
func (f *Found) Pairs(family kad.Family) (all []analysis.Pair) {
	first := map[kad.ID]*lightdht.LookupResult{}
	for _, res := range f.Results {
		first[res.Target] = res
	}
	for _, res := range f.Second {
		if res == nil || first[res.Target] == nil || len(Closest(first[res.Target], family, f.K)) < f.K {
			continue // those with fewer do not count for the size either
		}
		all = append(all, analysis.Pair{
			Target: res.Target,
			First:  Closest(first[res.Target], family, f.K),
			Second: Closest(res, family, f.K),
		})
	}
	return all
}
