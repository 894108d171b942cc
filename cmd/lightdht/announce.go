package main

import (
	"strconv"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/urfave/cli/v2"
)

func announceCommand() *cli.Command {
	return &cli.Command{
		Name:        "announce",
		Usage:       "tell the network of a peer at our address",
		ArgsUsage:   "INFOHASH…",
		Description: "Prints the nodes that took the announcement: they keep it for about half an hour.",
		Flags: append(commonFlags(), formatFlag("text"), widthFlag(),
			&cli.StringFlag{Name: "port", Usage: "`PORT` of the peer", DefaultText: "that of our socket"}),
		Action: announce,
	}
}

// storedColumns are the columns of a node that took an announcement.
var storedColumns = []string{"infohash", "id", "ip", "port"}

func announce(c *cli.Context) error {
	port, err := announcePort(c)
	if err != nil {
		return err
	}
	cfg, err := lookupConfig(c)
	if err != nil {
		return err
	}
	cfg.Peers = true
	ids, err := infohashes(c)
	if err != nil {
		return err
	}
	out, err := newRows(c.App.Writer, c.String("format"), storedColumns...)
	if err != nil {
		return err
	}
	defer out.end()
	s, err := open(c)
	if err != nil {
		return err
	}
	defer s.close()
	for _, id := range ids {
		res, err := s.follow(s.node.LookupWith(c.Context, id, cfg), false)
		if err != nil {
			return advise(err)
		}
		stored, err := s.announce(c.Context, res, port)
		if err != nil {
			return err
		}
		for _, info := range stored {
			if err := printStored(out, id, info, len(ids) > 1); err != nil {
				return err
			}
		}
	}
	return out.close()
}

// printStored prints a node that took an announcement; lines of text name the
// infohash when there are several.
func printStored(out *rows, id kad.ID, info kad.NodeInfo, several bool) error {
	switch {
	case out.format != "text":
		return out.add(id, info.ID, info.Addr.Addr(), info.Addr.Port())
	case several:
		return out.add(id, info.ID, info.Addr)
	}
	return out.add(info.ID, info.Addr)
}

// announcePort returns the port to announce, 0 for that of our socket.
func announcePort(c *cli.Context) (uint16, error) {
	text := c.String("port")
	if text == "" {
		return 0, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, usagef("--port %q: want a port from 1 to 65535", text)
	}
	return uint16(port), nil
}
