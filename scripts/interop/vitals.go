package main

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// vitals is what the system tells of a process.
type vitals struct {
	rss     float64 // in MB
	threads int
	files   int           // that it has open
	cpu     time.Duration // since its start
}

// readVitals reads the vitals of a process from /proc.
func readVitals(pid int) (v vitals, err error) {
	proc := "/proc/" + strconv.Itoa(pid)
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		return v, err
	}
	kb, err := statusField(string(status), "VmRSS:")
	if err != nil {
		return v, err
	}
	v.rss = float64(kb) / 1024
	if v.threads, err = statusField(string(status), "Threads:"); err != nil {
		return v, err
	}
	open, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return v, err
	}
	v.files = len(open)
	stat, err := os.ReadFile(proc + "/stat")
	if err != nil {
		return v, err
	}
	v.cpu, err = cpuTime(string(stat))
	return v, err
}

// statusField returns the number in the line of /proc/PID/status that begins
// with name.
func statusField(status, name string) (int, error) {
	for line := range strings.Lines(status) {
		if rest, found := strings.CutPrefix(line, name); found {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("no %s in /proc", name)
}

// cpuTime reads utime and stime, the 14th and 15th field of /proc/PID/stat, in
// ticks of which Linux shows 100 a second. The second field may have spaces in
// it, and ends with the last parenthesis.
func cpuTime(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat is %q", stat)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / 100, err
}

// socketDrops returns how many packets the system dropped at the sockets whose
// address is wanted, as /proc/net/udp tells it of this namespace.
func socketDrops(wanted func(netip.AddrPort) bool) (n int, err error) {
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return 0, err
	}
	return dropsIn(string(text), wanted)
}

func dropsIn(text string, wanted func(netip.AddrPort) bool) (n int, err error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 13 || fields[0] == "sl" {
			continue
		}
		addr, err := hexAddr(fields[1])
		if err != nil {
			return 0, err
		}
		if !wanted(addr) {
			continue
		}
		drops, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil {
			return 0, err
		}
		n += drops
	}
	return n, nil
}

// hexAddr reads an address as /proc/net/udp has it, 0100007F:1B5B, on a machine
// whose numbers begin with the lowest byte.
func hexAddr(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	a, err := strconv.ParseUint(host, 16, 32)
	if err != nil {
		return netip.AddrPort{}, err
	}
	p, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(a), byte(a >> 8), byte(a >> 16), byte(a >> 24)}), uint16(p)), err
}

// point is a value at a time since some beginning.
type point struct {
	at    time.Duration
	value float64
}

// slope returns by how much the values grow in an hour, by the line that fits
// them best; 0 for fewer than two points.
func slope(points []point) float64 {
	var meanX, meanY float64
	for _, p := range points {
		meanX += p.at.Hours() / float64(len(points))
		meanY += p.value / float64(len(points))
	}
	var xy, xx float64
	for _, p := range points {
		dx := p.at.Hours() - meanX
		xy += dx * (p.value - meanY)
		xx += dx * dx
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}
