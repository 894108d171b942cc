// Package live measures DHT nodes as they are deployed: each in a process of its
// own, behind a socket on loopback, with package load asking.
//
//	for each measurement: start the server ─ feed it the crowd ─ look at its answers ─ warm up ─ measure ─ kill it
//
// Fed means that every member of the crowd has asked it something and answers
// what it asks in turn, which is how any client comes by contacts, until its
// answers hold 8 nodes each. All servers are fed, measured and ended alike; a
// table of a million contacts, which nobody but lightdht keeps, is restored
// before that.
//
// Programs that are not ours run in a network namespace that has only loopback,
// see [Isolate], and not at all where none can be made.
package live

import (
	"context"
	"fmt"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
	"github.com/lightdht/lightdht/scripts/peerbench/load"
)

// Config says how to measure.
type Config struct {
	Contacts int           // of the larger of the two tables that lightdht is measured with
	Span     time.Duration // of one measurement

	crowd   int           // members; 0: members
	feeding time.Duration // for a server to begin to answer with 8 nodes; 0: 40 s
	warmup  time.Duration // before a measurement; 0: 0.5 s
}

// askers is how many members of the crowd take turns in asking. Few are what a
// server meets in a laboratory. On the network nearly every query is from
// somebody else, and what a server does about those whom it does not know is a
// part of its work.
var askers = [...]int{16, members}

// members is how many the crowd is.
const members = 1000

// measured is what a measurement found.
type measured struct {
	results [len(askers)]load.Result // with that many
	named   int                      // contacts that the answers were seen to name before
}

// Contests returns those of this package: what servers answer, and at what cost.
func Contests(cfg Config) (contests []contest.Contest) {
	holding := "lightdht holding " + contest.Number(float64(cfg.Contacts))
	for _, n := range askers {
		contests = append(contests,
			contest.Contest{Name: fmt.Sprintf("answer find_node on loopback, %d askers, %s", n, holding), Unit: "answers/s", More: true},
			contest.Contest{Name: fmt.Sprintf("CPU time of the server for that, %d askers", n), Unit: "µs"})
	}
	for _, p := range peers(cfg) {
		m := &shared[measured]{measure: func(ctx context.Context) (measured, error) { return measure(ctx, cfg, p) }}
		skip := p.why()
		for i := range contests {
			run := func(ctx context.Context) (float64, string, error) {
				found, err := m.get(ctx, i)
				figure, note := found.tell(i)
				return figure, note, err
			}
			contests[i].Entrants = append(contests[i].Entrants, contest.Entrant{Name: p.name, Skip: skip, Run: run})
		}
	}
	return contests
}

// tell returns the figure for contest i, and what there is to say of it.
func (m measured) tell(i int) (figure float64, note string) {
	r := m.results[i/2]
	if i%2 == 1 {
		return float64(r.ServerCPU()) / float64(time.Microsecond), ""
	}
	note = fmt.Sprintf("%.2f nodes an answer, of %d or more; p50 %.2f ms, p99 %.2f ms; generator %.2f µs",
		float64(r.Nodes)/float64(max(r.Answers, 1)), m.named, ms(r.P50), ms(r.P99), 1000*ms(r.OwnCPU()))
	if r.Losses > 0 {
		note += fmt.Sprintf("; %d lost", r.Losses)
	}
	if r.Errors+r.Wrong > 0 {
		note += fmt.Sprintf("; %d errors, %d others", r.Errors, r.Wrong)
	}
	return r.Rate(), note
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
