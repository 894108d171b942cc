package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// takers is how many sessions must have taken libtorrent's announcement before
// we look for it.
const takers = 7

// ours is where our peers are: not where libtorrent's are.
var ours = netip.MustParseAddr("127.0.0.1")

// announcedByLibtorrent is the infohash that probe looks for with a table.
func announcedByLibtorrent(table string) kad.ID { return hashOf("announced by libtorrent, " + table) }

// libtorrentAnnounces has libtorrent announce the peer that probe is to find.
func (l *lab) libtorrentAnnounces(ctx context.Context) error {
	return l.swarm.announce(ctx, takers, announcedByLibtorrent("flat"), announcedByLibtorrent("prefix"))
}

// probeFinds has our program find the peer that libtorrent announced.
func (l *lab) probeFinds(table string) func(context.Context) error {
	return func(ctx context.Context) error {
		out, err := l.joined(ctx, "probe", "--table", table, announcedByLibtorrent(table).String())
		if err != nil {
			return err
		}
		if want := l.swarm.addrs[announcer].String(); out != want+"\n" {
			return fmt.Errorf("probe printed %q, want %s alone", out, want)
		}
		return nil
	}
}

// libtorrentFinds has our program announce a peer, the way that args say and at
// the port that is the last of them, and libtorrent find it.
func (l *lab) libtorrentFinds(args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		infohash := hashOf(args[0])
		if _, err := l.joined(ctx, append(slices.Clone(args), infohash.String())...); err != nil {
			return err
		}
		return l.swarm.find(ctx, infohash, netip.MustParseAddrPort(ours.String()+":"+args[len(args)-1]))
	}
}

// libtorrentFindsSocket is the same without a port: the peer is where our
// socket is (implied_port).
func (l *lab) libtorrentFindsSocket(ctx context.Context) error {
	infohash, peer := hashOf("port of the socket"), netip.AddrPortFrom(ours, 7002)
	if _, err := l.joined(ctx, "announce", "--listen", peer.String(), infohash.String()); err != nil {
		return err
	}
	return l.swarm.find(ctx, infohash, peer)
}
