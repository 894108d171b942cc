package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

const (
	sessions  = 20    // libtorrent sessions in the swarm
	firstPort = 21000 // theirs are this and the next ones
	announcer = 1     // the session that announces; a peer's port is that of its session
	getter    = sessions - 1
)

// swarm is libtorrent, many times: see lt_swarm.py, which speaks JSON lines.
type swarm struct {
	*process
	ids   []kad.ID         // of each session
	addrs []netip.AddrPort // likewise
}

// event is a line of lt_swarm.py; which fields it has depends on the first.
type event struct {
	Event    string
	OK       bool
	Session  int              `json:"ses"`
	Infohash kad.ID           `json:"info_hash"`
	Port     uint16           // announced
	Peers    []netip.AddrPort // got
	NIDs     []kad.ID         // of all sessions
	Addrs    []netip.AddrPort // of all sessions
	Nodes    [][2]string      // live ones: ID and address
	Samples  []kad.ID         // that a node was asked for
	Routing  []int            // sizes of the routing tables
}

// startSwarm starts the sessions and waits until they know each other.
func (l *lab) startSwarm(ctx context.Context) error { return l.startSwarmFor(ctx, runLimit) }

// startSwarmFor is startSwarm for sessions that end on their own after a while.
// The program before, if there is one, runs them.
func (l *lab) startSwarmFor(ctx context.Context, lasts time.Duration, before ...string) error {
	cmd := append(before, "./lt_swarm.py", "--stdin", "--serve-seconds", strconv.Itoa(int(lasts.Seconds())),
		"--nodes", strconv.Itoa(sessions), "--base-port", strconv.Itoa(firstPort))
	p, err := start(cmd[0], cmd[1:]...)
	if err != nil {
		return err
	}
	l.swarm = &swarm{process: p}
	ready, err := l.swarm.await(ctx, 0, func(e event) bool { return e.Event == "ready" })
	if err != nil {
		return err
	}
	l.swarm.ids, l.swarm.addrs = ready.NIDs, ready.Addrs
	if !ready.OK || len(ready.NIDs) != sessions || len(ready.Addrs) != sessions {
		return fmt.Errorf("routing tables of %v contacts, %d IDs", ready.Routing, len(ready.NIDs))
	}
	return nil
}

// orNil returns the process, nil for a swarm that is not there.
func (s *swarm) orNil() *process {
	if s == nil {
		return nil
	}
	return s.process
}

// tell gives the sessions a command.
func (s *swarm) tell(format string, args ...any) error {
	_, err := fmt.Fprintf(s.stdin, format+"\n", args...)
	return err
}

// await waits for an event, beginning with line i.
func (s *swarm) await(ctx context.Context, i int, match func(event) bool) (found event, err error) {
	var bad error
	err = s.out.await(ctx, i, func(line string) bool {
		found = event{}
		if bad = decode(line, &found); bad != nil {
			return true
		}
		return match(found)
	})
	return found, errors.Join(err, bad)
}

// decode reads a line of JSON, and takes libtorrent's complaints for errors.
func decode(line string, e *event) error {
	if err := json.Unmarshal([]byte(line), e); err != nil {
		return fmt.Errorf("%w: %s", err, line)
	}
	if slices.Contains([]string{"error", "listen_failed", "dht_error"}, e.Event) {
		return fmt.Errorf("libtorrent: %s", line)
	}
	return nil
}

// announce has a session announce itself for each infohash and waits until n
// others have taken each.
func (s *swarm) announce(ctx context.Context, n int, infohashes ...kad.ID) error {
	port := s.addrs[announcer].Port()
	from := s.out.len()
	wanting := map[kad.ID]int{}
	for _, infohash := range infohashes {
		wanting[infohash] = n
		if err := s.tell("@%d announce %s", announcer, infohash); err != nil {
			return err
		}
	}
	_, err := s.await(ctx, from, func(e event) bool {
		if e.Event == "announced_here" && e.Port == port {
			if wanting[e.Infohash]--; wanting[e.Infohash] <= 0 {
				delete(wanting, e.Infohash)
			}
		}
		return len(wanting) == 0
	})
	if err != nil {
		return fmt.Errorf("announcement by libtorrent: sessions that are still to take it: %v: %w", wanting, err)
	}
	return nil
}

// find has a session look for peers of infohash until it finds peer.
func (s *swarm) find(ctx context.Context, infohash kad.ID, peer netip.AddrPort) error {
	from := s.out.len()
	if err := s.tell("@%d get %s", getter, infohash); err != nil {
		return err
	}
	_, err := s.await(ctx, from, func(e event) bool {
		return e.Event == "get_peers_reply" && e.Infohash == infohash && slices.Contains(e.Peers, peer)
	})
	if err != nil {
		return fmt.Errorf("search by libtorrent for %s: %w", peer, err)
	}
	return nil
}
