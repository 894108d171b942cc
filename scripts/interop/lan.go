package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
)

// lan is a network of namespaces on a bridge, for programs whose DHT will have
// nothing to do with loopback. It lasts as long as the capture of the bridge.
type lan struct {
	*capture
	members []*process
}

// startLAN makes the network, listens to it, and makes sure that its members
// reach nothing else.
func (l *lab) startLAN(ctx context.Context) error {
	l.lan = &lan{capture: &capture{pcap: filepath.Join(l.dir, "lan.pcap")}}
	if err := l.lan.start(ctx, "lan", "udp", "./lan.sh"); err != nil {
		return err
	}
	if _, err := output(ctx, l.lan.member(1, "ip", "route", "get", at(2).String())...); err != nil {
		return err
	}
	way, err := output(ctx, l.lan.member(1, "ip", "route", "get", "192.0.2.1")...)
	if err == nil {
		return fmt.Errorf("there is a route: %s", way)
	}
	return context.Cause(ctx)
}

// at returns the address of the n-th member.
func at(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 99, 0, n}) }

// member is the command that runs another as the n-th member, 1 being the first
// and 254 the last. Two cannot be the n-th at a time.
func (l *lan) member(n byte, command ...string) []string {
	return append([]string{"./member.sh", strconv.Itoa(l.cmd.Process.Pid), strconv.Itoa(int(n))}, command...)
}

// join starts a program as the n-th member.
func (l *lan) join(n byte, command ...string) (*process, error) {
	command = l.member(n, command...)
	p, err := start(command[0], command[1:]...)
	if err == nil {
		l.members = append(l.members, p)
	}
	return p, err
}

// endMembers ends all members, at once since some take a while. How a member
// ends is its own affair.
func (l *lan) endMembers() {
	for _, p := range l.members {
		p.cancel()
	}
	for _, p := range l.members {
		p.end()
	}
}

// endAll ends all members and then the network.
func (l *lan) endAll() {
	if l == nil || l.process == nil {
		return
	}
	l.endMembers()
	l.end()
}

// lintLAN ends the members and the capture, and checks every packet. Our crowd
// has to end well.
func (l *lab) lintLAN(ctx context.Context) (err error) {
	l.lan.endMembers()
	if err := l.meeting.crowd.end(); err != nil {
		return err
	}
	l.note, err = l.lan.lint(ctx, 300)
	return err
}
