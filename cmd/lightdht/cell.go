package main

import (
	"net/netip"

	"github.com/lightdht/lightdht/lightdht/export"
	"github.com/lightdht/lightdht/lightdht/kad"
)

// cells reads one column of a table; of a column that there is not, and where
// nothing stands, the zero value.
type cells struct {
	at   int // -1: there is no such column
	kind export.Type
}

// cellsOf returns the column of a name and type. Columns of other types, which
// other programs may have written, are taken for missing.
func cellsOf(s export.Schema, name string, kind export.Type) cells {
	at := s.Index(name)
	if at >= 0 && s[at].Type != kind {
		at = -1
	}
	return cells{at, kind}
}

// there reports whether the column has a value in a row.
func (c cells) there(b *export.Batch, row int) bool { return c.at >= 0 && !b.Cols[c.at].Null[row] }

func (c cells) id(b *export.Batch, row int) (id kad.ID) {
	if c.there(b, row) {
		id = b.Cols[c.at].IDs[row]
	}
	return id
}

func (c cells) addr(b *export.Batch, row int) (a netip.Addr) {
	if c.there(b, row) {
		a = b.Cols[c.at].Addrs[row]
	}
	return a
}

func (c cells) text(b *export.Batch, row int) (s string) {
	if c.there(b, row) {
		s = b.Cols[c.at].Texts[row]
	}
	return s
}

// int reads a whole number, a time in microseconds, or a truth value as 0 or 1.
func (c cells) int(b *export.Batch, row int) (n int64) {
	if c.there(b, row) {
		n = b.Cols[c.at].Ints[row]
	}
	return n
}

func (c cells) is(b *export.Batch, row int) bool { return c.int(b, row) != 0 }

func (c cells) float(b *export.Batch, row int) (v float64) {
	if c.there(b, row) {
		v = b.Cols[c.at].Floats[row]
	}
	return v
}
