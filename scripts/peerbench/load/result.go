package load

import (
	"slices"
	"time"
)

// Result is what a measurement found.
type Result struct {
	Span    time.Duration // that was measured
	Answers uint64        // replies to our queries that hold a node list
	Full    uint64        // of these, with 8 nodes or more
	Nodes   uint64        // in all of these together
	Losses  uint64        // queries given up
	Errors  uint64        // KRPC errors in place of an answer
	Wrong   uint64        // answers to queries that do not wait, replies without a node list, unreadable datagrams, those of others
	Asked   uint64        // queries of the server's, answered by the crowd

	P50, P99 time.Duration // of the time from query to answer

	Own    time.Duration // CPU time of the generator
	Server time.Duration // CPU time of the server
}

// Rate returns the answers a second.
func (r Result) Rate() float64 { return float64(r.Answers) / r.Span.Seconds() }

// ServerCPU returns the server's CPU time for an answer.
func (r Result) ServerCPU() time.Duration { return per(r.Server, r.Answers) }

// OwnCPU returns the generator's CPU time for an answer.
func (r Result) OwnCPU() time.Duration { return per(r.Own, r.Answers) }

func per(d time.Duration, n uint64) time.Duration {
	if n == 0 {
		return 0
	}
	return d / time.Duration(n)
}

// latencies collects times until there is no more room.
type latencies []uint32 // nanoseconds

func (l *latencies) add(d time.Duration) {
	if len(*l) < cap(*l) {
		*l = append(*l, uint32(min(d, time.Duration(^uint32(0)))))
	}
}

// quantiles sorts the times and returns the median and the 99th percentile.
func (l latencies) quantiles() (p50, p99 time.Duration) {
	if len(l) == 0 {
		return 0, 0
	}
	slices.Sort(l)
	return time.Duration(l[(len(l)-1)/2]), time.Duration(l[(len(l)-1)*99/100])
}
