package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestFlagsFirst(t *testing.T) {
	app := newApp(strings.NewReader(""), io.Discard, io.Discard)
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"--version", "--version"},
		{"nosuch --x y", "nosuch --x y"},
		{"probe", "probe"},
		{"probe a b", "probe -- a b"},
		{"probe a --table flat", "probe --table flat -- a"},
		{"probe a --table=flat b", "probe --table=flat -- a b"},
		{"probe a -table flat", "probe -table flat -- a"},
		{"probe --trace a", "probe --trace -- a"},
		{"probe a --trace b", "probe --trace -- a b"},
		{"probe a --trace=false b", "probe --trace=false -- a b"},
		{"probe --announce -1 a", "probe --announce -1 -- a"},
		{"probe --format --trace a", "probe --format --trace -- a"},
		{"probe - --testnet 5", "probe --testnet 5 -- -"},
		{"probe --bootstrap a:1 x --bootstrap b:2", "probe --bootstrap a:1 --bootstrap b:2 -- x"},
		{"probe -- a --table", "probe -- a --table"},
		{"probe --trace -- --table", "probe --trace -- --table"},
		{"probe a --nosuch b", "probe --nosuch -- a b"},
		{"probe a --help", "probe --help"},
		{"probe -h --nosuch", "probe --help"},
		{"dump --for 1s --format csv", "dump --for 1s --format csv"},
		{"--generate-bash-completion", "--generate-bash-completion"},
		{"pro --generate-bash-completion", "--generate-bash-completion"},
		{"-- --generate-bash-completion", "--generate-bash-completion"},
		{"probe a --generate-bash-completion", "probe --generate-bash-completion"},
		{"probe a --ta --generate-bash-completion", "probe --generate-bash-completion"},
		{"probe -- --generate-bash-completion", "probe --generate-bash-completion"},
	} {
		in := append([]string{"lightdht"}, strings.Fields(tt.in)...)
		before := slices.Clone(in)
		got, err := flagsFirst(app, in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := strings.Join(got[1:], " "); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
		if !slices.Equal(in, before) {
			t.Errorf("%q: changed to %q", before, in)
		}
	}
}

func TestFlagsFirstWithoutAnything(t *testing.T) {
	app := newApp(nil, nil, nil)
	for _, in := range [][]string{nil, {}, {"lightdht"}, {"lightdht", ""}} {
		if got, err := flagsFirst(app, in); err != nil || !slices.Equal(got, in) {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func TestFlagsFirstMissingValue(t *testing.T) {
	app := newApp(nil, nil, nil)
	for _, flag := range []string{"--table", "-table", "--testnet", "--timeout", "--bootstrap", "--seed", "--announce"} {
		_, err := flagsFirst(app, []string{"lightdht", "probe", "a", flag})
		if usage := (usageError{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "needs a value") {
			t.Errorf("%s: got %v, want a usage error", flag, err)
		}
	}
}

func TestCountSet(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want count
	}{
		{"0", 0}, {"1", 1}, {"200", 200}, {"007", 7}, {"2k", 2000}, {"200k", 200_000}, {"200K", 200_000},
		{"1M", 1_000_000}, {"1m", 1_000_000}, {"1048576M", 1 << 20 * 1_000_000},
	} {
		var c count
		if err := c.Set(tt.in); err != nil || c != tt.want {
			t.Errorf("%q: got %d, %v, want %d", tt.in, int(c), err, int(tt.want))
		}
	}
}

func TestCountSetBad(t *testing.T) {
	for _, in := range []string{
		"", "k", "M", "-1", "-1k", "1.5k", "1e3", "0x10", " 5", "5 ", "5kk", "1_000", "5G", "5ки", "٣",
		"1099511627777", "1099511628k", "1099512M", "99999999999999999999", "9223372036854775807k",
	} {
		c := count(7)
		if err := c.Set(in); err == nil {
			t.Errorf("%q: read as %d", in, int(c))
		}
		if c != 7 {
			t.Errorf("%q: an error changed the count to %d", in, int(c))
		}
	}
}

func TestCountString(t *testing.T) {
	var none *count
	zero, some := count(0), count(2000)
	for c, want := range map[*count]string{none: "", &zero: "", &some: "2000"} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine(errors.New(" a\nb\r\n\tc  d\n")); got != "a b c d" {
		t.Errorf("got %q", got)
	}
}
