package server

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

func TestAskedWrongly(t *testing.T) {
	for _, args := range []string{"-listen here", "-listen 192.0.2.1:6881", "-kind none", "-listen 127.0.0.1:0 more", "-fast"} {
		var said bytes.Buffer
		if code := Run(t.Context(), strings.Fields(args), &said); code != 2 || said.Len() == 0 {
			t.Errorf("%s: exit status %d, %q", args, code, &said)
		}
	}
}

// All that is preloaded may be handed out, and is on this machine.
func TestPreload(t *testing.T) {
	tb := table.NewPrefix()
	preload(tb, 3000)
	for c := range tb.All() {
		if a := c.Addr.Addr(); !a.IsLoopback() || a.As4()[1] < 128 {
			t.Fatalf("%v is not on this machine, or in the crowd's half of it", c.Addr)
		}
	}
	good := table.Good(time.Now())
	good.Answered, good.Public, good.Distinct = true, true, true
	if n := len(tb.AppendNearest(nil, kad.ID{1}, 4000, good)); n != 3000 {
		t.Errorf("%d of 3000 may be handed out", n)
	}
}

func TestSomewhere(t *testing.T) {
	last := somewhere(1<<23 - 1)
	if first := somewhere(0); !first.Addr().IsLoopback() || !last.Addr().IsLoopback() || first == last || last != somewhere(1<<23-1) {
		t.Errorf("contacts are from %v to %v", first, last)
	}
}
