package export

import "unicode/utf8"

// Objects have their keys in the order of the columns, and all of them: what is
// absent is null. An array has an object on each line.

// ndjsonLayout is that of a table with an object on each line.
func ndjsonLayout(s Schema, o Options) *layout {
	return &layout{schema: s, after: "}\n", absent: "null", cells: jsonCells(s, o)}
}

// jsonLayout is that of a table in one array.
func jsonLayout(s Schema, o Options) *layout {
	return &layout{
		schema: s, head: "[\n", before: ",\n", after: "}", tail: "\n]\n", empty: "[]\n",
		absent: "null", cells: jsonCells(s, o),
	}
}

// jsonCells returns the columns, each with its key, which is escaped here once and
// for all, behind the brace or comma before it.
func jsonCells(s Schema, o Options) []cell {
	cells := make([]cell, len(s))
	for i, c := range s {
		key := append(appendJSONText([]byte{"{,"[min(i, 1)]}, c.Name), ':')
		cells[i] = cell{string(key), jsonValue(c.Type, o)}
	}
	return cells
}

// jsonValue returns what writes the values of a type. That an integer may be too
// large for a float64 is the reader's concern: JSON sets no bounds to numbers.
func jsonValue(t Type, o Options) appendValue {
	switch t {
	case ID, Hash:
		return quoted(appendIDValue)
	case Addr:
		return quoted(appendAddrValue)
	case Text:
		return func(dst []byte, v *Vector, row int) []byte { return appendJSONText(dst, v.Texts[row]) }
	case Float:
		return appendFloatValue("null")
	case Bool:
		return appendBoolValue
	case Time:
		if !o.Micros {
			return appendJSONTime
		}
	}
	return appendIntValue
}

// quoted returns what writes a value between quotes: one of hex digits, or an
// address, which has nothing to escape.
func quoted(value appendValue) appendValue {
	return func(dst []byte, v *Vector, row int) []byte {
		return append(value(append(dst, '"'), v, row), '"')
	}
}

// appendJSONTime appends a time in RFC 3339, or else a number.
func appendJSONTime(dst []byte, v *Vector, row int) []byte {
	micros := v.Ints[row]
	if !hasRFC3339(micros) {
		return appendTime(dst, micros)
	}
	return append(appendTime(append(dst, '"'), micros), '"')
}

// jsonByte holds the bytes that stand in a JSON string as they are without a look
// at what stands beside them.
var jsonByte = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendJSONText appends a string of JSON. Bytes that are no UTF-8 become U+FFFD;
// what only HTML minds stays.
func appendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if !jsonByte[s[i]] {
			dst = append(dst, s[:i]...)
			return append(appendJSONEscaped(dst, s[i:]), '"')
		}
	}
	dst = append(dst, s...)
	return append(dst, '"')
}

// appendJSONEscaped appends what stands between the quotes of a string.
func appendJSONEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			dst = appendJSONByte(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, r) // U+FFFD for what is no UTF-8
		i += size
	}
	return dst
}

// appendJSONByte appends an ASCII character.
func appendJSONByte(dst []byte, c byte) []byte {
	switch {
	case jsonByte[c]:
		return append(dst, c)
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\t':
		return append(dst, `\t`...)
	}
	pair := hexPairs[c]
	return append(append(dst, `\u00`...), pair[0], pair[1])
}
