package krpc

// The depth at which the values of a body stand: in the message and the body.
const bodyDepth = 2

// validInBody reports whether raw is one strict value that can stand in a body.
func validInBody(raw []byte) bool {
	c := cursor{b: raw, depth: bodyDepth}
	c.skip()
	c.finish()
	return c.bad == "" && len(raw) > 0
}

// validExtra reports whether raw can be an Extra: a strict dictionary whose
// keys ascend.
func validExtra(raw []byte) bool {
	c := cursor{b: raw, depth: bodyDepth - 1}
	if c.peek() != 'd' {
		return false
	}
	var last []byte
	for c.open(); c.more(); c.skip() {
		key := c.str()
		if keyOrder(last, key) != 0 {
			return false
		}
		last = key
	}
	c.finish()
	return c.bad == ""
}

// extraOf begins a merge. What is no valid Extra counts as empty.
func extraOf(raw []byte) extra {
	if len(raw) == 0 || !validExtra(raw) {
		return extra{}
	}
	return extra{cursor{b: raw[:len(raw)-1], i: 1}}
}

// extra is what remains of a valid Extra, without its final 'e'.
type extra struct{ cursor }

// appendBefore writes the pairs whose keys are less than key and drops one
// that equals it.
func (e *extra) appendBefore(dst []byte, key string) []byte {
	for e.i < len(e.b) {
		start := e.i
		k := e.str()
		if string(k) > key {
			e.i = start
			return dst
		}
		e.skip()
		if string(k) < key {
			dst = append(dst, e.b[start:e.i]...)
		}
	}
	return dst
}

// appendRest writes what is left.
func (e *extra) appendRest(dst []byte) []byte { return append(dst, e.b[e.i:]...) }
