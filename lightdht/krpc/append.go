package krpc

import (
	"strconv"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// Append appends m to dst in canonical bencode and returns the longer slice.
// It allocates only if dst lacks room, and it never fails: whatever m holds,
// the result is a datagram that Parse reads.
//
// Of the body it writes the fields that are set in m.Fields and the keys of
// m.Extra, in one order; a key that a field writes is not taken from Extra. A
// field that has no form on the wire (a Signature that is not 64 bytes, a Value
// that is not bencode), an Extra that is no dictionary with sorted keys, and a
// malformed item of Values are left out; a torn tail of a list is cut.
// A query has an a, a reply an r and an error an e even when they are empty.
func Append(dst []byte, m *Message) []byte {
	dst = append(dst, 'd')
	switch m.Kind {
	case KindQuery:
		dst = appendBody(append(dst, "1:a"...), m)
	case KindError:
		dst = appendInt(append(dst, "1:el"...), m.Code)
		dst = append(appendString(dst, m.Text), 'e')
	}
	if m.IP.IsValid() {
		dst = appendIP(append(dst, "2:ip"...), m)
	}
	switch {
	case m.Kind == KindQuery && m.Method != "":
		dst = appendString(append(dst, "1:q"...), m.Method)
	case m.Kind == KindReply:
		dst = appendBody(append(dst, "1:r"...), m)
	}
	if m.ReadOnly {
		dst = append(dst, "2:roi1e"...)
	}
	if m.TID != nil {
		dst = appendString(append(dst, "1:t"...), m.TID)
	}
	if m.Version != nil {
		dst = appendString(append(dst, "1:v"...), m.Version)
	}
	switch m.Kind {
	case KindQuery, KindReply, KindError:
		dst = append(dst, '1', ':', 'y', '1', ':', byte(m.Kind))
	}
	return append(dst, 'e')
}

// appendBody writes the fields of m, merged with Extra.
func appendBody(dst []byte, m *Message) []byte {
	dst = append(dst, 'd')
	extra := extraOf(m.Extra)
	for f := m.writable(); f != 0; f &= f - 1 {
		field := f.lowest()
		dst = extra.appendBefore(dst, field.key())
		dst = append(dst, wireKeys[field.index()]...)
		dst = appendField(dst, m, field)
	}
	dst = extra.appendRest(dst)
	return append(dst, 'e')
}

// writable returns the fields of m that are set and have a form on the wire.
func (m *Message) writable() Fields {
	const picky = FieldSeedFilter | FieldPeerFilter | FieldPublicKey | FieldSignature | FieldValue
	f := m.Fields & allFields
	if f&picky == 0 {
		return f
	}
	drop := func(field Fields, unfit bool) {
		if unfit {
			f &^= field
		}
	}
	drop(FieldSeedFilter, len(m.SeedFilter) != filterSize)
	drop(FieldPeerFilter, len(m.PeerFilter) != filterSize)
	drop(FieldPublicKey, len(m.PublicKey) != publicKeySize)
	drop(FieldSignature, len(m.Signature) != signatureSize)
	drop(FieldValue, f&FieldValue != 0 && !validInBody(m.Value))
	return f
}

// appendField writes the value of the single field f.
func appendField(dst []byte, m *Message, f Fields) []byte {
	switch f {
	case FieldID:
		return appendString(dst, m.ID[:])
	case FieldTarget:
		return appendString(dst, m.Target[:])
	case FieldInfoHash:
		return appendString(dst, m.InfoHash[:])
	case FieldNodes:
		return appendString(dst, m.Nodes[:m.Nodes.Len()*node4Size])
	case FieldNodes6:
		return appendString(dst, m.Nodes6[:m.Nodes6.Len()*node6Size])
	case FieldSamples:
		return appendString(dst, m.Samples[:len(m.Samples)/kad.Size*kad.Size])
	case FieldToken:
		return appendString(dst, m.Token)
	case FieldSalt:
		return appendString(dst, m.Salt)
	case FieldPublicKey:
		return appendString(dst, m.PublicKey)
	case FieldSignature:
		return appendString(dst, m.Signature)
	case FieldSeedFilter:
		return appendString(dst, m.SeedFilter)
	case FieldPeerFilter:
		return appendString(dst, m.PeerFilter)
	case FieldValue:
		return append(dst, m.Value...)
	case FieldValues:
		return append(appendPeers(append(dst, 'l'), m.Values), 'e')
	case FieldWant:
		return appendWant(dst, m.Want)
	}
	return appendInt(dst, m.number(f))
}

// number returns the value of a field that is an integer on the wire.
func (m *Message) number(f Fields) int64 {
	switch f {
	case FieldPort:
		return int64(m.Port)
	case FieldReplyPort:
		return int64(m.ReplyPort)
	case FieldImpliedPort:
		return flag(m.ImpliedPort)
	case FieldSeed:
		return flag(m.Seed)
	case FieldNoSeed:
		return flag(m.NoSeed)
	case FieldScrape:
		return flag(m.Scrape)
	case FieldSeq:
		return m.Seq
	case FieldCAS:
		return m.CAS
	case FieldInterval:
		return m.Interval
	}
	return m.Num
}

func flag(set bool) int64 {
	if set {
		return 1
	}
	return 0
}

// appendPeers writes the well-formed items of p.
func appendPeers(dst []byte, p Peers) []byte {
	for {
		n := p.goodRun()
		dst = append(dst, p[:n]...)
		if p = p[n:]; len(p) == 0 {
			return dst
		}
		p = p.afterBad()
	}
}

func appendWant(dst []byte, w Want) []byte {
	dst = append(dst, 'l')
	if w&WantIPv4 != 0 {
		dst = append(dst, "2:n4"...)
	}
	if w&WantIPv6 != 0 {
		dst = append(dst, "2:n6"...)
	}
	return append(dst, 'e')
}

func appendIP(dst []byte, m *Message) []byte {
	if m.IP.Addr().Unmap().Is4() {
		return appendAddr(append(dst, "6:"...), m.IP)
	}
	return appendAddr(append(dst, "18:"...), m.IP)
}

func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	return append(append(dst, ':'), s...)
}

func appendInt(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, 'i'), n, 10), 'e')
}
