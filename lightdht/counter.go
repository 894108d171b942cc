package lightdht

import (
	"iter"
	"sync/atomic"
)

// Counter names something that a node counts from its start. Every packet and
// every entry that is dropped is in one of them.
type Counter uint8

// The counters.
const (
	PacketsIn         Counter = iota // datagrams received
	PacketsOut                       // datagrams sent
	BytesIn                          // UDP payload received
	BytesOut                         // UDP payload sent
	ReadErrors                       // reads from a socket that failed, the socket living on
	WriteErrors                      // writes to a socket that failed
	Malformed                        // datagrams that are no KRPC message, dropped
	Anomalous                        // messages that were off but of use
	QueriesIn                        // queries received
	QueriesOut                       // queries sent
	RepliesIn                        // replies and errors that answered a query of ours
	RepliesOut                       // replies sent
	ErrorsIn                         // of RepliesIn: KRPC errors
	ErrorsOut                        // of RepliesOut: KRPC errors
	UnexpectedID                     // of RepliesIn: another ID than the one asked
	Late                             // replies to a query that had already timed out or been cancelled, kept as a sighting
	Stray                            // replies to no query of ours, dropped
	Timeouts                         // queries that were not answered in time
	FromReserved                     // queries from private or reserved addresses on the public network, dropped
	MentionRefused                   // node list entries, and contacts to be restored, with such an address, port 0, or of a family that we have no socket of, dropped
	PeersRefused                     // peers told to a lookup at such an address or port 0, dropped
	OwnID                            // sightings of our own ID or at our own address, or contacts to be restored, not made a contact
	Unanswered                       // queries left without an answer: no usable transaction id, or our own
	Suppressed                       // queries left without an answer because this node is read-only
	BadToken                         // announcements with a wrong token, refused
	PeersDropped                     // announced peers that made room or found none: see Config.MaxPeers, MaxInfohashes
	GreetingsLeft                    // newcomers not pinged back because enough pings were under way, or had no answer from their neighbourhood
	CandidatesLeft                   // node list entries that a lookup had no room for
	Foreign                          // datagrams of another protocol that shares the port (uTP), dropped
	KernelDropped                    // datagrams that the system dropped before they could be read: its buffer was full
	Refused                          // queries of ours that ended because the receiver's system said that nobody listens
	Bans                             // addresses banned for asking too much, see Limits
	Banned                           // packets from banned addresses that answered nothing, dropped
	QueriesHeld                      // queries that waited because of Limits
	QueriesLimited                   // queries not sent because of Limits
	AnswersLimited                   // answers not sent because of Limits
	OptedOut                         // packets not sent to a network of Config.OptOut
	LedgerFull                       // packets that the ledger had no room for
	IDsRefused                       // contacts not kept because their address has Config.MaxIDsPerAddr others
	ContactsRefused                  // contacts not kept because of Config.MaxContacts
	MentionsCrowded                  // entries of a reply's node lists at an address that they had named already, or beyond the 128th, dropped
	CandidatesCrowded                // lookup candidates not asked because their neighbourhood (/24, /64) had been counted, or enough were asked there in vain
	Insecure                         // replies from an ID that BEP 42 does not allow at its address, see Config.SecureOnly
	IDChanges                        // times that our ID followed our address, BEP 42
	FailuresVoid                     // time-outs not held against a contact because nothing at all arrived
	Outages                          // times that the network was away
	ClockSteps                       // times that the wall clock was stepped, or the machine slept
	UpkeepPings                      // pings of upkeep to questionable contacts
	UpkeepLookups                    // lookups of upkeep
	numCounters
)

var counterNames = [numCounters]string{
	"packets_in", "packets_out", "bytes_in", "bytes_out", "read_errors", "write_errors", "malformed", "anomalous",
	"queries_in", "queries_out", "replies_in", "replies_out", "errors_in", "errors_out", "unexpected_id", "late",
	"stray", "timeouts", "from_reserved", "mention_refused", "peers_refused", "own_id", "unanswered", "suppressed", "bad_token",
	"peers_dropped", "greetings_left", "candidates_left",
	"foreign", "kernel_dropped", "refused", "bans", "banned", "queries_held", "queries_limited", "answers_limited", "opted_out",
	"ledger_full", "ids_refused", "contacts_refused", "mentions_crowded", "candidates_crowded", "insecure", "id_changes",
	"failures_void", "outages", "clock_steps", "upkeep_pings", "upkeep_lookups",
}

// String returns the counter's name in snake case, as exports show it.
func (c Counter) String() string {
	if c < numCounters {
		return counterNames[c]
	}
	return "unknown"
}

// drops are the counters of what was dropped: packets, entries of lists, and what
// was to be sent or done and was not.
var drops = [numCounters]bool{
	ReadErrors: true, WriteErrors: true, Malformed: true, Foreign: true, Stray: true, KernelDropped: true, Banned: true, FromReserved: true,
	Unanswered: true, Suppressed: true, QueriesLimited: true, AnswersLimited: true, OptedOut: true,
	MentionRefused: true, MentionsCrowded: true, PeersRefused: true, PeersDropped: true, GreetingsLeft: true,
	CandidatesLeft: true, CandidatesCrowded: true, IDsRefused: true, ContactsRefused: true, LedgerFull: true, FailuresVoid: true,
}

// Drops reports whether a counter counts what was dropped, to be told with the
// data of a run.
func (c Counter) Drops() bool { return c < numCounters && drops[c] }

type counters [numCounters]atomic.Uint64

func (c *counters) add(what Counter, n int) { c[what].Add(uint64(n)) }

// Count returns one of the node's counters.
func (n *Node) Count(c Counter) uint64 {
	switch {
	case c >= numCounters:
		return 0
	case c == KernelDropped:
		return n.kernelDropped()
	}
	return n.count[c].Load()
}

// Counters yields every counter and its value. They are read one by one while
// the node runs, so sums between them may be off by what is under way.
func (n *Node) Counters() iter.Seq2[Counter, uint64] {
	return func(yield func(Counter, uint64) bool) {
		for c := range numCounters {
			if !yield(c, n.Count(c)) {
				return
			}
		}
	}
}
