package main

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"strings"

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
			"With --testnet N, peers are announced in the test network for the infohashes asked for.",
		Flags: append(commonFlags(), formatFlag("text"), widthFlag(),
			&cli.IntFlag{Name: "announce", DefaultText: "no announcement",
				Usage: "afterwards announce a peer at `PORT` of our address; 0 means the port of our socket"},
			&cli.BoolFlag{Name: "trace", Usage: "tell every step on stderr"},
		),
		Action: probe,
	}
}

func widthFlag() cli.Flag {
	return &cli.IntFlag{Name: "width", Usage: "how many of the closest `NODES` must have answered before a lookup ends", Value: 8}
}

// lookupConfig reads the flags that say how a lookup goes.
func lookupConfig(c *cli.Context) (lightdht.LookupConfig, error) {
	width := c.Int("width")
	if width < 1 || width > 1000 {
		return lightdht.LookupConfig{}, usagef("--width %d: want 1 to 1000", width)
	}
	return lightdht.LookupConfig{K: 8, Width: width}, nil
}

// peerColumns are the columns of a peer.
var peerColumns = []string{"infohash", "ip", "port", "family"}

func probe(c *cli.Context) error {
	if port := c.Int("announce"); port < 0 || port > 65535 {
		return usagef("--announce %d: want a port from 0 to 65535", port)
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
	out, err := newRows(c.App.Writer, c.String("format"), peerColumns...)
	if err != nil {
		return err
	}
	defer out.end()
	s, err := open(c, ids...)
	if err != nil {
		return err
	}
	defer s.close()
	for _, id := range ids {
		p := prober{session: s, out: out, several: len(ids) > 1, trace: c.Bool("trace")}
		res, err := p.run(s.node.LookupWith(c.Context, id, cfg), id)
		if err != nil {
			return advise(err)
		}
		if c.IsSet("announce") {
			if _, err := s.announce(c.Context, res, uint16(c.Int("announce"))); err != nil {
				return err
			}
		}
	}
	return out.close()
}

// prober prints the peers of one lookup after another.
type prober struct {
	*session
	out     *rows
	several bool // lines of text name the infohash
	trace   bool
}

// run follows one lookup and tells what happened.
func (p prober) run(steps iter.Seq2[lightdht.Step, error], id kad.ID) (res *lightdht.LookupResult, err error) {
	printed := map[netip.AddrPort]bool{}
	for step, err := range steps {
		if err != nil {
			return nil, err
		}
		if p.trace {
			p.say("%s", traceLine(step))
		}
		if step.Event == lightdht.Done {
			res = step.Result
		}
		if step.Reply == nil {
			continue
		}
		for addr := range step.Reply.Values.All() {
			if printed[addr] {
				continue
			}
			printed[addr] = true
			if err := p.print(id, addr); err != nil {
				return nil, err
			}
		}
	}
	p.say("%s: %s; %s", id, some(len(res.Peers), "peer"), summary(res))
	return res, nobody(res)
}

func (p prober) print(id kad.ID, addr netip.AddrPort) error {
	switch {
	case p.out.format != "text":
		return p.out.add(id, addr.Addr(), addr.Port(), kad.FamilyOf(addr.Addr()).String())
	case p.several:
		return p.out.add(id, addr)
	}
	return p.out.add(addr)
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

// nobody is an error when no node at all answered a lookup.
func nobody(res *lightdht.LookupResult) error {
	if res.Answered > 0 {
		return nil
	}
	return fmt.Errorf("none of the %d nodes asked about %s answered: name another node with --bootstrap, or wait longer with --timeout", res.Asked, res.Target)
}

// summary says in words what happened on a lookup.
func summary(r *lightdht.LookupResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "asked %s: %d answered", some(r.Asked, "node"), r.Answered)
	for _, part := range []struct {
		n    int
		what string
	}{{r.Strange, "of them with another ID"}, {r.TimedOut, "timed out"}, {r.Failed, "failed"}, {r.Silent, "still under way"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.what)
		}
	}
	fmt.Fprintf(&b, "; %s, %d bytes out, %d in, %s", some(r.Hops, "hop"), r.BytesOut, r.BytesIn, round(r.Duration))
	return b.String()
}

// some says how many there are of something.
func some(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// traceLine says in words what happened in one step.
func traceLine(s lightdht.Step) string {
	if s.Event == lightdht.Done {
		return fmt.Sprintf("%10s  %s", round(s.At), s.Event)
	}
	line := fmt.Sprintf("%10s  %-9s  %s  %-21s  hop %d", round(s.At), s.Event, s.Node.ID, s.Node.Addr, s.Hop)
	if s.Reply != nil {
		line += fmt.Sprintf("  rtt %s, %s (%d new), %s", round(s.Reply.RTT),
			some(s.Reply.Nodes.Len()+s.Reply.Nodes6.Len(), "node"), s.New, some(s.Reply.Values.Len(), "peer"))
	}
	if s.Err != nil {
		line += "  " + oneLine(s.Err)
	}
	return line
}
