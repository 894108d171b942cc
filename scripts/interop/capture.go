package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// capture is tcpdump that listens on an interface.
type capture struct {
	*process
	pcap string
}

// orNil returns the process, nil for a capture that is not there.
func (c *capture) orNil() *process {
	if c == nil {
		return nil
	}
	return c.process
}

// startCapture starts the capture of loopback.
func (l *lab) startCapture(ctx context.Context) error {
	l.capture = &capture{pcap: filepath.Join(l.dir, "lo.pcap")}
	return l.capture.start(ctx, "lo", "udp and not src host "+handwriter, "setpriv", "--pdeathsig", "KILL")
}

// start starts tcpdump, by the program before if there is one, and waits until
// it listens. It writes each packet when it comes, and what it would lose it
// counts.
func (c *capture) start(ctx context.Context, dev, filter string, before ...string) (err error) {
	cmd := append(before, "tcpdump", "-i", dev, "-n", "-s", "0", "-B", "16384", "-U", "-Z", "root", "-w", c.pcap, filter)
	if c.process, err = start(cmd[0], cmd[1:]...); err != nil {
		return err
	}
	err = c.err.await(ctx, 0, func(line string) bool { return strings.Contains(line, "listening on "+dev) })
	if err != nil {
		text, _, _ := c.err.get(0)
		return fmt.Errorf("%w: %s", err, strings.Join(text, "; "))
	}
	return nil
}

// verdict is what the linter says of a capture.
type verdict struct {
	Packets  int
	Matched  int `json:"replies_matched"`
	Problems map[string]int
	Frames   map[string][]int `json:"first_frames"`
	Versions map[string]int   `json:"v"`
}

// lint ends the capture of loopback and checks every packet.
func (l *lab) lint(ctx context.Context) (err error) {
	l.note, err = l.capture.lint(ctx, 1000)
	return err
}

// lint ends the capture and checks every packet, of which there are to be some.
// It returns the figures.
func (c *capture) lint(ctx context.Context, least int) (note string, err error) {
	if err := c.end(); err != nil {
		return "", err
	}
	text, _, _ := c.err.get(0)
	if !strings.Contains(strings.Join(text, "\n"), "\n0 packets dropped by kernel") {
		return "", fmt.Errorf("tcpdump lost some: %q", text)
	}
	out, lintErr := exec.CommandContext(ctx, "./krpc_lint.sh", c.pcap).Output()
	var v verdict
	if err := json.Unmarshal(out, &v); err != nil {
		return "", fmt.Errorf("krpc_lint.sh: %w: %w", err, lintErr)
	}
	switch {
	case len(v.Problems) > 0 || lintErr != nil:
		return "", fmt.Errorf("%v in %d packets, first in frames %v (%v)", v.Problems, v.Packets, v.Frames, lintErr)
	case v.Packets < least || v.Matched < v.Packets/4 || v.Versions[ourVersion] == 0:
		return "", fmt.Errorf("hardly anything captured: %+v", v)
	}
	return fmt.Sprintf("; %d packets, %d of them replies to others", v.Packets, v.Matched), nil
}

// ourVersion is what we call ourselves on the wire, as the linter shows it.
const ourVersion = "4c440001"
