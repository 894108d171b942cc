package export

import (
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/lightdht/record"
)

// The columns of each table. datasets/README.md says what they mean; a name has
// one meaning wherever it stands.

// nodeFields are the columns of a node's place.
func nodeFields[R any](id string, of func(*R) kad.NodeInfo) []field[R] {
	return []field[R]{
		col(id, ID, func(v *Vector, r *R) { v.id(of(r).ID) }),
		col("ip", Addr, func(v *Vector, r *R) { v.addr(of(r).Addr.Addr()) }),
		col("port", Int, func(v *Vector, r *R) { v.port(of(r).Addr) }),
		col("family", Text, func(v *Vector, r *R) { v.family(of(r).Addr.Addr()) }),
	}
}

// runField is the column of a row's run.
func runField[R any](t *texts, of func(*R) dataset.RunID) field[R] {
	return col("run", Text, func(v *Vector, r *R) {
		if id := of(r); id == (dataset.RunID{}) {
			v.AddAbsent()
		} else {
			v.AddText(t.ofRun(id))
		}
	})
}

// clientFields are the columns of a client version.
func clientFields[R any](t *texts, of func(*R) string) []field[R] {
	return []field[R]{
		col("client", Text, func(v *Vector, r *R) { v.text(t.ofVersion(of(r))[0]) }),
		col("version", Text, func(v *Vector, r *R) { v.text(t.ofVersion(of(r))[1]) }),
	}
}

// geoFields are the columns that a Geo adds.
func geoFields[R any](geo *Geo, of func(*R) netip.Addr) []field[R] {
	if geo == nil {
		return nil
	}
	return []field[R]{
		col("country", Text, func(v *Vector, r *R) { v.text(geo.at(of(r)).country) }),
		col("asn", Int, func(v *Vector, r *R) {
			if n := geo.at(of(r)).asn; n > 0 {
				v.AddInt(n)
			} else {
				v.AddAbsent()
			}
		}),
		col("as_org", Text, func(v *Vector, r *R) { v.text(geo.at(of(r)).org) }),
	}
}

// targetFields are the columns of what a query is about: a place of the ID space,
// or the name of content.
func targetFields[R any](of func(*R) record.Target) []field[R] {
	one := func(infohash bool) func(*Vector, *R) {
		return func(v *Vector, r *R) {
			if t := of(r); t.Infohash == infohash {
				v.id(t.ID)
			} else {
				v.AddAbsent()
			}
		}
	}
	return []field[R]{col("target", ID, one(false)), col("infohash", Hash, one(true))}
}

func contactFields(t *texts, geo *Geo) []field[dataset.Contact] {
	type R = dataset.Contact
	kept := func(c *R) bool { return c.Runs > 0 } // else it comes from a table, which does not count all
	fields := []field[R]{
		runField(t, func(c *R) dataset.RunID { return c.Run }),
		col("runs", Int, func(v *Vector, c *R) { v.count(uint32(c.Runs), kept(c)) }),
	}
	fields = append(fields, nodeFields("id", func(c *R) kad.NodeInfo { return c.Node })...)
	fields = append(fields, col("state", Text, func(v *Vector, c *R) { v.AddText(c.State().String()) }))
	fields = append(fields, clientFields(t, func(c *R) string { return c.Version })...)
	fields = append(fields,
		col("first_seen", Time, func(v *Vector, c *R) { v.stamp(c.First) }),
		col("last_seen", Time, func(v *Vector, c *R) { v.stamp(c.Seen()) }),
		col("last_query", Time, func(v *Vector, c *R) { v.stamp(c.Query) }),
		col("last_reply", Time, func(v *Vector, c *R) { v.stamp(c.Reply) }),
		col("rtt_us", Int, func(v *Vector, c *R) { v.micros(c.RTT, c.Reply != 0) }),
		col("failures", Int, func(v *Vector, c *R) { v.AddInt(int64(c.InRow)) }),
		col("unanswered", Int, func(v *Vector, c *R) { v.count(c.Failures, kept(c)) }),
		col("mentions", Int, func(v *Vector, c *R) { v.count(c.Mentions, kept(c)) }),
		col("queries", Int, func(v *Vector, c *R) { v.AddInt(int64(c.Queries)) }),
		col("replies", Int, func(v *Vector, c *R) { v.AddInt(int64(c.Replies)) }),
		col("read_only", Bool, func(v *Vector, c *R) { v.AddBool(c.ReadOnly) }),
		col("router", Bool, func(v *Vector, c *R) { v.AddBool(c.Router) }),
		col("origin", Text, func(v *Vector, c *R) { v.AddText(c.Origin.String()) }),
		col("beps", Text, func(v *Vector, c *R) { v.text(c.BEPs.String()) }),
		col("bep42_ok", Bool, func(v *Vector, c *R) { v.AddBool(kad.IsSecureID(c.Node.ID, c.Node.Addr.Addr())) }),
	)
	return append(fields, geoFields(geo, func(c *R) netip.Addr { return c.Node.Addr.Addr() })...)
}

