package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

func nodeCommand() *cli.Command {
	return &cli.Command{
		Name:  "node",
		Usage: "be a member of the network until Ctrl-C",
		Description: "Joins, answers, keeps its place and, unless --passive, gets to know ever more of the network.\n" +
			"With several IDs each has a socket of its own; all share one table and the limits on sending.\n" +
			"Without --id and --ids the ID is that of the last run and follows our address (BEP 42).\n" +
			"On a terminal one line tells how it goes: contacts (good/questionable/bad), queries received, packets a second.\n" +
			"SIGHUP opens the file of --log-queries again and writes that of --ledger; so a node with one of\n" +
			"these goes on when its terminal is closed: end it with SIGTERM. Others end as with Ctrl-C.",
		Flags:  nodeFlags(),
		Action: beNode,
	}
}

// beNode runs nodes until Ctrl-C or the end of --for.
func beNode(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("node takes no arguments, and was given %q: see lightdht node --help", c.Args().First())
	}
	screen := newScreen(c.App.ErrWriter)
	voice := newVoice(screen.w)
	defer voice.close()
	screen.w, c.App.ErrWriter = voice, screen
	defer screen.clear()
	o, err := readNodeOptions(c)
	if err != nil {
		return err
	}
	r := &nodeRun{nodeOptions: o, session: &session{stderr: screen}, screen: screen}
	r.spread = c.IsSet("ids") && !c.IsSet("id") && !c.IsSet("seed")
	outliveReaders()
	hangup, ignore := hangups(o.queries != "" || o.ledger != "")
	defer ignore()
	r.hangup = hangup
	if err := r.start(c); err != nil {
		return err
	}
	r.began = time.Now()
	ctx, cancel := c.Context, context.CancelFunc(func() {})
	if o.lasts > 0 {
		ctx, cancel = context.WithTimeout(ctx, o.lasts)
	}
	defer cancel()
	r.join(ctx)
	r.watch(ctx)
	return r.end()
}

// nodeRun is a run of nodes.
type nodeRun struct {
	nodeOptions
	*session // its test network; it has no node
	screen   *screen
	began    time.Time
	vantages []*lightdht.Node
	first    *lightdht.Node // of the vantages; what they share can be had from it
	log      *queryLog      // nil: none
	asked    kinds
	states   stateCount
	last     reading // what was shown last
	hangup   <-chan os.Signal
	joining  sync.WaitGroup
	alone    atomic.Bool // that it is not a member yet has been told
}

// start opens what is written to, then the nodes.
func (r *nodeRun) start(c *cli.Context) (err error) {
	if err := r.checkFiles(); err != nil {
		return err
	}
	listen, err := r.prepare(c, &r.cfg)
	if err != nil {
		return err
	}
	if r.queries != "" {
		if r.log, err = openQueryLog(r.queries, c.App.Writer, r.say); err != nil {
			r.close()
			return fmt.Errorf("--log-queries: %w", err)
		}
	}
	r.cfg.Trace = &lightdht.Trace{Query: r.query}
	if last := r.cfg.Last.ID; r.spread && !last.IsZero() {
		r.ids = kad.Spread(last, len(r.ids))
	}
	err = r.keeper.listen(listen, c.IsSet("listen"), func(at string) (err error) {
		r.vantages, err = listenAll(at, r.ids, r.cfg)
		return err
	})
	if err != nil {
		r.close()
		r.log.close()
		return err
	}
	r.first = r.vantages[0]
	r.keeper.begin(r.vantages, true)
	for _, n := range r.vantages {
		r.say("listening on %s as %s", places(n), n.ID())
	}
	return nil
}

// query is told of every query received.
func (r *nodeRun) query(p *lightdht.Packet) {
	r.asked.add(p.Method)
	r.log.add(p)
}

// join makes the nodes join the network. That nobody answers is told once: they
// go on trying, and others may find them.
func (r *nodeRun) join(ctx context.Context) {
	if r.net != nil {
		r.joining.Go(func() { r.net.Keep(ctx) })
	}
	for _, n := range r.vantages {
		r.joining.Go(func() {
			err := n.Bootstrap(ctx)
			if err != nil && ctx.Err() == nil && !r.alone.Swap(true) {
				r.say("not a member of the network yet, and trying on: %s", oneLine(advise(err)))
			}
		})
	}
}

