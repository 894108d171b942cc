package main

import (
	"context"
	"crypto/sha1"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// lab is what the checks work with. Each part is there once the check that
// starts it has passed.
type lab struct {
	dir     string
	capture *capture
	swarm   *swarm
	server  *server
	dumps   map[string][]row // by format
	lan     *lan             // nil without Transmission
	meeting meeting
	note    string // what the running check adds to its line
}

// end ends whatever still runs.
func (l *lab) end() {
	l.lan.endAll()
	for _, p := range []*process{l.server.orNil(), l.swarm.orNil(), l.capture.orNil()} {
		if p != nil {
			p.end()
		}
	}
}

// isolated makes sure that nothing could leave.
func (l *lab) isolated(context.Context) error {
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			return fmt.Errorf("interface %s is up: start this with scripts/interop/run", i.Name)
		}
	}
	conn, err := net.Dial("udp", "192.0.2.1:6881")
	if err == nil {
		conn.Close()
		return fmt.Errorf("there is a route to %s", conn.RemoteAddr())
	}
	return nil
}

// program is where our program is.
func (l *lab) program() string { return filepath.Join(l.dir, "lightdht") }

// lightdht runs our program to its end and returns what it wrote to stdout.
func (l *lab) lightdht(ctx context.Context, args ...string) (string, error) {
	return output(ctx, append([]string{l.program()}, append(args, "--no-store")...)...) // each is somebody new
}

// output runs a program to its end and returns what it wrote to stdout.
func output(ctx context.Context, command ...string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	name := strings.Join(command, " ")
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s: %w", name, context.Cause(ctx))
	case err != nil:
		return "", fmt.Errorf("%s: %w: %s", name, err, said.String())
	}
	return string(out), nil
}

// joined is lightdht for a command that joins the swarm first.
func (l *lab) joined(ctx context.Context, args ...string) (string, error) {
	return l.lightdht(ctx, append(slices.Clone(args), "--bootstrap", l.swarm.addrs[0].String())...)
}

// members are the IDs of all lasting nodes: the sessions and our server.
func (l *lab) members() []kad.ID { return append(slices.Clone(l.swarm.ids), l.server.id) }

// hashOf returns an infohash for a purpose: the same in every run.
func hashOf(purpose string) kad.ID { return sha1.Sum([]byte("interop: " + purpose)) }

// closest returns the n of ids that are nearest to target.
func closest(ids []kad.ID, target kad.ID, n int) []kad.ID {
	near := slices.Clone(ids)
	slices.SortFunc(near, target.CompareDistance)
	return near[:min(n, len(near))]
}

// oneLine joins the lines of text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
