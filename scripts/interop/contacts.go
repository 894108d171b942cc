package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// lookAround is how long dump gets to meet all sessions, some of its time being
// spent on our own nodes that are gone: on loopback a second tells them.
const lookAround, tellGone = "6s", "1s"

// dumpsAll dumps the contacts of a node that joined the swarm and looks for
// every session among them.
func (l *lab) dumpsAll(format string) func(context.Context) error {
	return func(ctx context.Context) error {
		out, err := l.joined(ctx, "dump", "--live", "--for", lookAround, "--timeout", tellGone, "--format", format)
		if err != nil {
			return err
		}
		read := readCSV
		if format == "ndjson" {
			read = readNDJSON
		}
		rows, err := read(out)
		if err != nil {
			return err
		}
		l.dumps[format] = rows
		return l.swarm.each(rows, metSession)
	}
}

// metSession checks the row of a session that answered us.
func metSession(r row) error {
	rtt, err := strconv.Atoi(r["rtt_us"])
	switch {
	case err != nil || rtt <= 0 || rtt > 5_000_000:
		return fmt.Errorf("rtt_us is %q", r["rtt_us"])
	case !strings.HasPrefix(r["version"], "LT") || r["client"] != "LT":
		return fmt.Errorf("client is %q, version %q", r["client"], r["version"])
	case r["state"] != "good":
		return fmt.Errorf("state is %q", r["state"])
	}
	return nil
}

// each checks the row of each session; every session has exactly one.
func (s *swarm) each(rows []row, check func(row) error) error {
	var wrong []string
	for i, id := range s.ids {
		mine := find(rows, id, s.addrs[i])
		if len(mine) != 1 {
			wrong = append(wrong, fmt.Sprintf("session %d has %d rows", i, len(mine)))
		} else if err := check(mine[0]); err != nil {
			wrong = append(wrong, fmt.Sprintf("session %d: %v", i, err))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s (of %d rows)", strings.Join(wrong, ", "), len(rows))
	}
	return nil
}

// find returns the rows about a contact.
func find(rows []row, id kad.ID, addr netip.AddrPort) (found []row) {
	for _, r := range rows {
		if r["id"] == id.String() && r.addr() == addr.String() {
			found = append(found, r)
		}
	}
	return found
}

// lasting are the columns that are the same for two nodes that met a session.
var lasting = []string{"id", "ip", "port", "family", "state", "client", "version", "read_only", "router", "bep42_ok"}

// dumpsAgree compares the dumps in both formats.
func (l *lab) dumpsAgree(context.Context) error {
	a, b := l.dumps["csv"], l.dumps["ndjson"]
	if len(a) == 0 || len(b) == 0 {
		return fmt.Errorf("%d rows in csv, %d in ndjson", len(a), len(b))
	}
	if x, y := slices.Sorted(maps.Keys(a[0])), slices.Sorted(maps.Keys(b[0])); !slices.Equal(x, y) {
		return fmt.Errorf("columns of csv are %s, of ndjson %s", x, y)
	}
	for i, id := range l.swarm.ids {
		x, y := find(a, id, l.swarm.addrs[i]), find(b, id, l.swarm.addrs[i])
		if len(x) != 1 || len(y) != 1 {
			return fmt.Errorf("session %d has %d rows in csv, %d in ndjson", i, len(x), len(y))
		}
		for _, column := range lasting {
			if x[0][column] != y[0][column] {
				return fmt.Errorf("session %d: %s is %q in csv, %q in ndjson", i, column, x[0][column], y[0][column])
			}
		}
	}
	return nil
}
