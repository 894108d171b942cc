package main

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
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

// read reads a row. It is of no contact without an ID or an address, or with
// numbers that no contact has.
func (r *contactReader) read(b *export.Batch, i int, c *analysis.Contact) bool {
	if !r.id.there(b, i) || !r.ip.there(b, i) || r.port.int(b, i) < 0 || r.port.int(b, i) > math.MaxUint16 {
		return false
	}
	for _, n := range []cells{r.unanswered, r.queries, r.replies, r.asn} {
		if v := n.int(b, i); v < 0 || v > math.MaxUint32 {
			return false
		}
	}
	if us := r.rtt.int(b, i); us < 0 || us > maxRTT.Microseconds() {
		return false
	}
	*c = analysis.Contact{
		ID: r.id.id(b, i), Addr: netip.AddrPortFrom(r.ip.addr(b, i), uint16(r.port.int(b, i))),
		State: r.state.text(b, i), Client: r.client.text(b, i), Version: r.version.text(b, i), BEPs: r.beps.text(b, i),
		ReadOnly: r.readOnly.is(b, i), Router: r.router.is(b, i), Secure: r.secure.is(b, i),
		Queries: uint32(r.queries.int(b, i)), Replies: uint32(r.replies.int(b, i)), Failures: uint32(r.unanswered.int(b, i)),
		RTT:     time.Duration(r.rtt.int(b, i)) * time.Microsecond,
		Country: r.country.text(b, i), ASN: uint32(r.asn.int(b, i)), Org: r.org.text(b, i),
		Run: r.run.text(b, i),
	}
	if stateOf(c.State) == 0 {
		c.State = "" // of no state that there is
	}
	if r.secure.at < 0 {
		c.Secure = kad.IsSecureID(c.ID, c.Addr.Addr())
	}
	return true
}

// maxRTT is longer than anybody waits for an answer.
const maxRTT = 24 * time.Hour

// contacts yields the contacts that count: those of a store merged over its runs,
// in the order of their IDs, those of a file as they stand there.
func (d *data) contacts() iter.Seq2[*analysis.Contact, error] {
	all := d.contactsOf(d.source)
	if d.file != "" && d.byRun() {
		return overRuns(all)
	}
	return all
}

// overRuns makes one contact of all that runs saw of it: the counts of all, and what
// the latest of them told.
func overRuns(all iter.Seq2[*analysis.Contact, error]) iter.Seq2[*analysis.Contact, error] {
	return func(yield func(*analysis.Contact, error) bool) {
		at, known := map[kad.NodeInfo]int{}, []analysis.Contact{}
		for c, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			node := kad.NodeInfo{ID: c.ID, Addr: c.Addr}
			i, again := at[node]
			if !again {
				at[node] = len(known)
				known = append(known, *c)
				continue
			}
			addRun(&known[i], c)
		}
		for i := range known {
			if !yield(&known[i], nil) {
				return
			}
		}
	}
}

// addRun adds what a later run saw of a contact.
func addRun(c, later *analysis.Contact) {
	was := *c
	if c.Run <= later.Run { // the name of a run begins with its time
		*c = *later
	}
	c.Queries = sum32(was.Queries, later.Queries)
	c.Replies = sum32(was.Replies, later.Replies)
	c.Failures = sum32(was.Failures, later.Failures)
	c.RTT = lastOf(later.RTT, was.RTT, c.Run == later.Run)
	c.Version = lastOf(later.Version, was.Version, c.Run == later.Run)
	c.Client = lastOf(later.Client, was.Client, c.Run == later.Run)
	beps := map[string]bool{}
	for _, s := range append(strings.Fields(was.BEPs), strings.Fields(later.BEPs)...) {
		beps[s] = true
	}
	c.BEPs = strings.Join(slices.Sorted(maps.Keys(beps)), " ")
	c.Router = was.Router || later.Router
}

// lastOf returns what the later of two runs told, the other when that told nothing.
func lastOf[T comparable](b, a T, inOrder bool) T {
	var none T
	if !inOrder {
		a, b = b, a
	}
	if b == none {
		return a
	}
	return b
}

func sum32(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), math.MaxUint32)) }

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
		d.odd = 0
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
				if !reader.read(b, i, &c) {
					d.odd++
					continue
				}
				if d.file != "" && !d.counts(&c, reader.seen.int(b, i)) {
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
	if c.Answered() {
		n.note(c.Addr.Addr())
	}
}

// note notes the address of one that answered.
func (n *networks) note(a netip.Addr) {
	if kad.IsReserved(a) {
		n.private++
	} else {
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
