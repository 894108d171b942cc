package krpc

import "github.com/lightdht/lightdht/lightdht/kad"

// readBody reads the value of a or r, as which says, into m, unless m holds
// the other one already: then it only skips it. It returns where the body
// begins, 0 if it is no dictionary.
func (p *parser) readBody(which byte) (start int) {
	start = p.i
	switch {
	case p.peek() != 'd':
		p.off |= WrongType
		p.skip()
		return 0
	case p.body != 0:
		p.skip()
		return start
	}
	p.body = which
	var last []byte
	for p.open(); p.more(); {
		key := p.str()
		p.inner |= keyOrder(last, key)
		last = key
		p.bodyValue(key)
	}
	p.m.Body = p.b[start:p.i:p.i]
	return start
}

// bodyValue reads the value of key.
func (p *parser) bodyValue(key []byte) {
	f := fieldOf(key)
	switch {
	case f == 0 && string(key) == "ip" && p.ip == nil && p.atString():
		p.ip = p.str()
	case f == 0:
		p.skip()
	case p.seen&f != 0:
		p.inner |= DuplicateKey
		p.skip()
	default:
		p.seen |= f
		p.field(f)
	}
}

// field reads the value of the single field f.
func (p *parser) field(f Fields) {
	m := p.m
	switch f {
	case FieldID:
		p.id(f, &m.ID)
	case FieldTarget:
		p.id(f, &m.Target)
	case FieldInfoHash:
		p.id(f, &m.InfoHash)
	case FieldNodes:
		m.Nodes = p.rows(f, node4Size, TornNodes)
	case FieldNodes6:
		m.Nodes6 = p.rows(f, node6Size, TornNodes)
	case FieldSamples:
		m.Samples = p.rows(f, kad.Size, BadLength)
	case FieldToken:
		m.Token = p.bytes(f)
	case FieldSalt:
		m.Salt = p.bytes(f)
	case FieldPublicKey:
		m.PublicKey = p.fixed(f, publicKeySize)
	case FieldSignature:
		m.Signature = p.fixed(f, signatureSize)
	case FieldSeedFilter:
		m.SeedFilter = p.fixed(f, filterSize)
	case FieldPeerFilter:
		m.PeerFilter = p.fixed(f, filterSize)
	case FieldValue:
		m.Value = p.raw()
		m.Fields |= f
	case FieldValues:
		p.peers(f)
	case FieldWant:
		p.want(f)
	default:
		p.numberField(f)
	}
}

// numberField is field for the integers.
func (p *parser) numberField(f Fields) {
	n, ok := p.integer(&p.inner)
	if !ok {
		return
	}
	m := p.m
	if f&(FieldPort|FieldReplyPort) != 0 && uint64(n) > 0xffff {
		p.inner |= OutOfRange
		return
	}
	m.Fields |= f
	switch f {
	case FieldPort:
		m.Port = uint16(n)
	case FieldReplyPort:
		m.ReplyPort = uint16(n)
	case FieldImpliedPort:
		m.ImpliedPort = n != 0
	case FieldSeed:
		m.Seed = n != 0
	case FieldNoSeed:
		m.NoSeed = n != 0
	case FieldScrape:
		m.Scrape = n != 0
	case FieldSeq:
		m.Seq = n
	case FieldCAS:
		m.CAS = n
	case FieldInterval:
		m.Interval = n
	case FieldNum:
		m.Num = n
	}
}

// bytes reads a string of any length.
func (p *parser) bytes(f Fields) []byte {
	s := p.text(&p.inner)
	if s != nil {
		p.m.Fields |= f
	}
	return s
}

// fixed reads a string of size bytes; it returns nil for any other.
func (p *parser) fixed(f Fields, size int) []byte {
	s := p.text(&p.inner)
	switch {
	case s == nil:
		return nil
	case len(s) != size:
		p.inner |= BadLength
		return nil
	}
	p.m.Fields |= f
	return s
}

func (p *parser) id(f Fields, dst *kad.ID) {
	if s := p.fixed(f, kad.Size); s != nil {
		*dst = kad.ID(s)
	}
}

// rows reads a string of rows of size bytes. It cuts a torn tail and notes it
// as torn.
func (p *parser) rows(f Fields, size int, torn Anomalies) []byte {
	s := p.bytes(f)
	if tail := len(s) % size; tail != 0 {
		p.inner |= torn
		s = s[: len(s)-tail : len(s)-tail]
	}
	return s
}

// peers reads values.
func (p *parser) peers(f Fields) {
	if p.peek() != 'l' {
		p.inner |= WrongType
		p.skip()
		return
	}
	p.open()
	start := p.i
	for p.i += Peers(p.b[p.i:]).goodRun(); p.more(); p.i += Peers(p.b[p.i:]).goodRun() {
		p.inner |= BadPeer
		p.skip()
	}
	if p.bad == "" {
		p.m.Values = p.b[start : p.i-1 : p.i-1]
		p.m.Fields |= f
	}
}

// want reads a list of the families asked for.
func (p *parser) want(f Fields) {
	if p.peek() != 'l' {
		p.inner |= WrongType
		p.skip()
		return
	}
	p.m.Fields |= f
	for p.open(); p.more(); {
		switch string(p.raw()) {
		case "2:n4":
			p.m.Want |= WantIPv4
		case "2:n6":
			p.m.Want |= WantIPv6
		}
	}
}
