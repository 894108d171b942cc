package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// machine says what the figures were measured on and, where the system tells,
// how many programs wanted its cores in the minute before: with more of them than
// cores, times are too long.
func machine() string {
	said := fmt.Sprintf("%s, %s, %s/%s, %s", orText(field("/proc/cpuinfo", "model name"), "unknown CPU"),
		some(runtime.GOMAXPROCS(0), "core"), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ := strings.Cut(string(text), " ")
		said += ", load " + load
	}
	return said
}

// field returns the first value of a name in a file of lines "name: value"; ""
// when it has none.
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	return fieldOf(f, name)
}

func fieldOf(r io.Reader, name string) string {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// freeMemory returns how many bytes programs may still take, as the system
// reckons, or this one, if a container may take less; 0 when nothing is told.
func freeMemory() uint64 {
	free := kilobytes(field("/proc/meminfo", "MemAvailable"))
	if most, used := numberIn("/sys/fs/cgroup/memory.max"), numberIn("/sys/fs/cgroup/memory.current"); most > used {
		free = min(free, most-used)
	}
	return free
}

// numberIn reads a file that holds a number; 0 is anything else.
func numberIn(name string) uint64 {
	b, _ := os.ReadFile(name)
	n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n
}

// kilobytes reads "1024 kB"; 0 is anything else.
func kilobytes(s string) uint64 {
	digits, ok := strings.CutSuffix(s, " kB")
	n, err := strconv.ParseUint(digits, 10, 54)
	if !ok || err != nil {
		return 0
	}
	return n << 10
}

// What is added to a table of n contacts while it is measured.
func addedAtWork(n int) int { return max(n/10, 10_000) }
func crowdOf(n int) int     { return max(n/10, 1000) }
func sharedOf(n int) int    { return min(n, 100_000) }

const (
	bytesPerContact = 120       // by table/MEMORY.md 111 at most, at IPv4 addresses; and what grows is copied
	bytesBesides    = 100 << 20 // the program, and garbage between two collections
)

// memoryFor returns how many bytes it takes at most to measure with n contacts.
// What is made from numbers takes none; the tables of sharedOf are made when the
// large one is gone.
func memoryFor(n int) uint64 {
	held := max(n+addedAtWork(n)+crowdOf(n), 2*sharedOf(n))
	return bytesPerContact*uint64(held) + bytesBesides
}

// limitMemory has the garbage collector keep to memoryFor, as long as what is in
// use does, until restore is called.
func limitMemory(n int) (restore func()) {
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, int64(memoryFor(n))))
	return func() { debug.SetMemoryLimit(before) }
}

// checkMemory returns an error that says what to do if n contacts do not fit
// in what is free; 0 is unknown.
func checkMemory(n int, free uint64) error {
	need := memoryFor(n)
	if free == 0 || need <= free {
		return nil
	}
	advice := "end other programs"
	if fits := roundContacts(n, free); fits >= leastBench {
		advice = fmt.Sprintf("ask for --contacts %s or less, or %s", countText(fits), advice)
	}
	return fmt.Errorf("--contacts %s takes %s of memory, and %s are free: %s",
		countText(n), bytesText(need), bytesText(free), advice)
}

// roundContacts returns the most contacts below n that fit in free bytes, rounded
// down to one digit; 0 when none do.
func roundContacts(n int, free uint64) int {
	for power := mostBench; power >= leastBench; power /= 10 {
		for digit := 9; digit > 0; digit-- {
			if fits := digit * power; fits < n && memoryFor(fits) <= free {
				return fits
			}
		}
	}
	return 0
}

// countText writes n as a flag takes it.
func countText(n int) string {
	switch {
	case n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	}
	return strconv.Itoa(n)
}

func bytesText(n uint64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.3g MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
