package main

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/lightdht/lightdht/lightdht/analysis"
	"github.com/lightdht/lightdht/lightdht/dataset"
	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// queryReading reads queries of a store or a file, and counts those that do not
// count.
type queryReading struct {
	*data
	passedOver int // of a file: not chosen; a store does not tell
}

// advise says of data without queries how there come to be some.
func (r *queryReading) advise(err error) error {
	switch {
	case errors.Is(err, analysis.ErrNoQueries) && len(r.chosen) > 0:
		return fmt.Errorf("%w: --family, --prefix, --run and --since choose none", err)
	case r.store != nil && errors.Is(err, analysis.ErrNoQueries):
		return fmt.Errorf("%w: lightdht node keeps those that it receives", err)
	}
	return err
}

// expectedQueries is about how many there are, when that can be told; else 0.
func (r *queryReading) expectedQueries() (n int64) {
	if r.store == nil {
		return r.expected()
	}
	runs, _ := r.store.Runs()
	for i := range runs {
		if m := runs[i].Manifest; m != nil && r.source.Filter.Picks(runs[i].ID) {
			n += int64(m.Rows[string(export.Queries)])
		}
	}
	return n
}

// queryReader makes queries of rows.
type queryReader struct {
	run, time, id, ip, port, method, target, infohash, client, readOnly cells
}

func newQueryReader(s export.Schema) *queryReader {
	return &queryReader{
		run: cellsOf(s, "run", export.Text), time: cellsOf(s, "time", export.Time), id: cellsOf(s, "querier_id", export.ID),
		ip: cellsOf(s, "ip", export.Addr), port: cellsOf(s, "port", export.Int), method: cellsOf(s, "method", export.Text),
		target: cellsOf(s, "target", export.ID), infohash: cellsOf(s, "infohash", export.Hash), client: cellsOf(s, "client", export.Text),
		readOnly: cellsOf(s, "read_only", export.Bool),
	}
}

// read reads a row.
func (r *queryReader) read(b *export.Batch, i int, q *analysis.Query) {
	*q = analysis.Query{
		Node:   kad.NodeInfo{ID: r.id.id(b, i), Addr: netip.AddrPortFrom(r.ip.addr(b, i), uint16(r.port.int(b, i)))},
		Method: r.method.text(b, i), Client: r.client.text(b, i), Target: r.target.id(b, i), ReadOnly: r.readOnly.is(b, i),
	}
	if r.time.there(b, i) {
		q.Time = time.UnixMicro(r.time.int(b, i))
	}
	if r.infohash.there(b, i) {
		q.Target, q.Infohash = r.infohash.id(b, i), true
	}
}

// queries yields the queries that count. Of a store they come with the columns that a
// file has, so that both are told the same.
func (r *queryReading) queries() iter.Seq2[*analysis.Query, error] {
	return func(yield func(*analysis.Query, error) bool) {
		t, err := r.table(export.Queries)
		if err != nil {
			yield(nil, err)
			return
		}
		reader := newQueryReader(t.Schema)
		p := newProgress(r.say, "read", r.expectedQueries())
		defer p.end()
		var q analysis.Query
		for b, err := range t.Rows {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range b.Len {
				if reader.read(b, i, &q); r.file != "" && !r.countsQuery(&q, reader.run.text(b, i)) {
					r.passedOver++
				} else if !yield(&q, nil) {
					return
				}
			}
			p.add(b.Len)
			b.Release()
		}
	}
}

// countsQuery reports whether a query of a file passes the filter.
func (r *queryReading) countsQuery(q *analysis.Query, run string) bool {
	f := &r.source.Filter
	switch {
	case f.Family != 0 && kad.FamilyOf(q.Node.Addr.Addr()) != f.Family:
	case f.Prefix.Bits() > 0 && !f.Prefix.Contains(q.Node.ID):
	case !f.Since.IsZero() && q.Time.Before(f.Since):
	case f.Runs != nil && !slices.ContainsFunc(f.Runs, func(id dataset.RunID) bool { return id.String() == run }):
	default:
		return true
	}
	return false
}
