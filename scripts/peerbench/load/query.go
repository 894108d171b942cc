package load

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
)

// Where in a find_node query its variable parts are. All queries have the same
// length, so that many make one message of the socket.
const (
	queryBegin  = "d1:ad2:id20:"
	queryTarget = "6:target20:"
	queryMiddle = "e1:q9:find_node1:t4:"
	queryEnd    = "1:y1:qe"

	queryIDAt     = len(queryBegin)
	queryTargetAt = queryIDAt + idSize + len(queryTarget)
	queryTIDAt    = queryTargetAt + idSize + len(queryMiddle)
	querySize     = queryTIDAt + 4 + len(queryEnd)
)

// newQuery returns a member's query, whose target and transaction id are to be
// filled in.
func newQuery(id [idSize]byte) (q [querySize]byte) {
	copy(q[:], queryBegin)
	copy(q[queryIDAt:], id[:])
	copy(q[queryIDAt+idSize:], queryTarget)
	copy(q[queryTargetAt+idSize:], queryMiddle)
	copy(q[queryTIDAt+4:], queryEnd)
	return q
}

// fill gives a query a number and a random target.
func fill(q []byte, number uint32, r *rand.PCG) {
	binary.BigEndian.PutUint32(q[queryTIDAt:], number)
	binary.LittleEndian.PutUint64(q[queryTargetAt:], r.Uint64())
	binary.LittleEndian.PutUint64(q[queryTargetAt+8:], r.Uint64())
	binary.LittleEndian.PutUint32(q[queryTargetAt+16:], uint32(r.Uint64()))
}

// appendText appends a bencoded string.
func appendText(dst, s []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	return append(append(dst, ':'), s...)
}
