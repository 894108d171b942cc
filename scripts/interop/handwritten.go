package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// handwriter is where krpc.py sends from. Some of its queries are wrong on
// purpose, so the linter is not shown them; the answers it is.
const handwriter = "127.0.0.2"

// said is a line of krpc.py: what came of a query, or of a check.
type said struct {
	Query    string
	Answered bool
	Reply    struct {
		R struct {
			Nodes  [][]any
			Values []string
			Token  string
		}
		E []any
	}
	Check  string
	Echoed bool `json:"echoed_exactly"`
}

// serverAnswers puts the queries of krpc.py to the server.
func (l *lab) serverAnswers(ctx context.Context) error {
	addr := l.server.addr
	cmd := exec.CommandContext(ctx, "./krpc.py", "probe", addr.Addr().String(), strconv.Itoa(int(addr.Port())),
		"--src", handwriter, "--timeout", "2")
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("krpc.py: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		var s said
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return fmt.Errorf("%w: %s", err, line)
		}
		if !s.right() {
			return fmt.Errorf("not as it should be: %s", line)
		}
	}
	return nil
}

// right reports whether the server did what BEP 5 wants.
func (s said) right() bool {
	switch s.Query {
	case "":
		return s.Echoed
	case "find_node":
		return len(s.Reply.R.Nodes) == 8
	case "get_peers":
		return len(s.Reply.R.Nodes) == 8 && s.Reply.R.Token != "" && len(s.Reply.R.Values) == 0
	case "get_peers_after_announce":
		return len(s.Reply.R.Values) == 1 && s.Reply.R.Values[0] == handwriter+":7777"
	case "announce_bad_token", "find_node_no_target":
		return s.refused(203)
	case "get_bep44", "sample_infohashes", "unknown_method":
		return s.Answered // those that we do not know with an error
	case "garbage":
		return !s.Answered
	}
	return s.Answered && s.Reply.E == nil
}

func (s said) refused(code float64) bool {
	return len(s.Reply.E) == 2 && s.Reply.E[0] == code
}
