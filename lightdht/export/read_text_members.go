package export

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// member is a key of an object and its value: what a string says, or a number,
// true or false as it is written.
type member struct {
	key, value string
	null       bool
	offset     int // of the value in its object
}

// appendMembers appends the members of an object, which is well formed: braces,
// colons and commas are where they should be, and every string and number ends.
func appendMembers(dst []member, object string) ([]member, error) {
	for i := skipSpace(object, 1); object[i] != '}'; i = skipSpace(object, i) {
		if object[i] == ',' {
			i = skipSpace(object, i+1)
		}
		key, n := unquoted(object[i:])
		i = skipSpace(object, i+n)
		i = skipSpace(object, i+len(":"))
		m := member{key: key, offset: i}
		switch object[i] {
		case '{', '[':
			return dst, fmt.Errorf("column %s: an object or array within a row", clipped(key))
		case '"':
			m.value, n = unquoted(object[i:])
		default:
			n = strings.IndexAny(object[i:], ",} \t\r\n")
			m.value = object[i : i+n]
			m.null = m.value == "null"
		}
		dst = append(dst, m)
		i += n
	}
	return dst, nil
}

// skipSpace returns the place of the next byte that is no space. There is one: the
// brace at the end.
func skipSpace(s string, i int) int {
	for s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n' {
		i++
	}
	return i
}

// unquoted returns what the string says that s begins with, and its length with
// the quotes. Most are a part of s as they are; those with an escape, or with bytes
// that may be no UTF-8, are left to encoding/json.
func unquoted(s string) (text string, n int) {
	plain := true
	n = len(`"`)
	for ; s[n] != '"'; n++ {
		if s[n] == '\\' {
			n++ // what it escapes is no end
		}
		plain = plain && s[n] < utf8.RuneSelf && s[n-1] != '\\'
	}
	n += len(`"`)
	if plain {
		return s[1 : n-1], n
	}
	return unescaped(s[:n]), n
}

// unescaped returns what a string with escapes or bytes that may be no UTF-8 says.
func unescaped(quoted string) (text string) {
	json.Unmarshal([]byte(quoted), &text) // no error: it is well formed
	return text
}
