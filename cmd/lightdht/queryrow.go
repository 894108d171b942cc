package main

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/krpc"
)

// queryRow is a row of the query log.
type queryRow struct {
	time   time.Time
	addr   netip.AddrPort
	method string // as it came: any bytes
	id     kad.ID
	target kad.ID
	asked  kad.ID // ours, that was asked
	named  bool   // it told its ID
	aims   bool   // it has a target
}

// rowOf returns the row of a query, which has nothing of the packet.
func rowOf(p *lightdht.Packet) queryRow {
	r := queryRow{time: p.Time, addr: p.Addr, method: p.Method, id: p.Message.ID, named: p.Message.Has(krpc.FieldID)}
	if p.Node != nil {
		r.asked = p.Node.ID()
	}
	r.target, r.aims = p.Message.Topic()
	return r
}

// append appends the row as a line of CSV.
func (r queryRow) append(b []byte) []byte {
	b = append(r.time.UTC().AppendFormat(b, queryTime), ',')
	if r.named {
		b, _ = r.id.AppendText(b)
	}
	b = append(r.addr.Addr().AppendTo(append(b, ',')), ',')
	b = append(strconv.AppendUint(b, uint64(r.addr.Port()), 10), ',')
	b = append(appendMethod(b, r.method), ',')
	if r.aims {
		b, _ = r.target.AppendText(b)
	}
	b = append(b, ',')
	if !r.asked.IsZero() {
		b, _ = r.asked.AppendText(b)
	}
	return append(b, "\r\n"...)
}

// maxMethod is how many bytes of a method are told: anybody may send a long one.
const maxMethod = 64

// appendMethod appends a method as a field of CSV. Those of the BEPs are as they
// are; of others, what is no printable ASCII is escaped.
func appendMethod(b []byte, method string) []byte {
	method = method[:min(len(method), maxMethod)]
	if kindOf(method) != otherKind {
		return append(b, method...)
	}
	text := []byte(krpc.VersionText(method))
	if !bytes.ContainsAny(text, `",`) {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, bytes.ReplaceAll(text, []byte(`"`), []byte(`""`))...)
	return append(b, '"')
}
