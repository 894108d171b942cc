package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/testnet"
	"github.com/urfave/cli/v2"
)

// commonFlags are the flags of every command that has a node.
func commonFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "listen", Usage: "`HOST:PORT` to listen on; port 0 lets the system choose", DefaultText: "the port of the last run or any; with --testnet 127.0.0.1:0"},
		&cli.StringSliceFlag{Name: "bootstrap", Usage: "`HOST:PORT` to begin with (repeatable)", DefaultText: "the public routers"},
		&cli.StringFlag{Name: "network", Usage: "`KIND` of network: auto, public, private, or private:NAME for one of several", Value: "auto"},
		&cli.StringFlag{Name: "table", Usage: "`KIND` of table: flat or prefix", Value: "prefix"},
		&cli.StringFlag{Name: "id", Usage: "our node ID, 40 `HEX` digits", DefaultText: "that of the last run, else random"},
		&cli.BoolFlag{Name: "read-only", Usage: "mark our queries read-only and answer nothing (BEP 43)"},
		countFlag("testnet", "run against `N` nodes started here on loopback (200, 2k)"),
		&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of the test network and of random targets", Value: 1},
		&cli.DurationFlag{Name: "timeout", Usage: "how long to wait for one answer", Value: 5 * time.Second},
		&cli.BoolFlag{Name: "secure-only", Usage: "count only nodes whose ID fits their address (BEP 42); on the public network"},
		&cli.StringFlag{Name: "opt-out", Usage: "send nothing to the addresses and networks listed in `FILE`, one on a line"},
		&cli.StringFlag{Name: "log-level", Usage: "`LEVEL` of the log on stderr: debug, info, warn or error", Value: "warn"},
	}, storeFlags()...)
}

// formatFlag is how a command writes its data.
func formatFlag(def string) cli.Flag {
	return &cli.StringFlag{Name: "format", Usage: "`FORMAT` of the data on stdout: text, csv, ndjson or json", Value: def}
}

// session is what a command works with: a node, the test network it lives in if
// there is one, what it is kept in, and the table that it writes.
type session struct {
	node   *lightdht.Node
	net    *testnet.Net
	keeper *keeper      // nil: nothing is kept
	run    *dataset.Run // of keeper
	out    *rows
	stderr io.Writer
	name   string // of the network
}

// open starts the node that the common flags describe, and a table with these
// columns; nil: no table. In a test network peers are announced for the infohashes.
func open(c *cli.Context, columns []string, infohashes ...kad.ID) (*session, error) {
	cfg, err := config(c)
	if err != nil {
		return nil, err
	}
	return openWith(c, cfg, columns, infohashes...)
}

// openWith is open with a configuration that was read from the flags.
func openWith(c *cli.Context, cfg lightdht.Config, columns []string, infohashes ...kad.ID) (*session, error) {
	var err error
	if id := c.String("id"); id != "" {
		if cfg.ID, err = parseOwnID(id); err != nil {
			return nil, err
		}
	}
	s := &session{stderr: c.App.ErrWriter}
	if columns != nil {
		if s.out, err = newRows(c.App.Writer, c.String("format"), columns...); err != nil {
			return nil, err
		}
	}
	outliveReaders() // what is kept is to be kept whole
	if err := s.start(c, cfg, infohashes); err != nil {
		s.end(&err)
		return nil, err
	}
	return s, nil
}

// start starts the test network, if there is to be one, and the node.
func (s *session) start(c *cli.Context, cfg lightdht.Config, infohashes []kad.ID) error {
	listen, err := s.prepare(c, &cfg, infohashes...)
	if err != nil {
		return err
	}
	err = s.keeper.listen(listen, c.IsSet("listen"), func(at string) (err error) {
		s.node, err = lightdht.Listen(at, cfg)
		return err
	})
	if err != nil {
		return adviseListen(err)
	}
	if s.net != nil && !s.node.Addr(kad.IPv4).IsValid() {
		return usagef("--listen %s: the test network is on IPv4 loopback: listen on 127.0.0.1:0", listen)
	}
	s.name = networkName(c, cfg, listen)
	s.keeper.begin([]*lightdht.Node{s.node}, c.Command.Name == "dump")
	return nil
}

// prepare opens what is kept in, starts the test network, if there is to be one,
// and returns where to listen.
func (s *session) prepare(c *cli.Context, cfg *lightdht.Config, infohashes ...kad.ID) (listen string, err error) {
	n := countOf(c, "testnet")
	_, name, _ := parseNetwork(c.String("network"))
	switch {
	case n == 0 && c.IsSet("testnet"):
		return "", usagef("--testnet wants at least one node")
	case n == 0:
		listen = orText(c.String("listen"), ":0")
	case len(cfg.Bootstrap) > 0:
		return "", usagef("--testnet brings its own nodes to begin with: leave --bootstrap out")
	case name != "":
		return "", usagef("--testnet is a network of its own: leave --network %s out", c.String("network"))
	default:
		listen = orText(c.String("listen"), "127.0.0.1:0")
	}
	if s.keeper, err = openKeeper(c, cfg, listen, s.say); err != nil {
		return "", err
	}
	if s.keeper != nil {
		s.run = s.keeper.run
	}
	if n == 0 {
		return listen, nil
	}
	return listen, s.startTestnet(c, n, infohashes, cfg)
}

