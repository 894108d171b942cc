// Package memory compares lightdht and github.com/anacrolix/dht/v2, in one
// process and without sockets of the system: what the code costs, not the kernel.
//
//	for _, c := range memory.Contests(1_000_000) { … }   // a row each, see package contest
//
//	codec.go  read a query, read a reply, write a reply
//	serve.go  answer find_node, from datagram to datagram, by a node that knows many
//	keep.go   how many contacts are kept of those offered, and what one takes
//	rpc.go    ask and be answered: waiting, called back, many in flight
//
// Both have the same other end: questions.go asks, peer.go answers. Neither end
// allocates, and both implementations are given and give the same bytes through
// the same channels (conn.go). What protects the public network is off for both:
// lightdht's [lightdht.Limits], anacrolix's SendLimiter, which otherwise is one
// for all servers of the process. Neither does upkeep. Whatever anacrolix lets
// one choose is as NewDefaultServerConfig has it, or faster.
//
// A figure is wall time of one operation, or a rate; allocations are those of
// the whole process, per operation. The rest is set up at the first Run and kept
// for the next; contests share it, so no two may run at once.
//
// # What is not comparable
//
//   - A message that krpc.Parse read is views of the datagram, which must stay;
//     one that bencode.Unmarshal read owns its bytes. So both are read to the end
//     here, each node and peer into the values that a program goes on with.
//   - anacrolix takes the target of find_node for that of get_peers, which is
//     zero, so its 8 nodes are of one bucket, unordered, whatever is asked.
//     lightdht finds the 8 nearest good ones among all that it knows.
//   - anacrolix answers each query in a goroutine of its own, on any core;
//     lightdht in the one that reads. There are up to [window] queries under way,
//     so that anacrolix can use more cores than lightdht does.
//   - anacrolix knows no callback: a goroutine waits, then calls.
//   - lightdht remembers the nodes that a reply names, anacrolix does not unless
//     it looks something up.
//   - Contacts are told to lightdht's table as having answered. To anacrolix they
//     are offered with AddNode, and those it kept are pinged until they are good.
package memory

import (
	"strconv"
	"time"

	"github.com/lightdht/lightdht/scripts/peerbench/contest"
)

// span is how long a figure is measured.
const span = 300 * time.Millisecond

// Contests returns the contests. Where it counts how many contacts are known,
// both are offered 1,000, and contacts of them, at most 16 million; 0: a million.
func Contests(contacts int) []contest.Contest {
	if contacts <= 0 {
		contacts = 1_000_000
	}
	return contests(contacts, span)
}

func contests(contacts int, span time.Duration) []contest.Contest {
	small, large := newOffer(1000), newOffer(contacts)
	all := codecContests(span)
	all = append(all, small.serveContest(span), large.serveContest(span))
	all = append(all, large.keepContests()...)
	return append(all, rpcContests(span)...)
}

// short writes a number of things: "1 M", "50 k", "1234".
func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return strconv.Itoa(n/1_000_000) + " M"
	case n >= 1000 && n%1000 == 0:
		return strconv.Itoa(n/1000) + " k"
	}
	return strconv.Itoa(n)
}
