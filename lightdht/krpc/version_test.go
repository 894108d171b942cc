package krpc_test

import (
	"testing"

	"github.com/lightdht/lightdht/lightdht/krpc"
)

func TestVersionText(t *testing.T) {
	for _, tt := range []struct{ v, text, code string }{
		{"", "", ""},
		{"LT\x02\x08", `LT\x02\x08`, "LT"},
		{"UT\xb1\x03", `UT\xb1\x03`, "UT"},
		{"lt\r`", "lt\\x0d`", "lt"},
		{"a\\b", `a\x5cb`, ""},
		{"A b", `A\x20b`, ""},
		{"\x00T12", `\x00T12`, ""},
		{"x", "x", ""},
	} {
		if got := krpc.VersionText(tt.v); got != tt.text {
			t.Errorf("VersionText(%q) = %s, want %s", tt.v, got, tt.text)
		}
		if got := krpc.VersionText([]byte(tt.v)); got != tt.text {
			t.Errorf("VersionText of bytes %q = %s, want %s", tt.v, got, tt.text)
		}
		if got := krpc.ClientCode(tt.v); got != tt.code {
			t.Errorf("ClientCode(%q) = %q, want %q", tt.v, got, tt.code)
		}
	}
}
