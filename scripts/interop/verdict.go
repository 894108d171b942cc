package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	mostGrowth = 4                // MB an hour
	judgedFrom = 10 * time.Minute // or a sixth of the soak if that is sooner: then what the node keeps is there
	judgedOver = 20 * time.Minute // growth over less says nothing
)

// drops are the counters of what was dropped. None is to count anything here,
// where everybody is honest and there is room for all. greetings_left is not one
// of them: who comes together with many others is greeted at its next query.
var drops = []string{
	"read_errors", "write_errors", "malformed", "stray", "from_reserved", "mention_refused", "peers_refused", "unanswered",
	"suppressed", "bad_token", "peers_dropped", "foreign", "kernel_dropped", "bans", "banned",
	"queries_held", "queries_limited", "answers_limited", "opted_out", "ledger_full", "ids_refused", "contacts_refused",
	"mentions_crowded", "candidates_crowded",
}

// verdict are the checks after the soak.
func (s *soak) verdict() []check {
	said, _, _ := s.node.err.get(0)
	sum, err := readSummary(said)
	all := []check{{"summary: the node said how it went", true, func(context.Context) error { return err }}}
	if err != nil {
		return all
	}
	return append(all,
		check{"memory: it does not grow", false, s.memoryStays},
		check{"files: none is left open", false, s.filesStay},
		check{"drops: none", false, func(context.Context) error { return s.nothingDropped(sum) }},
		check{"contacts: everybody is one", false, func(context.Context) error { return s.allKnown(sum) }},
		check{"askers: every query was answered, and none with an error", false, s.allAnswered},
		check{"query log: a row for every query that the node received", false, func(context.Context) error { return s.allLogged(sum) }},
		check{"query log: the rows of the askers are what they asked", false, s.askersLogged},
		check{"ledger: has every packet from and to the askers", false, s.ledgerRight},
		check{"swarm: libtorrent looked and found to the end", false, s.swarmWorked},
	)
}

// judged are the vitals of the time that growth is judged by.
func (s *soak) judged() []sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := min(judgedFrom, s.lasts/6)
	i := slices.IndexFunc(s.life, func(v sample) bool { return v.at >= from })
	return s.life[max(i, 0):]
}

// memoryStays fits a line to the memory.
func (s *soak) memoryStays(context.Context) error {
	life := s.judged()
	if len(life) == 0 {
		return fmt.Errorf("it was never measured")
	}
	var points []point
	least, most := life[0].rss, life[0].rss
	for _, v := range life {
		points = append(points, point{v.at, v.rss})
		least, most = min(least, v.rss), max(most, v.rss)
	}
	first, last := life[0].at, life[len(life)-1].at
	grows := slope(points)
	s.note = fmt.Sprintf("; %+.2f MB/h from %s to %s, %.1f to %.1f MB", grows, first.Round(time.Second), last.Round(time.Second), least, most)
	if last-first < judgedOver {
		s.note += "; too short to judge"
		return nil
	}
	if grows > mostGrowth {
		return fmt.Errorf("it grows by more than %d MB/h%s", mostGrowth, s.note)
	}
	return nil
}

// filesStay compares the open files at both ends of the time that is judged.
func (s *soak) filesStay(context.Context) error {
	life := s.judged()
	if len(life) == 0 {
		return fmt.Errorf("they were never counted")
	}
	first, last := life[0], life[len(life)-1]
	s.note = fmt.Sprintf("; %d and %d open, %d and %d threads", first.files, last.files, first.threads, last.threads)
	if last.files > first.files {
		return fmt.Errorf("more and more are open%s", s.note)
	}
	return nil
}

