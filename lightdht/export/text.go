package export

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// layout is how a table looks in lines, in one format: what stands before, between
// and behind its rows and values. It is filled once for a table, so that a row
// costs no decision about formats. Nothing changes it, and several goroutines use
// it at once.
type layout struct {
	schema Schema
	head   string // before the first row
	before string // before every other row
	after  string // behind every row
	tail   string // behind the last row
	empty  string // instead of all this, without rows
	absent string // for a value that is absent
	cells  []cell
}

// cell is how a column looks.
type cell struct {
	before string // before its value, absent or not
	value  appendValue
}

// appendRows appends rows of a batch; first says that they are the first of all.
func (l *layout) appendRows(dst []byte, b *Batch, from, to int, first bool) []byte {
	if first {
		dst = append(dst, l.head...)
	}
	for row := from; row < to; row++ {
		if !first || row > from {
			dst = append(dst, l.before...)
		}
		dst = l.appendRow(dst, b, row)
		dst = append(dst, l.after...)
	}
	return dst
}

// appendRow appends a row without what stands before and behind it. All that
// depends on a column's type was decided in its cell.
func (l *layout) appendRow(dst []byte, b *Batch, row int) []byte {
	cols := b.Cols[:len(l.cells)]
	for i := range l.cells {
		c, v := &l.cells[i], &cols[i]
		dst = append(dst, c.before...)
		if v.Null[row] {
			dst = append(dst, l.absent...)
			continue
		}
		dst = c.value(dst, v, row)
	}
	return dst
}

// newLines returns a writer of a format that has a line for each row: TextLines,
// CSV, NDJSON or JSON. It encodes on several goroutines, which end in Close: call
// it after an error too.
func newLines(w io.Writer, f Format, s Schema, o Options) (Writer, error) {
	if len(s) == 0 {
		return nil, fmt.Errorf("%s: a table has columns, at least one", f)
	}
	layout, ok := layouts[f]
	if !ok {
		return nil, fmt.Errorf("%s is no format of lines", f)
	}
	return newPipeline(w, layout(s, o)), nil
}

// layouts are the formats that have lines.
var layouts = map[Format]func(Schema, Options) *layout{
	TextLines: textLayout, CSV: csvLayout, NDJSON: ndjsonLayout, JSON: jsonLayout,
}

// textLayout is for people: values between tabs, no header. An absent value is
// nothing between two tabs.
func textLayout(s Schema, o Options) *layout {
	l := &layout{schema: s, after: "\n"}
	for i, c := range s {
		l.cells = append(l.cells, cell{separator(i, "\t"), plainValue(c.Type, o, appendLineText)})
	}
	return l
}

// separator returns what stands before column i.
func separator(i int, s string) string {
	if i == 0 {
		return ""
	}
	return s
}

// plainValue returns what writes values without quotes, texts as a format has them.
func plainValue(t Type, o Options, text func([]byte, string) []byte) appendValue {
	switch t {
	case ID, Hash:
		return appendIDValue
	case Addr:
		return appendAddrValue
	case Text:
		return func(dst []byte, v *Vector, row int) []byte { return text(dst, v.Texts[row]) }
	case Float:
		return appendFloatValue("")
	case Bool:
		return appendBoolValue
	case Time:
		if !o.Micros {
			return appendTimeValue
		}
	}
	return appendIntValue
}

// plainByte holds the bytes that text lines show as they are without a look at
// what stands beside them.
var plainByte = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '\\'
	}
	return t
}()

// appendLineText appends a text that stays within its place in its line and leaves
// the terminal alone: a tab is \t, a newline \n, a backslash \\, other control
// characters and bytes that are no UTF-8 are \x07 or \u0085.
func appendLineText(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if plainByte[s[i]] {
			dst = append(dst, s[i])
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = appendEscaped(dst, r, s[i:i+size])
		i += size
	}
	return dst
}

// appendEscaped appends a character that is encoded as s, in s its escape if it
// needs one.
func appendEscaped(dst []byte, r rune, s string) []byte {
	switch {
	case r == '\\':
		return append(dst, `\\`...)
	case r == '\t':
		return append(dst, `\t`...)
	case r == '\n':
		return append(dst, `\n`...)
	case r == '\r':
		return append(dst, `\r`...)
	case r < ' ' || r == 0x7f || r == utf8.RuneError && len(s) == 1:
		return fmt.Appendf(dst, `\x%02x`, s[0])
	case r >= 0x80 && r < 0xa0:
		return fmt.Appendf(dst, `\u%04x`, r)
	}
	return append(dst, s...)
}
