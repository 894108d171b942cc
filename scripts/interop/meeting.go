package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The members of the LAN, and two networks: the finder knows our node alone, the
// announcer our crowd.
const (
	nodeMember      = 1
	finderMember    = 2
	crowdMember     = 3
	announcerMember = 4
	commandMember   = 5 // commands of ours that come and go
)

// Transmission announces once more than 8 nodes are in its table and 4 of them
// have answered. It asks one of those in dht.dat every 1 to 3 s, looks how many
// it has within 20 s of its start and then every 5 to 10 s, and lets up to 25 s
// pass between the search and the announcements.
const (
	crowdSize = 16
	takes     = 8 // of the nodes it found, to announce to
)

// The torrent that the announcer seeds, and the port of our peer for it.
const (
	torrentName = "announced by both"
	ourPeer     = 7004
)

// meeting is what the checks with Transmission work with.
type meeting struct {
	node, crowd *process         // ours
	places      []netip.AddrPort // of the crowd
	announcer   *process         // Transmission; nobody waits for what the finder says
}

// startFinder starts a node of ours that knows nobody, and Transmission that
// knows this node.
func (l *lab) startFinder(ctx context.Context) (err error) {
	addr := netip.AddrPortFrom(at(nodeMember), 6881)
	l.meeting.node, err = l.lan.join(nodeMember, l.program(), "dump", "--live", "--no-store", "--for", runLimit.String(),
		"--log-level", "info", "--network", "private", "--listen", addr.String())
	if err != nil {
		return err
	}
	if err := l.meeting.node.says(ctx, 1, "msg=listening addr="+addr.String()); err != nil {
		return err
	}
	_, err = l.startTransmission(finderMember, []netip.AddrPort{addr})
	return err
}

// startAnnouncer starts the crowd, announces a peer there, and starts
// Transmission, which is to find that peer and to announce itself. It takes its
// time: what comes of it is looked at later. Until then none of our commands may
// get into its table, hence --read-only: for a node that is gone its search waits
// half a minute.
func (l *lab) startAnnouncer(ctx context.Context) (err error) {
	if err := l.startCrowd(ctx); err != nil {
		return err
	}
	_, infohash := torrentOf(torrentName)
	_, err = l.inCrowd(ctx, "announce", "--read-only", "--port", strconv.Itoa(ourPeer), infohash.String())
	if err != nil {
		return err
	}
	l.meeting.announcer, err = l.startTransmission(announcerMember, l.meeting.places, torrentName)
	return err
}

// startCrowd starts many nodes of ours in one process.
func (l *lab) startCrowd(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := []string{self, "crowd"}
	for i := range crowdSize {
		addr := netip.AddrPortFrom(at(crowdMember), 6881+uint16(i))
		l.meeting.places = append(l.meeting.places, addr)
		command = append(command, addr.String())
	}
	if l.meeting.crowd, err = l.lan.join(crowdMember, command...); err != nil {
		return err
	}
	return l.meeting.crowd.says(ctx, 1, "ready")
}

// inCrowd runs our program where the crowd is, and returns what it wrote.
func (l *lab) inCrowd(ctx context.Context, args ...string) (string, error) {
	command := append([]string{l.program()}, append(args, "--no-store")...)
	command = append(command, "--network", "private", "--bootstrap", l.meeting.places[0].String())
	return output(ctx, l.lan.member(commandMember, command...)...)
}

// transmissionFinds waits until somebody has found our node, ends that, and
// looks in what it wrote for Transmission: it has asked, and answered.
func (l *lab) transmissionFinds(ctx context.Context) error {
	if err := l.meeting.node.says(ctx, 1, ": 1 contact"); err != nil {
		return err
	}
	if err := l.meeting.node.end(); err != nil {
		return err
	}
	out, _, _ := l.meeting.node.out.get(0)
	rows, err := readCSV(strings.Join(out, "\n"))
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("%d contacts, want Transmission alone: %v", len(rows), rows)
	}
	r := rows[0]
	if r["state"] != "good" || r["origin"] != "query" || r["queries"] == "0" || r["replies"] == "0" {
		return fmt.Errorf("want a good contact that asked first and has answered, got %v", r)
	}
	l.note = fmt.Sprintf("; %s queries, %s replies", r["queries"], r["replies"])
	return isTransmission(r, finderMember)
}

// isTransmission tells whether a row is of the Transmission that is such a
// member.
func isTransmission(r row, member byte) error {
	id, addr := transmissionID(member).String(), transmissionAt(member).String()
	if r["id"] != id || r.addr() != addr {
		return fmt.Errorf("want %s at %s, got %v", id, addr, r)
	}
	return nil
}

// pingsTransmission pings each Transmission.
func (l *lab) pingsTransmission(ctx context.Context) error {
	all := []byte{finderMember, announcerMember}
	args := []string{"ping", "--format", "csv"}
	for _, member := range all {
		args = append(args, transmissionAt(member).String())
	}
	out, err := l.inCrowd(ctx, args...)
	if err != nil {
		return err
	}
	rows, err := readCSV(out)
	if err != nil {
		return err
	}
	if len(rows) != len(all) {
		return fmt.Errorf("%d rows for %d Transmissions", len(rows), len(all))
	}
	return errors.Join(isTransmission(rows[0], all[0]), isTransmission(rows[1], all[1]))
}

// transmissionBegins waits until Transmission has begun to search.
func (l *lab) transmissionBegins(ctx context.Context) error {
	return l.meeting.announcer.says(ctx, 1, torrentName+" Starting IPv4 DHT announce")
}

// transmissionLearns waits until it has learned of the peer that we announced.
func (l *lab) transmissionLearns(ctx context.Context) error {
	return l.meeting.announcer.says(ctx, 1, torrentName+" Learned 1 IPv4 peers from DHT")
}

// transmissionAnnounces waits until ours have answered its announcements.
func (l *lab) transmissionAnnounces(ctx context.Context) error {
	return l.meeting.announcer.says(ctx, takes, "Got reply to announce_peer")
}

// findsTransmission has our program find both peers of the torrent.
func (l *lab) findsTransmission(table string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, infohash := torrentOf(torrentName)
		out, err := l.inCrowd(ctx, "probe", "--table", table, infohash.String())
		if err != nil {
			return err
		}
		got := slices.Sorted(slices.Values(strings.Fields(out)))
		want := []string{
			transmissionAt(announcerMember).String(),
			netip.AddrPortFrom(at(commandMember), ourPeer).String(),
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("probe printed %q, want %q", out, want)
		}
		return nil
	}
}
