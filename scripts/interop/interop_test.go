package main

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
)

func TestClosest(t *testing.T) {
	id := func(last byte) (id kad.ID) { id[kad.Size-1] = last; return id }
	ids := []kad.ID{id(1), id(8), id(4), id(2)}
	if got, want := closest(ids, id(5), 3), []kad.ID{id(4), id(1), id(2)}; !slices.Equal(got, want) {
		t.Errorf("closest to 5: got %s, want %s", got, want)
	}
	if got := closest(ids, id(5), 9); len(got) != len(ids) {
		t.Errorf("asked for more than there are: got %s", got)
	}
	if ids[1] != id(8) {
		t.Errorf("the caller's IDs were moved: %s", ids)
	}
}

// Both formats of one table are the same rows.
func TestFormatsReadAlike(t *testing.T) {
	a, err := readCSV("id,rtt_us,good,client\r\nff,1234567890,true,\r\n00,,false,LT\r\n")
	if err != nil {
		t.Fatal(err)
	}
	b, err := readNDJSON(`{"id":"ff","rtt_us":1234567890,"good":true,"client":null}
{"id":"00","rtt_us":null,"good":false,"client":"LT"}
`)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(a, b, maps.Equal[row, row]) || len(a) != 2 || a[0]["rtt_us"] != "1234567890" {
		t.Errorf("csv %v, ndjson %v", a, b)
	}
}

func TestCSVWithoutHeader(t *testing.T) {
	if _, err := readCSV(""); err == nil {
		t.Error("no error")
	}
}

// The infohash is what transmission-show says of the file.
func TestTorrent(t *testing.T) {
	file, infohash := torrentOf("a name")
	const head = "d4:infod6:lengthi6e4:name6:a name12:piece lengthi16384e6:pieces20:"
	if len(file) != len(head)+sha1.Size+len("ee") || !strings.HasPrefix(string(file), head) || !strings.HasSuffix(string(file), "ee") {
		t.Errorf("the file is %q", file)
	}
	if want := "02859467128b45c0c56e5f551747dd590fb2d67d"; infohash.String() != want {
		t.Errorf("infohash %s, want %s", infohash, want)
	}
}

func TestDHTDat(t *testing.T) {
	id := kad.MustParseID("6d6e6f707172737475767778797a313233343536")
	got := dhtDat(id, []netip.AddrPort{netip.MustParseAddrPort("65.66.67.68:17990"), netip.MustParseAddrPort("97.98.99.100:26214")})
	if want := "d2:id20:mnopqrstuvwxyz1234565:nodes12:ABCDFFabcdffe"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// It counts lines, however often what is sought is in one.
func TestSays(t *testing.T) {
	p := &process{err: newLines()}
	io.WriteString(p.err, "one one\ntwo\na one\n")
	p.err.close()
	for n, want := range []bool{true, true, true, false} {
		if err := p.says(t.Context(), n, "one"); (err == nil) != want {
			t.Errorf("%d lines: %v", n, err)
		}
	}
}

// Who waits for a line gets it whole, whether it was there before or comes in
// pieces, and learns of the end.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLines()
		io.WriteString(l, "one\ntw")
		go func() {
			time.Sleep(time.Second)
			io.WriteString(l, "o\nthree")
			time.Sleep(time.Second)
			l.close()
		}()
		is := func(want string) func(string) bool { return func(line string) bool { return line == want } }
		for _, want := range []string{"one", "two", "one"} {
			if err := l.await(t.Context(), 0, is(want)); err != nil {
				t.Errorf("%s: %v", want, err)
			}
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("too long"))
		defer cancel()
		if err := l.await(ctx, 0, is("three")); fmt.Sprint(err) != "too long" {
			t.Errorf("a line that has not ended: %v", err)
		}
		if err := l.await(t.Context(), 1, is("one")); fmt.Sprint(err) != "the process ended" {
			t.Errorf("a line before the position: %v", err)
		}
	})
}
