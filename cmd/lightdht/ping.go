package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/urfave/cli/v2"
)

func pingCommand() *cli.Command {
	return &cli.Command{
		Name:        "ping",
		Usage:       "ask nodes who they are",
		ArgsUsage:   "HOST:PORT…",
		Description: "Prints address, ID, round trip and client version of each that answers.\nWith --testnet N and no address it pings nodes of the test network.",
		Flags:       append(commonFlags(), formatFlag("text")),
		Action:      ping,
	}
}

// pingColumns are the columns of a node that answered a ping.
var pingColumns = []string{"ip", "port", "id", "rtt_us", "version"}

func ping(c *cli.Context) (err error) {
	addrs, err := resolveAll(c.Context, c.Args().Slice())
	if err != nil {
		return err
	}
	if len(addrs) == 0 && countOf(c, "testnet") == 0 {
		return usagef("name a node as HOST:PORT: see lightdht ping --help")
	}
	s, err := openFor(c, addrs)
	if err != nil {
		return err
	}
	defer s.end(&err)
	if len(addrs) == 0 {
		if addrs, err = resolveAll(c.Context, s.net.Bootstrap()); err != nil {
			return err
		}
	}
	if err := s.pingAll(c.Context, addrs); err != nil {
		return err
	}
	return s.out.close()
}

// openFor is open for a command whose arguments are the nodes to ask: a network
// left to be guessed is private when all of them are local.
func openFor(c *cli.Context, all [][]netip.AddrPort) (*session, error) {
	cfg, err := config(c)
	if err != nil {
		return nil, err
	}
	if !c.IsSet("bootstrap") && !c.IsSet("testnet") {
		for _, addr := range slices.Concat(all...) {
			cfg.Bootstrap = append(cfg.Bootstrap, addr.String())
		}
	}
	return openWith(c, cfg, pingColumns)
}

// pingAll pings all nodes at once and prints the answers in their order. The
// error is that of the only node, or how many of several failed, each having
// been told.
func (s *session) pingAll(ctx context.Context, nodes [][]netip.AddrPort) error {
	replies := make([]krpc.Reply, len(nodes))
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, addrs := range nodes {
		wg.Go(func() { replies[i], errs[i] = s.pingAny(ctx, addrs) })
	}
	wg.Wait()
	failed := 0
	for i := range nodes {
		if errs[i] == nil {
			if err := s.printPing(&replies[i]); err != nil {
				return err
			}
			continue
		}
		if len(nodes) == 1 || ctx.Err() != nil {
			return advise(errs[i])
		}
		s.say("%s", oneLine(advise(errs[i])))
		failed++
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d nodes gave no answer to the ping", failed, len(nodes))
	}
	return nil
}

// pingAny pings all addresses of one node and returns the first answer, or else
// what became of the first address of a family that we have.
func (s *session) pingAny(ctx context.Context, addrs []netip.AddrPort) (krpc.Reply, error) {
	type end struct {
		reply krpc.Reply
		err   error
	}
	ends := make(chan end, len(addrs))
	for _, addr := range addrs {
		s.node.Go(ctx, addr, krpc.Ping{}, func(reply krpc.Reply, err error) { ends <- end{reply, err} })
	}
	var failure error
	for range addrs {
		e := <-ends
		if e.err == nil {
			return e.reply, nil
		}
		if failure == nil || errors.Is(failure, lightdht.ErrFamily) {
			failure = e.err
		}
	}
	return krpc.Reply{}, failure
}

func (s *session) printPing(r *krpc.Reply) error {
	version := krpc.VersionText(r.Version)
	return s.out.addOr([]any{r.From, r.ID, round(r.RTT), version}, r.From.Addr(), r.From.Port(), r.ID, r.RTT.Microseconds(), version)
}