// nothingDropped looks at the counters.
func (s *soak) nothingDropped(sum summary) error {
	var bad []string
	for _, name := range drops {
		if n := sum.counters[name]; n > 0 {
			bad = append(bad, fmt.Sprintf("%s %d", name, n))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%s", strings.Join(bad, ", "))
	}
	s.note = fmt.Sprintf("; packets: %d in, %d out; queries of its own: %d, %d timed out, %d refused, %d answered late",
		sum.counters["packets_in"], sum.counters["packets_out"], sum.counters["queries_out"], sum.counters["timeouts"], sum.counters["refused"], sum.counters["late"])
	return nil
}

// allKnown wants the sessions and the askers in the table, and nobody else.
func (s *soak) allKnown(sum summary) error {
	s.note = fmt.Sprintf("; %d, %d of them good; %d greetings left for later", sum.contacts, sum.good, sum.counters["greetings_left"])
	if want := sessions + askersCount; sum.contacts != want {
		return fmt.Errorf("want %d%s", want, s.note)
	}
	return nil
}

// allAnswered explains what was not answered by what came late and what was lost
// at the askers' own sockets.
func (s *soak) allAnswered(context.Context) error {
	t := s.askers.tally()
	s.note = fmt.Sprintf("; %d queries, %d answers, %d of them errors; %d unanswered within %s, %d of these answered later, %d packets lost at the askers",
		t.total(), t.answered, t.errors, t.unanswered, patience, t.late, s.lost)
	if t.errors > 0 || t.waiting > 0 || t.unanswered > t.late+s.lost {
		return fmt.Errorf("some were not%s", s.note)
	}
	return nil
}

// allLogged compares the number of rows, ours and the node's.
func (s *soak) allLogged(sum summary) error {
	s.note = fmt.Sprintf("; %d rows read, %d written, %d skipped, %d lost, %d queries", s.logged.rows, sum.rows, sum.skipped, sum.lost, sum.queries)
	if sum.skipped+sum.lost > 0 || s.logged.rows != sum.rows || sum.rows != sum.queries || sum.queries != sum.counters["queries_in"] {
		return fmt.Errorf("%d queries_in%s", sum.counters["queries_in"], s.note)
	}
	return nil
}

// askersLogged compares the rows of each asker and method.
func (s *soak) askersLogged(context.Context) error {
	left := map[asking]uint64{} // rows that nobody has asked for yet
	for who, n := range s.logged.by {
		if who.addr.Port() == askerPort {
			left[who] = n
		}
	}
	for _, a := range s.askers.all {
		for method, n := range a.tally().asked {
			who := asking{a.id, a.addr, method}
			if left[who] != n {
				return fmt.Errorf("%s of %s at %s: asked %d times, %d rows", method, who.id, who.addr, n, left[who])
			}
			delete(left, who)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("rows that nobody asked for: %v", left)
	}
	return nil
}

// ledgerRight compares the packets in the ledger with those of each asker.
func (s *soak) ledgerRight(context.Context) error {
	text, err := os.ReadFile(s.node.ledger)
	if err != nil {
		return err
	}
	rows, err := readCSV(string(text))
	if err != nil {
		return err
	}
	for _, a := range s.askers.all {
		i := slices.IndexFunc(rows, func(r row) bool { return r["ip"] == a.addr.Addr().String() })
		if i < 0 {
			return fmt.Errorf("%s is not in it", a.addr.Addr())
		}
		t := a.tally()
		in, out := t.total()+t.served, t.answered+t.late+t.served
		if got, want := rows[i]["packets_in"], strconv.FormatUint(in, 10); got != want {
			return fmt.Errorf("%s: %s packets in, want %s", a.addr.Addr(), got, want)
		}
		if got, want := rows[i]["packets_out"], strconv.FormatUint(out, 10); s.lost == 0 && got != want {
			return fmt.Errorf("%s: %s packets out, want %s", a.addr.Addr(), got, want)
		}
	}
	s.note = fmt.Sprintf("; %d addresses", len(rows))
	return nil
}

// swarmWorked counts what libtorrent told.
func (s *soak) swarmWorked(context.Context) error {
	select {
	case <-s.swarm.done:
		return fmt.Errorf("it ended")
	default:
	}
	told, _, _ := s.swarm.out.get(0)
	kinds := map[string]int{}
	for _, line := range told {
		var e event
		if err := decode(line, &e); err != nil {
			return err
		}
		kinds[e.Event]++
	}
	s.note = fmt.Sprintf("; %d commands; %d replies with peers, %d announcements taken, %d samples", s.told, kinds["get_peers_reply"], kinds["announced_here"], kinds["samples"])
	for _, kind := range []string{"get_peers_reply", "announced_here", "samples"} {
		if kinds[kind] == 0 {
			return fmt.Errorf("no %s%s", kind, s.note)
		}
	}
	return nil
}
