package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// rows writes a table row by row, in the format asked for. Each row is handed
// to the operating system when it is written, so that an interrupt loses none.
type rows struct {
	w       io.Writer
	format  string
	columns []string
	csv     *csv.Writer
	n       int
	err     error
	begun   bool // its header is written, or would be
	ended   bool
}

// newRows begins a table; columns are its names. Text has no header.
func newRows(w io.Writer, format string, columns ...string) (*rows, error) {
	r := &rows{w: w, format: format, columns: columns}
	switch format {
	case "text", "ndjson", "json":
	case "csv":
		r.csv = csv.NewWriter(w)
		r.csv.UseCRLF = true // RFC 4180
	default:
		return nil, usagef("--format %q: want text, csv, ndjson or json", format)
	}
	return r, nil
}

// add writes one row, a value for each column; nil is an absent one. It returns
// the first error of all writes.
func (r *rows) add(values ...any) error {
	if r.begin(); r.err != nil {
		return r.err
	}
	switch r.format {
	case "csv":
		r.err = r.writeCSV(texts(values))
	case "text":
		_, r.err = fmt.Fprintln(r.w, strings.Join(texts(values), "\t"))
	default:
		r.err = r.writeJSON(values)
	}
	r.n++
	return r.err
}

// addOr writes a row, or in text the values that a person wants of it.
func (r *rows) addOr(text []any, row ...any) error {
	if r.format == "text" {
		return r.add(text...)
	}
	return r.add(row...)
}

// under puts what lines of text are about in front of them, when there are
// several such things.
func under[T any](heading T, several bool, text ...any) []any {
	if !several {
		return text
	}
	return append([]any{heading}, text...)
}

// begin writes the header, once.
func (r *rows) begin() {
	if !r.begun && r.format == "csv" {
		r.err = r.writeCSV(r.columns)
	}
	r.begun = true
}

// close ends the table; one without rows is written as an empty one. Closing it
// again does nothing more.
func (r *rows) close() error {
	r.begin()
	r.end()
	return r.err
}

// end completes what has been written so far, for a command that may have
// failed: nothing when there is nothing.
func (r *rows) end() {
	if r.err != nil || !r.begun || r.ended || r.format != "json" {
		return
	}
	r.ended = true
	end := "\n]\n"
	if r.n == 0 {
		end = "[]\n"
	}
	_, r.err = io.WriteString(r.w, end)
}

func (r *rows) writeCSV(fields []string) error {
	r.csv.Write(fields)
	r.csv.Flush()
	return r.csv.Error()
}

// writeJSON writes an object with its keys in the order of the columns.
func (r *rows) writeJSON(values []any) error {
	var b strings.Builder
	switch {
	case r.format == "json" && r.n == 0:
		b.WriteString("[\n")
	case r.format == "json":
		b.WriteString(",\n")
	}
	sep := "{"
	for i, value := range values {
		encoded, err := json.Marshal(value)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s%q:%s", sep, r.columns[i], encoded)
		sep = ","
	}
	b.WriteString("}")
	if r.format == "ndjson" {
		b.WriteString("\n")
	}
	_, err := io.WriteString(r.w, b.String())
	return err
}

// texts returns the values as CSV and text show them.
func texts(values []any) []string {
	out := make([]string, len(values))
	for i, value := range values {
		if value != nil {
			out[i] = fmt.Sprint(value)
		}
	}
	return out
}

// text returns s for a row, nil when it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
