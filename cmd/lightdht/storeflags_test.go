package main

import (
	"testing"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]size{
		"0": 0, "4096": 4096, "1k": 1 << 10, "500M": 500 << 20, "10G": 10 << 30, "2t": 2 << 40, "8388607T": 8388607 << 40,
	} {
		var s size
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%s: got %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "M", "-1", "1.5G", "10GB", "10 G", "8388608T", "9223372036854775808", "x"} {
		var s size
		if err := s.Set(text); err == nil || s != 0 {
			t.Errorf("%q: read as %d", text, s)
		}
	}
	big := size(10 << 30)
	if big.String() != "10737418240" || new(size).String() != "" {
		t.Errorf("written as %q and %q", big.String(), new(size))
	}
}

func TestNumbered(t *testing.T) {
	for _, tt := range []struct {
		n            uint64
		plural, want string
	}{{0, "visits", "0 visits"}, {1, "visits", "1 visit"}, {1, "queries", "1 query"}, {2, "queries", "2 queries"}} {
		if got := numbered(tt.n, tt.plural); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
