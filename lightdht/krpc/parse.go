package krpc

// Parse resets m and fills it with views of b, which must stay unchanged while
// m is in use. It allocates nothing, but for the name of a method that is not
// one of the constants. Its cost is linear in len(b).
//
// On an error, which is ErrNotKRPC or a *SyntaxError, m holds nothing but Raw.
func Parse(b []byte, m *Message) error {
	*m = Message{Raw: b}
	if len(b) == 0 || b[0] != 'd' {
		return ErrNotKRPC
	}
	p := parser{cursor: cursor{b: b}, m: m}
	p.message()
	p.finish()
	if p.bad != "" {
		*m = Message{Raw: b}
		return p.err()
	}
	return nil
}

// parser is the state of one Parse. It reads the datagram once. Only a sender
// that puts both an a and an r into one message, the wrong one first, has its
// body read again.
type parser struct {
	cursor
	m *Message

	top    topKeys   // keys of the top dictionary met so far
	off    Anomalies // outside the body
	method []byte    // q

	a, r  int       // where these bodies begin, 0 if there is none
	body  byte      // which of them is in m: 'a', 'r' or 0
	seen  Fields    // keys of that body, well-typed or not
	inner Anomalies // in that body
	ip    []byte    // the ip of that body
}

// topKeys is a set of keys of the top dictionary.
type topKeys uint16

const (
	topA topKeys = 1 << iota
	topE
	topIP
	topQ
	topR
	topRO
	topT
	topV
	topY
)

func topKeyOf(key []byte) topKeys {
	switch string(key) {
	case "a":
		return topA
	case "e":
		return topE
	case "ip":
		return topIP
	case "q":
		return topQ
	case "r":
		return topR
	case "ro":
		return topRO
	case "t":
		return topT
	case "v":
		return topV
	case "y":
		return topY
	}
	return 0
}

// message reads the whole datagram and then decides what it was.
func (p *parser) message() {
	var last []byte
	for p.open(); p.more(); {
		key := p.str()
		p.off |= keyOrder(last, key)
		last = key
		k := topKeyOf(key)
		if p.top&k != 0 {
			p.off |= DuplicateKey
			k = 0
		}
		p.top |= k
		p.topValue(k)
	}
	if p.bad == "" {
		p.settle()
	}
}

// topValue reads the value of k, 0 being a key to skip.
func (p *parser) topValue(k topKeys) {
	switch k {
	case topA:
		p.a = p.readBody('a')
	case topR:
		p.r = p.readBody('r')
	case topE:
		p.errorList()
	case topIP:
		p.takeIP(p.text(&p.off), &p.off)
	case topQ:
		p.method = p.text(&p.off)
	case topRO:
		n, _ := p.integer(&p.off)
		p.m.ReadOnly = n != 0
	case topT:
		p.m.TID = p.text(&p.off)
	case topV:
		p.m.Version = p.text(&p.off)
	case topY:
		p.m.Kind = kindOf(p.text(&p.off))
	default:
		p.skip()
	}
}

// keyOrder compares two neighbouring keys of a dictionary; last is nil before
// the first.
func keyOrder(last, key []byte) Anomalies {
	switch {
	case last == nil || string(last) < string(key):
		return 0
	case string(last) == string(key):
		return DuplicateKey
	}
	return UnsortedKeys
}

// text reads a string. A value of another type is skipped and noted in off;
// then, as after a failure, the result is nil.
func (p *parser) text(off *Anomalies) []byte {
	if p.atString() {
		return p.str()
	}
	*off |= WrongType
	p.skip()
	return nil
}

// integer is text for integers.
func (p *parser) integer(off *Anomalies) (n int64, ok bool) {
	if p.peek() == 'i' {
		return p.num(), true
	}
	*off |= WrongType
	p.skip()
	return 0, false
}

// takeIP keeps an ip of 6 or 18 bytes; nil is no ip.
func (p *parser) takeIP(ip []byte, off *Anomalies) {
	if ip == nil {
		return
	}
	addr, ok := addrAt(ip)
	if !ok {
		*off |= BadLength
		return
	}
	p.m.IP = addr
}

// errorList reads e, [code, text]. It keeps what it can of another shape.
func (p *parser) errorList() {
	if p.peek() != 'l' {
		p.off |= WrongType
		p.skip()
		return
	}
	n := 0
	for p.open(); p.more(); n++ {
		switch {
		case n == 0:
			p.m.Code, _ = p.integer(&p.off)
		case n == 1:
			p.m.Text = p.text(&p.off)
		default:
			p.skip()
		}
	}
	if n != 2 {
		p.off |= WrongType
	}
}
