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
)

// Config says how to measure.
type Config struct {
	Contacts int           // of the larger of the two tables that lightdht is measured with
	Span     time.Duration // of one measurement
}

// Contests returns those of this package: what servers answer, and at what cost.
func Contests(cfg Config) []contest.Contest {
	rate := contest.Contest{Name: "answer find_node on loopback", Unit: "answers/s", More: true}
	cpu := contest.Contest{Name: "CPU time of the server for it", Unit: "µs"}
	for _, p := range peers(cfg) {
		both := &pair{measure: func(ctx context.Context) (measured, error) { return measure(ctx, cfg, p) }}
		skip := p.why()
		rate.Entrants = append(rate.Entrants, contest.Entrant{Name: p.name, Skip: skip, Run: both.rate})
		cpu.Entrants = append(cpu.Entrants, contest.Entrant{Name: p.name, Skip: skip, Run: both.cpu})
	}
	return []contest.Contest{rate, cpu}
}

// pair is two figures of one measurement. Whoever is asked first measures, and
// the other is given what was found then.
type pair struct {
	measure func(context.Context) (measured, error)
	last    outcome
	rated   bool // what was measured last has been told as a rate
	costed  bool // and as CPU time
}

type outcome struct {
	measured
	err error
}

func (p *pair) rate(ctx context.Context) (float64, string, error) {
	r, err := p.get(ctx, &p.rated)
	return r.Rate(), r.describe(), err
}

func (p *pair) cpu(ctx context.Context) (float64, string, error) {
	r, err := p.get(ctx, &p.costed)
	return float64(r.ServerCPU()) / float64(time.Microsecond), "", err
}

// get returns the last measurement if it has not been told this way, and
// measures otherwise.
func (p *pair) get(ctx context.Context, told *bool) (measured, error) {
	if *told || !p.rated && !p.costed {
		m, err := p.measure(ctx)
		p.last = outcome{m, err}
		p.rated, p.costed = false, false
	}
	*told = true
	return p.last.measured, p.last.err
}

// describe says what stands behind a rate.
func (m measured) describe() string {
	s := fmt.Sprintf("%.2f nodes an answer, of %d or more; median %.2f ms", float64(m.Nodes)/float64(max(m.Answers, 1)), m.named, ms(m.P50))
	if m.Losses > 0 {
		s += fmt.Sprintf("; %d lost", m.Losses)
	}
	if m.Errors+m.Wrong > 0 {
		s += fmt.Sprintf("; %d errors, %d others", m.Errors, m.Wrong)
	}
	return s
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
