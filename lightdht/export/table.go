package export

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Table is rows with their columns, as they come.
type Table struct {
	Schema Schema
	Rows   iter.Seq2[*Batch, error] // each batch is its receiver's; an error ends them
}

// field is a column of rows of type R, and how a row's value is added to it.
type field[R any] struct {
	Column
	put func(v *Vector, r *R)
}

func col[R any](name string, t Type, put func(v *Vector, r *R)) field[R] {
	return field[R]{Column{Name: name, Type: t}, put}
}

func private[R any](f field[R]) field[R] {
	f.Private = true
	return f
}

// headings returns the columns of fields.
func headings[R any](fields []field[R]) Schema {
	s := make(Schema, len(fields))
	for i, f := range fields {
		s[i] = f.Column
	}
	return s
}

// pick returns the fields of these names, in their order; all of them for no name.
func pick[R any](fields []field[R], names []string) ([]field[R], error) {
	if len(names) == 0 {
		return fields, nil
	}
	var picked []field[R]
	for _, name := range names {
		at := slices.IndexFunc(fields, func(f field[R]) bool { return f.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("no column %q: there are %s", name, strings.Join(headings(fields).Names(), ", "))
		}
		if slices.ContainsFunc(picked, func(f field[R]) bool { return f.Name == name }) {
			return nil, fmt.Errorf("column %q is named twice", name)
		}
		picked = append(picked, fields[at])
	}
	return picked, nil
}

// tableOf makes a table of rows. What seq yields may change with its next turn.
func tableOf[R any](fields []field[R], seq iter.Seq2[*R, error]) Table {
	schema := headings(fields)
	return Table{schema, func(yield func(*Batch, error) bool) {
		get := schema.Pool()
		b := get()
		for row, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range fields {
				fields[i].put(&b.Cols[i], row)
			}
			if b.Len++; !b.Full() {
				continue
			}
			if !yield(b, nil) {
				return
			}
			b = get()
		}
		if b.Len > 0 {
			yield(b, nil)
		}
	}}
}

// Write writes a table, and tells each how many rows it was handed: its error
// ends the writing. It does not close w.
func (t Table) Write(w Writer, each func(rows int) error) error {
	for b, err := range t.Rows {
		if err != nil {
			return err
		}
		rows := b.Len
		if err := w.Write(b); err != nil {
			return err
		}
		if err := each(rows); err != nil {
			return err
		}
	}
	return nil
}
