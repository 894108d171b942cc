package main

import (
	"bytes"
	"context"
	"net/netip"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

func testnetCommand() *cli.Command {
	return &cli.Command{
		Name:  "testnet",
		Usage: "serve a network on loopback to other programs until Ctrl-C",
		Description: "Prints where to begin with, HOST:PORT on each line, when the network is ready. IDs, addresses\n" +
			"and peers follow from --seed.",
		Flags: []cli.Flag{
			&cli.GenericFlag{Name: "nodes", Usage: "how many `N` nodes (200, 2k)", Value: new(count), DefaultText: "200"},
			&cli.Uint64Flag{Name: "seed", Usage: "`SEED` that all follows from", Value: 1},
			&cli.StringSliceFlag{Name: "infohash", Usage: "announce peers for `HASH`, in any form (repeatable)"},
			&cli.IntFlag{Name: "peers", Usage: "announce `N` peers for each", Value: 12},
			&cli.StringFlag{Name: "table", Usage: "`KIND` of the nodes' tables: flat or prefix", Value: "prefix"},
			&cli.DurationFlag{Name: "for", Usage: "how long to serve", DefaultText: "until Ctrl-C"},
			formatFlag("text"),
		},
		Action: serveTestnet,
	}
}

// entranceColumns are the columns of a node to begin with.
var entranceColumns = []string{"id", "ip", "port"}

// servedPeerTTL is how long the announced peers of a network that is served
// stay: longer than anybody serves one.
const servedPeerTTL = 10 * 365 * 24 * time.Hour

func serveTestnet(c *cli.Context) error {
	cfg, err := testnetConfig(c)
	if err != nil {
		return err
	}
	var places bytes.Buffer
	out, err := newRows(&places, c.String("format"), entranceColumns...)
	if err != nil {
		return err
	}
	began := time.Now()
	net, err := testnet.Start(c.Context, cfg)
	if err != nil {
		return err
	}
	defer net.Close()
	s := &session{net: net, out: out, stderr: c.App.ErrWriter}
	ready := round(time.Since(began))
	if err := s.printEntrances(); err != nil {
		return err
	}
	if _, err := places.WriteTo(c.App.Writer); err != nil { // at once: a reader that has seen the first line may go
		return err
	}
	s.say("test network: %s on loopback, seed %d, ready in %s", some(net.Len(), "node"), cfg.Seed, ready)
	began = time.Now()
	ctx, cancel := c.Context, context.CancelFunc(func() {})
	if d := c.Duration("for"); d > 0 {
		ctx, cancel = context.WithTimeout(ctx, d)
	}
	defer cancel()
	net.Keep(ctx) // it goes on for longer than contacts stay fresh by themselves
	<-ctx.Done()
	counts := sum(net.Nodes())
	s.say("served %s for %s: %d packets in, %d out, %d queries answered", some(net.Len(), "node"), round(time.Since(began)),
		counts[lightdht.PacketsIn], counts[lightdht.PacketsOut], counts[lightdht.RepliesOut])
	return nil
}

// testnetConfig reads which network to make.
func testnetConfig(c *cli.Context) (cfg testnet.Config, err error) {
	cfg = testnet.Config{Nodes: 200, Seed: c.Uint64("seed"), Peers: c.Int("peers"), PeerTTL: servedPeerTTL}
	if c.IsSet("nodes") {
		cfg.Nodes = countOf(c, "nodes")
	}
	kind := orText(c.String("table"), "nothing")
	_, tableErr := table.New(kind)
	switch {
	case c.NArg() > 0:
		return cfg, usagef("testnet takes no arguments, and was given %q: see lightdht testnet --help", c.Args().First())
	case cfg.Nodes < 1:
		return cfg, usagef("--nodes wants at least one node")
	case cfg.Peers < 1:
		return cfg, usagef("--peers %d: want 1 or more", cfg.Peers)
	case c.IsSet("for") && c.Duration("for") <= 0:
		return cfg, usagef("--for %s: want a time above zero, such as 12h", c.Duration("for"))
	case tableErr != nil:
		return cfg, usagef("--table: %w", tableErr)
	}
	cfg.NewTable = func() table.Table { t, _ := table.New(kind); return t }
	for _, text := range c.StringSlice("infohash") {
		id, err := lightdht.ParseInfohash(text)
		if err != nil {
			return cfg, usagef("--infohash: %w", err)
		}
		cfg.Infohashes = append(cfg.Infohashes, id)
	}
	return cfg, nil
}

// printEntrances prints where to begin with.
func (s *session) printEntrances() error {
	at := map[string]kad.NodeInfo{}
	for _, info := range s.net.Infos() {
		at[info.Addr.String()] = info
	}
	for _, place := range s.net.Bootstrap() {
		addr, err := netip.ParseAddrPort(place)
		if err != nil {
			return err
		}
		if err := s.out.addOr([]any{place}, at[place].ID, addr.Addr(), addr.Port()); err != nil {
			return err
		}
	}
	return s.out.close()
}
