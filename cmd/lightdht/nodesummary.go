package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lightdht/lightdht/lightdht"
)

// summarize tells how the run went, when it is over.
func (r *nodeRun) summarize(final reading) {
	s := final.states
	as := r.first.ID().String()
	if n := len(r.vantages); n > 1 {
		as = fmt.Sprintf("%d IDs", n)
	}
	r.say("ran %s as %s", final.ran.Round(time.Millisecond), as)
	r.say("contacts: %d (%d good, %d questionable, %d bad), core %d", s.all(), s.good, s.questionable, s.bad, final.core)
	r.say("packets: %d in (%d bytes), %d out (%d bytes)", final.counts[lightdht.PacketsIn], final.counts[lightdht.BytesIn],
		final.counts[lightdht.PacketsOut], final.counts[lightdht.BytesOut])
	r.say("queries received: %d%s", final.queries(), byKind(final.asked, " (", ")", false))
	if l := r.log; l != nil {
		r.say("query log: %d rows written, %d skipped because the disk was slow, %d lost", l.written.Load(), l.skipped.Load(), l.lost.Load())
	}
	if final.unkept > 0 {
		r.say("store: %d rows lost", final.unkept)
	}
	r.say("counters:%s", nonZero(final.counts))
	r.say("dropped by the kernel: %d", final.counts[lightdht.KernelDropped])
	if d := readDelay(r.vantages); d.Count > 0 {
		what := "spent on the packet before"
		if d.Arrival {
			what = "from arrival to reading"
		}
		r.say("delay of reading: half within %s, 99 %% within %s, all within %s (%s)", round(d.Quantile(0.5)), round(d.Quantile(0.99)), round(d.Max), what)
	}
}

// readDelay returns how much all nodes lagged behind what arrived.
func readDelay(nodes []*lightdht.Node) lightdht.Delays {
	all := lightdht.Delays{Arrival: true}
	for _, n := range nodes {
		d := n.ReadDelay()
		all.Arrival = all.Arrival && d.Arrival
		all.Max = max(all.Max, d.Max)
		all.Count += d.Count
		for i, m := range d.Buckets {
			all.Buckets[i] += m
		}
	}
	return all
}

// nonZero lists the counters that counted anything.
func nonZero(counts [256]uint64) string {
	var b strings.Builder
	for c, n := range counts {
		if n > 0 {
			fmt.Fprintf(&b, " %s %d", lightdht.Counter(c), n)
		}
	}
	return b.String()
}
