package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// startCapture starts tcpdump and waits until it listens. It writes each packet
// when it comes, and what it would lose it counts.
func (l *lab) startCapture(ctx context.Context) (err error) {
	l.capture, err = start("tcpdump", "-i", "lo", "-n", "-s", "0", "-B", "16384", "-U", "-Z", "root",
		"-w", l.pcap(), "udp and not src host "+handwriter)
	if err != nil {
		return err
	}
	err = l.capture.err.await(ctx, 0, func(line string) bool { return strings.Contains(line, "listening on lo") })
	if err != nil {
		text, _, _ := l.capture.err.get(0)
		return fmt.Errorf("%w: %s", err, strings.Join(text, "; "))
	}
	return nil
}

func (l *lab) pcap() string { return filepath.Join(l.dir, "lo.pcap") }

// verdict is what the linter says of a capture.
type verdict struct {
	Packets  int
	Matched  int `json:"replies_matched"`
	Problems map[string]int
	Frames   map[string][]int `json:"first_frames"`
	Versions map[string]int   `json:"v"`
}

// lint ends the capture and the swarm, and checks every packet.
func (l *lab) lint(ctx context.Context) error {
	if err := l.capture.end(); err != nil {
		return err
	}
	text, _, _ := l.capture.err.get(0)
	if !strings.Contains(strings.Join(text, "\n"), "\n0 packets dropped by kernel") {
		return fmt.Errorf("tcpdump lost some: %q", text)
	}
	out, lintErr := exec.CommandContext(ctx, "./krpc_lint.sh", l.pcap()).Output()
	var v verdict
	if err := json.Unmarshal(out, &v); err != nil {
		return fmt.Errorf("krpc_lint.sh: %w: %w", err, lintErr)
	}
	switch {
	case len(v.Problems) > 0 || lintErr != nil:
		return fmt.Errorf("%v in %d packets, first in frames %v (%v)", v.Problems, v.Packets, v.Frames, lintErr)
	case v.Packets < 1000 || v.Matched < v.Packets/4 || v.Versions[ourVersion] == 0:
		return fmt.Errorf("hardly anything captured: %+v", v)
	}
	l.note = fmt.Sprintf("; %d packets, %d of them replies to others", v.Packets, v.Matched)
	return nil
}

// ourVersion is what we call ourselves on the wire, as the linter shows it.
const ourVersion = "4c440001"
