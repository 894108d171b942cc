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
	out, err := newRows(c.App.Writer, c.String("format"), pingColumns...)
	if err != nil {
		return err
	}
	defer out.end()
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
	failed, err := s.pingAll(c.Context, addrs, out)
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d nodes did not answer: check the address, or wait longer with --timeout", failed, len(addrs))
	}
	return out.close()
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
	return open(c)
}

// pingAll pings all addresses at once and prints the answers in their order.
func (s *session) pingAll(ctx context.Context, addrs []netip.AddrPort, out *rows) (failed int, err error) {
	replies := make([]krpc.Reply, len(addrs))
	errs := make([]error, len(addrs))
	var wg sync.WaitGroup
	for i, addr := range addrs {
		wg.Go(func() { replies[i], errs[i] = s.node.Ping(ctx, addr) })
	}
	wg.Wait()
	for i, addr := range addrs {
		if errs[i] != nil {
			s.say("%s", oneLine(advise(errs[i])))
			failed++
			continue
		}
		if err := s.printPing(addr, &replies[i], out); err != nil {
			return failed, err
		}
	}
	return failed, ctx.Err()
}

func (s *session) printPing(addr netip.AddrPort, r *krpc.Reply, out *rows) error {
	version := krpc.VersionText(r.Version)
	if out.format == "text" {
		return out.add(addr, r.ID, round(r.RTT), version)
	}
	return out.add(addr.Addr(), addr.Port(), r.ID, r.RTT.Microseconds(), version)
}
