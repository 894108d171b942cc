package main

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/table"
)

// kindNames are the methods that queries are counted by.
var kindNames = [...]string{
	krpc.MethodPing, krpc.MethodFindNode, krpc.MethodGetPeers, krpc.MethodAnnouncePeer,
	krpc.MethodSampleInfohashes, krpc.MethodGet, krpc.MethodPut, "other",
}

const otherKind = len(kindNames) - 1

// kindOf returns the position of a method in kindNames.
func kindOf(method string) int {
	for i, name := range kindNames[:otherKind] {
		if name == method {
			return i
		}
	}
	return otherKind
}

// kinds counts queries by method.
type kinds [len(kindNames)]atomic.Uint64

func (k *kinds) add(method string) { k[kindOf(method)].Add(1) }

// states is how many contacts there are in each state.
type states struct{ good, questionable, bad int }

func (s states) all() int { return s.good + s.questionable + s.bad }

func (s *states) add(state table.State) {
	switch state {
	case table.StateGood:
		s.good++
	case table.StateBad:
		s.bad++
	default:
		s.questionable++
	}
}

// stateCount counts contacts by state, and takes at most a fiftieth of the time
// for it, however many there are.
type stateCount struct {
	found states // the last time
	next  time.Time
}

const countShare = 50

// count counts if that is due, and may be broken off. now is only for the
// judgement of contacts.
func (s *stateCount) count(ctx context.Context, now time.Time, contacts iter.Seq[table.Contact]) {
	began := time.Now()
	if began.Before(s.next) {
		return
	}
	var found states
	for c := range contacts {
		if found.add(c.State(now)); ctx.Err() != nil {
			return
		}
	}
	s.found, s.next = found, time.Now().Add((countShare-1)*time.Since(began))
}

// all counts in any case.
func (s *stateCount) all(contacts iter.Seq[table.Contact]) {
	s.next = time.Time{}
	s.count(context.Background(), time.Now(), contacts)
}

// reading is how it goes with a run of nodes at some point.
type reading struct {
	ran      time.Duration
	contacts int
	states   states // perhaps of a while ago
	core     int
	asked    [len(kindNames)]uint64 // queries received, by method
	counts   [256]uint64            // by lightdht.Counter
	unlogged uint64                 // queries that are not in the log
	unkept   uint64                 // rows that the store does not have
}

func (r *nodeRun) read() reading {
	now := reading{
		ran: time.Since(r.began), contacts: r.first.Len(), states: r.states.found,
		core: coreSize(r.vantages), counts: sum(r.vantages), unkept: r.keeper.lost(),
	}
	for i := range r.asked {
		now.asked[i] = r.asked[i].Load()
	}
	if r.log != nil {
		now.unlogged = r.log.skipped.Load() + r.log.lost.Load()
	}
	return now
}

// queries returns how many queries were received.
func (r *reading) queries() (n uint64) {
	for _, v := range r.asked {
		n += v
	}
	return n
}

// droppedPackets are the counters of packets that came, or were to be sent, in
// vain. Those that the system dropped are told apart.
var droppedPackets = []lightdht.Counter{
	lightdht.Malformed, lightdht.Foreign, lightdht.Stray, lightdht.FromReserved, lightdht.Banned, lightdht.Unanswered,
	lightdht.QueriesLimited, lightdht.AnswersLimited, lightdht.OptedOut, lightdht.WriteErrors,
}

func (r *reading) dropped() (n uint64) {
	for _, c := range droppedPackets {
		n += r.counts[c]
	}
	return n
}

// statusLine says how it goes now in at most width columns, 0 meaning any number;
// rates are since before.
func statusLine(now, before reading, width int) string {
	rate := func(a, b uint64) string {
		return short(float64(a-b) / max((now.ran-before.ran).Seconds(), 1e-3))
	}
	per := rate(now.queries(), before.queries())
	in := rate(now.counts[lightdht.PacketsIn], before.counts[lightdht.PacketsIn])
	out := rate(now.counts[lightdht.PacketsOut], before.counts[lightdht.PacketsOut])
	s, asked := now.states, now.queries()
	brief := func(n int) string { return short(float64(n)) }
	parts := []part{
		{1, []string{now.ran.Truncate(time.Second).String()}},
		{2, []string{
			fmt.Sprintf("%d contacts: %d good, %d questionable, %d bad", now.contacts, s.good, s.questionable, s.bad),
			fmt.Sprintf("%s contacts %s/%s/%s", brief(now.contacts), brief(s.good), brief(s.questionable), brief(s.bad)),
			fmt.Sprintf("%sc %s/%s/%s", brief(now.contacts), brief(s.good), brief(s.questionable), brief(s.bad)),
		}},
		{3, []string{
			fmt.Sprintf("%d queries%s, %s/s", asked, byKind(now.asked, " (", ")", false), per),
			fmt.Sprintf("%s queries%s %s/s", short(float64(asked)), byKind(now.asked, ": ", "", true), per),
			fmt.Sprintf("%sq %s/s", short(float64(asked)), per),
		}},
		{5, []string{
			fmt.Sprintf("packets %s/s in, %s/s out", in, out),
			fmt.Sprintf("in %s/s out %s/s", in, out),
			fmt.Sprintf("%s+%s p/s", in, out),
		}},
		{6, []string{fmt.Sprintf("core %d", now.core)}},
	}
	for _, loss := range []struct {
		n    uint64
		what string
		rank int
	}{{now.unlogged, "not logged", 0}, {now.unkept, "not kept", 0}, {now.counts[lightdht.KernelDropped], "kernel drops", 4}, {now.dropped(), "dropped", 7}} {
		if loss.n > 0 {
			parts = append(parts, part{loss.rank, []string{fmt.Sprintf("%s %s", short(float64(loss.n)), loss.what)}})
		}
	}
	return fit(parts, width)
}

// byKind tells queries by method, those that were asked, or nothing.
func byKind(asked [len(kindNames)]uint64, open, end string, brief bool) string {
	var list []string
	for i, n := range asked {
		switch {
		case n == 0:
		case brief:
			list = append(list, short(float64(n))+kindNames[i][:1])
		default:
			list = append(list, fmt.Sprintf("%d %s", n, kindNames[i]))
		}
	}
	if len(list) == 0 {
		return ""
	}
	if brief {
		return open + strings.Join(list, " ") + end
	}
	return open + strings.Join(list, ", ") + end
}

// short writes a number in at most five characters.
func short(v float64) string {
	switch {
	case v >= 999_500_000:
		return fmt.Sprintf("%.3gG", v/1e9)
	case v >= 999_500:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 9_999.5:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 9.95:
		return fmt.Sprintf("%.0f", v)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}