func sightingFields(t *texts, geo *Geo) []field[dataset.Sighting] {
	type R = dataset.Sighting
	kept := func(put func(v *Vector, s *record.Sighting)) func(*Vector, *R) {
		return func(v *Vector, s *R) {
			if s.Kept == nil {
				v.AddAbsent()
			} else {
				put(v, s.Kept)
			}
		}
	}
	fields := []field[R]{
		runField(t, func(s *R) dataset.RunID { return s.Run }),
		col("first_seen", Time, func(v *Vector, s *R) { v.stamp(s.First) }),
		col("last_seen", Time, func(v *Vector, s *R) { v.stamp(s.Seen()) }),
	}
	fields = append(fields, nodeFields("id", func(s *R) kad.NodeInfo { return s.Node })...)
	fields = append(fields,
		col("event", Text, kept(func(v *Vector, s *record.Sighting) { v.AddText(s.Event.String()) })),
		col("mentions", Int, func(v *Vector, s *R) { v.AddInt(int64(s.Mentions)) }),
		col("queries", Int, func(v *Vector, s *R) { v.AddInt(int64(s.Queries)) }),
		col("replies", Int, func(v *Vector, s *R) { v.AddInt(int64(s.Replies)) }),
		col("unanswered", Int, func(v *Vector, s *R) { v.AddInt(int64(s.Failures)) }),
		col("failures", Int, func(v *Vector, s *R) { v.AddInt(int64(s.InRow)) }),
		col("rtt_us", Int, func(v *Vector, s *R) { v.micros(s.RTT, s.Reply != 0) }),
	)
	fields = append(fields, clientFields(t, func(s *R) string { return s.Version })...)
	fields = append(fields,
		col("beps", Text, func(v *Vector, s *R) { v.text(s.BEPs.String()) }),
		col("read_only", Bool, func(v *Vector, s *R) { v.AddBool(s.ReadOnly) }),
		col("router", Bool, func(v *Vector, s *R) { v.AddBool(s.Router) }),
		col("origin", Text, func(v *Vector, s *R) { v.AddText(s.Origin.String()) }),
		col("method", Text, kept(func(v *Vector, s *record.Sighting) { v.text(methodText(s.Method)) })),
		col("self_id", ID, kept(func(v *Vector, s *record.Sighting) { v.id(s.Self) })),
		col("by_id", ID, kept(func(v *Vector, s *record.Sighting) { v.id(s.By.ID) })),
		col("by_ip", Addr, kept(func(v *Vector, s *record.Sighting) { v.addr(s.By.Addr.Addr()) })),
		col("by_port", Int, kept(func(v *Vector, s *record.Sighting) { v.port(s.By.Addr) })),
	)
	return append(fields, geoFields(geo, func(s *R) netip.Addr { return s.Node.Addr.Addr() })...)
}

func queryFields(t *texts, geo *Geo) []field[rowOf[record.Query]] {
	type R = rowOf[record.Query]
	fields := []field[R]{
		runField(t, func(q *R) dataset.RunID { return q.run }),
		col("time", Time, func(v *Vector, q *R) { v.time(q.Row.Time) }),
	}
	fields = append(fields, nodeFields("querier_id", func(q *R) kad.NodeInfo { return q.Row.Node })...)
	fields = append(fields, col("method", Text, func(v *Vector, q *R) { v.text(methodText(q.Row.Method)) }))
	fields = append(fields, targetFields(func(q *R) record.Target { return q.Row.Target })...)
	fields = append(fields, col("asked_id", ID, func(v *Vector, q *R) { v.id(q.Row.Self) }))
	fields = append(fields, clientFields(t, func(q *R) string { return string(q.Row.Version) })...)
	fields = append(fields,
		col("read_only", Bool, func(v *Vector, q *R) { v.AddBool(q.Row.ReadOnly) }),
		col("bytes_in", Int, func(v *Vector, q *R) { v.AddInt(int64(q.Row.Size)) }),
	)
	return append(fields, geoFields(geo, func(q *R) netip.Addr { return q.Row.Node.Addr.Addr() })...)
}

