package analysis

import (
	"errors"
	"math"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// bucketSize is k of BEP 5: how many nodes a bucket holds, and an answer.
const bucketSize = 8

// DeepestBucket guesses the size of a network, in nodes, from the routing table of
// one node without a query: own is its ID, good are the IDs of its good contacts in
// any order. Half of the network belongs to bucket 0, whose IDs differ from own in
// the first bit, a quarter to bucket 1, and so on. With f the number of full buckets
// (8 contacts or more) from bucket 0 on, and c the contacts in the next,
//
//	N = 8 * 2^f          when c is below 4
//	N = c * 2^(f+1)      otherwise
//
// which is what libtorrent reports as its global node count. It is right to the
// order of magnitude: between powers of two it stands still, one bucket says it all,
// and a table that nobody fills down to its own neighbourhood makes it low. It has
// no interval. With bucket 0 not full the contacts are counted, and own with them.
func DeepestBucket(own kad.ID, good []kad.ID) (SizeEstimate, error) {
	var buckets [kad.Bits + 1]int
	seen := make(map[kad.ID]bool, len(good))
	for _, id := range good {
		if seen[id] || id == own {
			continue
		}
		seen[id] = true
		buckets[kad.CommonPrefixLen(own, id)]++
	}
	if len(seen) == 0 {
		return SizeEstimate{}, errors.New("no good contacts to estimate from beside the own ID")
	}
	full := 0
	for buckets[full] >= bucketSize {
		full++
	}
	e := SizeEstimate{Nodes: len(seen), Method: "deepest bucket"}
	switch next := buckets[full]; {
	case full == 0:
		e.N = float64(1 + len(seen))
	case next < bucketSize/2:
		e.N = math.Ldexp(bucketSize, full)
	default:
		e.N = math.Ldexp(float64(next), full+1)
	}
	return e, nil
}
