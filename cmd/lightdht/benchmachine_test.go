package main

import (
	"strings"
	"testing"
)

// What is asked for does not fit: the advice does.
func TestCheckMemory(t *testing.T) {
	const gb = 1_000_000_000
	if err := checkMemory(10_000_000, 0); err != nil {
		t.Errorf("memory unknown: %v", err)
	}
	if err := checkMemory(10_000_000, 2*gb); err != nil {
		t.Error(err)
	}
	for free, want := range map[uint64]string{
		gb:        "--contacts 10M takes 1.5 GB of memory, and 1.0 GB are free: ask for --contacts 6M or less, or end other programs",
		gb / 5:    "ask for --contacts 600k or less",
		gb / 1000: "1 MB are free: end other programs",
	} {
		if err := checkMemory(10_000_000, free); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes free: %v", free, err)
		}
	}
	for _, free := range []uint64{gb / 5, gb, 7 * gb} {
		if n := roundContacts(mostBench, free); memoryFor(n) > free || memoryFor(2*n) <= free {
			t.Errorf("%d bytes free: advised %d contacts", free, n)
		}
	}
}

// The program looks before it begins.
func TestBenchTooLarge(t *testing.T) {
	if free := freeMemory(); free == 0 || free >= memoryFor(mostBench) {
		t.Skip("the memory of this machine is unknown, or enough for everything")
	}
	var data, said strings.Builder
	got := run([]string{"lightdht", "bench", "table", "--contacts", "1000M"}, strings.NewReader(""), &data, &said)
	if got != 1 || data.Len() > 0 || !strings.HasPrefix(said.String(), "lightdht: --contacts 1000M takes ") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("status %d, wrote %q, said %q", got, data.String(), said.String())
	}
}

func TestFieldOf(t *testing.T) {
	const meminfo = "MemTotal:       24684092 kB\nMemAvailable:   23925316 kB\nMemAvailable: 1 kB\n"
	if got := kilobytes(fieldOf(strings.NewReader(meminfo), "MemAvailable")); got != 23925316<<10 {
		t.Errorf("got %d bytes", got)
	}
	for _, s := range []string{"", "12", "12 MB", "-1 kB", "99999999999999999999 kB"} {
		if got := kilobytes(s); got != 0 {
			t.Errorf("%q: read as %d", s, got)
		}
	}
	if got := fieldOf(strings.NewReader(meminfo), "Mem"); got != "" {
		t.Errorf("got %q", got)
	}
}
