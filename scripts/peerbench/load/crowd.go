package load

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

const (
	idSize   = 20
	nodeSize = 26 // ID, IPv4 address, port: BEP 5's compact node
	answered = 8  // nodes in an answer
)

// crowd is the members: who asks, and whom the server knows.
type crowd struct {
	members []member
	port    uint16
	byAddr  map[[4]byte]int
	near    []int // for nearest
}

type member struct {
	id   [idSize]byte
	addr [4]byte
}

// newCrowd draws members, each with an address of its own: 127.x.y.1, no two in
// one /24.
func newCrowd(size int, port uint16, r *rand.Rand) *crowd {
	c := &crowd{port: port, byAddr: make(map[[4]byte]int)}
	for i := range size {
		m := member{addr: [4]byte{127, byte(1 + i>>8), byte(i), 1}}
		for at := 0; at < idSize; at += 4 {
			binary.BigEndian.PutUint32(m.id[at:], r.Uint32())
		}
		c.byAddr[m.addr] = i
		c.members = append(c.members, m)
		c.near = append(c.near, i)
	}
	return c
}

// nearest appends the compact nodes of the 8 members nearest to target.
func (c *crowd) nearest(dst, target []byte) []byte {
	slices.SortFunc(c.near, func(a, b int) int { return c.compare(a, b, target) })
	for _, i := range c.near[:min(answered, len(c.near))] {
		dst = append(dst, c.members[i].id[:]...)
		dst = append(dst, c.members[i].addr[:]...)
		dst = binary.BigEndian.AppendUint16(dst, c.port)
	}
	return dst
}

// compare orders members by their distance to target.
func (c *crowd) compare(a, b int, target []byte) int {
	var x, y [idSize]byte
	for i := range x {
		x[i], y[i] = c.members[a].id[i]^target[i], c.members[b].id[i]^target[i]
	}
	return bytes.Compare(x[:], y[:])
}

// answer appends what member i answers to a query; false for one that is none
// of those which clients ask to fill their tables.
func (c *crowd) answer(dst []byte, i int, q *message) ([]byte, bool) {
	dst = append(dst, "d1:rd2:id20:"...)
	dst = append(dst, c.members[i].id[:]...)
	switch method := string(q.method); {
	case method == "ping":
	case (method == "find_node" || method == "get_peers") && len(q.target) == idSize:
		dst = appendText(append(dst, "5:nodes"...), c.nearest(nil, q.target))
		if method == "get_peers" {
			dst = append(dst, "5:token4:none"...)
		}
	default:
		return dst, false
	}
	dst = appendText(append(dst, "e1:t"...), q.tid)
	return append(dst, "1:y1:re"...), true
}
