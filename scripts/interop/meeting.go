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
const crowdSize = 16

// Torrents that the announcer seeds. For the second we announce a peer as well.
const (
	theirTorrent  = "announced by Transmission"
	sharedTorrent = "announced by both"
)

// ourPeer is the port of the peer that we announce.
const ourPeer = 7004

// meeting is what the checks with Transmission work with.
type meeting struct {
	node, finder, announcer *process
	crowd                   []netip.AddrPort
}

// startFinder starts a node of ours that knows nobody, and Transmission that
// knows this node.
func (l *lab) startFinder(ctx context.Context) (err error) {
	addr := netip.AddrPortFrom(at(nodeMember), 6881)
	l.meeting.node, err = l.lan.join(nodeMember, l.program(), "dump", "--for", runLimit.String(),
		"--log-level", "info", "--network", "private", "--listen", addr.String())
	if err != nil {
		return err
	}
	if err := l.meeting.node.says(ctx, "msg=listening", "addr="+addr.String()); err != nil {
		return err
	}
	l.meeting.finder, err = l.startTransmission(finderMember, []netip.AddrPort{addr})
	return err
}

// startAnnouncer starts the crowd, announces a peer there, and starts
// Transmission, which is to find that peer and to announce itself. It takes its
// time: what comes of it is looked at later.
func (l *lab) startAnnouncer(ctx context.Context) (err error) {
	if err := l.startCrowd(ctx); err != nil {
		return err
	}
	_, infohash := torrentOf(sharedTorrent)
	if _, err := l.inCrowd(ctx, "announce", "--port", strconv.Itoa(ourPeer), infohash.String()); err != nil {
		return err
	}
	l.meeting.announcer, err = l.startTransmission(announcerMember, l.meeting.crowd, theirTorrent, sharedTorrent)
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
		l.meeting.crowd = append(l.meeting.crowd, addr)
		command = append(command, addr.String())
	}
	crowd, err := l.lan.join(crowdMember, command...)
	if err != nil {
		return err
	}
	return crowd.says(ctx, "ready")
}

// inCrowd runs our program where the crowd is, and returns what it wrote.
func (l *lab) inCrowd(ctx context.Context, args ...string) (string, error) {
	command := append([]string{l.program()}, args...)
	command = append(command, "--network", "private", "--bootstrap", l.meeting.crowd[0].String())
	return output(ctx, l.lan.member(commandMember, command...)...)
}

// transmissionFinds waits until somebody has found our node, ends that, and
// looks in what it wrote for Transmission: it has asked, and answered.
func (l *lab) transmissionFinds(ctx context.Context) error {
	if err := l.meeting.node.says(ctx, ": 1 contact"); err != nil {
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
	r, id := rows[0], transmissionID(finderMember).String()
	addr := netip.AddrPortFrom(at(finderMember), transmissionPort).String()
	if r["id"] != id || r.addr() != addr || r["state"] != "good" || r["origin"] != "query" || r["queries"] == "0" || r["replies"] == "0" {
		return fmt.Errorf("got %v, want %s at %s, good, by its query and with replies", r, id, addr)
	}
	l.note = fmt.Sprintf("; %s queries, %s replies", r["queries"], r["replies"])
	return nil
}

// transmissionBegins waits until Transmission has begun to announce for both
// torrents.
func (l *lab) transmissionBegins(ctx context.Context) error {
	return l.announcerSays(ctx, "Starting IPv4 DHT announce")
}

// transmissionLearns waits until Transmission has learned of the peer that we
// announced.
func (l *lab) transmissionLearns(ctx context.Context) error {
	return l.meeting.announcer.says(ctx, sharedTorrent, "Learned 1 IPv4 peers from DHT")
}

// transmissionAnnounces waits until it has announced itself for both torrents.
func (l *lab) transmissionAnnounces(ctx context.Context) error {
	return l.announcerSays(ctx, "IPv4 DHT announce done")
}

// announcerSays waits until Transmission has written what of each torrent.
func (l *lab) announcerSays(ctx context.Context, what string) error {
	return errors.Join(l.meeting.announcer.says(ctx, theirTorrent, what), l.meeting.announcer.says(ctx, sharedTorrent, what))
}

// findsTransmission has our program find the peers of both torrents.
func (l *lab) findsTransmission(table string) func(context.Context) error {
	return func(ctx context.Context) error {
		theirs := netip.AddrPortFrom(at(announcerMember), transmissionPort)
		if err := l.peersAre(ctx, table, theirTorrent, theirs); err != nil {
			return err
		}
		return l.peersAre(ctx, table, sharedTorrent, theirs, netip.AddrPortFrom(at(commandMember), ourPeer))
	}
}

// peersAre has our program look for the peers of a torrent, which are to be want.
func (l *lab) peersAre(ctx context.Context, table, torrent string, want ...netip.AddrPort) error {
	_, infohash := torrentOf(torrent)
	out, err := l.inCrowd(ctx, "probe", "--table", table, infohash.String())
	if err != nil {
		return err
	}
	var lines []string
	for _, peer := range want {
		lines = append(lines, peer.String())
	}
	if got := slices.Sorted(slices.Values(strings.Fields(out))); !slices.Equal(got, lines) {
		return fmt.Errorf("probe for the torrent %q printed %q, want %q", torrent, got, lines)
	}
	return nil
}
