package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

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

func ping(c *cli.Context) error {
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
	defer s.close()
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
func openFor(c *cli.Context, addrs []netip.AddrPort) (*session, error) {
	if !c.IsSet("bootstrap") && !c.IsSet("testnet") {
		for _, addr := range addrs {
			if err := c.Set("bootstrap", addr.String()); err != nil {
				return nil, err
			}
		}
	}
	return open(c, pingColumns)
}

// pingAll pings all addresses at once and prints the answers in their order. The
// error is that of the only address, or how many of several failed, each having
// been told.
func (s *session) pingAll(ctx context.Context, addrs []netip.AddrPort) error {
	replies := make([]krpc.Reply, len(addrs))
	errs := make([]error, len(addrs))
	var wg sync.WaitGroup
	for i, addr := range addrs {
		wg.Go(func() { replies[i], errs[i] = s.node.Ping(ctx, addr) })
	}
	wg.Wait()
	failed := 0
	for i, addr := range addrs {
		if errs[i] == nil {
			if err := s.printPing(addr, &replies[i]); err != nil {
				return err
			}
			continue
		}
		if len(addrs) == 1 || ctx.Err() != nil {
			return advise(errs[i])
		}
		s.say("%s", oneLine(advise(errs[i])))
		failed++
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d nodes gave no answer to the ping", failed, len(addrs))
	}
	return nil
}

func (s *session) printPing(addr netip.AddrPort, r *krpc.Reply) error {
	version := krpc.VersionText(r.Version)
	return s.out.addOr([]any{addr, r.ID, round(r.RTT), version}, addr.Addr(), addr.Port(), r.ID, r.RTT.Microseconds(), version)
}
