package load

import "encoding/binary"

// message is what the generator needs to know of a datagram. Its slices point
// into the datagram.
type message struct {
	kind   byte   // q, r or e; 0: none
	tid    []byte // transaction id
	nodes  []byte // node list of a reply; nil: there is none
	method []byte // of a query
	target []byte // of a query, or its infohash
}

// read reads a datagram. It is a reader of its own, not lightdht's, so that what
// counts as an answer is not for one of those compared to say.
func (m *message) read(b []byte) bool {
	*m = message{}
	end, ok := entries(b, 0, func(key []byte, at int) {
		switch string(key) {
		case "y":
			if y, _, ok := text(b, at); ok && len(y) == 1 {
				m.kind = y[0]
			}
		case "t":
			m.tid, _, _ = text(b, at)
		case "q":
			m.method, _, _ = text(b, at)
		case "r":
			entries(b, at, m.takeReply(b))
		case "a":
			entries(b, at, m.takeArguments(b))
		}
	})
	return ok && end == len(b)
}

func (m *message) takeReply(b []byte) func([]byte, int) {
	return func(key []byte, at int) {
		if string(key) == "nodes" {
			m.nodes, _, _ = text(b, at)
		}
	}
}

func (m *message) takeArguments(b []byte) func([]byte, int) {
	return func(key []byte, at int) {
		if string(key) == "target" || string(key) == "info_hash" {
			m.target, _, _ = text(b, at)
		}
	}
}

// number returns the transaction id as the number that the generator gave it.
func (m *message) number() (n uint32, ok bool) {
	if len(m.tid) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(m.tid), true
}

// entries calls each with every key of the bencoded dictionary at b[at:], and
// where its value is. It returns where the dictionary ends.
func entries(b []byte, at int, each func(key []byte, at int)) (end int, ok bool) {
	if at >= len(b) || b[at] != 'd' {
		return at, false
	}
	for at++; at < len(b) && b[at] != 'e'; {
		key, value, ok := text(b, at)
		if !ok {
			return at, false
		}
		each(key, value)
		if at, ok = skip(b, value, maxDepth); !ok {
			return at, false
		}
	}
	return at + 1, at < len(b)
}

// text reads the bencoded string at b[at:].
func text(b []byte, at int) (s []byte, end int, ok bool) {
	n, digits := 0, at
	for ; at < len(b) && b[at]-'0' < 10 && n < len(b); at++ {
		n = 10*n + int(b[at]-'0')
	}
	if at == digits || at >= len(b) || b[at] != ':' || n > len(b)-at-1 {
		return nil, at, false
	}
	return b[at+1 : at+1+n], at + 1 + n, true
}

const maxDepth = 8 // of lists in dictionaries in lists; messages have 3

// skip returns where the bencoded value at b[at:] ends.
func skip(b []byte, at, depth int) (end int, ok bool) {
	if at >= len(b) || depth == 0 {
		return at, false
	}
	switch b[at] {
	case 'i':
		for at++; at < len(b) && b[at] != 'e'; at++ {
		}
		return at + 1, at < len(b)
	case 'l', 'd': // that a dictionary's keys are strings is not for a counter of answers to check
		for at++; at < len(b) && b[at] != 'e'; {
			if at, ok = skip(b, at, depth-1); !ok {
				return at, false
			}
		}
		return at + 1, at < len(b)
	}
	_, end, ok = text(b, at)
	return end, ok
}
