package main

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightdht/lightdht/lightdht"
	"github.com/lightdht/lightdht/lightdht/kad"
	"github.com/lightdht/lightdht/table"
)

const (
	kernelDrops = lightdht.KernelDropped
	someDrop    = lightdht.Malformed
)

// someReadings returns how it went at two points two seconds apart.
func someReadings() (before, now reading) {
	now = reading{
		ran: time.Hour + 7*time.Second, contacts: 12345, states: states{4000, 8000, 345}, core: 240,
		asked: [len(kindNames)]uint64{12, 300, 200, 0, 0, 0, 0, 4},
	}
	before = now
	before.ran -= 2 * time.Second
	before.asked[1] -= 7
	now.counts[lightdht.PacketsIn], now.counts[lightdht.PacketsOut] = 1040, 2042
	before.counts[lightdht.PacketsIn], before.counts[lightdht.PacketsOut] = 1000, 2000
	return before, now
}

// contactsFor yields n good contacts, which takes as long as told.
func contactsFor(n int, takes time.Duration) iter.Seq[table.Contact] {
	return func(yield func(table.Contact) bool) {
		for range n {
			time.Sleep(takes / time.Duration(n))
			if !yield(table.Contact{LastReply: time.Now(), Replies: 1}) {
				return
			}
		}
	}
}

// Counting takes a fiftieth of the time, whatever the table's size.
func TestStateCountIsSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stateCount
		counting := time.Duration(0)
		began := time.Now()
		for time.Since(began) < time.Hour {
			at := time.Now()
			s.count(t.Context(), at, contactsFor(10, 3*time.Second))
			counting += time.Since(at)
			time.Sleep(time.Second)
		}
		if share := counting.Seconds() / time.Since(began).Seconds(); share > 0.0201 || share < 0.0150 {
			t.Errorf("%.1f %% of the time went to counting", 100*share)
		}
		if s.found != (states{good: 10}) {
			t.Errorf("found %+v", s.found)
		}
	})
}

// A count that is broken off is not shown; one at the end is made in any case.
func TestStateCountBrokenOff(t *testing.T) {
	var s stateCount
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.count(ctx, time.Now(), contactsFor(10, 0))
	if s.found != (states{}) {
		t.Errorf("found %+v", s.found)
	}
	s.next = time.Now().Add(time.Hour)
	s.count(t.Context(), time.Now(), contactsFor(10, 0))
	if s.found != (states{}) {
		t.Errorf("found %+v before it was due", s.found)
	}
	if s.all(contactsFor(10, 0)); s.found.all() != 10 {
		t.Errorf("found %+v at the end", s.found)
	}
}

func TestKinds(t *testing.T) {
	var k kinds
	for _, method := range []string{"ping", "find_node", "find_node", "xyz", "", "other", "pin"} {
		k.add(method)
	}
	want := [len(kindNames)]uint64{1, 2, 0, 0, 0, 0, 0, 4}
	for i := range k {
		if got := k[i].Load(); got != want[i] {
			t.Errorf("%s: %d, want %d", kindNames[i], got, want[i])
		}
	}
}

// On a terminal the line is rewritten in place, and other lines stand above it.
func TestScreen(t *testing.T) {
	var out strings.Builder
	s := &screen{w: &out, width: func() int { return 11 }}
	status := func(text string) func(int) string {
		return func(width int) string { return text[:min(len(text), width)] }
	}
	s.Write([]byte("a\n"))
	s.show(status("one"))
	s.Write([]byte("b\n"))
	s.show(status("two and more"))
	s.clear()
	s.Write([]byte("c\n"))
	want := "a\n" + wipe + "one" + wipe + "b\n" + "one" + wipe + "two and mo" + wipe + "c\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
	out.Reset()
	plain := newScreen(&out)
	plain.show(func(width int) string { return strings.Repeat("x", 5-width) })
	plain.Write([]byte("b\n"))
	plain.clear()
	if want := "xxxxx\nb\n"; out.String() != want {
		t.Errorf("piped: got %q, want %q", out.String(), want)
	}
}

// A line that would tell of a small part of its time only, since one before it
// was late, is left out.
func TestTellNotTooSoon(t *testing.T) {
	nodes, err := listenAll("127.0.0.1:0", []kad.ID{{}}, lightdht.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer nodes[0].Close()
	var out strings.Builder
	r := &nodeRun{session: &session{}, screen: &screen{w: &out}, vantages: nodes, first: nodes[0]}
	r.status = time.Hour
	for _, tt := range []struct {
		ran  time.Duration
		told int
	}{{time.Hour, 1}, {20*time.Hour + 50*time.Minute, 2}, {21 * time.Hour, 2}, {22 * time.Hour, 3}, {22*time.Hour + 35*time.Minute, 4}} {
		r.began = time.Now().Add(-tt.ran)
		r.tell(t.Context())
		if got := strings.Count(out.String(), "\n"); got != tt.told {
			t.Errorf("after %s: %d lines, want %d", tt.ran, got, tt.told)
		}
	}
}
