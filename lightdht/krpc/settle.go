package krpc

// What a message was is known only at its end: y is its last key when keys are
// sorted. The parser has by then read the first body it met.

// settle makes m consistent with its kind and notes what is missing.
func (p *parser) settle() {
	m := p.m
	if m.Kind == 0 {
		p.off |= NoKind
		m.Kind = p.inferKind()
	}
	if p.top&topT == 0 {
		p.off |= NoTID
	}
	switch m.Kind {
	case KindQuery:
		p.settleMethod()
		p.settleBody('a', topA, p.a)
	case KindReply:
		p.settleBody('r', topR, p.r)
	default:
		p.settleBody(0, topE, 0)
	}
	if m.Kind != KindQuery && p.top&topQ != 0 {
		p.off |= ExtraQuery
	}
	if m.Kind != KindError {
		m.Code, m.Text = 0, nil
	}
	m.Anomalies = p.off | p.inner
}

// kindOf reads y.
func kindOf(y []byte) Kind {
	if len(y) == 1 {
		switch k := Kind(y[0]); k {
		case KindQuery, KindReply, KindError:
			return k
		}
	}
	return 0
}

// inferKind guesses the kind of a message without y.
func (p *parser) inferKind() Kind {
	switch {
	case p.top&topR != 0:
		return KindReply
	case p.top&topQ != 0:
		return KindQuery
	case p.top&topE != 0:
		return KindError
	}
	return 0
}

func (p *parser) settleMethod() {
	if len(p.method) == 0 {
		p.off |= NoMethod
	}
	p.m.Method = methodName(p.method)
}

// methodName returns q as a string, allocating only for unknown ones.
func methodName(q []byte) string {
	switch string(q) {
	case MethodPing:
		return MethodPing
	case MethodFindNode:
		return MethodFindNode
	case MethodGetPeers:
		return MethodGetPeers
	case MethodAnnouncePeer:
		return MethodAnnouncePeer
	case MethodGet:
		return MethodGet
	case MethodPut:
		return MethodPut
	case MethodSampleInfohashes:
		return MethodSampleInfohashes
	}
	return string(q)
}

// settleBody makes body, which began at start and is told by key, the one that
// m holds. A zero body is that of an error, which has none.
func (p *parser) settleBody(body byte, key topKeys, start int) {
	if p.m.Kind != 0 && p.top&key == 0 {
		p.off |= NoBody
	}
	if p.body != 0 && p.body != body {
		p.dropBody()
		if start > 0 {
			p.i, p.depth = start, 1
			p.readBody(body)
			p.i, p.depth = len(p.b), 0
		}
	}
	if p.body == 0 {
		return
	}
	if p.seen&FieldID == 0 {
		p.inner |= NoID
	}
	if p.body == 'r' && p.ip != nil {
		p.inner |= MisplacedIP
		if !p.m.IP.IsValid() {
			p.takeIP(p.ip, &p.inner)
		}
	}
}

// dropBody forgets the body that was read.
func (p *parser) dropBody() {
	m := p.m
	*m = Message{
		Kind: m.Kind, Method: m.Method, TID: m.TID, Version: m.Version,
		ReadOnly: m.ReadOnly, IP: m.IP, Code: m.Code, Text: m.Text, Raw: m.Raw,
	}
	p.body, p.seen, p.inner, p.ip = 0, 0, 0, nil
}
