package live

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/load"
)

// tryFor is how long a server is looked at before it is measured.
const tryFor = 200 * time.Millisecond

func (c Config) withDefaults() Config {
	c.crowd = cmp.Or(c.crowd, members)
	c.feeding = cmp.Or(c.feeding, 40*time.Second)
	c.warmup = cmp.Or(c.warmup, 500*time.Millisecond)
	return c
}

// site is what a server is given to live in.
type site struct {
	dir       string // of its own, removed afterwards
	listen    netip.AddrPort
	entrances []string // the crowd
}

// measure starts a server, has it know the crowd, measures it with each number
// of askers, and ends it.
func measure(ctx context.Context, cfg Config, p peer) (m measured, err error) {
	runtime.LockOSThread() // a server lives no longer than the thread that started it
	defer runtime.UnlockOSThread()
	cfg = cfg.withDefaults()
	s := site{}
	if s.dir, err = os.MkdirTemp("", "peerbench"); err != nil {
		return m, err
	}
	defer os.RemoveAll(s.dir)
	if s.listen, err = load.FreePort(netip.AddrFrom4([4]byte{127, 0, 0, 1})); err != nil {
		return m, err
	}
	g, err := load.New(load.Config{Server: s.listen, Members: cfg.crowd})
	if err != nil {
		return m, err
	}
	defer g.Close()
	for i := range cfg.crowd {
		s.entrances = append(s.entrances, g.Entrance(i).String())
	}
	server, err := start(p, s)
	if err != nil {
		return m, err
	}
	defer server.end()
	if m, err = ask(ctx, cfg, g, server, p.bare); err != nil {
		return m, fmt.Errorf("%w%s", err, server.said())
	}
	return m, nil
}

// ask measures a server that runs.
func ask(ctx context.Context, cfg Config, g *load.Generator, server *process, bare bool) (m measured, err error) {
	if m.named, err = feed(ctx, cfg.feeding, g, server, bare); err != nil {
		return m, err
	}
	for i, n := range askers {
		r, err := g.Measure(ctx, load.Work{Askers: n, Warmup: cfg.warmup, Span: cfg.Span, PID: server.pid()})
		if err != nil {
			return m, err
		}
		if r.Answers == 0 {
			return m, fmt.Errorf("it answered nothing: %d lost, %d errors, %d others", r.Losses, r.Errors, r.Wrong)
		}
		m.results[i] = r
	}
	return m, nil
}

// feed has the crowd ask and be asked until a server's answers hold 8 nodes, and
// once more. One that is bare knows nobody.
func feed(ctx context.Context, limit time.Duration, g *load.Generator, server *process, bare bool) (named int, err error) {
	var r load.Result
	for began, full := time.Now(), 0; time.Since(began) < limit; {
		if !bare {
			if err := g.Introduce(ctx); err != nil {
				return 0, err
			}
		}
		if server.ended() {
			return 0, fmt.Errorf("it ended early")
		}
		if r, named, err = g.Try(ctx, tryFor); err != nil {
			return 0, err
		}
		if r.Answers > 0 && r.Full == r.Answers {
			full++
		}
		if full == 2 {
			return named, nil
		}
	}
	return 0, fmt.Errorf("it does not answer with 8 nodes: of its last %d answers %d do (%d queries lost, %d errors, %d others)",
		r.Answers, r.Full, r.Losses, r.Errors, r.Wrong)
}
