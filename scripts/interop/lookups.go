package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// targets is how many random IDs are looked up, beside one that a session has.
const targets = 10

// pingsAll pings every session.
func (l *lab) pingsAll(ctx context.Context) error {
	args := []string{"ping", "--format", "csv"}
	for _, addr := range l.swarm.addrs {
		args = append(args, addr.String())
	}
	out, err := l.lightdht(ctx, args...)
	if err != nil {
		return err
	}
	rows, err := readCSV(out)
	if err != nil {
		return err
	}
	if len(rows) != sessions {
		return fmt.Errorf("%d rows for %d sessions", len(rows), sessions)
	}
	for i, row := range rows {
		if row.addr() != l.swarm.addrs[i].String() || row["id"] != l.swarm.ids[i].String() {
			return fmt.Errorf("session %d at %s is %s; ping says %s", i, l.swarm.addrs[i], l.swarm.ids[i], row)
		}
	}
	return nil
}

// looksUp looks up several targets and compares the answer with the truth.
func (l *lab) looksUp(table string) func(context.Context) error {
	return func(ctx context.Context) error {
		args := []string{"lookup", "--table", table, "--format", "csv", l.swarm.ids[7].String()}
		for i := range targets {
			args = append(args, hashOf(fmt.Sprint("target ", i)).String())
		}
		out, err := l.joined(ctx, args...)
		if err != nil {
			return err
		}
		rows, err := readCSV(out)
		if err != nil {
			return err
		}
		return l.sameAsTruth(rows)
	}
}

// sameAsTruth checks the rows of lookups, which come in the order of their rank.
func (l *lab) sameAsTruth(rows []row) error {
	got := map[kad.ID][]kad.ID{}
	for _, row := range rows {
		target, err := kad.ParseID(row["target"])
		if err != nil {
			return err
		}
		id, err := kad.ParseID(row["id"])
		if err != nil {
			return err
		}
		got[target] = append(got[target], id)
	}
	if len(got) != targets+1 {
		return fmt.Errorf("results for %d targets of %d", len(got), targets+1)
	}
	var wrong []string
	for target, ids := range got {
		if want := closest(l.members(), target, 8); !slices.Equal(ids, want) {
			wrong = append(wrong, fmt.Sprintf("%s: got %s, want %s", target, ids, want))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d wrong: %s", len(wrong), len(got), strings.Join(wrong, "; "))
	}
	return nil
}
