package lightdht

import (
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
	"github.com/lightdht/lightdht/lightdht/record"
)

// subject returns what a query is about, as it is recorded: content or a place.
// Which of the two an unknown method means, the key tells that it has it in.
func subject(m *krpc.Message) record.Target {
	id, ok := m.Topic()
	if !ok || m.Method == krpc.MethodPut { // it has its value with it
		return record.Target{}
	}
	return record.Target{ID: id, Infohash: m.Has(krpc.FieldInfoHash) || m.Method == krpc.MethodGet}
}

// askedAbout returns what a query of ours is about. Of one with arguments of the
// caller's own it reads what will be sent.
func askedAbout(q krpc.Query) record.Target {
	out := outgoings.Get().(*outgoing)
	defer outgoings.Put(out)
	m := &out.msg
	if krpc.NewQuery(q, m) != nil {
		return record.Target{}
	}
	if m.Extra != nil {
		out.buf = krpc.Append(out.buf[:0], m)
		krpc.Parse(out.buf, m)
	}
	return subject(m)
}

// showed returns the extensions that a message shows its sender to use; none for
// no message.
func showed(m *krpc.Message, sender kad.NodeInfo) record.BEPs {
	switch {
	case m == nil:
		return 0
	case m.Kind == krpc.KindQuery:
		return queryShowed(m)
	}
	other := krpc.FieldNodes6
	if kad.FamilyOf(sender.Addr.Addr()) == kad.IPv6 {
		other = krpc.FieldNodes
	}
	const filters, value = krpc.FieldSeedFilter | krpc.FieldPeerFilter, krpc.FieldPublicKey | krpc.FieldSeq | krpc.FieldSignature | krpc.FieldValue
	return bepIf(m.Has(other), record.BEP32) |
		bepIf(m.Fields&filters != 0, record.BEP33) |
		bepIf(m.IP.IsValid(), record.BEP42) |
		bepIf(m.Fields&value != 0, record.BEP44) |
		bepIf(m.Has(krpc.FieldSamples), record.BEP51)
}

// queryShowed is showed for a query.
func queryShowed(m *krpc.Message) record.BEPs {
	return bepIf(m.Has(krpc.FieldWant), record.BEP32) |
		bepIf(m.Has(krpc.FieldScrape), record.BEP33) |
		bepIf(m.Method == krpc.MethodGet || m.Method == krpc.MethodPut, record.BEP44) |
		bepIf(m.Method == krpc.MethodSampleInfohashes, record.BEP51)
}

func bepIf(is bool, b record.BEPs) record.BEPs {
	if is {
		return b
	}
	return 0
}