// adviseListen adds to an error of Listen what to do next.
func adviseListen(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: choose another with --listen, or port 0", err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: raise the limit of open files (ulimit -n)", err)
	}
	return fmt.Errorf("%w: choose another address with --listen", err)
}

func (s *session) startTestnet(c *cli.Context, n int, infohashes []kad.ID, cfg *lightdht.Config) (err error) {
	began := time.Now()
	s.net, err = testnet.Start(c.Context, testnet.Config{
		Nodes: n, Seed: c.Uint64("seed"), Infohashes: infohashes, NewTable: cfg.NewTable,
	})
	if err != nil {
		return err
	}
	cfg.Bootstrap = s.net.Bootstrap()
	s.say("test network: %s on loopback, seed %d, ready in %s", some(n, "node"), c.Uint64("seed"), round(time.Since(began)))
	return nil
}

// end closes the session of a command that ends with err, or nil. When nobody
// reads what it writes, so does the program.
func (s *session) end(err *error) {
	s.settle(err)
	if errors.Is(*err, syscall.EPIPE) {
		endUnread()
	}
}

// settle closes the session of a command that ends with err, or nil. Why not all
// was kept is its error when it has no other.
func (s *session) settle(err *error) {
	kept := s.close()
	switch {
	case *err == nil:
		*err = kept
	case kept != nil:
		s.say("%s", oneLine(kept))
	}
}

// close ends the table, then the node, what that is kept in, and its test
// network. The error is why not all was kept.
func (s *session) close() (err error) {
	if s.out != nil {
		s.out.end()
	}
	if s.node != nil {
		s.sayDrops()
		s.node.Close()
	}
	err = s.keeper.close()
	if s.net != nil {
		s.net.Close()
	}
	return err
}

// sayDrops tells what came and was sent in vain, once anything came.
func (s *session) sayDrops() {
	if s.node.Count(lightdht.PacketsIn) == 0 {
		return
	}
	var others strings.Builder
	for c, n := range s.node.Counters() {
		if n > 0 && c.Drops() && c != lightdht.KernelDropped {
			fmt.Fprintf(&others, ", %s %d", c, n)
		}
	}
	s.say("packets: %d in, %d out; dropped by the system: %d%s", s.node.Count(lightdht.PacketsIn), s.node.Count(lightdht.PacketsOut),
		s.node.Count(lightdht.KernelDropped), others.String())
}

// say writes one line about what happened.
func (s *session) say(format string, args ...any) { fmt.Fprintf(s.stderr, format+"\n", args...) }

// advise adds to an error what to do next.
func advise(err error) error {
	var boot *lightdht.BootstrapError
	switch {
	case errors.Is(err, lightdht.ErrReserved):
		return fmt.Errorf("%w: name a network with such addresses with --network private", err)
	case errors.Is(err, lightdht.ErrFamily):
		return fmt.Errorf("%w: listen on one with --listen", err)
	case errors.As(err, &boot):
		return fmt.Errorf("%w: check the network, or name another node with --bootstrap", err)
	case errors.Is(err, lightdht.ErrRefused):
		return fmt.Errorf("%w: check the address and the port", err)
	case errors.Is(err, lightdht.ErrOptOut):
		return fmt.Errorf("%w: it is in a network of --opt-out", err)
	case errors.Is(err, lightdht.ErrTimeout):
		return fmt.Errorf("%w: check the address, or wait longer with --timeout", err)
	case errors.Is(err, lightdht.ErrNoAnswer):
		return fmt.Errorf("%w: name another node with --bootstrap, or wait longer with --timeout", err)
	case errors.Is(err, lightdht.ErrNoNodes):
		return fmt.Errorf("%w: name one with --bootstrap HOST:PORT, or try --testnet 200", err)
	}
	return err
}

// splitPlace reads HOST:PORT, the port being a number from least to 65535. Only
// a place to listen at, whose port may be 0, needs no host.
func splitPlace(place string, least uint64) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(place)
	if err != nil || host == "" && least > 0 {
		return "", 0, fmt.Errorf("%q: want HOST:PORT", place)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n < least {
		return "", 0, fmt.Errorf("%q: the port is a number from %d to 65535", place, least)
	}
	return host, uint16(n), nil
}

// resolveAll turns host:port arguments into all addresses of each.
func resolveAll(ctx context.Context, args []string) ([][]netip.AddrPort, error) {
	var all [][]netip.AddrPort
	for _, arg := range args {
		host, port, err := splitPlace(arg, 1)
		if err != nil {
			return nil, usageError{err}
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if dns := (*net.DNSError)(nil); errors.As(err, &dns) && ctx.Err() == nil {
			return nil, fmt.Errorf("%s: %s: check the name and the network", host, dns.Err)
		} else if err != nil {
			return nil, err
		}
		var addrs []netip.AddrPort
		for _, ip := range ips {
			if addr := netip.AddrPortFrom(ip.Unmap(), port); !slices.Contains(addrs, addr) {
				addrs = append(addrs, addr)
			}
		}
		all = append(all, addrs)
	}
	return all, nil
}

func orText(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// round shortens a duration for people.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
