package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
	"github.com/urfave/cli/v2"
)

func dumpCommand() *cli.Command {
	return &cli.Command{
		Name:  "dump",
		Usage: "look around and write every contact heard of",
		Description: "Joins the network, looks up random targets and pings who is named for as long as --for says,\n" +
			"then writes one row for each contact. Ctrl-C ends the looking around, not the writing.",
		Flags: append(commonFlags(), formatFlag("csv"),
			&cli.DurationFlag{Name: "for", Usage: "how long to look around", Value: 30 * time.Second}),
		Action: dump,
	}
}

// contactColumns are the columns of a contact in every format.
var contactColumns = []string{
	"id", "ip", "port", "family", "state", "client", "version", "first_seen", "last_seen", "last_query", "last_reply",
	"rtt_us", "failures", "queries", "replies", "read_only", "router", "origin", "bep42_ok",
}

func dump(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("dump takes no arguments, and was given %q: see lightdht dump --help", c.Args().First())
	}
	if c.Duration("for") <= 0 {
		return usagef("--for %s: want a time above zero, such as 30s", c.Duration("for"))
	}
	s, err := open(c, contactColumns)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.lookAround(c.Context, c.Duration("for")); err != nil {
		return advise(err)
	}
	now := time.Now()
	for contact := range s.node.Contacts() {
		if err := s.out.add(contactRow(contact, now)...); err != nil {
			return err
		}
	}
	s.say("wrote %s", some(s.out.n, "contact"))
	return s.out.close()
}

// lookAround explores the network for d, or until ctx ends, and tells how far
// it is now and then.
func (s *session) lookAround(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	began := time.Now()
	pause := time.Second // between two words of progress; it grows to 5 s
	progress := time.NewTicker(pause)
	defer progress.Stop()
	end := make(chan error, 1)
	go func() { end <- s.node.Explore(ctx) }()
	for {
		select {
		case <-progress.C:
			s.say("%s: %s", time.Since(began).Round(time.Second), some(s.node.Len(), "contact"))
			pause = min(2*pause, 5*time.Second)
			progress.Reset(pause)
		case err := <-end:
			switch {
			case ctx.Err() != nil && s.node.Len() > 0:
				return nil // its time was over, or somebody pressed Ctrl-C: what there is gets written
			case err == nil:
				return lightdht.ErrNoNodes
			case errors.Is(err, context.DeadlineExceeded):
				return fmt.Errorf("nobody answered within %s: name another node with --bootstrap, or look longer with --for", d)
			}
			return err
		}
	}
}

// contactRow returns the columns of a contact.
func contactRow(c table.Contact, now time.Time) []any {
	var rtt any
	if c.Replies > 0 {
		rtt = c.LastRTT.Microseconds()
	}
	return []any{
		c.ID, c.Addr.Addr(), c.Addr.Port(), kad.FamilyOf(c.Addr.Addr()).String(), c.State(now).String(),
		text(krpc.ClientCode(c.Version)), text(krpc.VersionText(c.Version)),
		stamp(c.FirstSeen), stamp(c.LastSeen), stamp(c.LastQuery), stamp(c.LastReply),
		rtt, c.Failures, c.Queries, c.Replies, c.ReadOnly, c.Router, c.Origin.String(),
		kad.IsSecureID(c.ID, c.Addr.Addr()),
	}
}

// text returns s for a row, nil when it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
