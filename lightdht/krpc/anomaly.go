package krpc

import (
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// Anomalies is the set of ways in which a well-formed datagram departed from
// the BEPs. They are facts about the sender's software, and the reason why a
// field that one would expect is unset; none of them makes Parse fail.
type Anomalies uint32

// The anomalies. Each names its word in String.
const (
	NoTID        Anomalies = 1 << iota // no-tid: t is absent
	NoKind                             // no-kind: y is absent or none of q, r, e; Kind is inferred from r, q or e, in this order
	NoMethod                           // no-method: a query without a q, or with an empty one
	NoBody                             // no-body: a query without a, a reply without r, an error without e
	NoID                               // no-id: the body of a query or a reply holds no id
	UnsortedKeys                       // unsorted-keys: in the top dictionary or in the body
	DuplicateKey                       // duplicate-key: there too; the first one counts
	WrongType                          // wrong-type: a known key holds another type, or e is not [integer, string]
	BadLength                          // bad-length: an ID, key, filter, signature or ip of the wrong length, or samples with a torn tail
	OutOfRange                         // out-of-range: a port that is not in 0..65535
	TornNodes                          // torn-nodes: a node list whose length is no multiple of a node's; the tail is cut
	BadPeer                            // bad-peer: an item of values that is neither 6 nor 18 bytes; iteration leaves it out
	MisplacedIP                        // misplaced-ip: ip stands inside r; it counts when the top dictionary has none
	ExtraQuery                         // extra-query: a q in a reply or an error
)

// anomalyWords holds the word of each anomaly at the position of its bit.
var anomalyWords = [...]string{
	"no-tid", "no-kind", "no-method", "no-body", "no-id", "unsorted-keys", "duplicate-key", "wrong-type",
	"bad-length", "out-of-range", "torn-nodes", "bad-peer", "misplaced-ip", "extra-query",
}

// All yields the word of each anomaly in a, in the order of the constants.
// Of ^Anomalies(0) it yields every word there is.
func (a Anomalies) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for a := a & (1<<len(anomalyWords) - 1); a != 0; a &= a - 1 {
			if !yield(anomalyWords[bits.TrailingZeros32(uint32(a))]) {
				return
			}
		}
	}
}

// String returns the words of a, separated by commas: "no-tid,torn-nodes". Of
// a datagram without fault it is empty.
func (a Anomalies) String() string { return strings.Join(slices.Collect(a.All()), ",") }
