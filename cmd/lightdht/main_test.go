package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht"
)

func TestStatus(t *testing.T) {
	lost := errors.New("lost\nthe way")
	interrupted := "lightdht: interrupted; what was written is complete up to here\n"
	for _, tt := range []struct {
		name string
		err  error
		want int
		said string
	}{
		{"nothing", nil, 0, ""},
		{"an error", lost, 1, "lightdht: lost the way\n"},
		{"usage", usagef("no\tflag %d", 1), 2, "lightdht: no flag 1\n"},
		{"usage inside", fmt.Errorf("a: %w", usagef("b")), 2, "lightdht: a: b\n"},
		{"an error inside usage", usagef("a: %w", lost), 2, "lightdht: a: lost the way\n"},
		{"Ctrl-C", context.Canceled, 1, interrupted},
		{"Ctrl-C inside", fmt.Errorf("lookup: %w", context.Canceled), 1, interrupted},
		{"Ctrl-C, and nothing written", interruptedError{"x was not made"}, 1, "lightdht: interrupted; x was not made\n"},
		{"time over", context.DeadlineExceeded, 1, "lightdht: context deadline exceeded\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said strings.Builder
			if got := status(tt.err, &said); got != tt.want || said.String() != tt.said {
				t.Errorf("got %d and %q, want %d and %q", got, said.String(), tt.want, tt.said)
			}
		})
	}
}

// One program can run after another in the same process.
func TestRun(t *testing.T) {
	for range 2 {
		var data, said strings.Builder
		if got := run([]string{"lightdht", "probe", "nosuch", "--format", "csv"}, strings.NewReader(""), &data, &said); got != 1 {
			t.Errorf("exit status %d, want 1", got)
		}
		if data.Len() > 0 || !strings.HasPrefix(said.String(), "lightdht: no infohash: ") {
			t.Errorf("wrote %q, said %q", data.String(), said.String())
		}
	}
}

func TestSplitPlace(t *testing.T) {
	for _, tt := range []struct {
		place string
		least uint64
		host  string
		port  uint16
	}{
		{"a:1", 1, "a", 1}, {"[::1]:65535", 1, "::1", 65535}, {":0", 0, "", 0}, {"127.0.0.1:0", 0, "127.0.0.1", 0},
	} {
		host, port, err := splitPlace(tt.place, tt.least)
		if err != nil || host != tt.host || port != tt.port {
			t.Errorf("%s: got %q, %d, %v", tt.place, host, port, err)
		}
	}
	for _, place := range []string{"", "a", "a:", "a:0", "a:-1", "a:65536", "a:dht", ":1", "::1", "::1:1", "[::1]", "a:1:2", "a:+1"} {
		if host, port, err := splitPlace(place, 1); err == nil {
			t.Errorf("%q: read as %q, %d", place, host, port)
		}
	}
}

func TestAdvise(t *testing.T) {
	strange := errors.New("strange")
	failure := func(err error) error {
		return &lightdht.BootstrapError{Tried: []lightdht.BootstrapFailure{{Host: "a:1", Err: err}}}
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{failure(lightdht.ErrTimeout), "--bootstrap"},
		{failure(lightdht.ErrReserved), "--network private"},
		{fmt.Errorf("lookup: %w", lightdht.ErrNoNodes), "--testnet"},
		{&lightdht.QueryError{Err: lightdht.ErrFamily}, "--listen"},
	} {
		if got := advise(tt.err); !errors.Is(got, tt.err) || !strings.Contains(got.Error(), tt.want) {
			t.Errorf("%v: advised %q, want %s", tt.err, got, tt.want)
		}
	}
	if got := advise(strange); got != strange {
		t.Errorf("got %v", got)
	}
}

func TestSummary(t *testing.T) {
	all := lightdht.LookupResult{
		Asked: 10, Answered: 4, Strange: 1, TimedOut: 3, Failed: 2, Silent: 1, Hops: 5, BytesOut: 6, BytesIn: 7, Duration: 1234 * time.Millisecond,
	}
	want := "asked 10 nodes: 4 answered, 1 of them with another ID, 3 timed out, 2 failed, 1 still under way; 5 hops, 6 bytes out, 7 in, 1.23s"
	if got := summary(&all); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRound(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0: "0s", 999 * time.Nanosecond: "1µs", 123456 * time.Nanosecond: "123µs", 1234567 * time.Nanosecond: "1.23ms",
		99_999_999 * time.Nanosecond: "100ms", 1_234_567_890 * time.Nanosecond: "1.23s", 61 * time.Second: "1m1s",
	} {
		if got := round(in).String(); got != want {
			t.Errorf("%d ns: got %s, want %s", in, got, want)
		}
	}
}
