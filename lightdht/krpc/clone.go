package krpc

import "bytes"

// Clone returns a copy of m that stands alone. The views of a parsed message
// become views of one new datagram; the fields of a built message, and those
// that were changed after Parse, become views of one other new buffer.
func (m *Message) Clone() Message {
	out := *m
	var twin Message // the fields that m has from its Raw, and elsewhere
	if m.Raw != nil {
		_ = Parse(bytes.Clone(m.Raw), &twin) // of a bad datagram only Raw
	}
	from, to, twins := m.byteFields(), out.byteFields(), twin.byteFields()
	size := 0
	for i, f := range from {
		if *twins[i] != nil && bytes.Equal(*f, *twins[i]) {
			*to[i] = *twins[i]
			continue
		}
		size += len(*f)
		twins[i] = nil
	}
	buf := make([]byte, 0, size)
	for i, f := range from {
		if twins[i] == nil && *f != nil {
			start := len(buf)
			buf = append(buf, *f...)
			*to[i] = buf[start:len(buf):len(buf)]
		}
	}
	return out
}

// byteFields returns where m keeps bytes.
func (m *Message) byteFields() [17]*[]byte {
	return [...]*[]byte{
		&m.TID, &m.Version, &m.Token, (*[]byte)(&m.Nodes), (*[]byte)(&m.Nodes6), (*[]byte)(&m.Values),
		&m.SeedFilter, &m.PeerFilter, &m.Value, &m.PublicKey, &m.Signature, &m.Salt, &m.Samples, &m.Text,
		&m.Extra, &m.Body, &m.Raw,
	}
}
