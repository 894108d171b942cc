package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// server is a node of our program that runs beside the checks: lightdht dump,
// which shows at its end who asked it.
type server struct {
	*process
	id   kad.ID
	addr netip.AddrPort
}

// served is the infohash that the server's ID is next to, so that whoever
// announces for it announces to the server.
var served = hashOf("served")

// orNil returns the process, nil for a server that is not there.
func (s *server) orNil() *process {
	if s == nil {
		return nil
	}
	return s.process
}

// startServer starts the server, waits until it listens, and has libtorrent
// take note of it.
func (l *lab) startServer(ctx context.Context) error {
	s := &server{id: served, addr: netip.AddrPortFrom(ours, 7003)}
	s.id[kad.Size-1] ^= 1
	var err error
	s.process, err = start(l.program(), "dump", "--live", "--no-store", "--for", runLimit.String(), "--log-level", "info",
		"--listen", s.addr.String(), "--id", s.id.String(), "--bootstrap", l.swarm.addrs[0].String())
	if err != nil {
		return err
	}
	l.server = s
	listens := func(line string) bool {
		return strings.Contains(line, "msg=listening") && strings.Contains(line, "addr="+s.addr.String())
	}
	if err := s.err.await(ctx, 0, listens); err != nil {
		return err
	}
	return l.swarm.tell("addnode %s", s.addr)
}

// serverKnown waits until the routing table of every session has the server.
func (l *lab) serverKnown(ctx context.Context) error {
	want := [2]string{l.server.id.String(), l.server.addr.String()}
	for session := range sessions {
		err := until(ctx, func() (bool, error) {
			from := l.swarm.out.len()
			if err := l.swarm.tell("@%d live", session); err != nil {
				return false, err
			}
			e, err := l.swarm.await(ctx, from, func(e event) bool { return e.Event == "live_nodes" && e.Session == session })
			return slices.Contains(e.Nodes, want), err
		})
		if err != nil {
			return fmt.Errorf("session %d: %w", session, err)
		}
	}
	return nil
}

// serverStores has libtorrent announce a peer, and asks the server for it.
func (l *lab) serverStores(ctx context.Context) error {
	peer := l.swarm.addrs[announcer]
	if err := l.swarm.announce(ctx, 1, served); err != nil {
		return err
	}
	asker, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{ReadOnly: true})
	if err != nil {
		return err
	}
	defer asker.Close()
	var reply krpc.Reply
	err = until(ctx, func() (bool, error) {
		reply, err = asker.GetPeers(ctx, l.server.addr, served)
		return slices.Contains(slices.Collect(reply.Values.All()), peer), err
	})
	if err == nil && reply.ID != l.server.id {
		err = fmt.Errorf("%s answered, want %s", reply.ID, l.server.id)
	}
	return err
}

// serverAsked ends the server and looks in what it wrote for a query of every
// session.
func (l *lab) serverAsked(context.Context) error {
	if err := l.server.end(); err != nil {
		return err
	}
	out, _, _ := l.server.out.get(0)
	rows, err := readCSV(strings.Join(out, "\n"))
	if err != nil {
		return err
	}
	return l.swarm.each(rows, func(r row) error {
		if queries, err := strconv.Atoi(r["queries"]); err != nil || queries == 0 {
			return fmt.Errorf("queries is %q", r["queries"])
		}
		return metSession(r)
	})
}

// until asks again and again whether something has come about; nobody tells.
func until(ctx context.Context, come func() (bool, error)) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if ok, err := come(); ok || err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
