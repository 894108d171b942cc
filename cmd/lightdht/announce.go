package main

import (
	"strconv"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

func announceCommand() *cli.Command {
	return &cli.Command{
		Name:        "announce",
		Usage:       "tell the network of a peer at our address",
		ArgsUsage:   "INFOHASH…",
		Description: "Prints the nodes that took the announcement: they keep it for about half an hour.",
		Flags: append(append(commonFlags(), lookupFlags()...), formatFlag("text"),
			&cli.StringFlag{Name: "port", Usage: "`PORT` of the peer", DefaultText: "that of our socket"}),
		Action: announce,
	}
}

// storedColumns are the columns of a node that took an announcement.
var storedColumns = []string{"infohash", "id", "ip", "port"}

func announce(c *cli.Context) (err error) {
	port, err := announcePort(c)
	if err != nil {
		return err
	}
	cfg, err := lookupConfig(c)
	if err != nil {
		return err
	}
	cfg.Peers = true
	ids, err := infohashes(c, lightdht.ParseInfohash)
	if err != nil {
		return err
	}
	s, err := open(c, storedColumns)
	if err != nil {
		return err
	}
	defer s.end(&err)
	done := func(res *lightdht.LookupResult) error {
		stored, err := s.announce(c.Context, res, port)
		if err != nil {
			return err
		}
		return s.printStored(res.Target, stored, len(ids) > 1)
	}
	if err := (lookups{ids: ids, cfg: cfg, why: "announce", done: done}).run(c, s); err != nil {
		return err
	}
	return s.out.close()
}

// printStored prints the nodes that took an announcement; lines of text name the
// infohash when there are several.
func (s *session) printStored(id kad.ID, stored []kad.NodeInfo, several bool) error {
	for _, info := range stored {
		err := s.out.addOr(under(id, several, info.ID, info.Addr), id, info.ID, info.Addr.Addr(), info.Addr.Port())
		if err != nil {
			return err
		}
	}
	return nil
}

// announcePort returns the port to announce, 0 for that of our socket.
func announcePort(c *cli.Context) (uint16, error) {
	text := c.String("port")
	if text == "" {
		return 0, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, usagef("--port %q: want a port from 0 to 65535", text)
	}
	return uint16(port), nil
}
