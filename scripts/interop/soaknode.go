package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// loaded is the node that the soak keeps busy: our program, as anybody runs it.
type loaded struct {
	*process
	addr    netip.AddrPort
	queries string // file of the query log
	ledger  string // file of the ledger
	heard   int    // lines of stderr that have been read
}

const statusEvery = time.Minute

// ownSession is a program that runs another, which Ctrl-C then does not reach:
// what the load is put on and by is ended in its turn.
const ownSession = "setsid"

// startLoaded starts the node and waits until it listens. It ends on its own
// some time after the soak should have ended it.
func startLoaded(ctx context.Context, l *lab, lasts time.Duration) (*loaded, error) {
	n := &loaded{
		addr:    netip.AddrPortFrom(ours, 7003),
		queries: filepath.Join(l.dir, "queries.csv"),
		ledger:  filepath.Join(l.dir, "ledger.csv"),
	}
	var err error
	n.process, err = start(ownSession, l.program(), "node", "--store", filepath.Join(l.dir, "store"), "--listen", n.addr.String(), "--network", "private",
		"--bootstrap", l.swarm.addrs[0].String(), "--table", "prefix", "--for", (lasts + extraLife).String(),
		"--status", statusEvery.String(), "--log-queries", n.queries, "--ledger", n.ledger)
	if err != nil {
		return nil, err
	}
	return n, n.says(ctx, 1, "listening on "+n.addr.String())
}

// status is a line of status.
type status struct {
	ran      time.Duration
	contacts float64
	queries  float64
	drops    float64 // of packets, also by the kernel, and of rows of the query log
}

// nextStatus waits for the next line of status.
func (n *loaded) nextStatus(ctx context.Context) (s status, err error) {
	var ok bool
	err = n.err.await(ctx, n.heard, func(line string) bool {
		n.heard++
		s, ok = parseStatus(line)
		return ok
	})
	return s, err
}

var statusNumber = regexp.MustCompile(`([0-9.]+)([kMG]?) (contacts|queries|kernel drops|dropped|not logged)`)

// parseStatus reads a line of status, which begins with the time that it is of.
func parseStatus(line string) (s status, ok bool) {
	first, rest, _ := strings.Cut(line, "  ")
	ran, err := time.ParseDuration(first)
	if err != nil {
		return s, false
	}
	s.ran = ran
	for _, found := range statusNumber.FindAllStringSubmatch(rest, -1) {
		v, _ := strconv.ParseFloat(found[1], 64)
		v *= map[string]float64{"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[found[2]]
		switch found[3] {
		case "contacts":
			s.contacts = v
		case "queries":
			s.queries = v
		default:
			s.drops += v
		}
	}
	return s, true
}

// rotate has the node go on in a new query log, and counts the rows of the old
// one, which is removed.
func (n *loaded) rotate(ctx context.Context, count *logged) error {
	old := n.queries + ".old"
	if err := os.Rename(n.queries, old); err != nil {
		return err
	}
	if err := n.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	err := until(ctx, func() (bool, error) {
		_, err := os.Stat(n.queries)
		if os.IsNotExist(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("waiting for a new query log: %w", err)
	}
	if err := count.add(old); err != nil {
		return err
	}
	return os.Remove(old)
}
