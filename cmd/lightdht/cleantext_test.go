package main

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lightdht/lightdht/lightdht/export"
)

func TestPrinted(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "LT": "LT", "grün 你好": "grün 你好", `LT\x01`: `LT\x01`,
		"\x1b[2J": `\x1b[2J`, "a\nb\tc\r": `a\x0ab\x09c\x0d`, "\xffa": `\xffa`, "a\u202eb": `a\u202eb`,
		"\u0085": `\x85`, "\U000e0001": `\U000e0001`, "\ufffd": "\ufffd", "\x00": `\x00`,
	} {
		if got := printed(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestBrief(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	for in, want := range map[string]string{
		"abcde": "abcde", "abcdef": "abcd…", "äöüäö": "äöüäö", "\x1b\x1b": `\x1b…`, long: "ääää…",
	} {
		if got := brief(in, 5); got != want {
			t.Errorf("%.20q: %q, want %q", in, got, want)
		}
	}
}

// hostile are texts that a stranger's file may have.
var hostile = []string{"\x1b[31mred", "\x1b[2Jgone", "two\nlines", strings.Repeat("long", 25_000), "a|b<img src=x>`c`*d*_e_", "back\\"}

// Whatever a text from data is, a report shows it on one line, short, with nothing
// in it that a terminal or Markdown takes for something else; rows have it as it is.
func TestReportOfHostileTexts(t *testing.T) {
	r := &report{what: "nodes"}
	var rows []finding
	for _, text := range hostile {
		r.tell("network", "%s", text)
		rows = append(rows, shareOf(text, "id", 1, 10))
	}
	r.add("Versions", "", rows...)
	for _, markdown := range []bool{false, true} {
		page := r.page(markdown)
		for line := range strings.Lines(page) {
			if text := strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(text) > mostOfFact+20 || printed(text) != text {
				t.Errorf("%.200q", line)
			}
		}
		for _, text := range []string{`\x1b[31mred`, `\x1b[2Jgone`, `two\x0alines`, strings.Repeat("long", 14) + "lon…"} {
			if markdown {
				text = unmarked(text)
			}
			if strings.Count(page, text+" ") < 1 {
				t.Errorf("%q is not in\n%.3000s", text, page)
			}
		}
	}
	page := r.page(true)
	for _, text := range []string{`| a\|b\<img src=x\>` + "\\`c\\`" + `\*d\*\_e\_ |`, `| back\\ |`, `- network: a\|b\<img`} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not in\n%.3000s", text, page)
		}
	}
	var to, says strings.Builder
	if err := (&reporting{format: export.JSON}).render(&to, &says, r); err != nil || !strings.Contains(to.String(), hostile[3]) || !strings.Contains(to.String(), `\u001b[31mred`) {
		t.Errorf("JSON has the texts otherwise (%v)", err)
	}
	if err := (&reporting{format: export.CSV}).render(&to, &says, r); err != nil || strings.Contains(says.String(), "\x1b") {
		t.Errorf("%q, %v", says.String(), err)
	}
}

// Errors quote what is in files.
func TestErrorLineIsPrinted(t *testing.T) {
	if got := oneLine(errors.New("no \x1b[2J\nin\u202e")); got != `no \x1b[2J in\u202e` {
		t.Errorf("%q", got)
	}
	if got := oneLine(errors.New(strings.Repeat("long ", 100_000))); len(got) > 3000 {
		t.Errorf("%d bytes", len(got))
	}
}
