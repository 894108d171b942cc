package main

import (
	"bytes"
	"strings"
	"testing"
)

// A few seeds of everything, held loosely: what breaks here is broken, and what
// is a little off shows with thousands of seeds.
func TestAllChecks(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run([]string{"-seeds", "60", "-slack", "4.5", "-markdown"}, &stdout, &stderr)
	t.Logf("%s%s", &stdout, &stderr)
	if rows := strings.Count(stdout.String(), "\n"); code != 0 || rows < 2+len(checks) {
		t.Errorf("exit code %d, %d lines", code, rows)
	}
}
