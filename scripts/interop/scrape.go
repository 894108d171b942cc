package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/lightdht/lightdht/lightdht"
)

// counters is how many of the closest nodes must count a swarm: those that took
// the announcement, but for some that are not among the closest.
const counters = takers - 2

// scrapeCounts has our program count the swarm of which libtorrent's peer is all
// there is, by the filters of libtorrent.
func (l *lab) scrapeCounts(ctx context.Context) error {
	infohash := announcedByLibtorrent("flat").String()
	out, err := l.joined(ctx, "probe", "--scrape", "--format", "csv", infohash)
	if err != nil {
		return err
	}
	rows, err := readCSV(out)
	if err != nil {
		return err
	}
	if len(rows) != 1 || rows[0]["infohash"] != infohash {
		return fmt.Errorf("rows %v", rows)
	}
	peers, peersErr := strconv.ParseFloat(rows[0]["peers"], 64)
	filters, filtersErr := strconv.Atoi(rows[0]["filters"])
	if peersErr != nil || filtersErr != nil || peers < 0.9 || peers > 1.1 || filters < counters || rows[0]["seeds"] != "0" {
		return fmt.Errorf("counted %v, want 1 peer and no seed by %d nodes or more", rows[0], counters)
	}
	return nil
}

// libtorrentSamples asks a session for its infohashes that libtorrent announced
// to it.
func (l *lab) libtorrentSamples(ctx context.Context) error {
	infohash := announcedByLibtorrent("flat")
	taker, err := l.swarm.await(ctx, 0, func(e event) bool { return e.Event == "announced_here" && e.Infohash == infohash })
	if err != nil {
		return err
	}
	asker, err := lightdht.Listen("127.0.0.1:0", lightdht.Config{ReadOnly: true})
	if err != nil {
		return err
	}
	defer asker.Close()
	reply, err := asker.SampleInfohashes(ctx, l.swarm.addrs[taker.Session], infohash)
	if err != nil {
		return err
	}
	got := slices.Collect(reply.Infohashes())
	if !slices.Contains(got, infohash) || reply.Num < int64(len(got)) || reply.Interval <= 0 || reply.Nodes.Len() == 0 {
		return fmt.Errorf("%s not among %v: %q", infohash, got, reply.Raw)
	}
	return nil
}

// serverSamples has libtorrent ask the server for its infohashes.
func (l *lab) serverSamples(ctx context.Context) error {
	from := l.swarm.out.len()
	if err := l.swarm.tell("@%d sample %s %s", getter, l.server.addr, served); err != nil {
		return err
	}
	e, err := l.swarm.await(ctx, from, func(e event) bool { return e.Event == "samples" })
	if err != nil {
		return err
	}
	if !slices.Contains(e.Samples, served) {
		return fmt.Errorf("libtorrent was told %v, want %s among them", e.Samples, served)
	}
	return nil
}