func visitFields(t *texts, geo *Geo) []field[rowOf[record.Visit]] {
	type R = rowOf[record.Visit]
	answered := func(r *R) bool { return r.Row.Outcome == record.Reply || r.Row.Outcome == record.ErrorReply }
	fields := []field[R]{
		runField(t, func(r *R) dataset.RunID { return r.run }),
		col("time", Time, func(v *Vector, r *R) { v.time(r.Row.Time) }),
		col("self_id", ID, func(v *Vector, r *R) { v.id(r.Row.Self) }),
	}
	fields = append(fields, nodeFields("id", func(r *R) kad.NodeInfo { return r.Row.Node })...)
	fields = append(fields, col("method", Text, func(v *Vector, r *R) { v.text(methodText(r.Row.Method)) }))
	fields = append(fields, targetFields(func(r *R) record.Target { return r.Row.Target })...)
	fields = append(fields,
		col("outcome", Text, func(v *Vector, r *R) { v.AddText(r.Row.Outcome.String()) }),
		col("code", Int, func(v *Vector, r *R) {
			if r.Row.Outcome == record.ErrorReply {
				v.AddInt(int64(r.Row.Code))
			} else {
				v.AddAbsent()
			}
		}),
		col("rtt_us", Int, func(v *Vector, r *R) { v.micros(r.Row.RTT, answered(r)) }),
		col("waited_us", Int, func(v *Vector, r *R) { v.micros(r.Row.RTT, !answered(r)) }),
		col("replier_id", ID, func(v *Vector, r *R) { v.id(r.Row.Replier) }),
	)
	fields = append(fields, clientFields(t, func(r *R) string { return string(r.Row.Version) })...)
	fields = append(fields,
		col("beps", Text, func(v *Vector, r *R) { v.text(r.Row.BEPs.String()) }),
		col("nodes_told", Int, func(v *Vector, r *R) { v.AddInt(int64(len(r.Row.Nodes))) }),
		col("peers_told", Int, func(v *Vector, r *R) { v.AddInt(int64(r.Row.Peers)) }),
		col("bytes_out", Int, func(v *Vector, r *R) { v.AddInt(int64(r.Row.Sent)) }),
		col("bytes_in", Int, func(v *Vector, r *R) { v.AddInt(int64(r.Row.Got)) }),
	)
	return append(fields, geoFields(geo, func(r *R) netip.Addr { return r.Row.Node.Addr.Addr() })...)
}

func edgeFields(t *texts) []field[naming] {
	return []field[naming]{
		runField(t, func(e *naming) dataset.RunID { return e.run }),
		col("time", Time, func(v *Vector, e *naming) { v.time(e.visit.Time) }),
		col("src_id", ID, func(v *Vector, e *naming) { v.id(e.src.ID) }),
		col("src_ip", Addr, func(v *Vector, e *naming) { v.addr(e.src.Addr.Addr()) }),
		col("src_port", Int, func(v *Vector, e *naming) { v.port(e.src.Addr) }),
		col("dst_id", ID, func(v *Vector, e *naming) { v.id(e.dst.ID) }),
		col("dst_ip", Addr, func(v *Vector, e *naming) { v.addr(e.dst.Addr.Addr()) }),
		col("dst_port", Int, func(v *Vector, e *naming) { v.port(e.dst.Addr) }),
		col("bucket", Int, func(v *Vector, e *naming) {
			both := !e.src.ID.IsZero() && !e.dst.ID.IsZero() // an answer may tell no ID
			v.count(uint32(kad.CommonPrefixLen(e.src.ID, e.dst.ID)), both)
		}),
	}
}

