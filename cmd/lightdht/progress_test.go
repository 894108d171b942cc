package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// told is what was written to a progress, which may go on.
type told struct {
	mu sync.Mutex
	strings.Builder
}

func (t *told) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.Builder.Write(b)
}

func TestProgressOfShortThings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said told
		p := newProgress(&said, "dump", 100)
		p.add(100)
		time.Sleep(999 * time.Millisecond)
		p.end()
		p.end()
		if said.String() != "" {
			t.Errorf("said %q", said.String())
		}
	})
}

// Lines come after 1 s and then every 5; what is written meanwhile is among them.
func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said told
		p := newProgress(&said, "dump", 30_000_000)
		for i := range 130 {
			time.Sleep(50 * time.Millisecond)
			var adders sync.WaitGroup
			for range 4 {
				adders.Go(func() { p.add(35_000) })
			}
			adders.Wait()
			time.Sleep(50 * time.Millisecond)
			if i == 20 {
				p.Write([]byte("a word\n"))
			}
		}
		p.end()
		want := "dump: 1,400,000 rows, 1.4 M/s, 20 s left\na word\ndump: 8,400,000 rows, 1.4 M/s, 15 s left\ndump: 15,400,000 rows, 1.4 M/s, 10 s left\n"
		if said.String() != want {
			t.Errorf("said\n%s, want\n%s", said.String(), want)
		}
	})
}

func TestPace(t *testing.T) {
	began := time.Unix(1e9, 0)
	type reading struct {
		after time.Duration
		rows  int64
	}
	for _, tt := range []struct {
		name     string
		total    int64
		readings []reading
		want     string
	}{
		{"no total", 0, []reading{{time.Second, 950}}, "950 rows, 950/s"},
		{"no rows", 0, []reading{{time.Second, 0}, {6 * time.Second, 0}}, "6 s"},
		{"no rows yet of many", 1000, []reading{{time.Second, 0}}, "1 s"},
		{"more than there should be", 1000, []reading{{time.Second, 1001}}, "1,001 rows, 1.0 k/s"},
		{"all", 1000, []reading{{10 * time.Second, 1000}}, "1,000 rows, 100/s"},
		{"two at a time", 1000, []reading{{time.Second, 10}, {time.Second, 20}}, "20 rows, 10/s, 1 min 38 s left"},
		{"steady", 1000, []reading{{time.Second, 10}, {2 * time.Second, 20}, {20 * time.Second, 200}}, "200 rows, 10/s, 1 min 20 s left"},
		{"it got slower", 1_000_000, []reading{{time.Second, 100_000}, {31 * time.Second, 130_000}}, "130,000 rows, 5.9 k/s, 2 min 27 s left"},
		{"a long way", 1 << 62, []reading{{time.Second, 1}}, "1 row, 1/s, 277777 h 46 min left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pace{began: began, total: tt.total}
			for _, r := range tt.readings {
				p.read(began.Add(r.after), r.rows)
			}
			if got := p.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 12345678: "12,345,678", -123456: "-123,456", 100000: "100,000"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
}

func TestPrefixed(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0", 0.26: "0.3", 1: "1", 9.4: "9", 950: "950", 999.6: "1.0 k", 1400: "1.4 k", 9960: "10 k", 14_400: "14 k",
		999_600: "1.0 M", 1_400_000: "1.4 M", 123e6: "123 M", 2.5e9: "2.5 G",
	} {
		if got := prefixed(v); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1499 * time.Millisecond: "1 s", 59_600 * time.Millisecond: "1 min 0 s", 80 * time.Second: "1 min 20 s",
		10*time.Minute + 31*time.Second: "11 min", 59*time.Minute + 59*time.Second: "60 min", 2*time.Hour + 5*time.Minute: "2 h 5 min",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}
