package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
)

const someHash = "0123456789abcdef0123456789abcdef01234567"

func TestReadInfohashes(t *testing.T) {
	id := kad.MustParseID(someHash)
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"one", someHash + "\n", 1},
		{"without an end of line", someHash, 1},
		{"Windows", "\r\n" + someHash + "\r\n" + someHash + "\r\n", 2},
		{"comments and gaps", "# mine\n\n  \t\n " + someHash + " \n#" + someHash + "\n", 1},
		{"byte order mark", "\ufeff" + someHash + "\r\n" + someHash, 2},
		{"byte order mark and comment", "\ufeff# mine\n" + someHash, 1},
		{"byte order mark alone on its line", "\ufeff\n" + someHash, 1},
		{"capitals", strings.ToUpper(someHash) + "\n", 1},
		{"longest line", "magnet:?xt=urn:btih:" + someHash + "&dn=" + strings.Repeat("x", maxLine-100), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ids, err := readInfohashes(t.Context(), iotest.OneByteReader(strings.NewReader(tt.in)), lightdht.ParseInfohash)
			if err != nil || len(ids) != tt.want {
				t.Fatalf("got %d, %v, want %d", len(ids), err, tt.want)
			}
			for _, got := range ids {
				if got != id {
					t.Errorf("got %s", got)
				}
			}
		})
	}
}

func TestReadInfohashesBad(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "held nothing"},
		{"only comments", "#\n\n# " + someHash, "held nothing"},
		{"third line", someHash + "\n\nx\n" + someHash, "line 3: "},
		{"too long a line", someHash + "\n" + strings.Repeat("a", maxLine+1), "line 2: longer than 65536 bytes"},
		{"only a byte order mark", "\ufeff\n", "held nothing"},
		{"byte order mark on the way", someHash + "\n" + someHash[:20] + "\ufeff" + someHash[20:], "line 2: "},
		{"binary", "\x00\xff\x7f\x1b[2J", `line 1: no infohash: "\x00\xff\x7f\x1b[2J"`},
		{"two on a line", someHash + " " + someHash, "line 1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ids, err := readInfohashes(t.Context(), strings.NewReader(tt.in), lightdht.ParseInfohash)
			if err == nil || !strings.Contains(err.Error(), tt.want) || ids != nil {
				t.Errorf("got %v, %v, want an error with %q", ids, err, tt.want)
			}
		})
	}
	broken := errors.New("broken")
	if _, err := readInfohashes(t.Context(), iotest.ErrReader(broken), lightdht.ParseInfohash); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// Ctrl-C ends the program while it waits for a terminal.
func TestReadInfohashesEndsWithContext(t *testing.T) {
	terminal, keyboard := io.Pipe()
	defer keyboard.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		io.WriteString(keyboard, someHash+"\n") // returns when it was read
		cancel()
	}()
	if _, err := readInfohashes(ctx, terminal, lightdht.ParseInfohash); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
