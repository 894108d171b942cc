package lightdht

import (
	"bufio"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

const (
	ledgerHeader = "ip,packets_out,bytes_out,packets_in,bytes_in,peak_out_per_s,first_seen,last_seen\n"
	ledgerTime   = "2006-01-02T15:04:05.000000Z07:00" // RFC 3339 with microseconds
)

// WriteCSV writes a header and a line for each address, IPv4 before IPv6 and in
// order, the times in UTC. Each line is of one moment, but not all of the same:
// the ledger can be used meanwhile.
func (l *Ledger) WriteCSV(w io.Writer) error {
	out := bufio.NewWriter(w)
	out.WriteString(ledgerHeader) // errors stay in out until Flush
	var line []byte
	for _, i := range l.sorted() {
		var e [1]LedgerEntry
		l.copy(e[:], int(i))
		line = e[0].appendCSV(line[:0])
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// sorted returns the positions in the order of their addresses.
func (l *Ledger) sorted() []uint32 {
	type place struct {
		addr netip.Addr
		at   uint32
	}
	var places []place
	for e := range l.All() {
		places = append(places, place{e.Addr, uint32(len(places))})
	}
	slices.SortFunc(places, func(a, b place) int { return a.addr.Compare(b.addr) })
	order := make([]uint32, len(places))
	for i, p := range places {
		order[i] = p.at
	}
	return order
}

func (e LedgerEntry) appendCSV(b []byte) []byte {
	b = e.Addr.AppendTo(b)
	for _, n := range [...]uint64{e.PacketsOut, e.BytesOut, e.PacketsIn, e.BytesIn, uint64(e.PeakOut)} {
		b = strconv.AppendUint(append(b, ','), n, 10)
	}
	for _, t := range [...]time.Time{e.FirstSeen, e.LastSeen} {
		b = t.UTC().AppendFormat(append(b, ','), ledgerTime)
	}
	return append(b, '\n')
}