func lookupFields(t *texts) []field[found] {
	count := func(name string, of func(*record.Lookup) int) field[found] {
		return col(name, Int, func(v *Vector, f *found) { v.AddInt(int64(of(f.lookup))) })
	}
	one := func(put func(v *Vector, c *record.Closest)) func(*Vector, *found) {
		return func(v *Vector, f *found) {
			if f.closest == nil {
				v.AddAbsent()
			} else {
				put(v, f.closest)
			}
		}
	}
	fields := []field[found]{
		runField(t, func(f *found) dataset.RunID { return f.run }),
		col("lookup", Int, func(v *Vector, f *found) { v.AddInt(f.number) }),
		col("time", Time, func(v *Vector, f *found) { v.time(f.lookup.Time) }),
		col("self_id", ID, func(v *Vector, f *found) { v.id(f.lookup.Self) }),
	}
	fields = append(fields, targetFields(func(f *found) record.Target { return f.lookup.Target })...)
	return append(fields,
		col("purpose", Text, func(v *Vector, f *found) { v.text(f.lookup.Purpose) }),
		col("method", Text, func(v *Vector, f *found) { v.AddText(methodOf(f.lookup)) }),
		count("k", func(l *record.Lookup) int { return l.K }),
		count("width", func(l *record.Lookup) int { return l.Width }),
		private(col("error", Text, func(v *Vector, f *found) { v.text(printable(f.lookup.Err)) })),
		count("asked", func(l *record.Lookup) int { return l.Asked }),
		count("answered", func(l *record.Lookup) int { return l.Answered }),
		count("strange", func(l *record.Lookup) int { return l.Strange }),
		count("timed_out", func(l *record.Lookup) int { return l.TimedOut }),
		count("failed", func(l *record.Lookup) int { return l.Failed }),
		count("silent", func(l *record.Lookup) int { return l.Silent }),
		count("hops", func(l *record.Lookup) int { return l.Hops }),
		count("peers_told", func(l *record.Lookup) int { return l.Found }),
		count("bytes_out", func(l *record.Lookup) int { return l.Sent }),
		count("bytes_in", func(l *record.Lookup) int { return l.Got }),
		col("duration_us", Int, func(v *Vector, f *found) { v.AddInt(f.lookup.Duration.Microseconds()) }),
		private(col("rank", Int, func(v *Vector, f *found) { v.count(uint32(f.rank), f.closest != nil) })),
		col("id", ID, one(func(v *Vector, c *record.Closest) { v.id(c.Node.ID) })),
		col("ip", Addr, one(func(v *Vector, c *record.Closest) { v.addr(c.Node.Addr.Addr()) })),
		col("port", Int, one(func(v *Vector, c *record.Closest) { v.port(c.Node.Addr) })),
		col("family", Text, one(func(v *Vector, c *record.Closest) { v.family(c.Node.Addr.Addr()) })),
		col("common_bits", Int, one(func(v *Vector, c *record.Closest) { v.AddInt(int64(c.Bits)) })),
		private(col("distance", Float, one(func(v *Vector, c *record.Closest) { v.float(c.Distance) }))),
		col("rtt_us", Int, one(func(v *Vector, c *record.Closest) { v.micros(c.RTT, true) })),
		col("hop", Int, one(func(v *Vector, c *record.Closest) { v.AddInt(int64(c.Hop)) })),
	)
}

func methodOf(l *record.Lookup) string {
	if l.Peers {
		return "get_peers"
	}
	return "find_node"
}

func estimateFields(t *texts) []field[rowOf[record.Estimate]] {
	type R = rowOf[record.Estimate]
	interval := func(e *R) bool { return e.Row.Level > 0 }
	return []field[R]{
		runField(t, func(e *R) dataset.RunID { return e.run }),
		col("time", Time, func(v *Vector, e *R) { v.time(e.Row.Time) }),
		col("quantity", Text, func(v *Vector, e *R) { v.text(e.Row.What) }),
		col("estimator", Text, func(v *Vector, e *R) { v.text(e.Row.Method) }),
		col("family", Text, func(v *Vector, e *R) {
			if e.Row.Family == 0 {
				v.AddAbsent()
			} else {
				v.AddText(e.Row.Family.String())
			}
		}),
		col("k", Int, func(v *Vector, e *R) { v.count(uint32(e.Row.K), e.Row.K > 0) }),
		col("samples", Int, func(v *Vector, e *R) { v.AddInt(int64(e.Row.Samples)) }),
		col("n_hat", Float, func(v *Vector, e *R) { v.float(e.Row.Value) }),
		col("ci_lo", Float, func(v *Vector, e *R) { v.float(e.Row.Lo) }),
		col("ci_hi", Float, func(v *Vector, e *R) { v.float(e.Row.Hi) }),
		col("level", Float, func(v *Vector, e *R) {
			if interval(e) {
				v.float(e.Row.Level)
			} else {
				v.AddAbsent()
			}
		}),
		col("recall", Float, func(v *Vector, e *R) { v.float(e.Row.Recall) }),
	}
}

func endpointFields(t *texts, geo *Geo) []field[rowOf[record.Endpoint]] {
	type R = rowOf[record.Endpoint]
	fields := []field[R]{
		runField(t, func(e *R) dataset.RunID { return e.run }),
		col("time", Time, func(v *Vector, e *R) { v.time(e.Row.Time) }),
		col("self_id", ID, func(v *Vector, e *R) { v.id(e.Row.Self) }),
	}
	fields = append(fields, nodeFields("id", func(e *R) kad.NodeInfo { return kad.NodeInfo{Addr: e.Row.Addr} })[1:]...)
	fields = append(fields, col("source", Text, func(v *Vector, e *R) { v.text(e.Row.Source) }))
	return append(fields, geoFields(geo, func(e *R) netip.Addr { return e.Row.Addr.Addr() })...)
}
