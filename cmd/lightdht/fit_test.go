package main

import (
	"strings"
	"testing"
)

func TestFit(t *testing.T) {
	parts := []part{
		{2, []string{"middle long", "middle"}},
		{1, []string{"strong", "str"}},
		{3, []string{"weak words", "weak", "w"}},
	}
	for _, tt := range []struct {
		width int
		want  string
	}{
		{0, "middle long  strong  weak words"},
		{31, "middle long  strong  weak words"},
		{30, "middle long  strong  weak"},
		{25, "middle long  strong  weak"},
		{24, "middle long  strong  w"},
		{20, "middle  strong  weak"},
		{19, "middle  strong  w"},
		{17, "middle  strong  w"},
		{16, "middle  str  w"},
		{13, "middle  str"},
		{10, "strong  w"},
		{6, "str  w"},
		{3, "str"},
		{2, "w"},
	} {
		if got := fit(parts, tt.width); got != tt.want {
			t.Errorf("in %d columns: got %q, want %q", tt.width, got, tt.want)
		}
	}
	if got := fit(parts[:2], 2); got != "st" {
		t.Errorf("no room for anything: %q", got)
	}
	if got := fit(nil, 10); got != "" {
		t.Errorf("nothing to say: %q", got)
	}
}

func TestStatusLine(t *testing.T) {
	before, now := someReadings()
	for _, tt := range []struct {
		width int
		want  string
	}{
		{0, "1h0m7s  12345 contacts: 4000 good, 8000 questionable, 345 bad  516 queries (12 ping, 300 find_node, 200 get_peers, 4 other), 3.5/s  packets 20/s in, 21/s out  core 240"},
		{99, "1h0m7s  12k contacts 4000/8000/345  516 queries: 12p 300f 200g 4o 3.5/s  in 20/s out 21/s  core 240"},
		{79, "1h0m7s  12k contacts 4000/8000/345  516q 3.5/s  in 20/s out 21/s  core 240"},
		{39, "1h0m7s  12kc 4000/8000/345  516q 3.5/s"},
	} {
		if got := statusLine(now, before, tt.width); got != tt.want {
			t.Errorf("in %d columns:\ngot  %q\nwant %q", tt.width, got, tt.want)
		}
	}
}

// What is lost is told, whatever room there is.
func TestStatusLineTellsLosses(t *testing.T) {
	before, now := someReadings()
	now.unlogged = 7
	if got := statusLine(now, before, 25); !strings.Contains(got, "7 not logged") {
		t.Errorf("rows that were lost are not told: %q", got)
	}
	now.counts[kernelDrops], now.counts[someDrop] = 8, 9
	if got := statusLine(now, before, 0); !strings.HasSuffix(got, "core 240  7 not logged  8 kernel drops  9 dropped") {
		t.Errorf("got %q", got)
	}
}

func TestStatusLineNeverTooLong(t *testing.T) {
	before, now := someReadings()
	for _, large := range []int{0, 1_000_000_000} {
		now.contacts += large
		now.states.good += large
		now.unlogged += uint64(large)
		longest := 0
		for width := 1; width <= 250; width++ {
			got := statusLine(now, before, width)
			if len(got) > width || got == "" {
				t.Fatalf("in %d columns: %d of them: %q", width, len(got), got)
			}
			longest = max(longest, len(got))
		}
		if whole := statusLine(now, before, 0); longest != len(whole) {
			t.Errorf("all of it has %d columns, and of 250 %d were used", len(whole), longest)
		}
	}
}

func TestShort(t *testing.T) {
	for in, want := range map[float64]string{
		0: "0", 0.04: "0", 0.5: "0.5", 1: "1", 1.04: "1", 9.94: "9.9", 9.96: "10", 10.4: "10", 9999: "9999",
		9999.6: "10k", 12345: "12k", 999_499: "999k", 999_501: "1M", 1_234_567: "1.23M", 12_345_678: "12.3M", 1e9: "1G",
	} {
		if got := short(in); got != want {
			t.Errorf("%f: got %s, want %s", in, got, want)
		}
	}
}
