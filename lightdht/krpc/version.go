package krpc

import "fmt"

// VersionText shows a client version (the v key) to people: printable ASCII as
// it is, any other byte and the backslash as \x and two hex digits. That of
// libtorrent 2.0.8, the bytes 4c 54 02 08, becomes LT\x02\x08.
func VersionText[B ~string | ~[]byte](v B) string {
	text := make([]byte, 0, 4*len(v))
	for i := range len(v) {
		if c := v[i]; c > ' ' && c < 0x7f && c != '\\' {
			text = append(text, c)
		} else {
			text = fmt.Appendf(text, `\x%02x`, c)
		}
	}
	return string(text)
}

// ClientCode returns the two letters that name the client in its version by
// BEP 20, "" when it has none of that form.
func ClientCode[B ~string | ~[]byte](v B) string {
	if len(v) < 2 || !isAlnum(v[0]) || !isAlnum(v[1]) {
		return ""
	}
	return string(v[:2])
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
