package main

import (
	"context"
	"net/netip"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

func probeCommand() *cli.Command {
	return &cli.Command{
		Name:      "probe",
		Usage:     "find the peers of infohashes",
		ArgsUsage: "INFOHASH… (40 hex, base32, v2, magnet link; - reads lines from stdin)",
		Description: "Prints every peer once, as it is found: ip:port, after the infohash when there are several.\n" +
			"With --scrape, prints instead how many seeds and other peers the closest nodes count, with standard errors (BEP 33).\n" +
			"With --testnet N, peers are announced in the test network for the infohashes asked for.",
		Flags: append(append(commonFlags(), lookupFlags()...), formatFlag("text"),
			&cli.IntFlag{Name: "announce", DefaultText: "no announcement",
				Usage: "afterwards announce a peer at `PORT` of our address; 0 means the port of our socket"},
			&cli.BoolFlag{Name: "scrape", Usage: "count the swarms instead of naming their peers"},
		),
		Action: probe,
	}
}

// peerColumns are the columns of a peer.
var peerColumns = []string{"infohash", "ip", "port", "family"}

func probe(c *cli.Context) (err error) {
	if port := c.Int("announce"); port < 0 || port > 65535 {
		return usagef("--announce %d: want a port from 0 to 65535", port)
	}
	cfg, err := lookupConfig(c)
	if err != nil {
		return err
	}
	cfg.Peers, cfg.Scrape = true, c.Bool("scrape")
	ids, err := infohashes(c, lightdht.ParseInfohash)
	if err != nil {
		return err
	}
	columns := peerColumns
	if cfg.Scrape {
		columns = scrapeColumns
	}
	s, err := open(c, columns, ids...)
	if err != nil {
		return err
	}
	defer s.end(&err)
	peers := func(id kad.ID, step lightdht.Step) error {
		if cfg.Scrape {
			return nil
		}
		return s.printPeers(id, step.Peers, len(ids) > 1)
	}
	done := func(res *lightdht.LookupResult) error {
		s.say("%s: %s; %s", res.Target, some(len(res.Peers), "peer"), summary(res))
		if cfg.Scrape {
			if err := s.printScrape(res, len(ids) > 1); err != nil {
				return err
			}
		}
		if !c.IsSet("announce") {
			return nil
		}
		_, err := s.announce(c.Context, res, uint16(c.Int("announce")))
		return err
	}
	if err := (lookups{ids: ids, cfg: cfg, why: "probe", step: peers, done: done}).run(c, s); err != nil {
		return err
	}
	return s.out.close()
}

// printPeers prints peers of an infohash; lines of text name it when there are
// several.
func (s *session) printPeers(id kad.ID, peers []netip.AddrPort, several bool) error {
	for _, addr := range peers {
		err := s.out.addOr(under(id, several, addr), id, addr.Addr(), addr.Port(), kad.FamilyOf(addr.Addr()).String())
		if err != nil {
			return err
		}
	}
	return nil
}

// announce tells the closest nodes of a lookup of a peer at our address, and
// returns those that took it.
func (s *session) announce(ctx context.Context, res *lightdht.LookupResult, port uint16) ([]kad.NodeInfo, error) {
	done, err := s.node.AnnounceTo(ctx, res, port)
	if err != nil {
		return nil, err
	}
	s.say("%s: announced to %d of the %d closest nodes", res.Target, len(done.Stored), len(res.Closest))
	for _, err := range done.Errs {
		s.say("  %s", oneLine(err))
	}
	return done.Stored, nil
}
