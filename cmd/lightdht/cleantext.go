package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// widest is how many characters of a text from data a table shows.
const widest = 60

// printed returns a text from data as a terminal may have it: what is no printable
// character, as an escape, a newline or half of a character, as \x1b or \u202e.
func printed(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// brief returns the beginning of a text of more than so many characters, printed.
func brief(s string, most int) string {
	if len(s) > 4*most {
		s = s[:4*most] + "…" // which is cut, and need not be gone through
	}
	s = printed(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// marks are characters that Markdown, or the HTML in it, takes for something else.
var marks = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", `\<`, ">", `\>`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "&", `\&`, "~", `\~`, "#", `\#`,
)

// unmarked returns a text as Markdown shows it as it is.
func unmarked(s string) string { return marks.Replace(s) }
