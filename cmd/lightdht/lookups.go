package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

// lookups is a run of lookups, one after the other.
type lookups struct {
	ids   []kad.ID
	drawn int // of these, the last: at random
	cfg   lightdht.LookupConfig
	why   string // the purpose of those that are not

	step func(kad.ID, lightdht.Step) error  // what to do in each step; may be nil
	done func(*lightdht.LookupResult) error // and with each result
}

// run does all lookups. When there are several, one that fails by itself is told
// and does not end the run, which then fails at its end.
func (l lookups) run(c *cli.Context, s *session) error {
	failed := 0
	for i, id := range l.ids {
		why := l.why
		if i >= len(l.ids)-l.drawn {
			why = "random"
		}
		res, err := l.one(c, s, id, why)
		if err == nil {
			err = l.done(res)
		}
		switch {
		case err == nil:
		case len(l.ids) > 1 && single(err, i > failed):
			s.say("%s", oneLine(advise(err)))
			failed++
		default:
			return advise(err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d lookups failed: see above", failed, len(l.ids))
	}
	return nil
}

// single reports whether an error is about one lookup alone. That the bootstrap
// nodes are silent is, once others have been answered.
func single(err error, others bool) bool {
	var boot *lightdht.BootstrapError
	return errors.Is(err, lightdht.ErrNoAnswer) || errors.Is(err, lightdht.ErrNotTaken) || others && errors.As(err, &boot)
}

// one does one lookup, telling its steps with --trace.
func (l lookups) one(c *cli.Context, s *session, id kad.ID, why string) (res *lightdht.LookupResult, err error) {
	for step, err := range s.node.LookupWith(c.Context, id, withPurpose(l.cfg, why)) {
		if err != nil {
			return nil, err
		}
		if c.Bool("trace") {
			s.say("%s", traceLine(step))
		}
		if res = step.Result; l.step == nil {
			continue
		}
		if err := l.step(id, step); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// withPurpose says why a lookup is made, for those who read its row.
func withPurpose(cfg lightdht.LookupConfig, why string) lightdht.LookupConfig {
	cfg.Purpose = why
	return cfg
}

// lookupFlags say how a lookup goes.
func lookupFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "width", Usage: "how many of the closest `NODES` must have answered before a lookup ends", Value: 8},
		&cli.BoolFlag{Name: "trace", Usage: "tell every step on stderr"},
	}
}

// lookupConfig reads the flags that say how a lookup goes.
func lookupConfig(c *cli.Context) (lightdht.LookupConfig, error) {
	width := c.Int("width")
	if width < 1 || width > 1000 {
		return lightdht.LookupConfig{}, usagef("--width %d: want 1 to 1000", width)
	}
	return lightdht.LookupConfig{K: 8, Width: width}, nil
}

// summary says in words what happened on a lookup.
func summary(r *lightdht.LookupResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "asked %s: %d answered", some(r.Asked, "node"), r.Answered)
	for _, part := range []struct {
		n    int
		what string
	}{{r.Strange, "of them with another ID"}, {r.TimedOut, "timed out"}, {r.Failed, "failed"}, {r.Silent, "still under way"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.what)
		}
	}
	fmt.Fprintf(&b, "; %s, %d bytes out, %d in, %s", some(r.Hops, "hop"), r.BytesOut, r.BytesIn, round(r.Duration))
	return b.String()
}

// some says how many there are of something.
func some(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// traceLine says in words what happened in one step.
func traceLine(s lightdht.Step) string {
	if s.Event == lightdht.Done {
		return fmt.Sprintf("%10s  %s", round(s.At), s.Event)
	}
	line := fmt.Sprintf("%10s  %-9s  %s  %-21s  hop %d", round(s.At), s.Event, s.Node.ID, s.Node.Addr, s.Hop)
	if s.Reply != nil {
		line += fmt.Sprintf("  rtt %s, %s (%d new), %s", round(s.Reply.RTT),
			some(s.Reply.Nodes.Len()+s.Reply.Nodes6.Len(), "node"), s.New, some(s.Reply.Values.Len(), "peer"))
	}
	if s.Err != nil {
		line += "  " + oneLine(s.Err)
	}
	return line
}
