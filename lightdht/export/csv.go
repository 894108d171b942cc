package export

import "strings"

// CSV is that of RFC 4180: a header, lines that end in CRLF, quotes around what
// needs them and no others. Texts are written as they are, also those that a
// spreadsheet would take for a formula: data stays what it was, and whoever opens
// it in a spreadsheet imports the column as text.

// csvLayout is that of a table in CSV. In a table of one column an absent value is
// a pair of quotes, since readers skip lines that are empty.
func csvLayout(s Schema, o Options) *layout {
	var header []byte
	l := &layout{schema: s, after: "\r\n"}
	for i, c := range s {
		header = append(header, separator(i, ",")...)
		header = appendCSVText(header, c.Name)
		l.cells = append(l.cells, cell{separator(i, ","), plainValue(c.Type, o, appendCSVText)})
	}
	l.head = string(header) + l.after
	l.empty = l.head
	if len(s) == 1 { // its lines could be empty
		l.absent = `""`
		l.cells[0].value = neverEmpty(l.cells[0].value)
	}
	return l
}

// neverEmpty returns what writes a pair of quotes where value writes nothing.
func neverEmpty(value appendValue) appendValue {
	return func(dst []byte, v *Vector, row int) []byte {
		n := len(dst)
		if dst = value(dst, v, row); len(dst) == n {
			return append(dst, `""`...)
		}
		return dst
	}
}

// quotedByte holds the bytes that need quotes around the text that has them.
var quotedByte = [256]bool{',': true, '"': true, '\r': true, '\n': true}

// appendCSVText appends a text, between quotes if it needs them.
func appendCSVText(dst []byte, s string) []byte {
	for i := range len(s) {
		if quotedByte[s[i]] {
			return appendCSVQuoted(dst, s)
		}
	}
	return append(dst, s...)
}

// appendCSVQuoted appends a text between quotes; a quote in it is doubled.
func appendCSVQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		dst = append(dst, s[:i]...)
		dst = append(dst, `""`...)
		s = s[i+1:]
	}
	dst = append(dst, s...)
	return append(dst, '"')
}
