package live

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/load"
)

const (
	warmup    = 500 * time.Millisecond
	feedLimit = 40 * time.Second // for a server to begin to answer with 8 nodes
	tryFor    = 300 * time.Millisecond
	members   = 1000
)

// measured is what a measurement found, and how much of its table a server was
// seen to hand out.
type measured struct {
	load.Result
	named int
}

// site is what a server is given to live in.
type site struct {
	dir       string // of its own, removed afterwards
	listen    netip.AddrPort
	entrances []string // members of the crowd
}

// measure starts a server, has it know the crowd, measures it and ends it.
func measure(ctx context.Context, cfg Config, p peer) (m measured, err error) {
	runtime.LockOSThread() // a server lives no longer than the thread that started it
	defer runtime.UnlockOSThread()
	s := site{}
	if s.dir, err = os.MkdirTemp("", "peerbench"); err != nil {
		return m, err
	}
	defer os.RemoveAll(s.dir)
	if s.listen, err = freePort(); err != nil {
		return m, err
	}
	g, err := load.New(load.Config{Server: s.listen, Members: members, CPU: generatorCPU()})
	if err != nil {
		return m, err
	}
	defer g.Close()
	for i := range 8 {
		s.entrances = append(s.entrances, g.Entrance(i).String())
	}
	server, err := start(p, s)
	if err != nil {
		return m, err
	}
	defer server.end()
	if m.named, err = feed(ctx, g, server, p.bare); err != nil {
		return m, fmt.Errorf("%w%s", err, server.said())
	}
	m.Result, err = g.Measure(ctx, warmup, cfg.Span, server.pid())
	switch {
	case err != nil:
		return m, fmt.Errorf("%w%s", err, server.said())
	case m.Answers == 0:
		return m, fmt.Errorf("it answered nothing: %d lost, %d errors, %d others", m.Losses, m.Errors, m.Wrong)
	}
	return m, nil
}

// feed has the crowd ask and be asked until a server's answers hold 8 nodes, and
// once more. One that is bare knows nobody.
func feed(ctx context.Context, g *load.Generator, server *process, bare bool) (named int, err error) {
	var r load.Result
	for began, full := time.Now(), 0; time.Since(began) < feedLimit; {
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

// freePort finds a port that nobody uses: not for another yet, nearly always.
func freePort() (netip.AddrPort, error) {
	return load.FreePort(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// generatorCPU is the core of the generator, counted from 1: the last one, where
// there are two; else any.
func generatorCPU() int {
	if n := runtime.NumCPU(); n > 1 {
		return n
	}
	return 0
}