// watch tells how it goes until ctx ends.
func (r *nodeRun) watch(ctx context.Context) {
	var tick <-chan time.Time
	if r.status > 0 {
		ticker := time.NewTicker(r.status)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-tick:
			r.tell(ctx)
		case <-r.hangup:
			r.log.reopen()
			if err := r.writeLedger(); err != nil {
				r.say("%s", oneLine(err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// tell shows how it goes. A tick that comes on the heels of the line before, as
// after the program was stopped, is passed over: what came in a burst within so
// short a time is no rate.
func (r *nodeRun) tell(ctx context.Context) {
	if time.Since(r.began)-r.last.ran < r.status/2 {
		return
	}
	r.states.count(ctx, time.Now(), r.first.Contacts())
	now := r.read()
	r.screen.show(func(width int) string { return statusLine(now, r.last, width) })
	r.last = now
}

// end closes everything, writes what is to be written, the ledger first since it
// waits for nobody, and tells how it went. The error is about what could not be
// written, or kept.
func (r *nodeRun) end() error {
	for _, n := range r.vantages {
		n.Close()
	}
	r.joining.Wait()
	written := r.writeLedger()
	logged := r.log.close()
	r.screen.clear()
	r.states.all(r.first.Contacts())
	r.summarize(r.read())
	err := written
	if logged != nil {
		err = logged
	}
	r.settle(&err)
	return err
}

// nodeOptions are what the flags of the node command say.
type nodeOptions struct {
	cfg     lightdht.Config
	ids     []kad.ID      // of the vantages; one zero ID: it follows our address
	spread  bool          // ids are spread from one at random, or that of the last run
	queries string        // file of the query log; "": none, "-": stdout
	ledger  string        // file of the ledger; "": none
	status  time.Duration // between two lines of status; 0: none
	lasts   time.Duration // 0: until Ctrl-C
}

func readNodeOptions(c *cli.Context) (o nodeOptions, err error) {
	if o.cfg, err = config(c); err != nil {
		return o, err
	}
	for _, read := range []func(*cli.Context, *lightdht.Config) error{readUpkeep, readLimits} {
		if err := read(c, &o.cfg); err != nil {
			return o, err
		}
	}
	if o.ids, err = vantageIDs(c); err != nil {
		return o, err
	}
	if o.queries, o.ledger, err = namedFiles(c); err != nil {
		return o, err
	}
	if c.IsSet("for") && c.Duration("for") <= 0 {
		return o, usagef("--for %s: want a time above zero, such as 12h", c.Duration("for"))
	}
	o.lasts, o.status = c.Duration("for"), c.Duration("status")
	switch {
	case o.status < 0:
		return o, usagef("--status %s: want a time such as 10s, or 0 for no status", o.status)
	case !c.IsSet("status") && c.App.ErrWriter.(*screen).isTerminal():
		o.status = time.Second
	case !c.IsSet("status"):
		o.status = 10 * time.Second
	}
	return o, nil
}

// namedFiles returns the files of the query log and of the ledger.
func namedFiles(c *cli.Context) (queries, ledger string, err error) {
	queries, ledger = c.String("log-queries"), c.String("ledger")
	for _, flag := range []string{"log-queries", "ledger"} {
		switch name := c.String(flag); {
		case c.IsSet(flag) && name == "":
			return "", "", usagef("--%s: want the name of a file", flag)
		case name != "" && name != "-" && c.Bool("no-store"):
			return "", "", usagef("--no-store writes nothing to disk: leave it or --%s out", flag)
		}
	}
	if ledger == "-" {
		return "", "", usagef("--ledger -: want the name of a file: it is replaced as a whole")
	}
	return queries, ledger, nil
}

// vantageIDs returns our IDs: those of --id, --ids of them spread from one, or
// the zero ID.
func vantageIDs(c *cli.Context) (ids []kad.ID, err error) {
	seen := map[kad.ID]bool{}
	for _, text := range c.StringSlice("id") {
		id, err := parseOwnID(text)
		if err != nil {
			return nil, err
		}
		if seen[id] {
			return nil, usagef("--id %s is given twice: nodes of one process need different IDs (BEP 45)", id)
		}
		seen[id] = true
		ids = append(ids, id)
	}
	n := c.Int("ids")
	switch {
	case c.IsSet("ids") && (n < 1 || n > maxVantages):
		return nil, usagef("--ids %d: want 1 to %d", n, maxVantages)
	case len(ids) > maxVantages:
		return nil, usagef("%d times --id: want at most %d", len(ids), maxVantages)
	case n > 0 && len(ids) > 1:
		return nil, usagef("--ids spreads IDs from one: give --id once, or leave --ids out")
	case n > 0 && len(ids) == 1:
		return kad.Spread(ids[0], n), nil
	case n > 0:
		return kad.Spread(spreadFrom(c), n), nil
	case len(ids) == 0:
		return []kad.ID{{}}, nil
	}
	return ids, nil
}

const maxVantages = 1024

// spreadFrom returns where IDs are spread from: at random, unless --seed is given,
// since two programs with the same IDs would harm each other.
func spreadFrom(c *cli.Context) (id kad.ID) {
	if !c.IsSet("seed") {
		return kad.RandomID()
	}
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(c.Uint64("seed") >> (8 * i))
	}
	rand.NewChaCha8(seed).Read(id[:])
	return id
}
