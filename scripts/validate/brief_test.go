package main

import (
	"math"
	"testing"
)

// Rows of one test become one, with the range of what was measured; others stay.
func TestBrief(t *testing.T) {
	inf := math.Inf(1)
	rows := []row{
		{"popularity, power law by likelihood", "a", 1, nil},
		{"IDs, G, one node per address", "1200 IDs", 400, []figure{{name: "bias", value: 0.01, lo: -0.1, hi: 0.1, signed: true}}},
		{"IDs, G, BEP 42", "1000 addresses", 200, []figure{{name: "bias", value: -0.02, lo: -0.2, hi: 0.1, signed: true}, {name: "SD", value: 0.5, lo: -inf, hi: inf}}},
		{"size", "100 lookups", 10, []figure{{name: "SD", value: 0.02, lo: -inf, hi: 0.025}}},
		{"quantile 50 %, order statistics", "a", 10, []figure{{name: "95 % intervals hold", value: 0.95, lo: 0.93, hi: inf}}},
		{"quantile 99 %, order statistics", "b", 10, []figure{{name: "95 % intervals hold", value: 0.99, lo: 0.93, hi: inf}}},
	}
	got := brief(rows)
	want := [][]string{
		{"IDs, four tests of the whole space", "2 settings", "400", "bias -2 to +1 %, SD 50 %", "bias -20 to 10 %"},
		{"size", "100 lookups", "10", "SD 2 %", "SD ≤ 2.5 %"},
		{"quantile, order statistics", "2 settings", "10", "95 % intervals hold 95 to 99 %", "95 % intervals hold ≥ 93 %"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		for j, cell := range got[i] {
			if cell != want[i][j] {
				t.Errorf("row %d: %q, want %q", i, cell, want[i][j])
			}
		}
	}
	if rows[1].figures[0].value != 0.01 || len(rows[1].figures) != 1 {
		t.Error("the rows themselves were changed")
	}
}
