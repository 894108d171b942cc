package main

import (
	"fmt"
	"iter"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

// contactColumns are the columns that contacts are read from.
var contactColumns = []string{
	"run", "id", "ip", "port", "state", "client", "version", "last_seen", "rtt_us", "unanswered", "queries", "replies",
	"read_only", "router", "beps", "bep42_ok",
}

// contactReader makes contacts of rows.
type contactReader struct {
	run, id, ip, port, state, client, version, seen, rtt, unanswered, queries, replies cells
	readOnly, router, beps, secure, country, asn, org                                  cells
}

func newContactReader(s export.Schema) *contactReader {
	return &contactReader{
		run: cellsOf(s, "run", export.Text), id: cellsOf(s, "id", export.ID), ip: cellsOf(s, "ip", export.Addr),
		port: cellsOf(s, "port", export.Int), state: cellsOf(s, "state", export.Text), client: cellsOf(s, "client", export.Text),
		version: cellsOf(s, "version", export.Text), seen: cellsOf(s, "last_seen", export.Time), rtt: cellsOf(s, "rtt_us", export.Int),
		unanswered: cellsOf(s, "unanswered", export.Int), queries: cellsOf(s, "queries", export.Int), replies: cellsOf(s, "replies", export.Int),
		readOnly: cellsOf(s, "read_only", export.Bool), router: cellsOf(s, "router", export.Bool), beps: cellsOf(s, "beps", export.Text),
		secure: cellsOf(s, "bep42_ok", export.Bool), country: cellsOf(s, "country", export.Text), asn: cellsOf(s, "asn", export.Int),
		org: cellsOf(s, "as_org", export.Text),
	}
}

// read reads a row. An ID that is absent, or an address, is that of no contact.
func (r *contactReader) read(b *export.Batch, i int, c *analysis.Contact) bool {
	if !r.id.there(b, i) || !r.ip.there(b, i) {
		return false
	}
	*c = analysis.Contact{
		ID: r.id.id(b, i), Addr: netip.AddrPortFrom(r.ip.addr(b, i), uint16(r.port.int(b, i))),
		State: r.state.text(b, i), Client: r.client.text(b, i), Version: r.version.text(b, i), BEPs: r.beps.text(b, i),
		ReadOnly: r.readOnly.is(b, i), Router: r.router.is(b, i), Secure: r.secure.is(b, i),
		Queries: count32(r.queries.int(b, i)), Replies: count32(r.replies.int(b, i)), Failures: count32(r.unanswered.int(b, i)),
		RTT:     time.Duration(r.rtt.int(b, i)) * time.Microsecond,
		Country: r.country.text(b, i), ASN: count32(r.asn.int(b, i)), Org: r.org.text(b, i),
		Run: r.run.text(b, i),
	}
	if r.secure.at < 0 {
		c.Secure = kad.IsSecureID(c.ID, c.Addr.Addr())
	}
	return true
}

// count32 returns a count, at most what it has room for.
func count32(n int64) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// contacts yields the contacts that count: those of a store merged over its runs,
// in the order of their IDs, those of a file as they stand there.
func (d *data) contacts() iter.Seq2[*analysis.Contact, error] {
	return d.contactsOf(d.source)
}

// byRun reports whether contacts can be had as each run saw them.
func (d *data) byRun() bool {
	return d.store != nil || d.manifest != nil && d.manifest.Filter["per-run"] == "true"
}

// contactsByRun yields what contacts does of each run by itself, one run after the
// other if they are of a store.
func (d *data) contactsByRun() iter.Seq2[*analysis.Contact, error] {
	of := d.source
	of.PerRun = true
	return d.contactsOf(of)
}

func (d *data) contactsOf(of export.Source) iter.Seq2[*analysis.Contact, error] {
	of.Columns = contactColumns
	if of.Geo != nil {
		of.Columns = append(slices.Clone(contactColumns), "country", "asn", "as_org")
	}
	return func(yield func(*analysis.Contact, error) bool) {
		opened := *d
		opened.source = of
		t, err := opened.table(export.Contacts)
		if err != nil {
			yield(nil, err)
			return
		}
		p := newProgress(d.say, "read", d.expected())
		defer p.end()
		for c, err := range d.eachContact(t, p) {
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// eachContact yields the contacts of a table that count.
func (d *data) eachContact(t export.Table, p *progress) iter.Seq2[*analysis.Contact, error] {
	reader, net := newContactReader(t.Schema), networks{}
	return func(yield func(*analysis.Contact, error) bool) {
		var c analysis.Contact
		for b, err := range t.Rows {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range b.Len {
				if !reader.read(b, i, &c) || d.file != "" && !d.counts(&c, reader.seen.int(b, i)) {
					continue
				}
				if net.add(&c); !yield(&c, nil) {
					return
				}
			}
			p.add(b.Len)
			b.Release()
		}
		if err := net.mixed(); err != nil && d.network() == "" {
			yield(nil, fmt.Errorf("%s: %w", d.name(), err))
		}
	}
}

// counts reports whether a contact of a file passes the filter, last seen then.
func (d *data) counts(c *analysis.Contact, seen int64) bool {
	f := &d.source.Filter
	switch {
	case f.Family != 0 && kad.FamilyOf(c.Addr.Addr()) != f.Family:
	case f.Prefix.Bits() > 0 && !f.Prefix.Contains(c.ID):
	case !f.Since.IsZero() && seen < f.Since.UnixMicro():
	case f.Runs != nil && !slices.ContainsFunc(f.Runs, func(id dataset.RunID) bool { return id.String() == c.Run }):
	case f.States != 0 && stateOf(c.State)&f.States == 0:
	default:
		return true
	}
	return false
}

// stateOf returns the state of a name.
func stateOf(name string) table.State {
	for _, s := range []table.State{table.StateGood, table.StateQuestionable, table.StateBad} {
		if s.String() == name {
			return s
		}
	}
	return 0
}

// expected is about how many contacts a store has.
func (d *data) expected() (n int64) {
	if d.store == nil {
		if d.manifest != nil {
			return d.manifest.Rows
		}
		return 0
	}
	runs, _ := d.store.Runs()
	for i := range runs {
		if m := runs[i].Manifest; m != nil && d.source.Filter.Picks(runs[i].ID) {
			n += int64(m.Contacts())
		}
	}
	return n
}

// networks tells from addresses that answered whether they are of one network:
// no node of the internet has a private address.
type networks struct{ public, private int }

func (n *networks) add(c *analysis.Contact) {
	switch a := c.Addr.Addr(); {
	case !c.Answered():
	case kad.IsReserved(a):
		n.private++
	default:
		n.public++
	}
}

// mixed returns an error when they are not.
func (n *networks) mixed() error {
	if n.public == 0 || n.private == 0 {
		return nil
	}
	return fmt.Errorf("nodes of several networks are mixed: %d have public addresses, %d private ones: take one network's alone", n.public, n.private)
}
